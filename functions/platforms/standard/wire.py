"""What another system sends: our canonical records, with plain ids where one names another.

``events/schemas/records`` has their JSON Schemas; ``make schemas`` writes them from here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from fizzbridge.model.base import Frozen
from fizzbridge.model.entity import Kind, Part
from fizzbridge.runtime.view import BODIES
from fizzbridge.wire import Wire

KINDS = {
    "order": Kind.ORDER,
    "shipment": Kind.SHIPMENT,
    "invoice": Kind.INVOICE,
    "payment": Kind.PAYMENT,
    "refund": Kind.REFUND,
    "return": Kind.RETURN,
    "customer": Kind.CUSTOMER,
    "product": Kind.PRODUCT,
    "price": Kind.PRICE,
    "stock_level": Kind.STOCK_LEVEL,
}
"""By the word deliveries name them with."""

STREAMS = {f"{word}s": kind for word, kind in KINDS.items()}
"""By the word lists have in their path."""

LISTS = {kind: stream for stream, kind in STREAMS.items()}

RECORDS: dict[tuple[Kind, Part], type[Frozen]] = {
    (kind, part): model
    for (kind, part), model in BODIES.items()
    if part in {Part.REQUEST, Part.PROCESSING, Part.RECORD}
}

REFERENCES = {
    "order": Kind.ORDER,
    "credits": Kind.INVOICE,
    "customer": Kind.CUSTOMER,
    "ordered_by": Kind.CUSTOMER,
    "product": Kind.PRODUCT,
}
"""Fields of records that name another entity."""

TIMES = ("changed_at", "as_of")
"""Fields of records that are ``changed_at`` of the delivery where they are left out."""


def _number_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _only_text(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("a time is a text as RFC 3339 has it")  # noqa: TRY004  pydantic's own way
    return value


Id = Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=200)]


class Data(Wire):
    """One record as its owner has it; without a record the thing is gone."""

    id: Id
    changed_at: Annotated[AwareDatetime, BeforeValidator(_only_text)]
    part: Literal["request", "processing"] | None = None
    """Of an order: what was asked for, or what became of it."""
    record: dict[str, Any] | None = None


class Listed(Wire):
    """A page of a list."""

    items: tuple[dict[str, Any], ...]
    next: str | None = None


def plain(body: Frozen) -> dict[str, Any]:
    """A record as it is told: with the keys of what it names."""
    found = body.model_dump(mode="json")
    named = {name: found[name]["key"] for name in REFERENCES if found.get(name)}
    return found | named


def schema(model: type[Frozen]) -> dict[str, Any]:
    """The JSON Schema of a record as it is sent and told."""
    found = model.model_json_schema(mode="serialization")
    definitions = found.get("$defs", {})
    if "EntityRef" in definitions:
        del definitions["Kind"]
        definitions["EntityRef"] = {
            "description": "Your own id of it, or a whole key: `shop-uk/5501`.",
            "type": ["string", "integer"],
        }
    found["required"] = [name for name in found["required"] if name not in TIMES]
    return found
