"""`fizzbridge backfill` and `fizzbridge erase`, as people use them."""

from __future__ import annotations

import json
import threading

import pytest

from cli import backfill
from fizzbridge.runtime.puller import Round
from fizzbridge.state.cursors import Cursors
from tests.unit.cli.conftest import NOW

FROM = ("--from", "2026-11-01")


def test_what_is_asked_for_reaches_the_puller(fizzbridge, stack, messages):
    told = fizzbridge("--json", "backfill", "shop-uk", *FROM, "--to", "2026-11-10", "--no-wait")
    assert told.code == 0, told.err
    (message,) = messages(stack.connections["shop-uk"]["PullQueueUrl"])
    asked = Round.of(message)
    assert (asked.stream, asked.backfill) == ("orders", told.data["backfill"])
    assert (asked.since.isoformat(), asked.until.isoformat()) == (
        "2026-11-01T00:00:00+00:00",
        "2026-11-10T00:00:00+00:00",
    )
    assert not asked.resumes


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("shop-uk", *FROM, "--to", "2026-11-01"), "--to must be later"),
        (("erp", *FROM), "'erp' is no source"),
        (("nobody", *FROM), "no connection 'nobody'"),
        (("shop-uk", *FROM, "--stream", "people"), "has no stream 'people'; it has orders"),
    ],
)
def test_what_cannot_be_read_is_said(fizzbridge, words, complaint):
    told = fizzbridge("backfill", *words)
    assert told.code == 1
    assert complaint in " ".join(told.err.split())


def test_it_is_followed_until_it_is_done(fizzbridge, stack):
    """A puller reads two pages while the command looks on."""
    url = stack.connections["shop-uk"]["PullQueueUrl"]

    def pull():
        found = stack.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
        asked = Round.of(json.loads(found[0]["Body"]))
        cursors = Cursors(stack.table, lambda: NOW)
        cursor = cursors.read("shop-uk", asked.cursor)
        first = '{"since": "2026-11-01T00:00:00Z", "begun": "2026-11-24T00:00:00Z", "cursor": "x"}'
        cursor = cursors.advance(cursor, first)
        assert backfill.place(stack, "shop-uk", asked) == (cursor, False)
        cursors.advance(cursor, '{"since": "2026-11-24T00:00:00Z"}')

    puller = threading.Thread(target=pull)
    puller.start()
    told = fizzbridge("backfill", "shop-uk", *FROM)
    puller.join()
    assert told.code == 0, told.err
    assert "shop-uk: 2 pages of orders read." in told.out


def test_nothing_is_erased_before_it_is_confirmed(fizzbridge, shop, stack):
    order = shop.order(1)
    told = fizzbridge("erase", "FZ1001", typed="n\n")
    assert told.code == 1
    assert "1 order?" in told.err
    assert "Ann Lee" in str(stack.table.query(str(order), "PART#request"))


def test_an_order_names_its_customer(fizzbridge, shop, stack):
    order = shop.order(1)
    told = fizzbridge("--json", "erase", "FZ1001", "--yes")
    assert told.data == {"customers": ["shop-uk/77"], "orders": [order.key]}
    (row,) = stack.table.query("Customer#shop-uk/77", "PART#record")
    assert row["erased"] is True


def test_a_payment_names_nobody(fizzbridge, shop):
    paid = shop.payment(shop.order(1))
    told = fizzbridge("erase", str(paid), "--yes")
    assert told.code == 1
    assert "names no customer" in told.err
