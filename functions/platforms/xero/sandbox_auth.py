"""Who may call the Xero sandbox: apps, consents, rotating refresh tokens, connections, scopes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

from platforms.xero.sandbox_wire import Json, XeroError, forbidden, new_id, unauthorized

ACCESS_LIFE = timedelta(minutes=30)
REFRESH_LIFE = timedelta(days=60)
CODE_LIFE = timedelta(minutes=5)
BROAD = {"accounting.transactions", "accounting.transactions.read"}
IDENTITY = {"offline_access", "openid", "profile", "email"}
GRANULAR = {
    f"accounting.{area}{read}"
    for area in "invoices payments contacts settings banktransactions manualjournals".split()
    for read in ("", ".read")
}
AREAS = {
    "Contacts": ("contacts",),
    "Invoices": ("invoices", "transactions"),
    "CreditNotes": ("invoices", "transactions"),
    "Payments": ("payments", "transactions"),
    "Overpayments": ("payments", "transactions"),
    "Items": ("invoices", "settings"),
    "Accounts": ("settings",),
    "TaxRates": ("settings",),
    "Currencies": ("settings",),
    "Organisation": ("settings",),
}
"""The scopes, each of which opens a collection."""


def refused(code: str) -> XeroError:
    """The token endpoint's error."""
    return XeroError(400, {"error": code})


@dataclass
class Grant:
    """What one person allowed one app; it has one live refresh token and some just spent."""

    client_id: str
    scopes: set[str]
    refresh_token: str
    used_at: datetime
    event_id: str = field(default_factory=new_id)
    spent: dict[str, datetime] = field(default_factory=dict)
    is_revoked: bool = False


@dataclass
class Connection:
    """A tenant a grant opens."""

    tenant_id: str
    tenant_name: str
    grant: Grant | None
    created_at: datetime
    id: str = field(default_factory=new_id)

    def shown(self) -> Json:
        """As the vendor lists it: times without a zone and with seven decimals."""
        at = f"{self.created_at:%Y-%m-%dT%H:%M:%S.%f}0"
        return {
            "id": self.id,
            "authEventId": self.grant.event_id if self.grant else new_id(),
            "tenantId": self.tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": self.tenant_name,
            "createdDateUtc": at,
            "updatedDateUtc": at,
        }


@dataclass
class Access:
    """What an access token stands for."""

    client: Json
    scopes: set[str]
    expires_at: datetime
    grant: Grant | None


@dataclass
class Code:
    """An authorization code, good once and for minutes."""

    client_id: str
    scopes: set[str]
    redirect_uri: str
    challenge: str
    expires_at: datetime


