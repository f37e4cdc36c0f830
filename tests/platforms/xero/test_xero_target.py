import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fizzbridge import errors
from fizzbridge.http.classify import Answer
from fizzbridge.http.client import encode
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import SettlementStatus
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import Totals
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.runtime.planning import PlanningClient
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import View
from platforms.xero.mapping import priced
from platforms.xero.transport import key_of
from sandbox.faults import Fault
from tests.kit.orders import CUSTOMER, ORDER, line, stored
from tests.platforms.xero import xero_spec
from tests.platforms.xero.xero_orders import (
    CUSTOM,
    ORGANISATION,
    PAYMENT,
    REFUND,
    TARGET,
    TENANT,
    WEB,
    Bench,
    Maps,
    Meddling,
    item,
    payment,
    refund,
    view,
)

ORDERS = TARGET.entities[Kind.ORDER]
CONTACTS = TARGET.entities[Kind.CUSTOMER]
PAYMENTS = TARGET.entities[Kind.PAYMENT]
CREDITS = TARGET.entities[Kind.REFUND]
COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
LEMON = line("LEMON", 3, "5.01")
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")
SILENT = ["commit_then_silence", "commit_then_reset", "truncate"]


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def paid(bench):
    """An order on the books, paid, and the payment as its child."""
    bench.export(view(COLA, LEMON))
    bench.export(of_order(payment("61.02"), view(COLA, LEMON)))
    assert bench.invoice()["Status"] == "PAID"
    return bench


def of_order(document, order):
    """A document with its order, whose child it is."""
    parent = View(order.ref, order.parts, (*order.children, document))
    return View(document.ref, document.parts, parent=parent)


def refusal(bench, shown, kind=errors.TargetRejectedError):
    with pytest.raises(kind) as found:
        bench.export(shown)
    return found.value


def accepted(bench):
    return {name: count for name, count in bench.sandbox.accepted.items() if "token" not in name}


# -- orders ----------------------------------------------------------------------------------------


def test_an_order_arrives_whole_and_approved(bench):
    bench.export(view(COLA, LEMON, FREIGHT))
    invoice = bench.invoice()
    assert (invoice["Type"], invoice["Status"]) == ("ACCREC", "AUTHORISED")
    assert (invoice["InvoiceNumber"], invoice["Reference"]) == ("shop-uk/5501", "#5501, PO 88123")
    assert (invoice["SubTotal"], invoice["TotalTax"]) == (Decimal("65.85"), Decimal("10.17"))
    assert invoice["Total"] == Decimal("76.02")
    assert invoice["DateString"] == "2026-11-01T00:00:00"
    assert invoice["Contact"]["Name"] == "Blue Bar"
    cola, lemon, freight = invoice["LineItems"]
    assert (cola["ItemCode"], cola["Quantity"], cola["UnitAmount"]) == (
        "COLA",
        48,
        Decimal("0.955"),
    )
    assert (cola["Description"], cola["TaxType"]) == ("COLA title (2 x 24)", "OUTPUT2")
    assert (lemon["AccountCode"], lemon["LineAmount"]) == ("200", Decimal("5.01"))
    assert (freight["AccountCode"], freight["TaxType"]) == ("210", "NONE")
    assert not freight.get("ItemCode")
    assert accepted(bench) == {"invoice created": 1, "invoice updated": 1}


def test_an_order_on_hold_stays_a_draft(bench):
    bench.export(view(COLA, state="HELD"))
    assert bench.invoice()["Status"] == "DRAFT"
    bench.export(view(COLA))
    assert bench.invoice()["Status"] == "AUTHORISED"


def test_a_paid_order_is_approved_whatever_its_state(bench):
    bench.export(view(COLA, state="HELD", children=[payment("55.01")]))
    assert bench.invoice()["Status"] == "AUTHORISED"


def test_approving_can_be_left_to_people():
    bench = Bench(status="DRAFT")
    bench.export(view(COLA))
    assert bench.invoice()["Status"] == "DRAFT"


@pytest.mark.parametrize(
    ("terms", "days", "due"),
    [
        ("NET 30", None, "2026-12-01"),
        ("net-7", 14, "2026-11-08"),
        ("DUE_ON_RECEIPT", 14, "2026-11-15"),
        ("", None, "2026-11-01"),
    ],
)
def test_the_due_date_is_by_terms(terms, days, due):
    bench = Bench(payment_days=days)
    bench.export(view(COLA, payment_terms=terms))
    assert bench.invoice()["DueDateString"][:10] == due


def test_sent_again_nothing_is_written(bench):
    first = bench.export(view(COLA, LEMON))
    writes = len(bench.writes())
    assert bench.export(view(COLA, LEMON)) == first
    assert len(bench.writes()) == writes


@pytest.mark.parametrize("kind", SILENT)
def test_a_lost_answer_is_found(bench, kind):
    bench.sandbox.faults.arm(Fault(kind, on="PUT /api.xro/2.0/Invoices"))
    with pytest.raises(errors.OutcomeUnknownError):
        bench.export(view(COLA))
    bench.export(view(COLA))
    assert accepted(bench)["invoice created"] == 1
    assert bench.invoice()["Status"] == "AUTHORISED"


def test_a_stale_search_does_not_make_a_second_one(bench):
    payload = bench.desired(view(COLA))
    first = ORDERS.create(bench.client(), ORDER.key, payload)
    again = ORDERS.create(bench.client(), ORDER.key, bench.desired(view(LEMON)))
    assert first == again
    assert accepted(bench) == {"invoice created": 1}


def test_an_idempotency_key_is_of_the_request(bench):
    for shown in (view(COLA), view(COLA), view(LEMON)):
        ORDERS.create(bench.client(), ORDER.key, bench.desired(shown))
    keys = [
        request.headers["Idempotency-Key"]
        for request in bench.transport.requests
        if request.method == "PUT"
    ]
    assert keys[0] == keys[1] != keys[2]
    assert len(keys[0]) <= 128


