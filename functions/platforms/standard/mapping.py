"""Another system's records as parts of the model: they are canonical already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fizzbridge.errors import MalformedDeliveryError
from fizzbridge.model.base import Frozen
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import CHILD_KINDS, EntityRef, Kind, Part
from fizzbridge.model.order import OrderRequest
from fizzbridge.observation import Hint, Seen
from platforms.standard import wire

_KEY = re.compile(r"[a-z][a-z0-9-]{0,30}/[^\s#]+")


def updated(kind: Kind, data: wire.Data, connection: str) -> Iterable[Seen]:
    """A record as it is now."""
    if data.record is None:
        raise _malformed(f"{kind}: there is no record")
    return told(kind, data, connection)


def deleted(kind: Kind, data: wire.Data, connection: str) -> Iterable[Seen]:
    """A record that is no more."""
    return told(kind, data.model_copy(update={"record": None}), connection)


def told(kind: Kind, data: wire.Data, connection: str) -> Iterable[Seen]:
    """A record, or its end; an order brings its buyer as a seed.

    Raises:
        MalformedDeliveryError: there is no such part.
        ValidationError: the record is not as its schema says.
    """
    part = _part(kind, data)
    # What became of an order is told of orders of other connections as well.
    of = key(data.id, connection) if part is Part.PROCESSING else f"{connection}/{data.id}"
    entity = EntityRef(kind=kind, key=of)
    body = _record(kind, part, data, connection) if data.record is not None else None
    order = getattr(body, "order", None) if kind in CHILD_KINDS else None
    what = wire.LISTS[kind] + (f"/{part}" if kind is Kind.ORDER else "")
    refetch = Hint(what, data.id, kind)
    yield Seen(entity, body, data.changed_at, part, order, refetch)
    if isinstance(body, OrderRequest):
        places = dict.fromkeys(one for one in (body.bill_to, body.ship_to) if one)
        buyer = Customer(contact=body.contact, company=body.company, addresses=tuple(places))
        yield Seen(body.customer, buyer, None)


def _part(kind: Kind, data: wire.Data) -> Part:
    if kind is Kind.ORDER:
        return Part(data.part or Part.REQUEST)
    if data.part:
        raise _malformed(f"{kind}: only orders have parts")
    return Part.RECORD


def _record(kind: Kind, part: Part, data: wire.Data, connection: str) -> Frozen:
    """The record, with the entities it names by their keys."""
    model, sent = wire.RECORDS[kind, part], data.record or {}
    times = dict.fromkeys(wire.TIMES, data.changed_at)
    full = {name: at for name, at in times.items() if name in model.model_fields} | sent
    for name, of in wire.REFERENCES.items():
        if name in full and name in model.model_fields:
            full[name] = _reference(of, full[name], connection)
    return model.model_validate(full)


def _reference(kind: Kind, value: Any, connection: str) -> Any:
    """A key from an id; what is neither text nor number is left for the model to refuse."""
    if type(value) not in {str, int}:
        return value
    return {"kind": kind, "key": key(str(value), connection)}


def key(value: str, connection: str) -> str:
    """A whole key is taken as it is, anything else for an id of the connection's own."""
    return value if _KEY.fullmatch(value) else f"{connection}/{value}"


def _malformed(message: str) -> MalformedDeliveryError:
    return MalformedDeliveryError(message, code="shape", platform="standard")