class Auth:
    """The identity server.

    Args:
        seed: the sandbox's seed.
        clock: gives the time.
        accepted: where grants, tokens and refreshes are counted.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime], accepted: Counter[str]) -> None:
        self.seed, self.clock, self.accepted = seed, clock, accepted
        self.clients: dict[str, Json] = {client["id"]: client for client in seed["clients"]}
        self.tenants: dict[str, str] = {one["tenantId"]: one["name"] for one in seed["tenants"]}
        self.grants: list[Grant] = []
        self.connections: list[Connection] = []
        self.codes: dict[str, Code] = {}
        self.access: dict[str, Access] = {}
        self._numbers = itertools.count(1)
        for given in seed["grants"]:
            scopes = set(given["scopes"].split())
            grant = Grant(given["client_id"], scopes, given["refresh_token"], clock())
            self._connect(grant, given.get("tenants", list(self.tenants)))

    def _connect(self, grant: Grant, tenants: list[str]) -> None:
        self.grants.append(grant)
        for tenant_id in tenants:
            # A tenant has one connection to an app: a new consent takes it over.
            self.connections = [
                one
                for one in self.connections
                if one.tenant_id != tenant_id
                or (one.grant is not None and one.grant.client_id != grant.client_id)
            ]
            name = self.tenants[tenant_id]
            self.connections.append(Connection(tenant_id, name, grant, self.clock()))

    # The consent page and the token endpoint.

    def authorize(self, query: Mapping[str, str]) -> str:
        """A person agrees to everything asked: where the browser goes next."""
        client = self.clients.get(query.get("client_id", ""))
        uri = query.get("redirect_uri", "")
        if client is None or uri not in client.get("redirect_uris", ()):
            raise refused("unauthorized_client")
        wrong = ""
        scopes = set(query.get("scope", "").split())
        if query.get("response_type") != "code":
            wrong = "unsupported_response_type"
        elif not scopes or scopes - self._allowed(client):
            wrong = "invalid_scope"
        elif client["kind"] == "pkce" and query.get("code_challenge_method") != "S256":
            wrong = "invalid_request"
        state = {"state": query["state"]} if "state" in query else {}
        if wrong:
            return f"{uri}?{urlencode({'error': wrong} | state)}"
        code = f"code-{next(self._numbers)}-{new_id()}"
        challenge = query.get("code_challenge", "")
        expires = self.clock() + CODE_LIFE
        self.codes[code] = Code(client["id"], scopes, uri, challenge, expires)
        return f"{uri}?{urlencode({'code': code, 'scope': ' '.join(sorted(scopes))} | state)}"

    def _allowed(self, client: Json) -> set[str]:
        return GRANULAR | IDENTITY | (BROAD if client.get("broad_scopes") else set())

    def token(self, authorization: str, form: Mapping[str, str]) -> Json:
        """One call of the token endpoint."""
        client = self._client(authorization, form)
        grants = {
            "authorization_code": ("web pkce", self._exchange),
            "refresh_token": ("web pkce", self._refresh),
            "client_credentials": ("custom", self._custom),
        }
        if form.get("grant_type", "") not in grants:
            raise refused("unsupported_grant_type")
        kinds, answer = grants[form["grant_type"]]
        if client["kind"] not in kinds.split():
            raise refused("unauthorized_client")
        return answer(client, form)

    def _client(self, authorization: str, form: Mapping[str, str]) -> Json:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise refused("invalid_client") from None
            client = self.clients.get(name)
            known = client.get("secret", "") if client else ""
            if client and known and hmac.compare_digest(known.encode(), secret.encode()):
                return client
        else:
            client = self.clients.get(form.get("client_id", ""))
            if client and client["kind"] == "pkce":
                return client
        raise refused("invalid_client")

    def _exchange(self, client: Json, form: Mapping[str, str]) -> Json:
        code = self.codes.pop(form.get("code", ""), None)
        if (
            code is None
            or code.client_id != client["id"]
            or code.redirect_uri != form.get("redirect_uri")
            or code.expires_at <= self.clock()
        ):
            raise refused("invalid_grant")
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        hashed = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        if code.challenge and code.challenge != hashed:
            raise refused("invalid_grant")
        refresh = self._name("refresh") if "offline_access" in code.scopes else ""
        grant = Grant(client["id"], code.scopes, refresh, self.clock())
        self._connect(grant, list(self.tenants))
        self.accepted["grant made"] += 1
        return self._answer(client, code.scopes, grant)

    def _refresh(self, client: Json, form: Mapping[str, str]) -> Json:
        given, now = form.get("refresh_token", ""), self.clock()
        grant = next(
            (one for one in self.grants if given and given in {one.refresh_token, *one.spent}), None
        )
        if grant is None or grant.client_id != client["id"] or grant.is_revoked:
            raise refused("invalid_grant")
        if given in grant.spent:
            grace = timedelta(seconds=self.seed["refresh_grace_seconds"])
            if now - grant.spent[given] >= grace:
                self.revoke(grant)
                raise refused("invalid_grant")
        elif now - grant.used_at >= REFRESH_LIFE:
            raise refused("invalid_grant")
        # One token lives; what it takes the place of still works for the time of grace.
        grant.spent.setdefault(grant.refresh_token, now)
        grant.refresh_token, grant.used_at = self._name("refresh"), now
        self.accepted["token refreshed"] += 1
        return self._answer(client, grant.scopes, grant)

    def _custom(self, client: Json, form: Mapping[str, str]) -> Json:
        allowed = set(client["scopes"].split())
        scopes = set(form.get("scope", "").split()) or allowed
        if scopes - allowed:
            raise refused("invalid_scope")
        self.accepted["token requested"] += 1
        return self._answer(client, scopes, None)

    def _answer(self, client: Json, scopes: set[str], grant: Grant | None) -> Json:
        token = self._name("access")
        self.access[token] = Access(client, scopes, self.clock() + ACCESS_LIFE, grant)
        body: Json = {"access_token": token, "expires_in": 1800, "token_type": "Bearer"}
        if grant and grant.refresh_token:
            body["refresh_token"] = grant.refresh_token
        if "openid" in scopes:
            body["id_token"] = self._name("id")
        return body | {"scope": " ".join(sorted(scopes))}

    def _name(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}-{new_id()}"

    def revocation(self, authorization: str, form: Mapping[str, str]) -> None:
        """The app gives a grant back; an unknown token is no error."""
        client = self._client(authorization, form)
        given = form.get("token", "")
        for grant in self.grants:
            if grant.client_id == client["id"] and given and given == grant.refresh_token:
                self.revoke(grant)

    def revoke(self, grant: Grant) -> None:
        """End a grant with its connections."""
        grant.is_revoked = True
        self.connections = [one for one in self.connections if one.grant is not grant]
        self.accepted["grant revoked"] += 1

    # Calls.

    def caller(self, authorization: str) -> Access:
        """Whose call this is."""
        scheme, _, token = authorization.partition(" ")
        access = self.access.get(token) if scheme.lower() == "bearer" else None
        if access is None or (access.grant is not None and access.grant.is_revoked):
            raise unauthorized("AuthenticationUnsuccessful")
        if access.expires_at <= self.clock():
            at = f"{access.expires_at:%m/%d/%Y %H:%M:%S}"
            raise unauthorized(f"TokenExpired: token expired at {at}")
        return access

    def connected(self, access: Access) -> list[Connection]:
        """The tenants a token opens."""
        if access.grant is None:
            tenant_id = access.client["tenant"]
            name = self.tenants.get(tenant_id)
            return [Connection(tenant_id, name, None, self.clock())] if name else []
        client_id = access.grant.client_id
        return [one for one in self.connections if one.grant and one.grant.client_id == client_id]

    def tenant(self, access: Access, asked: str | None) -> str:
        """The tenant of a call; a custom connection's token carries its own."""
        if access.grant is None and not asked:
            asked = access.client["tenant"]
        if not any(one.tenant_id == asked for one in self.connected(access)):
            raise forbidden()
        return str(asked)

    def reaches(self, client_id: str, tenant_id: str) -> bool:
        """Whether an app, or the first one, is connected to a tenant."""
        client = self.clients[client_id or next(iter(self.clients))]
        return client.get("tenant") == tenant_id or any(
            one.tenant_id == tenant_id and one.grant and one.grant.client_id == client["id"]
            for one in self.connections
        )

    def disconnect(self, access: Access, connection_id: str) -> bool:
        """Remove a connection of this app."""
        found = next((one for one in self.connected(access) if one.id == connection_id), None)
        if found is None or found.grant is None:
            return False
        self.connections.remove(found)
        self.accepted["connection removed"] += 1
        return True


def check_scope(access: Access, collection: str, writes: bool) -> None:
    """Refuse a token whose scopes do not open this collection."""
    for area in AREAS.get(collection, ()):
        names = {f"accounting.{area}"} | (set() if writes else {f"accounting.{area}.read"})
        if names & access.scopes:
            return
    raise unauthorized("AuthorizationUnsuccessful")