def test_a_bill_of_the_same_number_is_nobodys_invoice(bench):
    bill = {
        "Type": "ACCPAY",
        "InvoiceNumber": ORDER.key,
        "Contact": {"Name": "Bottler"},
        "LineItems": [{"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "310"}],
    }
    bench.by_hand("PUT", "Invoices", {"Invoices": [bill]})
    assert ORDERS.find(bench.client(), ORDER.key, None) is None
    bench.export(view(COLA))
    assert ORDERS.find(bench.client(), ORDER.key, None) == bench.ids[ORDER]
    assert ORDERS.find(bench.client(), "shop-uk/550", None) is None


@given(st.lists(st.text(max_size=40), min_size=2, max_size=2, unique=True))
def test_keys_are_safe_and_never_alike(ids):
    first, second = (key_of(f"shop-uk/{id_}", 50) for id_ in ids)
    assert first != second
    assert len(first) <= 50
    assert first.isascii()
    assert not set(first) & set(',"\\ ')


def test_a_changed_order_keeps_its_lines(bench):
    bench.export(view(COLA, LEMON, FREIGHT))
    before = {one["ItemCode"]: one["LineItemID"] for one in bench.invoice()["LineItems"][:2]}
    bench.export(view(line("COLA", 5, "114.60", unit="CASE", factor=24), FREIGHT, LEMON))
    invoice = bench.invoice()
    assert [one.get("ItemCode") or "" for one in invoice["LineItems"]] == ["COLA", "", "LEMON"]
    assert {one["ItemCode"]: one["LineItemID"] for one in invoice["LineItems"][::2]} == before
    assert invoice["Total"] == Decimal("158.53")
    bench.export(view(LEMON, po_number="PO 2"))
    assert [one["ItemCode"] for one in bench.invoice()["LineItems"]] == ["LEMON"]
    assert bench.invoice()["Reference"] == "#5501, PO 2"


def test_an_account_that_a_person_chose_stays(bench):
    external_id = bench.export(view(COLA))
    lines = bench.invoice()["LineItems"]
    for one in lines:
        one["AccountCode"] = "210"
    keep = ("LineItemID", "ItemCode", "Description", "Quantity", "UnitAmount", "TaxType")
    chosen = [{name: one[name] for name in (*keep, "AccountCode")} for one in lines]
    bench.by_hand("POST", f"Invoices/{external_id}?unitdp=4", {"Invoices": [{"LineItems": chosen}]})
    bench.export(view(COLA, LEMON))
    assert [one["AccountCode"] for one in bench.invoice()["LineItems"]] == ["210", "200"]


def test_deposits_and_schemes_have_accounts_of_their_own():
    maps = Maps(account={"DEPOSIT": "630", "ie-small": "860"}, tax={"DEPOSIT": "ZERORATEDOUTPUT"})
    bench = Bench(maps=maps)
    one = line(None, 24, "3.60", rates=(), kind="DEPOSIT", id="d1")
    own = line(None, 24, "2.40", rates=(), kind="DEPOSIT", id="d2", scheme="ie-small")
    back = line(None, 10, "1.50", rates=(), kind="DEPOSIT_REFUND", id="d3")
    error = refusal(bench, view(COLA, one, own, back), errors.MappingError)
    assert error.cause == "MAP#books#account/DEPOSIT_REFUND"
    maps.sorts["account"]["DEPOSIT_REFUND"] = "630"
    bench.export(view(COLA, one, own, back))
    lines = bench.invoice()["LineItems"][1:]
    assert [(one["AccountCode"], one["LineAmount"]) for one in lines] == [
        ("630", Decimal("3.60")),
        ("860", Decimal("2.40")),
        ("630", Decimal("-1.50")),
    ]
    assert [one["TaxType"] for one in lines] == ["ZERORATEDOUTPUT", "ZERORATEDOUTPUT", "NONE"]


def test_free_goods_and_discounts(bench):
    bench = Bench(discount_account="200")
    free = line("LEMON", 1, "0", kind="FREE_GOODS", id="free")
    off = line(None, 1, "5.00", kind="DISCOUNT", id="off")
    bench.export(view(COLA, free, off))
    assert [one["LineAmount"] for one in bench.invoice()["LineItems"]] == [
        Decimal("45.84"),
        0,
        -5,
    ]
    assert bench.invoice()["Total"] == Decimal("49.01")


def test_freight_may_be_an_item():
    bench = Bench(freight_account=None, freight_sku="SHIP")
    bench.export(view(COLA, FREIGHT))
    assert bench.invoice()["LineItems"][1]["ItemCode"] == "SHIP"
    assert bench.invoice()["LineItems"][1]["AccountCode"] == "210"


def test_an_item_without_account_needs_one(bench):
    error = refusal(bench, view(line("BARE", 1, "1.00")), errors.MappingError)
    assert error.cause == "MAP#books#account/GOODS"
    chosen = Bench(sales_account="200")
    chosen.export(view(line("BARE", 1, "1.00")))
    assert chosen.invoice()["LineItems"][0]["AccountCode"] == "200"


@pytest.mark.parametrize("sku", ["NONE", "X" * 31, 'QUO"TE', "cola"])
def test_an_item_that_is_not_there_holds(bench, sku):
    error = refusal(bench, view(line(sku, 1, "1.00")), errors.MappingError)
    assert error.cause == f"MAP#books#sku/{sku}"
    assert not accepted(bench)


def test_many_items_are_asked_for_in_several_filters():
    codes = [f"SKU-{number}" for number in range(60)]
    bench = Bench(organisation={"items": [item(code) for code in codes]})
    bench.export(view(*(line(code, 1, "1.00") for code in codes)))
    asked = [r for r in bench.transport.requests if r.url.path.endswith("/Items")]
    assert len(bench.invoice()["LineItems"]) == 60
    assert len(asked) == 3


def test_taxes_go_by_map_or_by_rate(bench):
    error = refusal(bench, view(line("COLA", 1, "1.00", rates=("0.19",))), errors.MappingError)
    assert error.cause == "MAP#books#tax/0.19"
    assert "no tax rate of 19 %" in error.message
    mapped = Bench(maps=Maps(tax={"0.2": "OUTPUT2", "0": "ZERORATEDOUTPUT"}))
    mapped.export(view(COLA, line("LEMON", 1, "1.00", rates=())))
    assert [one["TaxType"] for one in mapped.invoice()["LineItems"]] == [
        "OUTPUT2",
        "ZERORATEDOUTPUT",
    ]
    assert not [r for r in mapped.transport.requests if r.url.path.endswith("/TaxRates")]


def test_several_taxes_on_a_line_are_one_rate():
    bench = Bench(maps=Maps(tax={"0.2": "OUTPUT2"}))
    bench.export(view(line("COLA", 1, "10.00", rates=("0.05", "0.15"))))
    assert bench.invoice()["Total"] == 12


def test_a_tax_of_another_rate_is_never_approved():
    bench = Bench(maps=Maps(tax={"0.2": "RROUTPUT"}))
    error = refusal(bench, view(line("COLA", 1, "10.00")), errors.TotalMismatchError)
    assert "would be 10.50 GBP there and is 12.00 GBP" in error.message
    bench.ids[ORDER] = ORDERS.find(bench.client(), ORDER.key, None)
    assert bench.invoice()["Status"] == "DRAFT"


def test_prices_with_tax_in_them(bench):
    bench.export(view(line("COLA", 7, "19.99"), included=True))
    invoice = bench.invoice()
    assert (invoice["LineAmountTypes"], invoice["Total"]) == ("Inclusive", Decimal("19.99"))
    bench.export(view(line("COLA", 7, "16.66")))
    assert bench.invoice()["LineAmountTypes"] == "Exclusive"


def test_a_cent_is_a_line_of_its_own(bench):
    odd = Totals(net=Decimal("45.84"), tax=Decimal("9.16"), gross=Decimal("55.00"))
    bench.export(view(COLA, total=odd))
    rounding = bench.invoice()["LineItems"][1]
    assert (rounding["AccountCode"], rounding["LineAmount"]) == ("860", Decimal("-0.01"))
    assert bench.invoice()["Total"] == 55
    far = Totals(net=Decimal("45.84"), tax=Decimal("9.06"), gross=Decimal("54.90"))
    refusal(bench, view(COLA, total=far), errors.TotalMismatchError)


def test_currencies(bench):
    bench.export(view(COLA, currency="EUR"))
    assert bench.invoice()["CurrencyCode"] == "EUR"
    error = refusal(bench, view(COLA))
    assert "in EUR in Xero and in GBP" in error.message
    assert "currency" in refusal(Bench(), view(COLA, currency="USD")).message.lower()
    error = refusal(Bench(), view(COLA, currency="KWD"), errors.MappingError)
    assert "three" in error.message


def test_a_locked_period_is_refused():
    bench = Bench(organisation={"lock_date": "2026-11-15"})
    error = refusal(bench, view(COLA))
    assert "lock" in error.message.lower()


amounts = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)


@given(amounts, st.integers(1, 100_000), st.booleans())
def test_a_line_comes_to_its_amount(amount, quantity, is_negative):
    wanted = -amount if is_negative else amount
    pieces, unit, discount = priced(wanted, quantity)
    assert round(unit * pieces, 2) - discount == wanted
    assert round(unit * pieces - discount, 2) == wanted
    assert unit == round(unit, 4)
    assert 0 <= discount < 11 or amount < 0
    assert pieces == quantity or is_negative


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["COLA", "LEMON"]), st.integers(1, 9999), amounts),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
def test_every_total_arrives_to_the_cent(sold, included):
    lines = [
        line(sku, quantity, amount, id=f"l{number}")
        for number, (sku, quantity, amount) in enumerate(sold)
    ]
    bench = Bench()
    bench.export(view(*lines, included=included))
    assert bench.invoice()["Status"] in {"AUTHORISED", "PAID"}


