from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from fizzbridge.model.documents import Payment, Refund
from fizzbridge.model.states import SettlementState, settlement
from fizzbridge.runtime.loading import Loader
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Write
from tests.kit.deployed import demo_sku


def settled(house, order) -> SettlementState:
    view = Loader(house.stack.table, house.stack.objects).view(order)
    paid = [payment.amount for payment in view.records(Payment)]
    refunded = [refund.amount for refund in view.records(Refund)]
    return settlement(view.request.totals.gross, paid, refunded)


def test_an_order_is_booked_once_and_its_amendment_follows(house):
    order, shown = house.place()
    house.await_link(order, "synced")
    (sale,) = house.sales(order)
    assert (sale.state, sale.total) == ("sale", Decimal(shown["total_price"]))
    line = shown["line_items"][0]["id"]
    changed = house.shop.act(shown["id"], "edit", {"quantities": {str(line): 5}})
    house.await_(
        lambda: house.sales(order)[0].total == Decimal(changed["current_total_price"]),
        lambda: f"{house.sales(order)} is not {changed['current_total_price']}",
        sweep=True,
    )
    assert len(house.sales(order)) == 1


def test_created_and_paid_in_one_second_ends_paid_whichever_comes_first(house):
    for backwards in (False, True):
        house.shop.switch("manual")
        order, shown = house.place(paid=True)
        ids = [
            delivery["id"]
            for delivery in house.shop.deliveries()
            if delivery["order_id"] == str(shown["id"])
        ]
        assert len(ids) >= 3
        house.shop.deliver(ids[::-1] if backwards else ids)
        house.shop.switch("auto")
        house.await_link(order, "synced")
        house.await_(
            lambda order=order: settled(house, order) is SettlementState.PAID,
            lambda order=order: f"{order} is {settled(house, order)}",
        )
        assert len(house.sales(order)) == 1


def test_cut_over_fifty_older_orders_make_nothing(house):
    created = house.erp.created()
    house.shop.switch("manual")
    old = [house.place(created_at="2025-12-30T10:00:00Z")[0] for _ in range(50)]
    for delivery in house.shop.deliveries():
        if any(delivery["order_id"] == order.external_id for order in old):
            house.shop.deliver([delivery["id"]])
    house.shop.switch("auto")
    house.poll()
    for order in old:
        house.await_link(order, "synced", stamp="historical")
    assert house.erp.created() == created
    assert [house.sales(order) for order in old] == [[]] * 50


def test_a_repaired_mapping_books_what_was_held(house):
    orders = [house.place(sku="NEW-FLAVOUR")[0] for _ in range(3)]
    for order in orders:
        link = house.await_link(order, "held")
        holds = house.stack.table.query(str(order), "HOLD#")
        assert any("NEW-FLAVOUR" in str(hold["message"]) for hold in holds), link
    known, _ = house.place()
    house.await_link(known, "synced")
    house.stack.table.write(
        Write(
            "MAP#shop-uk#sku",
            "NEW-FLAVOUR",
            set={"mapped": demo_sku(), "updated_at": to_text(datetime.now(UTC))},
        )
    )
    for order in orders:
        house.await_link(order, "synced")
        assert len(house.sales(order)) == 1


def test_f25_the_erp_commits_and_withholds_its_answer(house):
    house.misbehave("odoo", kind="commit_then_silence", on="sale.order/load", seconds=8)
    order, _ = house.place()
    house.await_(lambda: house.fired("odoo") == 1, lambda: "the fault never struck")
    house.await_link(order, "synced")
    assert len(house.sales(order)) == 1


def test_f12_the_worker_is_killed_between_commit_and_link_write(house):
    house.misbehave("odoo", kind="commit_then_silence", on="sale.order/load", seconds=30)
    order, _ = house.place()
    house.await_(
        lambda: house.fired("odoo") == 1 and len(house.sales(order)) == 1,
        lambda: "the create was never committed",
    )
    assert "external_id" not in house.link(order)
    for pid in workers(house):
        os.kill(pid, signal.SIGKILL)
    house.await_link(order, "synced")
    assert len(house.sales(order)) == 1


def workers(house) -> list[int]:
    """The processes the emulator runs the target function in."""
    name = house.stack.connections["erp"]["TargetFunction"]
    emulator = str(house.stack.local["pids"]["emulator"])
    found = subprocess.run(  # noqa: S603  our own command
        ["pgrep", "-P", emulator, "-f", f"lambda-{name}-.*_worker"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return [int(pid) for pid in found.stdout.split()]


def test_f36_a_bad_or_missing_signature_is_refused(house):
    body = json.dumps({"id": 1}).encode()
    assert house.post(body, **{"x-shopify-hmac-sha256": "bm8="}).status_code == 401
    assert house.post(body, **{"x-shopify-hmac-sha256": ""}).status_code == 401
    assert house.post(body + b" ", **{"x-shopify-hmac-sha256": "/w=="}).status_code == 401


def test_an_unknown_connection_is_not_there(house):
    url = house.webhook_url.replace("shop-uk", "shop-xx")
    assert httpx.post(url, content=b"{}", trust_env=False).status_code == 404


def test_f10_an_unknown_topic_is_acknowledged(house):
    assert house.post(b"{}", topic="carts/create").status_code == 200


def test_f11_a_malformed_body_is_kept_and_acknowledged(house):
    before = quarantined(house)
    assert house.post(b'{"id": ').status_code == 200
    assert house.post(b'{"id": 7}').status_code == 200
    house.await_(
        lambda: len(quarantined(house)) == len(before) + 2, lambda: "nothing was quarantined"
    )


def quarantined(house) -> list[dict]:
    return house.stack.table.query("CONNECTION#shop-uk", "QUARANTINE#")
