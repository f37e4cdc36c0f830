"""Odoo's two ways in, and what their answers mean.

The adapter speaks JSON-2 (``POST /json/2/<model>/<method>``, from 19.0); for servers before it the
client says the same over JSON-RPC, which Odoo removes in 22.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx

from fizzbridge.errors import (
    ConfigurationError,
    ConflictError,
    DeletedAtTargetError,
    RateLimitedError,
    TargetRejectedError,
    TargetUnavailableError,
)
from fizzbridge.http.auth import Bearer
from fizzbridge.http.classify import Answer, ErrorRules, Rule
from fizzbridge.http.client import ClientAround, VendorClient, decode, encode
from fizzbridge.settings import Connection

_SERIALIZE = re.compile("could not serialize access")
# Odoo names the exception, in the body over JSON-2 and below `error` in a 200 over JSON-RPC.
_BY_NAME = (
    (r"^odoo\.exceptions\.MissingError$", DeletedAtTargetError, None),
    (r"^odoo\.exceptions\.Access(Error|Denied)$", ConfigurationError, None),
    (r"^odoo\.exceptions\.", TargetRejectedError, None),
    (r"SerializationFailure|LockNotAvailable|DeadlockDetected", ConflictError, None),
    (r"^builtins\.(ValueError|TypeError|KeyError)$", TargetRejectedError, "ours"),
)
ERRORS = ErrorRules(
    rules=(
        Rule(RateLimitedError, status=429),
        # The login page, the database selector: wrong host or database, or no API on this plan.
        Rule(ConfigurationError, status=range(200, 405), media="text/html"),
        Rule(ConflictError, where={"message": _SERIALIZE}),
        Rule(ConflictError, where={"error.data.message": _SERIALIZE}),
        *(
            Rule(verdict, where={path: re.compile(name)}, blame=blame)  # type: ignore[arg-type]  # a Literal by the table above
            for name, verdict, blame in _BY_NAME
            for path in ("name", "error.data.name")
        ),
        # No such model or method: a module is missing, or the version is another.
        Rule(ConfigurationError, status=404),
        Rule(
            TargetRejectedError,
            where={"error.data.name": re.compile(r"^builtins\.AttributeError$")},
            blame="ours",
        ),
        Rule(
            ConfigurationError,
            where={
                "error.data.name": re.compile("OperationalError"),
                "error.data.message": re.compile("database .* does not exist"),
            },
        ),
        Rule(TargetUnavailableError, status=200, where={"error.message": re.compile("")}),
    ),
    message_at=("message", "error.data.message"),
    code_at=("name", "error.data.name"),
)

INSERT_ONCE = {"noupdate": True, "mode": "update", "tz": "UTC"}
"""With it ``load`` creates what has no such external id yet and touches nothing that has."""

STEADY = frozenset(
    {
        "account.tax",
        "product.pricelist",
        "product.product",
        "res.company",
        "res.country",
        "res.country.state",
        "stock.warehouse",
        "uom.uom",
    }
)
"""Models read once per run: what they answer does not change between create and update."""


class RpcKey(httpx.Auth):
    """JSON-RPC carries login and key inside the body; the client leaves their places empty."""

    requires_request_body = True

    def __init__(self, login: str, key: str) -> None:
        self._login = login
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Fill in the login, or the key alone where the user's number is known."""
        body = decode(request.content.decode())
        arguments = body["params"]["args"]
        if body["params"]["service"] == "common":
            arguments[1] = self._login
        arguments[2] = self._key
        headers = {k: v for k, v in request.headers.items() if k != "content-length"}
        yield httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=encode(body),
            extensions=request.extensions,
        )