# -- what people did -------------------------------------------------------------------------------


def test_a_voided_invoice_is_not_revived_and_its_number_stays_taken(bench):
    bench.export(view(COLA))
    bench.cancel(ORDER)
    assert bench.invoice()["Status"] == "VOIDED"
    bench.cancel(ORDER)
    assert accepted(bench)["invoice voided"] == 1
    assert "voided or deleted" in refusal(bench, view(COLA), errors.DeletedAtTargetError).message
    del bench.ids[ORDER]
    bench.export(view(COLA), f"{ORDER.key}~1")
    assert bench.invoice()["InvoiceNumber"] == "shop-uk/5501~1"


def test_a_draft_is_deleted(bench):
    bench.export(view(COLA, state="HELD"))
    bench.cancel(ORDER)
    bench.cancel(ORDER)
    assert accepted(bench)["invoice deleted"] == 1


def test_what_is_not_there_is_gone(bench):
    bench.desired(view(COLA))
    bench.ids[ORDER] = "00000000-0000-0000-0000-000000000000"
    bench.cancel(ORDER)
    refusal(bench, view(COLA), errors.DeletedAtTargetError)


def test_a_paid_invoice_is_neither_changed_nor_voided(paid):
    writes = len(paid.writes())
    paid.export(view(COLA, LEMON, po_number="PO 2"))
    error = refusal(paid, view(COLA))
    assert "take its payments off" in error.message
    with pytest.raises(errors.TargetRejectedError, match="credit it instead"):
        paid.cancel(ORDER)
    assert len(paid.writes()) == writes


def test_an_archived_contact_is_billed_again(bench):
    bench.desired(view(COLA))
    contact = bench.ids[CUSTOMER]
    bench.cancel(CUSTOMER)
    bench.cancel(CUSTOMER)
    assert bench.read("Contacts", contact)[0]["ContactStatus"] == "ARCHIVED"
    bench.export(view(COLA))
    assert bench.read("Contacts", contact)[0]["ContactStatus"] == "ACTIVE"


def test_of_a_merged_contact_the_other_is_billed(bench):
    bench.desired(view(COLA))
    merged = {
        "ContactID": "99999999-0000-0000-0000-000000000000",
        "ContactStatus": "ARCHIVED",
        "MergedToContactID": bench.ids[CUSTOMER],
    }
    bench.ids[CUSTOMER] = merged["ContactID"]
    fault = Fault("status", on=merged["ContactID"], status=200, body={"Contacts": [merged]})
    bench.sandbox.faults.arm(fault)
    bench.export(view(COLA))
    assert bench.invoice()["Contact"]["ContactID"] == merged["MergedToContactID"]


def test_tracking_that_a_person_chose_stays(bench):
    external_id = bench.export(view(COLA))
    invoice = bench.invoice()
    invoice["LineItems"][0]["Tracking"] = [{"Name": "Region", "Option": "North"}]
    invoice["LineItems"][0]["DiscountAmount"] = 1
    told = json.loads(encode({"Invoices": [invoice]}))
    call = f"GET /api.xro/2.0/Invoices/{external_id}"
    bench.sandbox.faults.arm(Fault("status", on=call, status=200, body=told))
    write = f"POST /api.xro/2.0/Invoices/{external_id}"
    bench.sandbox.faults.arm(Fault("status", on=write, status=200, body=told))
    refusal(bench, view(line("COLA", 3, "68.76")), errors.TotalMismatchError)
    (sent,) = bench.writes()[-1][1]["Invoices"][0]["LineItems"]
    assert sent["Tracking"] == [{"Name": "Region", "Option": "North"}]
    assert sent["DiscountAmount"] == 0


