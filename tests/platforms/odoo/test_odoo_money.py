"""Payments and refunds, as they are read."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fizzbridge.model.documents import Payment, Refund, SettlementStatus
from fizzbridge.model.entity import Kind, ref
from fizzbridge.observation import Hint
from fizzbridge.runtime.pull import Span
from tests.platforms.odoo.odoo_desk import BAR, cans
from tests.platforms.odoo.odoo_orders import connection
from tests.platforms.odoo.odoo_source import LONG_AGO, PULL, Shop, keyed, later
from tests.platforms.odoo.test_odoo_pull import STAMP, STORE, answering, client

DAY = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture(params=["json2", "jsonrpc"])
def shop(request):
    return Shop(request.param)


def invoiced(shop, cases):
    """An order of so many cans at 10.00 and 19%, and its invoice."""
    order = shop.sold(cans(cases, price_unit=10))
    return order, shop.posted(order)


def pay(shop, kind, id_, **draft):
    return shop.act(kind, id_, "pay", **draft)["id"]


def shown(told):
    """What is there, without what is gone."""
    return [one for one in told if one.body]


def merged(*rounds):
    """The amounts that are known after some rounds, by key."""
    held = {}
    for told in rounds:
        held |= keyed(told)
    return {key: str(body.amount) for key, body in held.items() if body}


def test_a_payment_of_an_invoice_belongs_to_its_order(shop):
    order, invoice = invoiced(shop, 10)
    payment = pay(shop, "invoices", invoice, reference="pay_1")
    (seen,) = shown(shop.told("payments"))
    assert seen.ref == ref(Kind.PAYMENT, "erp", payment)
    assert seen.parent == ref(Kind.ORDER, "erp", order)
    assert (seen.changed, seen.refetch) == (later(0), Hint("payment", f"{payment}"))
    assert seen.reference == ""  # what people note is theirs
    assert seen.body == Payment(
        order=seen.parent,
        amount="119.00",
        currency="EUR",
        gateway="Bank",
        at=DAY,
        status=SettlementStatus.SETTLED,
    )
    assert shown(shop.refetched(seen)) == [seen]


def test_a_part_counts_before_the_rest_is_paid(shop):
    _, invoice = invoiced(shop, 10)
    first = pay(shop, "invoices", invoice, amount="19.00")
    shop.tick()
    second = pay(shop, "invoices", invoice)
    assert merged(shop.told("payments")) == {f"{first}": "19.00", f"{second}": "100.00"}
    # With the rest of it the first one is through, which is no news of the money.
    assert list(merged(shop.told("payments", later())))[-1] == f"{second}"


def test_what_is_paid_too_much_is_not_the_orders(shop):
    _, invoice = invoiced(shop, 10)
    payment = pay(shop, "invoices", invoice, amount="200.00")
    assert keyed(shop.told("payments"))[f"{payment}"].amount == 119


def test_one_payment_of_several_invoices_is_one_of_each(shop):
    (first, one), (second, two) = invoiced(shop, 1), invoiced(shop, 2)
    payment = pay(shop, "customers", BAR, invoices=[one, two])
    told = {seen.ref.external_id: seen for seen in shop.told("payments")}
    assert list(told) == [f"{payment}", f"{payment}:{one}", f"{payment}:{two}"]
    assert told[f"{payment}"].body is None
    assert [
        (seen.parent.external_id, str(seen.body.amount)) for seen in told.values() if seen.body
    ] == [(f"{first}", "11.90"), (f"{second}", "23.80")]
    assert shop.refetched(told[f"{payment}"]) == list(told.values())


@pytest.mark.parametrize("undo", ["cancel", "draft"])
def test_what_was_taken_back_is_gone(shop, undo):
    _, invoice = invoiced(shop, 10)
    payment = pay(shop, "invoices", invoice)
    shop.tick()
    shop.act("payments", payment, undo)
    gone, share = shop.told("payments", later())
    assert (gone.ref, gone.body) == (ref(Kind.PAYMENT, "erp", payment), None)
    assert gone.changed == later()
    assert (share.ref.external_id, share.body) == (f"{payment}:{invoice}", None)


@pytest.mark.parametrize("undo", ["cancel", "draft"])
def test_one_of_several_invoices_that_was_taken_back_is_gone_from_each(shop, undo):
    (_, one), (_, two) = invoiced(shop, 1), invoiced(shop, 2)
    payment = pay(shop, "customers", BAR, invoices=[one, two])
    first = shop.told("payments")
    assert merged(first) == {f"{payment}:{one}": "11.90", f"{payment}:{two}": "23.80"}
    shop.tick()
    shop.act("payments", payment, undo)
    assert merged(first, shop.told("payments", later())) == {}


def test_one_of_several_invoices_that_is_set_free_of_one_keeps_the_other(shop):
    (_, one), (_, two) = invoiced(shop, 1), invoiced(shop, 2)
    payment = pay(shop, "customers", BAR, invoices=[one, two])
    first = shop.told("payments")
    shop.tick()
    claim = [["move_id", "=", two], ["account_type", "=", "asset_receivable"]]
    (line,) = shop.found("account.move.line", *claim, fields=["move_id"])
    assert shop.ok("account.move.line", "remove_move_reconcile", ids=[line["id"]]) is True
    then = shop.told("payments", later())
    assert merged(first, then) == {f"{payment}:{one}": "11.90"}


def test_money_on_account_is_no_orders_until_it_is_matched(shop):
    payment = pay(shop, "customers", BAR, amount="50.00")
    (seen,) = shop.told("payments")
    assert (seen.ref.external_id, seen.body, seen.parent) == (f"{payment}", None, None)
    order, _ = invoiced(shop, 10)
    lines = [
        row["id"]
        for row in shop.found(
            "account.move.line", ["account_type", "=", "asset_receivable"], fields=["move_id"]
        )
    ]
    assert shop.ok("account.move.line", "reconcile", ids=lines) is True
    (seen,) = shown(shop.fetch("payment", payment))
    assert (seen.parent, seen.body.amount) == (ref(Kind.ORDER, "erp", order), 50)


def test_what_goes_back_on_a_credit_note_is_a_refund(shop):
    order, invoice = invoiced(shop, 10)
    pay(shop, "invoices", invoice)
    credit = shop.act("invoices", invoice, "credit", amount="5.00")
    back = pay(shop, "credit_notes", credit["id"])
    seen = shown(shop.told("payments"))[-1]
    assert seen.ref == ref(Kind.REFUND, "erp", back)
    assert seen.parent == ref(Kind.ORDER, "erp", order)
    assert seen.body == Refund(
        order=seen.parent,
        amount="5.00",
        currency="EUR",
        gateway="Bank",
        at=DAY,
        status=SettlementStatus.SETTLED,
    )
    shop.act("payments", back, "cancel")
    gone = shop.fetch("payment", back)
    assert (gone[0].ref, shown(gone)) == (seen.ref, [])


def test_money_for_what_was_never_ordered_is_nobodys(shop):
    text = {"name": "by hand", "quantity": 1, "price_unit": 3}
    vals = {"move_type": "out_invoice", "partner_id": BAR, "invoice_line_ids": [[0, 0, text]]}
    (invoice,) = shop.ok("account.move", "create", vals_list=[vals])
    shop.ok("account.move", "action_post", ids=[invoice])
    payment = pay(shop, "invoices", invoice)
    assert keyed(shop.told("payments")) == {f"{payment}": None, f"{payment}:{invoice}": None}


def test_what_suppliers_get_is_no_refund(shop):
    vals = {"partner_id": BAR, "amount": 5, "payment_type": "outbound", "partner_type": "supplier"}
    (made,) = shop.ok("account.payment", "create", vals_list=[vals])
    shop.ok("account.payment", "action_post", ids=[made])
    assert shop.told("payments") == []
    assert shop.fetch("payment", made) == []


def test_a_payment_that_is_not_there_is_gone_whichever_it_was(shop):
    gone = shop.fetch("payment", 99)
    assert [(one.ref.kind, one.body) for one in gone] == [(Kind.PAYMENT, None), (Kind.REFUND, None)]


# -- answers as they were seen ---------------------------------------------------------------------

PAID = {
    "id": 7,
    "state": "in_process",
    "payment_type": "inbound",
    "partner_type": "customer",
    "amount": 100.0,
    "currency_id": [1, "USD"],
    "date": "2026-11-23",
    "journal_id": [6, "Bank"],
    "move_id": [12, "PBNK1/2026/00001"],
    "reconciled_invoice_ids": [1],
    "write_date": STAMP,
}
MATCH = {
    "id": 3,
    "debit_move_id": [21, "INV"],
    "credit_move_id": [22, "PBNK1"],
    "amount": 91.35,
    "debit_amount_currency": 100.0,
    "credit_amount_currency": 91.35,
}
# Lines of an entry read like those that people see.
TEXT = STORE["account.move.line"][4]
LINES = [
    *STORE["account.move.line"],
    *(TEXT | {"id": id_, "move_id": [move, "x"]} for id_, move in ((21, 1), (22, 12))),
]


def seen(fields=("debit_amount_currency", "credit_amount_currency"), **store):
    held = {
        "account_payment": [PAID],
        "account_partial_reconcile": [MATCH],
        "account_move_line": LINES,
    }
    of = connection()
    vendor = client(answering(fields, **held | store), of)
    return list(PULL.changes(vendor, "payments", None, Span(LONG_AGO), of).told)


def test_what_is_paid_in_another_currency_counts_in_the_invoices():
    (told,) = shown(seen())
    assert (told.body.amount, told.body.currency) == (Decimal("100.00"), "USD")
    assert told.parent == ref(Kind.ORDER, "erp", 61)
    (told,) = shown(seen(fields=()))
    assert told.body.amount == Decimal("91.35")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"move_id": False}, {"7": 100, "7:1": None}),
        ({"move_id": False, "state": "rejected"}, {"7": None, "7:1": None}),
        ({"move_id": False, "reconciled_invoice_ids": []}, {"7": None}),
        # How much of it is for which, nothing says.
        ({"move_id": False, "reconciled_invoice_ids": [1, 2]}, dict.fromkeys(["7", "7:1", "7:2"])),
        # It was made for both and settles one of them.
        ({"reconciled_invoice_ids": [1, 2]}, {"7": None, "7:1": 100, "7:2": None}),
    ],
)
def test_what_settles_nothing_is_gone(change, expected):
    moves = [*STORE["account.move"], STORE["account.move"][0] | {"id": 2}]
    told = keyed(seen(account_payment=[PAID | change], account_move=moves))
    assert {key: body and body.amount for key, body in told.items()} == expected


def test_what_is_left_of_several_documents_is_not_counted_twice():
    moves = [*STORE["account.move"], STORE["account.move"][0] | {"id": 2}]
    before = seen(account_payment=[PAID | {"reconciled_invoice_ids": [1, 2]}], account_move=moves)
    after = seen(account_payment=[PAID], account_move=moves)
    assert merged(before) == {"7:1": "100.00"}
    assert merged(before, after) == {"7": "100.00"}
