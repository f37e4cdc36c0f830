"""The token endpoint of the QuickBooks sandbox: one grant, whose refresh token moves on."""

from __future__ import annotations

import base64
import binascii
import hmac
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from platforms.quickbooks.sandbox_wire import Row

FIVE_YEARS = timedelta(days=5 * 365)


class TokenError(Exception):
    """A refused call of the token endpoint, in OAuth's own words."""

    def __init__(self, status: int, error: str, text: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, "error_description": text}


@dataclass
class Grant:
    """What a person once consented to.

    Attributes:
        access: each access token, and when it ends.
        refresh: the one refresh token that is good, and when it was made.
        spent: refresh tokens used before, and when.
        since: when the person consented; nothing outlives five years.
    """

    refresh: str
    since: datetime | None = None
    made: datetime | None = None
    access: dict[str, datetime] = field(default_factory=dict)
    spent: dict[str, datetime] = field(default_factory=dict)
    is_revoked: bool = False


class Tokens:
    """Grants of one app.

    Args:
        seed: the credentials, and how long what lives.
        clock: gives the time.
    """

    def __init__(self, seed: Row, clock: Callable[[], datetime]) -> None:
        self.seed = seed
        self.clock = clock
        self.grants = [Grant(seed["refresh_token"])]
        self.codes: set[str] = set()
        self._count = itertools.count(2)
        self._chance = random.Random(20)  # noqa: S311  it only spreads delays

    def delay(self) -> float:
        """Seconds until the next token is answered."""
        low, high = self.seed["token_delay_ms"]
        return self._chance.uniform(low, high) / 1000

    def allows(self, authorization: str) -> bool:
        """Whether a header bears an access token that still lives."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not token:
            return False
        now = self.clock()
        for grant in self.grants:
            self._begin(grant, now)
            if token in grant.access and not grant.is_revoked:
                return now < grant.access[token]
        return False

    def _begin(self, grant: Grant, now: datetime) -> None:
        """The seeded grant begins with its first use, whatever the clock says by then."""
        if grant.since is None:
            grant.since = grant.made = now
            if self.seed["access_token"]:
                lives = timedelta(seconds=self.seed["access_seconds"])
                grant.access[self.seed["access_token"]] = now + lives

    def check_client(self, authorization: str) -> None:
        """The app's id and secret, as HTTP Basic."""
        scheme, _, value = authorization.partition(" ")
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            given = b""
        wanted = f"{self.seed['client_id']}:{self.seed['client_secret']}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(given, wanted):
            raise TokenError(401, "invalid_client", "Client authentication failed")

    def answer(self, form: Row) -> Row:
        """A new pair of tokens for a code or a refresh token."""
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._exchanged(form)
        if kind != "refresh_token":
            text = "The grant type must be authorization_code or refresh_token"
            raise TokenError(400, "unsupported_grant_type", text)
        if not form.get("refresh_token"):
            raise TokenError(400, "invalid_request", "refresh_token is missing")
        return self._refreshed(form["refresh_token"])

    def consent(self) -> str:
        """A person connects the company: the code the redirect brings back."""
        code = f"AB{next(self._count):011d}"
        self.codes.add(code)
        return code

    def _exchanged(self, form: Row) -> Row:
        if not form.get("redirect_uri"):
            raise TokenError(400, "invalid_request", "redirect_uri is missing")
        if form.get("code") not in self.codes:
            raise TokenError(400, "invalid_grant", "Invalid authorization code")
        self.codes.discard(form["code"])
        now = self.clock()
        grant = Grant(f"RT{next(self._count)}-sandbox", since=now, made=now)
        self.grants.append(grant)
        return self._pair(grant, now)

    def _refreshed(self, token: str) -> Row:
        now = self.clock()
        for grant in self.grants:
            self._begin(grant, now)
            if token in grant.spent:
                self._reused(grant, now - grant.spent[token])
            elif token != grant.refresh:
                continue
            since, made = grant.since or now, grant.made or now
            lives = timedelta(seconds=self.seed["refresh_seconds"])
            if grant.is_revoked or now >= min(made + lives, since + FIVE_YEARS):
                break
            if self.seed["rotates"] and token == grant.refresh:
                grant.spent[token] = now
                grant.refresh = f"RT{next(self._count)}-sandbox"
            grant.made = now
            return self._pair(grant, now)
        raise TokenError(400, "invalid_grant", "Incorrect or invalid refresh token")

    def _reused(self, grant: Grant, age: timedelta) -> None:
        """A spent token is a stolen one: everything of the grant ends."""
        if age.total_seconds() >= self.seed["reuse_grace_seconds"]:
            grant.is_revoked = True

    def _pair(self, grant: Grant, now: datetime) -> Row:
        access = f"AT{next(self._count)}-sandbox"
        grant.access[access] = now + timedelta(seconds=self.seed["access_seconds"])
        return {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": self.seed["access_seconds"],
            "refresh_token": grant.refresh,
            "x_refresh_token_expires_in": self.seed["refresh_seconds"],
        }

    def revoke(self, token: str) -> bool:
        """End the grant of a token; whether there was one."""
        for grant in self.grants:
            self._begin(grant, self.clock())
            if token == grant.refresh or token in grant.access:
                grant.is_revoked = True
                return True
        return False