# -- payments --------------------------------------------------------------------------------------


def test_money_is_set_against_the_invoice(paid):
    (found,) = paid.read("Payments", paid.ids[PAYMENT])
    assert (found["Amount"], found["Reference"]) == (Decimal("61.02"), "shop-uk/ch_77")
    assert found["Account"]["Code"] == "090"
    assert found["Invoice"]["InvoiceID"] == paid.ids[ORDER]
    assert accepted(paid)["payment created"] == 1
    paid.export(of_order(payment("61.02"), view(COLA, LEMON)))
    assert accepted(paid)["payment created"] == 1


def test_the_gateway_decides_the_account(bench):
    bench = Bench(maps=Maps(payment_method={"card": "092"}), payment_account=None)
    bench.export(view(COLA))
    bench.export(of_order(payment("10.00"), view(COLA)))
    assert bench.read("Payments", bench.ids[PAYMENT])[0]["Account"]["Code"] == "092"
    del bench.ids[PAYMENT]
    error = refusal(bench, of_order(payment("1", gateway="cash"), view(COLA)), errors.MappingError)
    assert error.cause == "MAP#books#payment_method/cash"


@pytest.mark.parametrize("kind", SILENT)
def test_a_payment_whose_answer_is_lost_is_found(bench, kind):
    bench.export(view(COLA))
    shown = of_order(payment("10.00"), view(COLA))
    bench.sandbox.faults.arm(Fault(kind, on="PUT /api.xro/2.0/Payments"))
    refusal(bench, shown, errors.OutcomeUnknownError)
    bench.export(shown)
    assert accepted(bench)["payment created"] == 1


def test_a_payment_waits_for_approval(bench):
    bench.export(view(COLA, state="HELD"))
    shown = of_order(payment("10.00"), view(COLA))
    refusal(bench, shown, errors.DependencyNotReadyError)
    bench.export(view(COLA))
    bench.export(shown)


def test_more_than_is_due_is_refused(bench):
    bench.export(view(COLA))
    shown = of_order(payment("55.02"), view(COLA))
    assert "55.01 GBP is due" in refusal(bench, shown).message
    error = refusal(bench, of_order(payment("5.00", currency="EUR"), view(COLA)))
    assert "in GBP and was paid in EUR" in error.message
    bench.cancel(ORDER)
    assert "nothing is due" in refusal(bench, of_order(payment("5.00"), view(COLA))).message
    assert "payment created" not in accepted(bench)


def test_money_that_has_not_moved_stays_out(bench):
    bench.ids[ORDER] = "x"
    for status in set(SettlementStatus) - {SettlementStatus.SETTLED}:
        shown = of_order(payment("1", status=status), view(COLA))
        assert PAYMENTS.desired(shown, bench.situation()) is None
        assert CREDITS.desired(of_order(refund("1", status=status), view(COLA)), None) is None
    assert PAYMENTS.desired(of_order(payment("1", is_test=True), view(COLA)), None) is None


def test_a_payment_that_failed_after_all_is_removed(paid):
    paid.cancel(PAYMENT)
    paid.cancel(PAYMENT)
    assert accepted(paid)["payment deleted"] == 1
    assert paid.invoice()["Status"] == "AUTHORISED"
    shown = of_order(payment("61.02"), view(COLA, LEMON))
    refusal(paid, shown, errors.DeletedAtTargetError)
    assert PAYMENTS.find(paid.client(), PAYMENT.key, None) == paid.ids[PAYMENT]
    paid.ids[PAYMENT] = "00000000-0000-0000-0000-000000000000"
    paid.cancel(PAYMENT)


def test_another_amount_is_not_written(paid):
    shown = of_order(payment("60.00"), view(COLA, LEMON))
    assert "another amount" in refusal(paid, shown).message


def test_two_payments_of_one_reference_are_ambiguous(bench):
    bench.export(view(COLA))
    paid_by_hand = {
        "Invoice": {"InvoiceID": bench.ids[ORDER]},
        "Account": {"Code": "090"},
        "Date": "2026-11-02",
        "Amount": 1,
        "Reference": PAYMENT.key,
    }
    for _ in range(2):
        bench.by_hand("PUT", "Payments", {"Payments": [paid_by_hand]})
    shown = of_order(payment("1.00"), view(COLA))
    refusal(bench, shown, errors.AmbiguousMatchError)


# -- refunds ---------------------------------------------------------------------------------------

BACK = ("l-COLA", 1, "22.92", "4.58")


def of_paid(one, *lines):
    return of_order(one, view(*(lines or (COLA, LEMON)), children=[payment("61.02")]))


def test_a_refund_of_a_paid_order_is_credited_and_paid_out(paid):
    paid.export(of_paid(refund("27.50", BACK)))
    credit = paid.credit()
    assert (credit["Type"], credit["Status"]) == ("ACCRECCREDIT", "PAID")
    assert (credit["CreditNoteNumber"], credit["Reference"]) == ("CN-shop-uk/r-55", "#5501")
    assert (credit["Total"], credit["RemainingCredit"]) == (Decimal("27.50"), 0)
    (cola,) = credit["LineItems"]
    assert (cola["ItemCode"], cola["Quantity"]) == ("COLA", 24)
    assert (cola["LineAmount"], cola["TaxAmount"]) == (Decimal("22.92"), Decimal("4.58"))
    (out,) = paid.read("Payments", where='Reference=="CN-shop-uk/r-55"')
    assert (out["Amount"], out["Account"]["Code"]) == (Decimal("27.50"), "090")
    assert paid.invoice()["Status"] == "PAID"
    writes = len(paid.writes())
    paid.export(of_paid(refund("27.50", BACK)))
    assert len(paid.writes()) == writes


def test_a_refund_of_an_unpaid_order_is_set_off(bench):
    bench.export(view(COLA))
    bench.export(of_order(refund("27.50", BACK), view(COLA)))
    assert bench.credit()["Status"] == "PAID"
    assert accepted(bench)["allocation created"] == 1
    invoice = bench.invoice()
    assert (invoice["AmountCredited"], invoice["AmountDue"]) == (Decimal("27.50"), Decimal("27.51"))
    assert "differs" in refusal(bench, view(LEMON)).message


