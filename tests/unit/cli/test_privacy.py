"""Who asks what is known of them, and the answer."""

from __future__ import annotations

from fizzbridge.model.entity import Kind, ref
from fizzbridge.runtime.observe import Circumstances
from tests.unit.cli.conftest import NOW

ANN = ref(Kind.CUSTOMER, "shop-uk", 77)


def ask(shop):
    how = Circumstances(NOW, is_authoritative=False, correlation_id="d-1")
    shop.observer.enquire("shop-uk", ANN, how)


def test_who_asks_is_listed_until_answered(fizzbridge, shop):
    shop.order(1)
    assert "Nobody waits" in fizzbridge("privacy", "list").out
    ask(shop)
    listed = fizzbridge("--json", "privacy", "list").data
    assert [one["customer"] for one in listed] == [str(ANN)]
    assert listed[0]["asked_at"].startswith("2026-11-24T09:30")
    assert fizzbridge("privacy", "answered", str(ANN)).code == 1  # not known as a customer
    told = fizzbridge("privacy", "answered", "#FZ1001")
    assert told.code == 0, told.err
    assert fizzbridge("--json", "privacy", "list").data == []


def test_everything_kept_is_shown(fizzbridge, shop):
    order = shop.order(1)
    shop.payment(order)
    told = fizzbridge("privacy", "show", "#FZ1001")
    assert told.code == 0, told.err
    (person,) = told.data
    (found,) = person["orders"]
    assert found["order"]["body"]["contact"]["email"] == "ann@example.com"
    assert [one["kind"] for one in found["documents"]] == ["Payment"]


def test_an_answer_nobody_asked_for_is_said(fizzbridge, shop):
    shop.order(1)
    told = fizzbridge("privacy", "answered", "#FZ1001")
    assert told.code == 1
    assert "does not wait" in told.err
