"""`fizzbridge explain` and `fizzbridge hold`, as people use them."""

from __future__ import annotations

import pytest

from fizzbridge.model.entity import Part
from fizzbridge.observation import Seen
from fizzbridge.runtime.loading import Loader
from tests.unit.cli.conftest import PLACED


def state(stack, order) -> str:
    return str(Loader(stack.table, stack.objects).view(order).assessment.state)


@pytest.fixture
def waiting(stack, shop):
    """An order whose lines do not sum to its total: only a person can say that it may go."""
    order = shop.order(1)
    body = Loader(stack.table, stack.objects).view(order).request
    odd = body.lines[0].model_copy(update={"amount": body.lines[0].amount * 2})
    changed = body.changed_at.replace(minute=59)
    body = body.model_copy(update={"lines": (odd,), "changed_at": changed})
    shop.tell(Seen(order, body, changed, Part.REQUEST))
    return order


def test_explain_shows_lines_rules_and_totals(fizzbridge, shop):
    shop.order(1)
    told = fizzbridge("explain", "FZ1001")
    assert told.code == 0
    for words in ("2 × 1.00", "pack", "class", "rates of 2026-11-23, in GBP", "the shop's 2.40"):
        assert words in " ".join(told.out.split()), words


def test_explain_as_json_has_every_step(fizzbridge, shop):
    shop.order(1)
    told = fizzbridge("--json", "explain", "FZ1001").data
    assert (told["number"], told["currency"], told["holds"]) == ("#FZ1001", "GBP", [])
    assert [step["rule"] for step in told["totals"]] == ["sum, net", "net", "tax", "gross"]
    assert told["totals"][-1]["amount"] == "2.40"


def test_explain_says_what_an_order_waits_for(fizzbridge, waiting):
    told = fizzbridge("explain", "FZ1001")
    assert "TOTAL_MISMATCH" in told.out
    assert "difference -2.00" in " ".join(told.out.split())


def test_an_order_that_the_shop_deleted_is_said(fizzbridge, shop):
    order = shop.order(1)
    shop.tell(Seen(order, None, PLACED.replace(hour=23), Part.REQUEST))
    told = fizzbridge("explain", order.key)
    assert told.code == 1
    assert "was deleted at its source" in told.err


def test_what_waits_is_listed(fizzbridge, waiting):
    (one,) = fizzbridge("--json", "hold", "list").data
    assert (one["order"], one["scope"], one["reason"]) == (
        "shop-uk/5501",
        "order",
        "TOTAL_MISMATCH",
    )
    assert one["blocks"] == "export"
    told = fizzbridge("hold", "list", "FZ1001")
    assert "TOTAL_MISM" in told.out


def test_nothing_waits(fizzbridge, shop):
    shop.order(1)
    assert "Nothing is held." in fizzbridge("hold", "list").out
    told = fizzbridge("hold", "release", "FZ1001", "--why", "x")
    assert told.code == 1
    assert "has no open hold" in told.err


def test_a_person_lets_it_go_and_it_is_kept_who_and_why(fizzbridge, shop, stack, waiting):
    assert state(stack, waiting) == "HELD"
    told = fizzbridge("hold", "release", "FZ1001", "--why", "the shop confirmed by phone")
    assert told.code == 0, told.err
    shop.assessor.run(waiting, "again")
    assert state(stack, waiting) == "CONFIRMED"
    (line,) = [
        row
        for row in stack.table.query(str(waiting), "TIMELINE#")
        if row["what"] == "hold released"
    ]
    assert line["why"] == "the shop confirmed by phone"
    assert line["by"].startswith("arn:aws:")
    assert line["holds"] == "order#TOTAL_MISMATCH"
    shown = fizzbridge("--json", "explain", "FZ1001").data["steps"]
    assert "released by hand" in [step["rule"] for step in shown]


def test_other_content_is_checked_anew(fizzbridge, shop, stack, waiting):
    fizzbridge("hold", "release", "FZ1001", "--why", "fine")
    shop.assessor.run(waiting, "again")
    body = Loader(stack.table, stack.objects).view(waiting).request
    later = body.changed_at.replace(second=30)
    changed = body.model_copy(update={"note": "another word", "changed_at": later})
    shop.tell(Seen(waiting, changed, later, Part.REQUEST))
    assert state(stack, waiting) == "HELD"


def test_no_word_replaces_a_mapping(fizzbridge, shop, stack):
    order = shop.order(2, sku="NOBODY-KNOWS")
    told = fizzbridge("hold", "release", "FZ1002", "--why", "send it anyway")
    assert told.code == 1
    assert "MAP#shop-uk#sku/NOBODY-KNOWS" in " ".join(told.err.split())
    assert state(stack, order) == "HELD"


def test_only_holds_for_one_reason(fizzbridge, waiting):
    told = fizzbridge("hold", "release", "FZ1001", "--why", "x", "--reason", "CREDIT")
    assert told.code == 1
    assert "no open hold for CREDIT" in told.err


def test_a_reason_must_be_given(fizzbridge, waiting):
    told = fizzbridge("hold", "release", "FZ1001", "--why", "  ")
    assert told.code == 1
    assert "Say why" in told.err


def test_held_orders_are_looked_at_again(fizzbridge, stack, shop, waiting):
    before = stack.table.get(str(waiting), "LINK#assess")["wanted"]
    assert "1 order is looked at again." in fizzbridge("hold", "recheck").out
    link = stack.table.get(str(waiting), "LINK#assess")
    assert link["wanted"] != before
    assert link["behind_since"]