def test_credit_beyond_what_is_due_stays_the_customers(bench):
    bench.export(view(COLA))
    bench.export(of_order(payment("40.00"), view(COLA)))
    bench.export(of_order(refund("27.50", BACK), view(COLA)))
    assert bench.credit()["RemainingCredit"] == Decimal("12.49")
    assert bench.invoice()["AmountDue"] == 0
    bench.export(of_order(refund("27.50", BACK), view(COLA)))
    assert accepted(bench)["allocation created"] == 1


def test_money_back_for_no_goods_has_its_account(paid):
    error = refusal(paid, of_paid(refund("10.00")), errors.MappingError)
    assert error.cause == "MAP#books#account/REFUND"
    paid.maps.sorts["account"] = {"REFUND": "200"}
    paid.export(of_paid(refund("10.00")))
    (rest,) = paid.credit()["LineItems"]
    assert (rest["AccountCode"], rest["TaxType"]) == ("200", "OUTPUT2")
    assert paid.credit()["Total"] == 10


@pytest.mark.parametrize("kind", SILENT)
@pytest.mark.parametrize("call", ["PUT /api.xro/2.0/CreditNotes", "PUT /api.xro/2.0/Payments"])
def test_a_refund_half_done_is_finished(paid, kind, call):
    paid.sandbox.faults.arm(Fault(kind, on=call))
    shown = of_paid(refund("27.50", BACK))
    refusal(paid, shown, errors.OutcomeUnknownError)
    paid.export(shown)
    assert paid.credit()["Status"] == "PAID"
    assert accepted(paid)["creditnote created"] == 1
    assert accepted(paid)["payment created"] == 2


@pytest.mark.parametrize("kind", SILENT)
def test_a_setting_off_whose_answer_is_lost_is_seen(bench, kind):
    bench.export(view(COLA))
    bench.sandbox.faults.arm(Fault(kind, on="/Allocations"))
    shown = of_order(refund("27.50", BACK), view(COLA))
    refusal(bench, shown, errors.OutcomeUnknownError)
    bench.export(shown)
    assert accepted(bench)["allocation created"] == 1
    assert bench.invoice()["AmountCredited"] == Decimal("27.50")


def test_a_credit_note_that_a_search_did_not_show_is_not_made_twice(paid):
    payload = paid.desired(of_paid(refund("27.50", BACK)))
    first = CREDITS.create(paid.client(), REFUND.key, payload)
    other = payload.model_copy(update={"reference": "other"})
    assert CREDITS.create(paid.client(), REFUND.key, other) == first


def test_a_refund_that_failed_after_all_is_taken_back(paid):
    paid.export(of_paid(refund("27.50", BACK)))
    (out,) = paid.read("Payments", where='Reference=="CN-shop-uk/r-55"')
    paid.by_hand("POST", f"Payments/{out['PaymentID']}", {"Status": "DELETED"})
    paid.cancel(REFUND)
    paid.cancel(REFUND)
    assert paid.credit()["Status"] == "VOIDED"
    assert accepted(paid)["payment deleted"] == 1
    refusal(paid, of_paid(refund("27.50", BACK)), errors.DeletedAtTargetError)
    paid.ids[REFUND] = "00000000-0000-0000-0000-000000000000"
    paid.cancel(REFUND)


def test_a_credit_set_off_is_taken_back(bench):
    bench.export(view(COLA))
    bench.export(of_order(refund("27.50", BACK), view(COLA)))
    bench.cancel(REFUND)
    assert bench.credit()["Status"] == "VOIDED"
    assert accepted(bench)["allocation deleted"] == 1
    assert bench.invoice()["AmountDue"] == Decimal("55.01")


def test_a_credit_used_by_hand_is_left_to_people(paid):
    shown = of_paid(refund("27.50", BACK))
    payload = paid.desired(shown)
    external_id = CREDITS.create(paid.client(), REFUND.key, payload)
    approved = {"CreditNotes": [{"Status": "AUTHORISED"}]}
    paid.by_hand("POST", f"CreditNotes/{external_id}", approved)
    by_hand = {
        "CreditNote": {"CreditNoteID": external_id},
        "Account": {"Code": "090"},
        "Date": "2026-11-03",
        "Amount": 7,
    }
    paid.by_hand("PUT", "Payments", {"Payments": [by_hand]})
    assert "used by hand" in refusal(paid, shown).message
    with pytest.raises(errors.TargetRejectedError, match="paid out by hand"):
        paid.cancel(REFUND)


def test_an_approved_credit_note_is_not_rewritten(paid):
    paid.export(of_paid(refund("27.50", BACK)))
    assert (
        "differs" in refusal(paid, of_paid(refund("55.01", ("l-COLA", 2, "45.84", "9.17")))).message
    )


def test_an_untaxed_refund_has_a_tax_type_of_xeros(bench):
    """``tax/REFUND`` is a rate; what Xero calls none is its own matter."""
    bench.maps = Maps(account={"REFUND": "200"}, tax={"REFUND": "0"})
    plain = line("LEMON", 3, "5.00", rates=())
    money = payment("60.01")
    order = view(COLA, plain, children=[money])
    bench.export(order)
    bench.export(of_order(money, order))
    bench.export(of_order(refund("10.00"), order))
    assert bench.credit()["LineItems"][0]["TaxType"] == "NONE"
    assert (bench.credit()["Total"], bench.credit()["TotalTax"]) == (10, 0)


def test_a_refund_of_no_money_is_no_credit_note(bench):
    bench.export(view(COLA))
    assert bench.desired(of_order(refund("0.00", BACK), view(COLA))) is None


def test_a_shop_that_lowers_what_it_gives_back_is_credited_whole(bench):
    """Its goods are at nought by then; the carriage bears the tax they had."""
    carriage = line(None, 1, "15.00", kind="FREIGHT", id="freight")
    money, back = payment("73.01"), refund("73.01", ("l-COLA", 2, "45.84", "9.17"))
    bench.maps.sorts["account"] = {"REFUND": "210"}
    bench.export(view(COLA, carriage, children=[money]))
    bench.export(of_order(money, view(COLA, carriage)))
    asked, assessed = COLA
    quantity = assessed.quantity.model_copy(update={"ordered": 0, "base": 0})
    nought = {"amount": Decimal(0)}
    lowered = (
        asked.model_copy(update=nought | {"quantity": 0}),
        assessed.model_copy(update=nought | {"quantity": quantity}),
    )
    bench.export(of_order(back, view(lowered, carriage, children=[money])))
    credit, billed = bench.credit(), bench.invoice()
    assert (credit["Total"], credit["TotalTax"]) == (billed["Total"], billed["TotalTax"])