def authorised(secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
    """The bot's API key: a bearer token, or in place of its password.

    Raises:
        ConfigurationError: the connection's transport is none of the two.
    """
    transport = connection.settings.get("transport", "json2")
    if transport == "json2":
        return Bearer(secret["api_key"])
    if transport == "jsonrpc":
        return RpcKey(secret["login"], secret["api_key"])
    msg = f"{connection.name}: transport is json2 or jsonrpc, not {transport}"
    raise ConfigurationError(msg, platform="odoo")


class OdooClient(ClientAround):
    """Takes JSON-2 calls, sends them over the connection's transport, and remembers lookups."""

    def __init__(self, inner: VendorClient, connection: Connection) -> None:
        super().__init__(inner)
        self._database = str(connection.settings.get("database", ""))
        self._is_rpc = connection.settings.get("transport") == "jsonrpc"
        self._uid: int | None = None
        self._known: dict[bytes, Answer] = {}

    def request(
        self, method: str, path: str, *, writes: bool, json: Any = None, **plan: Any
    ) -> Answer:
        """Make one call; ``data`` of the answer is the bare result."""
        model, name = path.split("/")[-2:]
        question = encode([path, json]) if model in STEADY and not writes else b""
        if question in self._known:
            return self._known[question]
        answer = (
            self._rpc("object", [model, name, *_positional(json)], writes=writes, **plan)
            if self._is_rpc
            else self._json2(method, path, json, writes=writes, **plan)
        )
        if question:
            self._known[question] = answer
        return answer

    def _json2(self, method: str, path: str, json: Any, *, writes: bool, **plan: Any) -> Answer:
        headers = {"X-Odoo-Database": self._database} if self._database else None
        return self._inner.request(method, path, json=json, headers=headers, writes=writes, **plan)

    def _rpc(self, service: str, arguments: list[Any], *, writes: bool, **plan: Any) -> Answer:
        if service == "object":
            arguments = [self._database, self._login(), None, *arguments]
        call = {
            "service": service,
            "method": "execute_kw" if service == "object" else "authenticate",
            "args": arguments,
        }
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": call}
        answer = self._inner.request("POST", "/jsonrpc", json=body, writes=writes, **plan)
        # A result of null comes without the key.
        return replace(answer, data=(answer.data or {}).get("result"))

    def _login(self) -> int:
        if self._uid is None:
            uid = self._rpc("common", [self._database, None, None, {}], writes=False).data
            if not isinstance(uid, int) or isinstance(uid, bool):
                msg = "Odoo does not know the login, or its API key has expired"
                raise ConfigurationError(msg, platform=self.platform)
            self._uid = uid
        return self._uid


def _positional(json: Mapping[str, Any]) -> list[Any]:
    named = dict(json)
    return [[named.pop("ids")] if "ids" in named else [], named]


def call(
    vendor: VendorClient,
    model: str,
    method: str,
    *,
    writes: bool,
    was: Mapping[str, Any] | None = None,
    shown: Any = None,
    **named: Any,
) -> Any:
    """Call a method of a model and return its bare result; ``was`` and ``shown`` are for plans."""
    path = f"/json/2/{model}/{method}"
    plan = {"was": was, "shown": shown} if was or shown else {}
    return vendor.request("POST", path, json=named, writes=writes, **plan).data


def search(
    vendor: VendorClient, model: str, domain: Sequence[Any], fields: Sequence[str], **more: Any
) -> list[dict[str, Any]]:
    """The records that match a domain."""
    found: list[dict[str, Any]] = call(
        vendor, model, "search_read", writes=False, domain=domain, fields=fields, **more
    )
    return found


def insert_once(vendor: VendorClient, model: str, *rows: Mapping[str, Any]) -> str:
    """Create a record under an external id, or return the id of the one that has it already.

    Odoo keeps external ids unique, so of several such calls at once one creates. An empty cell
    means "empty", not "as it may be", so every column must be meant.

    Args:
        vendor: the client.
        model: of the record.
        rows: the record by import column, ``id`` being the external id; then further lines of it.
    """
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_cell(row.get(name)) for name in columns] for row in rows]
    arguments: dict[str, Any] = {"fields": columns, "data": cells, "context": INSERT_ONCE}
    shown = [dict(row) for row in rows] if len(rows) > 1 else dict(rows[0])
    got = call(vendor, model, "load", writes=True, shown=shown, **arguments)
    if got["ids"]:
        return str(got["ids"][0])
    said = vendor.clean("; ".join(str(found.get("message", "")) for found in got["messages"]))
    if _SERIALIZE.search(said):
        raise ConflictError(f"{model}: {said}", platform="odoo")
    raise TargetRejectedError(f"{model}: {said}", platform="odoo")


def _cell(value: Any) -> str:
    """Import cells are text: nothing is empty, booleans are 1 and 0."""
    if isinstance(value, bool):
        return str(int(value))
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def external_key(sort: str, reference: str) -> str:
    """The external id of what carries our reference: safe letters only, and never two alike.

    Connection names have no underscore, so the second one of the name ends it, and all that is not
    a letter, a digit or a hyphen after it is written as the hexadecimal of its bytes.
    """
    connection, _, own = reference.partition("/")
    safe = re.sub(
        r"[^A-Za-z0-9-]", lambda odd: "".join(f"_{byte:02x}" for byte in odd[0].encode()), own
    )
    return f"__fizz__.{sort}_{connection}_{safe}"
