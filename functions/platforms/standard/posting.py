"""What a post says, how it is signed, and where it goes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import Field

from fizzbridge.http.client import ClientAround, VendorClient, encode
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import Kind
from fizzbridge.model.events import DetailType
from fizzbridge.runtime.wiring import now
from fizzbridge.settings import Connection
from fizzbridge.state.moments import from_text
from fizzbridge.webhook.signatures import standard_proof
from platforms.standard import mapping

_GENERATION = re.compile(r"~\d+$")
_WITHDRAWN = {
    Kind.ORDER: str(DetailType.ORDER_CANCELLED),
    Kind.INVOICE: str(DetailType.INVOICE_VOIDED),
}


class State(Frozen):
    """What is told of an entity."""

    type: str
    kind: Kind
    key: str
    revision: int
    """When we came to it, in milliseconds: grows with each change."""
    record: dict[str, Any]
    processing: dict[str, Any] | None = None
    """Of an order: what became of it at its owner."""
    assessment: dict[str, Any] | None = None
    observed_at: str = Field(exclude=True)
    """When it was told to us; the same state told again is no other state."""


class Signed(httpx.Auth):
    """Signs each post with every active secret, so that one can replace another."""

    requires_request_body = True

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets
        self.clock: Callable[[], datetime] = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add time and proofs."""
        at, named = str(int(self.clock().timestamp())), request.headers["webhook-id"]
        proofs = [standard_proof(one, named, at, request.content) for one in self._secrets]
        request.headers["webhook-timestamp"] = at
        request.headers["webhook-signature"] = " ".join(proofs)
        yield request


class Teller(ClientAround):
    """Posts to one address, and says nothing twice in a run."""

    def __init__(self, inner: VendorClient, connection: Connection) -> None:
        super().__init__(inner)
        self._path = str(connection.settings.get("path", "/fizzbridge"))
        self._name = connection.name
        self._told: set[str] = set()
        self.is_first = False
        """Whether nothing has been told of the entity that anybody answered."""

    def tell(self, state: State) -> None:
        """Post a state; an order's first is told as placed."""
        is_placed = self.is_first and state.kind is Kind.ORDER
        data = state.model_dump(mode="json", exclude={"type"}, exclude_none=True)
        self._post(
            str(DetailType.ORDER_PLACED) if is_placed else state.type,
            from_text(state.observed_at),
            data,
            state.fingerprint(),
        )

    def withdraw(self, kind: Kind, reference: str) -> None:
        """Post that something told before stands no more."""
        key = mapping.key(_GENERATION.sub("", reference), self._name)
        at = now()
        data = {"kind": kind, "key": key, "revision": revision_of(at), "record": None}
        named = hashlib.sha256(f"{kind}#{reference} withdrawn".encode()).hexdigest()
        self._post(_WITHDRAWN.get(kind, f"{kind}Withdrawn"), at, data, named)

    def _post(self, what: str, at: datetime, data: Mapping[str, Any], unique: str) -> None:
        named = f"msg_{unique[:32]}"
        if named in self._told:
            return
        moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        body = {"type": what, "timestamp": moment, "data": data}
        headers = {"webhook-id": named, "Content-Type": "application/json"}
        self.request(
            "POST", self._path, writes=True, content=encode(body), headers=headers, shown=body
        )
        self._told.add(named)


def revision_of(at: datetime) -> int:
    """The number a state has that we came to then."""
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