def test_a_credit_waits_for_its_invoice(bench):
    bench.export(view(COLA, state="HELD"))
    shown = of_order(refund("27.50", BACK), view(COLA))
    refusal(bench, shown, errors.DependencyNotReadyError)
    bench.export(view(COLA))
    bench.export(shown)
    assert bench.credit()["Status"] == "PAID"


# -- customers -------------------------------------------------------------------------------------

ANN = Customer(
    contact=Contact(name="Ann Bar", email="ann@example.com", phone="+353 21 1"),
    company=Company(id="7", name="Red Bar Ltd", vat_number="IE1234567T"),
    addresses=(
        Address(name="Ann", street="1 Quay", city="Cork", country="IE", postal_code="T12"),
        Address(name="Dock 2", street="2 Quay", city="Cork", country="IE"),
    ),
)
PERSON = ref(Kind.CUSTOMER, "shop-uk", "c-78")


def export_customer(bench, customer, reference=PERSON):
    return bench.export(View(reference, {Part.RECORD: stored(customer)}), reference.key)


def contact_of(bench, reference=PERSON):
    return bench.read("Contacts", bench.ids[reference])[0]


def typed(contact, name, sort):
    key = "PhoneType" if name == "Phones" else "AddressType"
    (found,) = (one for one in contact[name] if one[key] == sort)
    return found


def test_a_customer_arrives(bench):
    external_id = export_customer(bench, ANN)
    contact = contact_of(bench)
    assert (contact["Name"], contact["ContactNumber"]) == ("Red Bar Ltd", "shop-uk/c-78")
    assert (contact["EmailAddress"], contact["TaxNumber"]) == ("ann@example.com", "IE1234567T")
    street = typed(contact, "Addresses", "STREET")
    assert (street["AddressLine1"], street["City"], street["Country"]) == ("1 Quay", "Cork", "IE")
    assert typed(contact, "Phones", "DEFAULT")["PhoneNumber"] == "+353 21 1"
    writes = len(bench.writes())
    assert export_customer(bench, ANN) == external_id
    assert len(bench.writes()) == writes
    assert CONTACTS.find(bench.client(), PERSON.key, None) == external_id
    assert CONTACTS.find(bench.client(), "shop-uk/c-7", None) is None


def test_two_people_of_one_name_stay_two(bench):
    ann = Customer(contact=Contact(name="blue bar", email="ann@example.com"))
    first = bench.read("Contacts", where='ContactNumber=="shop-uk/c-77"')[0]
    export_customer(bench, ann)
    contact = contact_of(bench)
    assert contact["Name"] == "blue bar (shop-uk/c-78)"
    assert contact["ContactID"] != first["ContactID"]
    assert bench.read("Contacts", first["ContactID"])[0]["Name"] == "Blue Bar"
    writes = len(bench.writes())
    export_customer(bench, ann)
    assert len(bench.writes()) == writes


def test_renamed_to_a_name_that_is_taken(bench):
    export_customer(bench, ANN)
    export_customer(bench, Customer(contact=Contact(name="Blue Bar")))
    assert contact_of(bench)["Name"] == "Blue Bar (shop-uk/c-78)"


def test_what_we_do_not_know_of_a_customer_stays(bench):
    export_customer(bench, ANN)
    bench.by_hand("POST", f"Contacts/{bench.ids[PERSON]}", {"Contacts": [{"FirstName": "Ann"}]})
    moved = Contact(name="Ann Bar", email="new@example.com")
    bare = (Address(country="IE"),)
    changes = {"contact": moved, "company": None, "addresses": bare}
    export_customer(bench, ANN.model_copy(update=changes))
    contact = contact_of(bench)
    assert (contact["Name"], contact["EmailAddress"]) == ("Ann Bar", "new@example.com")
    assert (contact["TaxNumber"], contact["FirstName"]) == ("IE1234567T", "Ann")
    assert typed(contact, "Addresses", "STREET")["AddressLine1"] == "1 Quay"
    assert typed(contact, "Phones", "DEFAULT")["PhoneNumber"] == "+353 21 1"


def test_a_phone_typed_in_parts_is_the_same_phone(bench):
    export_customer(bench, ANN)
    parts = {
        "PhoneType": "DEFAULT",
        "PhoneCountryCode": "353",
        "PhoneAreaCode": "21",
        "PhoneNumber": "1",
    }
    bench.by_hand("POST", f"Contacts/{bench.ids[PERSON]}", {"Contacts": [{"Phones": [parts]}]})
    writes = len(bench.writes())
    export_customer(bench, ANN)
    assert len(bench.writes()) == writes


def test_an_erased_customer_is_blank(bench):
    export_customer(bench, ANN)
    other = {"AddressType": "POBOX", "AddressLine3": "Box 9", "AttentionTo": "Ann"}
    mobile = {"PhoneType": "MOBILE", "PhoneNumber": "555"}
    person = {"FirstName": "Ann", "EmailAddress": "ann@example.com"}
    more = {
        "FirstName": "Ann",
        "Addresses": [other],
        "Phones": [mobile],
        "ContactPersons": [person],
    }
    bench.by_hand("POST", f"Contacts/{bench.ids[PERSON]}", {"Contacts": [more]})
    nobody = Customer(contact=Contact(), is_erased=True)
    export_customer(bench, nobody)
    contact = contact_of(bench)
    assert contact["Name"] == "Erased (shop-uk/c-78)"
    for name in ("FirstName", "EmailAddress", "TaxNumber"):
        assert not contact.get(name)
    for one in (*contact["Phones"], *contact["Addresses"]):
        assert not any(value for name, value in one.items() if not name.endswith("Type"))
    assert not contact.get("ContactPersons")
    export_customer(bench, nobody, ref(Kind.CUSTOMER, "shop-uk", "c-79"))
    writes = len(bench.writes())
    export_customer(bench, nobody)
    assert len(bench.writes()) == writes


