"""Telling another system our state: Standard Webhooks, specification 1.0.0 of standardwebhooks.com.

A post has no object to be found: what the system has answered is held under our own key. A post
without an answer is made again with the same id, by which the system knows that it is a repetition.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from pydantic import Field

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import ClientAround, VendorClient, encode
from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.events import DetailType
from fizzbridge.runtime.facts import BY_KIND, BY_STATE
from fizzbridge.runtime.target import Situation, TargetAdapter, TargetEntity
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.runtime.wiring import now
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection
from fizzbridge.state.moments import from_text
from fizzbridge.webhook.signatures import standard_proof
from platforms.standard import mapping, wire

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
        data = {"kind": kind, "key": key, "revision": _revision(at), "record": None}
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


class Told(TargetEntity):
    """Entities of one kind: posted when they change, and when they stand no more."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def requires(self, view: View) -> Sequence[EntityRef]:
        """The buyer before the order, the order before its documents."""
        if view.request:
            return [view.request.customer]
        return [view.parent.ref] if view.parent else []

    def desired(self, view: View, situation: Situation) -> State | None:  # noqa: ARG002  nothing is mapped
        """The record and what we make of it; None where nothing has happened yet."""
        told = view.parts[Part.REQUEST if self._kind is Kind.ORDER else Part.RECORD]
        assessed = view.parts.get(Part.ASSESSMENT)
        what = _type(self._kind, assessed)
        if told.body is None or what is None:
            return None
        record = wire.plain(told.body)
        if view.parent:
            # Its owner may know the order by a name of its own.
            record["order"] = view.parent.ref.key
        processing = view.parts.get(Part.PROCESSING)
        return State(
            type=what,
            kind=self._kind,
            key=view.ref.key,
            revision=_revision(from_text((assessed or told).observed_at)),
            record=record,
            processing=wire.plain(processing.body) if processing and processing.body else None,
            assessment=assessed.body.model_dump(mode="json")
            if assessed and assessed.body
            else None,
            observed_at=max(one.observed_at for one in (told, processing) if one),
        )

    def find(self, vendor: Any, reference: str, payload: Any) -> None:  # noqa: ARG002  there is none
        """Nothing: who is asked has not been told yet."""
        vendor.is_first = True

    def unanswered(self, reference: str) -> str:
        """A post without an answer may have been heard."""
        return reference

    def create(self, vendor: Any, reference: str, payload: Any) -> str:
        """Tell it for the first time."""
        vendor.tell(payload)
        return reference

    def update(self, vendor: Any, external_id: str, payload: Any) -> None:  # noqa: ARG002  the payload says it
        """Tell it as it is now."""
        vendor.tell(payload)

    def cancel(self, vendor: Any, external_id: str) -> None:
        """Tell that it stands no more."""
        vendor.withdraw(self._kind, external_id)


class StandardTarget(TargetAdapter):
    """Posts of all ten kinds to one address."""

    platform: ClassVar[str] = "standard"
    # No such address is nothing a single entity can help.
    errors: ClassVar[ErrorRules] = ErrorRules(
        (Rule(ConfigurationError, 404), Rule(ConfigurationError, 405))
    )
    entities: ClassVar[Mapping[Kind, TargetEntity]] = {kind: Told(kind) for kind in Kind}
    search_lag: ClassVar[timedelta] = timedelta(0)
    longest_transaction: ClassVar[timedelta] = timedelta(seconds=30)

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """The proof of Standard Webhooks, with one secret or with two."""
        del connection
        return Signed(str(secret["post_secret"]).split())

    def client(self, vendor: VendorClient, connection: Connection) -> VendorClient:
        """One that posts to the connection's path."""
        return Teller(vendor, connection)


def _type(kind: Kind, assessed: StoredPart | None) -> str | None:
    if kind is Kind.ORDER:
        return str(DetailType.ORDER_CHANGED)
    state = getattr(assessed.body, "state", "") if assessed else ""
    found = BY_KIND.get(kind) or BY_STATE.get((kind, state))
    return str(found) if found else None


def _revision(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


handler = target_handler(StandardTarget())
