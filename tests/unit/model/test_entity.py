from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fizzbridge.model.entity import (
    CHILD_KINDS,
    LEVEL_KINDS,
    EntityRef,
    Kind,
    Part,
    Role,
    guest,
    owner_role,
    ref,
)

CONNECTIONS = st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
IDS = st.from_regex(r"[^\s#]{1,200}", fullmatch=True)


@given(st.sampled_from(Kind), CONNECTIONS, IDS)
def test_a_reference_reads_back_from_its_text(kind, connection, external_id):
    entity = ref(kind, connection, external_id)
    assert EntityRef.parse(str(entity)) == entity
    assert (entity.connection, entity.external_id) == (connection, external_id)


def test_the_text_is_the_partition_key():
    assert str(ref(Kind.ORDER, "shop-uk", 5501)) == "Order#shop-uk/5501"


def test_an_id_may_itself_hold_slashes():
    entity = EntityRef.parse("Product#erp/gid://x/7")
    assert (entity.connection, entity.external_id) == ("erp", "gid://x/7")


@pytest.mark.parametrize(
    "key",
    ["", "shop-uk", "shop-uk/", "/5501", "Shop/1", "shop/a b", "shop/a#b", "shop/" + "x" * 201],
)
def test_a_key_that_would_break_a_row_is_refused(key):
    with pytest.raises(ValidationError):
        EntityRef(kind=Kind.ORDER, key=key)


@pytest.mark.parametrize("text", ["", "Order", "Oder#shop/1", "shop/1"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValueError, match="valid"):
        EntityRef.parse(text)


def test_a_guest_is_known_by_the_order_alone():
    assert guest("shop", 7).key == "shop/order:7"


def test_every_role_owns_one_part_and_what_is_ours_or_only_told_has_none():
    owned = {
        owner_role(kind, part)
        for kind in Kind
        for part in Part
        if (kind is Kind.ORDER) == (part in {Part.REQUEST, Part.PROCESSING})
        and part not in {Part.ASSESSMENT, Part.TOLD}
    }
    assert owned == set(Role)
    for nobodys in (Part.ASSESSMENT, Part.TOLD):
        with pytest.raises(KeyError):
            owner_role(Kind.PRODUCT, nobodys)


def test_children_and_levels_do_not_overlap():
    assert not CHILD_KINDS & LEVEL_KINDS
    assert Kind.ORDER not in CHILD_KINDS | LEVEL_KINDS