@pytest.mark.parametrize("kind", SILENT)
def test_a_contact_whose_answer_is_lost_is_found(bench, kind):
    bench.sandbox.faults.arm(Fault(kind, on="PUT /api.xro/2.0/Contacts"))
    with pytest.raises(errors.OutcomeUnknownError):
        export_customer(bench, ANN)
    export_customer(bench, ANN)
    assert accepted(bench)["contact created"] == 1


def test_a_contact_that_a_search_did_not_show_is_not_made_twice(bench):
    payload = bench.desired(View(PERSON, {Part.RECORD: stored(ANN)}))
    first = CONTACTS.create(bench.client(), PERSON.key, payload)
    changed = payload.model_copy(update={"email": "other@example.com"})
    assert CONTACTS.create(bench.client(), PERSON.key, changed) == first


# -- what desires depend on ------------------------------------------------------------------------


def test_what_is_required(bench):
    order = view(COLA)
    assert ORDERS.requires(order) == [CUSTOMER]
    assert not CONTACTS.requires(View(PERSON))
    assert PAYMENTS.requires(payment("1")) == [ORDER]
    assert CREDITS.requires(of_order(refund("1"), order)) == [ORDER]
    assert PAYMENTS.requires(View(PAYMENT)) == CREDITS.requires(View(REFUND)) == []
    nothing = Situation(bench.connection, Maps())
    for shown in (
        order,
        View(ORDER),
        View(PERSON),
        View(PAYMENT),
        View(REFUND),
        of_order(payment("1"), order),
        of_order(refund("1"), order),
    ):
        with pytest.raises(errors.DependencyNotReadyError):
            TARGET.entities[shown.ref.kind].desired(shown, nothing)


def test_equal_state_equal_payload(bench):
    assert bench.desired(view(COLA)) == bench.desired(view(COLA))
    assert bench.desired(view(COLA)).fingerprint() != bench.desired(view(LEMON)).fingerprint()
    assert "ann@" not in repr(bench.desired(View(PERSON, {Part.RECORD: stored(ANN)})))


def test_a_plan_shows_what_would_be_written(bench):
    external_id = bench.export(view(COLA))
    planning = PlanningClient(bench.client())
    payload = bench.desired(view(LEMON, po_number="PO 2"))
    with pytest.raises(TypeError):
        ORDERS.update(TARGET.client(planning, bench.connection), external_id, payload)
    (step,) = planning.steps
    shown = {field.name: (field.was, field.becomes) for field in step.fields}
    assert shown["Invoices.0.Reference"] == ("#5501, PO 88123", "#5501, PO 2")
    assert shown["Invoices.0.LineItems.0.ItemCode"] == ("COLA", "LEMON")
    assert shown["Invoices.0.LineItems.0.Quantity"] == ("48", "3")


# -- connection ------------------------------------------------------------------------------------


def test_both_ways_in():
    for bench in (
        Bench(),
        Bench(secret=CUSTOM, grant="custom"),
        Bench(secret=CUSTOM, grant="custom", tenant_id=None),
    ):
        bench.export(view(COLA))
        assert bench.invoice()["Status"] == "AUTHORISED"
    with pytest.raises(errors.ConfigurationError, match="web or custom"):
        Bench(grant="pkce").client()


def test_a_refresh_token_is_spent_once(bench):
    bench.export(view(COLA))
    bench.export(view(LEMON))
    spent = [r for r in bench.transport.requests if r.url.path == "/connect/token"]
    assert len(spent) == 1


@pytest.mark.parametrize("way", [{}, {"secret": CUSTOM, "grant": "custom"}], ids=["web", "custom"])
def test_a_token_that_ends_in_the_middle_of_a_write_is_renewed(way):
    bench = Bench(**way)
    expired = {"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired at x"}
    call = "PUT /api.xro/2.0/Invoices"
    bench.sandbox.faults.arm(Fault("status", on=call, status=401, body=expired))
    bench.export(view(COLA))
    creates = [r for r in bench.transport.requests if call in f"{r.method} {r.url.path}"]
    assert len({r.headers["Idempotency-Key"] for r in creates}) == 1
    assert (len(creates), accepted(bench)["invoice created"]) == (2, 1)


@pytest.mark.parametrize(
    "bench",
    [
        Bench(secret=WEB | {"refresh_token": "spent"}),
        Bench(secret=WEB | {"client_secret": "spent"}),
        Bench(secret=CUSTOM | {"client_secret": "spent"}, grant="custom"),
        Bench(tenant_id="11111111-2222-3333-4444-555555555555"),
        Bench(tenant_id=None),
    ],
    ids=["grant", "client", "custom", "tenant", "no-tenant"],
)
def test_a_wrong_key_is_the_connections_trouble(bench):
    with pytest.raises(errors.ConfigurationError) as found:
        bench.client().get("/Organisation")
    assert "spent" not in str(found.value)


def problem(title, detail, status):
    return {"Title": title, "Status": status, "Detail": detail}


def invalid(message):
    return {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{"ValidationErrors": [{"Message": message}]}],
    }


