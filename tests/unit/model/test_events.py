"""Events are thin of people: no field may hold, or be named after, anything of a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from fizzbridge.model import party
from fizzbridge.model.entity import LEVEL_KINDS, Kind
from fizzbridge.model.events import (
    ASSESS_TYPES,
    DOCUMENT_TYPES,
    EVENT_MODELS,
    LEVEL_TYPES,
    RECORD_TYPES,
    DetailType,
    Event,
    synced,
)

DENIED = re.compile(
    r"name|mail|phone|mobile|address|street|city|postal|postcode|zip|region|contact|recipient"
    r"|note|comment|message|text|title|reference|po_number|tax_number|vat|birth|iban|card"
    r"|url|header|body|payload|properties|tags|gateway|buyer|company"
)
PERSONAL_MODELS = {party.Address, party.Company, party.Contact}


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a model and of the models inside it, by its path."""
    for name, field in model.model_fields.items():
        yield f"{path}{name}", field.annotation
        for inner in models(field.annotation):
            yield from fields(inner, f"{path}{name}.")


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from models(argument)


@pytest.mark.parametrize("model", sorted(set(EVENT_MODELS.values()), key=lambda one: one.__name__))
def test_no_field_of_an_event_is_named_after_anything_personal(model):
    found = [path for path, _ in fields(model)]
    assert len(found) >= 4
    assert [path for path in found if DENIED.search(path)] == []


@pytest.mark.parametrize("model", sorted(set(EVENT_MODELS.values()), key=lambda one: one.__name__))
def test_no_event_holds_a_model_of_people_or_an_open_dictionary(model):
    for path, annotation in fields(model):
        assert not set(models(annotation)) & PERSONAL_MODELS, path
        assert "dict" not in str(annotation).lower(), path
        assert "Any" not in str(annotation), path


def test_the_walk_would_find_a_personal_field_inside():
    class Buyer(BaseModel):
        email: str

    class Leaky(Event):
        buyers: tuple[Buyer, ...] | None = None

    leaks = [path for path, _ in fields(Leaky) if DENIED.search(path)]
    assert leaks == ["buyers", "buyers.email"]


def test_every_detail_type_has_one_model():
    assert set(EVENT_MODELS) == set(DetailType)


def test_who_reacts_on_what_is_complete_and_without_overlap():
    assert not ASSESS_TYPES & RECORD_TYPES
    assert set(DetailType) == ASSESS_TYPES | RECORD_TYPES
    assert not DOCUMENT_TYPES & LEVEL_TYPES
    assert DOCUMENT_TYPES | LEVEL_TYPES < RECORD_TYPES


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_can_be_synced_and_goes_to_one_queue(kind):
    assert synced(kind) in RECORD_TYPES
    changes = [one for one in DOCUMENT_TYPES | LEVEL_TYPES if one.startswith(str(kind))]
    assert changes
    assert all((one in LEVEL_TYPES) == (kind in LEVEL_KINDS) for one in changes)
