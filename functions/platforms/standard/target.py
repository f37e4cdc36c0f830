"""Telling another system our state: Standard Webhooks, specification 1.0.0 of standardwebhooks.com.

A post has no object to be found: what the system has answered is held under our own key. A post
without an answer is made again with the same id, by which the system knows that it is a repetition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import httpx

from fizzbridge.errors import ConfigurationError
from fizzbridge.http.classify import ErrorRules, Rule
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.events import DetailType
from fizzbridge.runtime.facts import BY_KIND, BY_STATE
from fizzbridge.runtime.target import Situation, TargetAdapter, TargetEntity
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.runtime.worker import target_handler
from fizzbridge.settings import Connection
from fizzbridge.state.moments import from_text
from platforms.standard import wire
from platforms.standard.posting import Signed, State, Teller, revision_of


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
            revision=revision_of(from_text((assessed or told).observed_at)),
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


handler = target_handler(StandardTarget())