UNREADABLE = {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": "no such member"}
ERROR_TABLE = [
    (400, invalid("The Contact is archived"), errors.TargetRejectedError, "customer_config"),
    (400, UNREADABLE, errors.TargetRejectedError, "ours"),
    (401, problem("Unauthorized", "TokenExpired: ...", 401), errors.ConfigurationError, None),
    (
        401,
        problem("Unauthorized", "AuthorizationUnsuccessful", 401),
        errors.ConfigurationError,
        None,
    ),
    (
        403,
        {"title": "Forbidden", "detail": "AuthenticationUnsuccessful"},
        errors.ConfigurationError,
        None,
    ),
    (404, "no such thing", errors.NotThereError, None),
    (412, None, errors.ConflictError, None),
    (429, None, errors.RateLimitedError, None),
    (500, None, errors.OutcomeUnknownError, None),
    (501, None, errors.OutcomeUnknownError, None),
    (502, "<html>", errors.OutcomeUnknownError, None),
    (503, "The Organisation is offline", errors.OutcomeUnknownError, None),
    (504, None, errors.OutcomeUnknownError, None),
]


@pytest.mark.parametrize(("status", "answer", "verdict", "blame"), ERROR_TABLE)
def test_answers_are_classified(bench, status, answer, verdict, blame):
    fault = Fault("status", on="PUT /api.xro/2.0/Invoices", status=status, body=answer, times=-1)
    bench.sandbox.faults.arm(fault)
    with pytest.raises(errors.FizzbridgeError) as found:
        bench.client().request("PUT", "/Invoices", json={"Invoices": []}, writes=True)
    assert type(found.value) is verdict
    assert blame in {None, found.value.blame}
    if status == 400:
        said = "archived" if blame == "customer_config" else "member"
        assert said in found.value.message


@pytest.mark.parametrize("mark", [{"HasErrors": True}, {"StatusAttributeString": "ERROR"}])
def test_a_refusal_inside_a_success_is_a_refusal(bench, mark):
    refused = {"Invoices": [mark | {"ValidationErrors": [{"Message": "Account code is archived"}]}]}
    fault = Fault("status", on="PUT /api.xro/2.0/Invoices", status=200, body=refused)
    bench.sandbox.faults.arm(fault)
    assert "Account code is archived" in refusal(bench, view(COLA)).message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17", "X-Rate-Limit-Problem": "minute"}, 17),
        ({"Retry-After": "40000", "X-Rate-Limit-Problem": "day"}, 40000),
        ({"X-Rate-Limit-Problem": "day"}, 3600),
        ({"X-Rate-Limit-Problem": "Daily"}, 3600),
        ({"X-Rate-Limit-Problem": "Minute"}, 60),
        ({"X-Rate-Limit-Problem": "concurrent"}, 2),
        ({}, None),
    ],
)
def test_limits_say_how_long(headers, seconds):
    low = {name.lower(): value for name, value in headers.items()}
    answer = Answer(429, low, None, "")
    error = TARGET.errors.error(answer, platform="xero", call="GET /Items", writes=False)
    assert isinstance(error, errors.RateLimitedError)
    assert (error.retry_after and error.retry_after.total_seconds()) == seconds


def test_the_vendors_own_limit(bench):
    bench = Bench(seed={"limits": {"concurrent": 5, "minute": 3, "day": 5000, "app_minute": 10000}})
    for _ in range(3):
        bench.client().get("/Organisation")
    with pytest.raises(errors.RateLimitedError) as found:
        bench.client().get("/Organisation")
    assert found.value.retry_after


def test_paid_by_somebody_just_before_is_refused_and_nothing_lost(bench):
    bench.export(view(COLA))
    by_hand = {
        "Invoice": {"InvoiceID": bench.ids[ORDER]},
        "Account": {"Code": "090"},
        "Date": "2026-11-02",
        "Amount": 5,
    }
    plain = bench.transport

    def pay():
        bench.transport = plain
        bench.by_hand("PUT", "Payments", {"Payments": [by_hand]})

    bench.transport = Meddling(plain, f"POST /api.xro/2.0/Invoices/{bench.ids[ORDER]}", before=pay)
    refusal(bench, view(LEMON))
    bench.transport = plain
    assert bench.invoice()["LineItems"][0]["ItemCode"] == "COLA"


# -- what it must have -----------------------------------------------------------------------------


def checked(bench):
    return {one.what: one for one in TARGET.check(bench.client(), bench.situation())}


def test_a_good_organisation_has_all(bench):
    bench = Bench(discount_account="200")
    found = checked(bench)
    assert [one.what for one in found.values() if not one.is_good] == []
    assert found["tenant"].message == "Corner Pop Ltd"
    assert found["tax 0.2"].message == "OUTPUT2"
    assert found["freight lines"].message == "account 210"
    assert "GBP, EUR" in found["currencies"].message
    assert found["right to Payments"].is_good


def test_what_is_missing_is_named():
    bench = Bench(
        tenant_id=TENANT, payment_account="200", freight_account="999", maps=Maps(tax={"0.05": "X"})
    )
    bad = {what: one.message for what, one in checked(bench).items() if not one.is_good}
    assert "takes no payments" in bad["payment_account"]
    assert bad["freight_account"] == "Xero has no account 999"
    assert "map tax 0.05 to one of RROUTPUT" in bad["tax 0.05"]
    assert "discount_account" in bad["discount lines"]
    none = checked(Bench(payment_account=None))
    assert "payment_method" in none["payment_account"].message


def test_a_tenant_is_chosen_from_those_connected():
    (finding,) = checked(Bench(tenant_id=None)).values()
    assert (finding.is_good, finding.message) == (
        False,
        f"set tenant_id: Corner Pop Ltd is {TENANT}",
    )


def test_a_right_that_is_missing_is_named():
    bench = Bench()
    forbidden = problem("Unauthorized", "AuthorizationUnsuccessful", 401)
    fault = Fault("status", on="/Payments", status=401, body=forbidden, times=-1)
    bench.sandbox.faults.arm(fault)
    found = checked(bench)
    assert "accounting.payments" in found["right to Payments"].message
    assert not found["right to Payments"].is_good


def test_items_by_code(bench):
    bench = Bench(
        organisation={"items": [*ORGANISATION["items"], {"Code": "GLUE", "IsSold": False}]}
    )
    found = list(TARGET.items(bench.client(), bench.connection))
    assert {(one.code, one.name) for one in found} == {
        (one["Code"], one["Name"]) for one in ORGANISATION["items"]
    }


# -- by the vendor's own description ---------------------------------------------------------------


def test_every_request_is_one_xero_describes(paid):
    if not xero_spec.SPEC.is_dir():
        pytest.skip(f"Xero's description is not here: {xero_spec.SPEC}")
    paid.export(of_paid(refund("27.50", BACK)))
    paid.cancel(REFUND)
    export_customer(paid, ANN)
    export_customer(paid, Customer(contact=Contact(name="Blue Bar")))
    export_customer(paid, Customer(contact=Contact(), is_erased=True))
    paid.cancel(PAYMENT)
    paid.export(view(line("COLA", 999, "1234.56"), FREIGHT))
    del paid.ids[REFUND]
    paid.export(of_order(refund("6.01", ("l-LEMON", 1, "5.01", "1.00")), view(LEMON)), "r~1")
    paid.cancel(REFUND)
    paid.cancel(ORDER)
    list(TARGET.check(paid.client(), paid.situation()))
    list(TARGET.items(paid.client(), paid.connection))
    done = {xero_spec.validate(request) for request in paid.transport.requests}
    assert {entity for entity, _ in done} >= {"Order", "Customer", "Payment", "Refund", "Token"}
