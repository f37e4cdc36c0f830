import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fizzbridge import errors
from fizzbridge.http.client import encode
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import Totals
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import StoredPart, View
from platforms.odoo.mapping import unit_price
from platforms.odoo.transport import external_key
from sandbox.faults import Fault
from tests.kit.orders import CUSTOMER, ORDER, Maps, line
from tests.platforms.odoo.odoo_orders import SEED, TARGET, Bench, view

ORDERS = TARGET.entities[Kind.ORDER]
PARTNERS = TARGET.entities[Kind.CUSTOMER]
COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
LEMON = line("LEMON", 3, "5.01")
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")


@pytest.fixture(params=["json2", "jsonrpc"])
def bench(request):
    return Bench(request.param)


def only(bench):
    (order,) = bench.shown()
    return order


def writes(bench):
    return [
        r
        for r in bench.transport.requests
        if any(word in r.url.path + r.content.decode() for word in ("/write", '"write"'))
    ]


# -- create ----------------------------------------------------------------------------------------


def test_an_order_arrives_whole_and_confirmed(bench):
    bench.export(view(COLA, LEMON, FREIGHT, note="leave <at> dock"))
    order = only(bench)
    assert order["state"] == "sale"
    assert (order["origin"], order["client_order_ref"]) == ("shop-uk/5501", "PO 88123")
    assert order["external_id"] == "__fizz__.so_shop-uk_5501"
    assert (order["amount_untaxed"], order["amount_tax"], order["amount_total"]) == (
        65.85,
        10.17,
        76.02,
    )
    assert order["partner"] == "Blue Bar"
    assert order["partner_shipping"] == "Blue Bar, Dock 2"
    assert "leave" in order["note"]
    assert "<at>" not in order["note"]
    cola, lemon, freight = order["lines"]
    assert (cola["sku"], cola["qty"], cola["uom"], cola["price_unit"]) == (
        "COLA",
        2,
        "Case of 24",
        22.92,
    )
    assert (lemon["sku"], lemon["qty"], lemon["uom"], lemon["price_unit"]) == (
        "LEMON",
        3,
        "Units",
        1.67,
    )
    assert (freight["sku"], freight["price_unit"], freight["taxes"]) == ("SHIP", 15.0, [])
    assert (cola["taxes"], cola["discount"]) == (["20%"], 0)


def test_the_orders_date_is_the_shops(bench):
    bench.connection = bench.connection.model_copy(
        update={"settings": dict(bench.connection.settings) | {"confirm": "never"}}
    )
    bench.export(view(COLA))
    assert only(bench)["date_order"] == "2026-11-01 10:15:30"
    assert only(bench)["state"] == "draft"


def test_an_order_on_hold_stays_a_quotation(bench):
    bench.export(view(COLA, state="HELD"))
    assert only(bench)["state"] == "draft"
    bench.export(view(COLA))
    assert only(bench)["state"] == "sale"


def test_sent_again_nothing_is_written(bench):
    first = bench.export(view(COLA, LEMON))
    assert not writes(bench)
    assert bench.export(view(COLA, LEMON)) == first
    assert not writes(bench)
    assert bench.sandbox.accepted["sale.order/load"] == 1
    assert bench.sandbox.accepted["sale.order/action_confirm"] <= 1


def test_created_twice_there_is_one_order(bench):
    payload = bench.desired(view(COLA))
    first = ORDERS.create(bench.client(), ORDER.key, payload)
    again = ORDERS.create(bench.client(), ORDER.key, bench.desired(view(LEMON)))
    assert first == again
    assert [line["sku"] for line in only(bench)["lines"]] == ["COLA"]
    another = ORDERS.create(bench.client(), ORDER.key + "~1", payload)
    assert another != first


def test_created_by_many_at_once_there_is_one_order(bench):
    bench.sandbox.commit_delay_seconds = 0.2
    payload = bench.desired(view(COLA, ship_to=None))

    def create(_):
        try:
            return ORDERS.create(bench.client(), ORDER.key, payload)
        except errors.ConflictError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(create, range(4)))
    ids = {result for result in results if isinstance(result, str)}
    assert len(ids) == 1
    assert len(bench.shown()) == 1
    assert {ORDERS.create(bench.client(), ORDER.key, payload)} == ids


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "truncate"])
def test_a_lost_answer_is_unknown_and_then_found(bench, kind):
    bench.sandbox.faults.arm(Fault(kind, body_contains="so_shop-uk_5501"))
    payload = bench.desired(view(COLA))
    with pytest.raises(errors.OutcomeUnknownError):
        ORDERS.create(bench.client(), ORDER.key, payload)
    found = ORDERS.find(bench.client(), ORDER.key, payload)
    assert found == str(only(bench)["id"])
    ORDERS.update(bench.client(), found, payload)
    assert only(bench)["state"] == "sale"


def test_a_find_needs_no_payload_and_finds_nothing_of_others(bench):
    bench.export(view(COLA))
    assert ORDERS.find(bench.client(), ORDER.key, None)
    assert ORDERS.find(bench.client(), "shop-uk/550", None) is None
    assert ORDERS.find(bench.client(), "shop-uk/5501~1", None) is None


def duplicate(bench, **values):
    """A person duplicates an order in Odoo: its origin comes along, its external id does not."""
    vals = {"partner_id": int(bench.partner), "origin": ORDER.key} | values
    body = {"vals_list": [vals]}
    return bench.client().post("/json/2/sale.order/create", json=body, writes=True).data


def test_a_persons_copy_is_told_from_ours():
    bench = Bench()
    ours = bench.export(view(COLA))
    duplicate(bench)
    assert ORDERS.find(bench.client(), ORDER.key, None) == ours


@pytest.mark.parametrize("count", [1, 2])
def test_strangers_of_our_origin_are_not_ours(count):
    bench = Bench()
    for _ in range(count):
        duplicate(bench)
    with pytest.raises(errors.AmbiguousMatchError, match=f"{count} in Odoo have the origin"):
        ORDERS.find(bench.client(), ORDER.key, None)


@given(st.lists(st.text(max_size=6), min_size=2, max_size=2, unique=True))
def test_external_keys_are_safe_and_never_alike(ids):
    first, second = (external_key("so", f"shop-uk/{id_}") for id_ in ids)
    assert first != second
    assert first.removeprefix("__fizz__.").replace("_", "").replace("-", "").isascii()
    assert first.count(".") == 1


# -- update ----------------------------------------------------------------------------------------


def test_a_changed_quantity_keeps_its_price(bench):
    bench.export(view(COLA, LEMON))
    bench.export(view(line("COLA", 5, "114.60", unit="CASE", factor=24), LEMON))
    cola, lemon = only(bench)["lines"]
    assert (cola["qty"], cola["price_unit"], cola["price_subtotal"]) == (5, 22.92, 114.6)
    assert lemon["qty"] == 3
    assert only(bench)["amount_total"] == 143.53


def test_a_changed_price_reaches_the_confirmed_order(bench):
    bench.export(view(COLA))
    bench.export(view(line("COLA", 2, "40.00", unit="CASE", factor=24)))
    assert only(bench)["lines"][0]["price_unit"] == 20
    assert only(bench)["amount_total"] == 48


def test_added_and_removed_lines(bench):
    bench.export(view(COLA, FREIGHT))
    bench.export(view(line("COLA", 0, "0", unit="CASE", factor=24), LEMON, FREIGHT))
    lines = {line["sku"]: line["qty"] for line in only(bench)["lines"]}
    assert lines == {"COLA": 0, "SHIP": 1, "LEMON": 3}
    assert len(writes(bench)) == 1
    bench.export(view(LEMON, FREIGHT))
    assert len(writes(bench)) == 1
    bench.export(view(COLA, LEMON, FREIGHT))
    assert len(only(bench)["lines"]) == 3


def test_lines_of_one_product_keep_apart(bench):
    paid = line("COLA", 10, "96.00", id="a")
    free = line("COLA", 1, "0", id="b", kind="FREE_GOODS")
    bench.export(view(paid, free))
    before = [line["id"] for line in only(bench)["lines"]]
    bench.export(view(free))
    assert [(line["id"], line["qty"]) for line in only(bench)["lines"]] == [
        (before[0], 0),
        (before[1], 1),
    ]
    assert [line["price_unit"] for line in only(bench)["lines"]][1] == 0


def test_purchase_number_and_address_follow(bench):
    bench.export(view(COLA))
    gate = Address(company="Blue Bar", name="Gate", street="9 Pier", city="Cork", country="IE")
    bench.export(view(COLA, po_number="PO 2", ship_to=gate))
    assert only(bench)["client_order_ref"] == "PO 2"
    assert only(bench)["partner_shipping"] == "Blue Bar, Blue Bar, Gate"
    bench.export(view(COLA, po_number="PO 2", ship_to=gate))
    assert len(writes(bench)) == 1


def test_a_note_follows_but_not_on_a_locked_order(bench):
    note = 'gate 2 <left> & "bell"\nring twice'
    external_id = bench.export(view(COLA, note="gate 1"))
    bench.export(view(COLA, note=note))
    assert "ring twice" in only(bench)["note"]
    bench.export(view(COLA, note=note))
    bench.export(view(COLA))
    assert len(writes(bench)) == 1
    ids = {"ids": [int(external_id)]}
    bench.client().post("/json/2/sale.order/action_lock", json=ids, writes=True)
    bench.export(view(COLA, note="gate 3"))
    assert "ring twice" in only(bench)["note"]


@pytest.mark.parametrize(("cases", "amount", "is_taken"), [(2, "40.00", False), (3, "68.76", True)])
def test_what_is_invoiced_keeps_its_price(bench, cases, amount, is_taken):
    external_id = int(bench.export(view(COLA)))
    vals = {"advance_payment_method": "delivered", "sale_order_ids": [[6, 0, [external_id]]]}
    path, vendor = "/json/2/sale.advance.payment.inv", bench.client()
    made = vendor.post(f"{path}/create", json={"vals_list": [vals]}, writes=True).data
    vendor.post(f"{path}/create_invoices", json={"ids": made}, writes=True)
    changed = view(line("COLA", cases, amount, unit="CASE", factor=24))
    if is_taken:
        bench.export(changed)
    else:
        with pytest.raises(errors.TargetRejectedError, match="invoiced at other prices"):
            bench.export(changed)
    assert only(bench)["lines"][0]["price_unit"] == 22.92


def test_what_a_person_deleted_is_not_made_again(bench):
    external_id = bench.export(view(COLA))
    bench.sandbox.store.rows["sale.order"].clear()
    with pytest.raises(errors.DeletedAtTargetError):
        ORDERS.update(bench.client(), external_id, bench.desired(view(LEMON)))


def test_what_a_person_cancelled_is_not_revived(bench):
    external_id = bench.export(view(COLA))
    ORDERS.cancel(bench.client(), external_id)
    with pytest.raises(errors.DeletedAtTargetError, match="cancelled in Odoo"):
        ORDERS.update(bench.client(), external_id, bench.desired(view(COLA)))


def test_a_locked_order_is_left_alone(bench):
    external_id = bench.export(view(COLA))
    bench.client().post(
        "/json/2/sale.order/action_lock", json={"ids": [int(external_id)]}, writes=True
    )
    bench.export(view(COLA))
    with pytest.raises(errors.TargetRejectedError, match="locked"):
        bench.export(view(LEMON))
    assert not writes(bench)


class Meddling(httpx.BaseTransport):
    """Does something before or after each request that contains a text."""

    def __init__(self, inner, text, before=None, after=None):
        self.inner, self.text, self.before, self.after = inner, text.encode(), before, after

    def handle_request(self, request):
        request.read()
        is_meant = self.text in request.url.path.encode() + request.content
        if is_meant and self.before:
            self.before(request)
        answer = self.inner.handle_request(request)
        if is_meant and self.after:
            self.after()
        return answer


def test_an_unknown_confirmation_is_looked_at_again(bench):
    external_id = bench.export(view(COLA, state="HELD"))
    bench.sandbox.faults.arm(
        Fault("commit_then_silence", body_contains="action_confirm"),
        Fault("commit_then_silence", on="action_confirm"),
    )
    payload = bench.desired(view(COLA))
    with pytest.raises(errors.OutcomeUnknownError):
        ORDERS.update(bench.client(), external_id, payload)
    ORDERS.update(bench.client(), external_id, payload)
    assert only(bench)["state"] == "sale"


def test_confirmed_by_somebody_else_just_before_is_confirmed(bench):
    sandbox = bench.transport
    bench.transport = Meddling(sandbox, "action_confirm", before=sandbox.handle_request)
    bench.export(view(COLA))
    bench.transport = sandbox
    assert only(bench)["state"] == "sale"


def test_a_refused_confirmation_is_said(bench):
    sandbox = bench.transport
    stored = bench.sandbox.store.rows["sale.order"]

    def cancel(_):
        next(iter(stored.values()))["state"] = "cancel"

    bench.transport = Meddling(sandbox, "action_confirm", before=cancel)
    with pytest.raises(errors.TargetRejectedError, match="not in a state"):
        bench.export(view(COLA))


def test_changed_by_somebody_else_meanwhile_comes_round_again(bench):
    bench.export(view(COLA))
    sandbox = bench.transport

    def sell_more():
        for stored in bench.records("sale.order"):
            stored["amount_total"] = 99.0
        for stored in bench.records("sale.order.line"):
            stored["product_uom_qty"] = 77.0

    bench.transport = Meddling(sandbox, "PO 2", after=sell_more)
    with pytest.raises(errors.ConflictError, match="is being changed"):
        bench.export(view(COLA, po_number="PO 2"))
    bench.transport = sandbox
    bench.export(view(COLA, po_number="PO 2"))
    assert only(bench)["lines"][0]["qty"] == 2


def test_calls_are_counted_through_the_wrapper(bench):
    vendor = bench.client()
    ORDERS.find(vendor, ORDER.key, None)
    assert vendor.calls == (1 if bench.connection.settings["transport"] == "json2" else 2)


# -- cancel ----------------------------------------------------------------------------------------


def test_cancelled_once_and_for_all(bench):
    external_id = bench.export(view(COLA))
    ORDERS.cancel(bench.client(), external_id)
    assert only(bench)["state"] == "cancel"
    ORDERS.cancel(bench.client(), external_id)
    assert bench.sandbox.accepted["sale.order/action_cancel"] == 1
    bench.sandbox.store.rows["sale.order"].clear()
    ORDERS.cancel(bench.client(), external_id)


def test_shipped_goods_stop_a_cancellation(bench):
    external_id = bench.export(view(COLA))
    for stored in bench.records("sale.order.line"):
        stored["qty_delivered"] = 1.0
    with pytest.raises(errors.TargetRejectedError, match="goods have left"):
        ORDERS.cancel(bench.client(), external_id)
    assert only(bench)["state"] == "sale"


POSTED = {"id": 9, "move_type": "out_invoice", "amount_total": 55.01}
BACK = {"id": 10, "move_type": "out_refund", "amount_total": 55.01}


@pytest.mark.parametrize(
    ("invoices", "state"),
    [
        ([POSTED], "sale"),
        ([POSTED, BACK | {"amount_total": 5}], "sale"),
        ([POSTED, BACK], "cancel"),
        ([], "cancel"),
    ],
)
def test_a_posted_invoice_stops_a_cancellation(invoices, state):
    bench = Bench()
    external_id = bench.export(view(COLA))
    bench.records("sale.order")[0]["invoice_ids"] = [9]
    bench.sandbox.faults.arm(
        Fault("status", on="account.move/search_read", status=200, body=invoices)
    )
    if state == "sale":
        with pytest.raises(errors.TargetRejectedError, match="credit it"):
            ORDERS.cancel(bench.client(), external_id)
    else:
        ORDERS.cancel(bench.client(), external_id)
    assert only(bench)["state"] == state


def test_a_dialog_is_no_cancellation():
    bench = Bench()
    external_id = bench.export(view(COLA))
    dialog = {"type": "ir.actions.act_window", "res_model": "sale.order.cancel"}
    bench.sandbox.faults.arm(Fault("status", on="action_cancel", status=200, body=dialog))
    with pytest.raises(errors.TargetRejectedError, match="asks back"):
        ORDERS.cancel(bench.client(), external_id)


# -- products, units, taxes, currencies ------------------------------------------------------------


def refusal(bench, *lines, **order):
    with pytest.raises(errors.MappingError) as found:
        bench.export(view(*lines, **order))
    assert not bench.shown()
    return found.value


def test_an_unknown_sku_waits_for_its_map_row(bench):
    error = refusal(bench, COLA, line("NOPE", 1, "1.00"))
    assert error.cause == "MAP#erp#sku/NOPE"
    assert "l-NOPE" in error.message
    assert "NOPE" in error.message


def test_a_mapped_sku_is_sold_under_odoos_code(bench):
    bench.maps = Maps(sku={"COLA-OLD": "COLA", "FREIGHT": "LEMON"})
    bench.export(view(line("COLA-OLD", 1, "1.00"), FREIGHT))
    assert [line["sku"] for line in only(bench)["lines"]] == ["COLA", "LEMON"]


def test_two_products_of_one_sku_are_ambiguous(bench):
    with pytest.raises(errors.AmbiguousMatchError, match="TWIN"):
        bench.export(view(line("TWIN", 1, "1.00")))


def test_a_fee_without_a_product_says_what_to_set(bench):
    fee = line(None, 1, "2.00", kind="FEE", id="fee")
    error = refusal(bench, fee)
    assert error.cause == "MAP#erp#sku/FEE"
    assert "fee_sku" in error.message


def test_deposits_discounts_and_refunds_by_their_kind():
    bench = Bench(deposit_sku="DEPOSIT", discount_sku="SHIP", deposit_refund_sku="DEPOSIT")
    bench.export(
        view(
            COLA,
            line(None, 48, "12.00", kind="DEPOSIT", id="d"),
            line(None, 4, "1.00", kind="DEPOSIT_REFUND", id="r"),
            line(None, 1, "5.00", kind="DISCOUNT", id="x"),
        )
    )
    prices = [(line["sku"], line["qty"], line["price_unit"]) for line in only(bench)["lines"]]
    assert prices[1:] == [("DEPOSIT", 48, 0.25), ("DEPOSIT", 4, -0.25), ("SHIP", 1, -5.0)]


@pytest.mark.parametrize(
    ("unit", "factor", "rate", "maps", "message"),
    [
        ("EACH", 1, "0.05", {}, "no sales tax of 5"),
        ("EACH", 1, "0.07", {}, "several sales taxes of 7"),
        ("EACH", 1, "0.2", {"tax": {"0.2": "Gone"}}, "no sales tax of Gone"),
    ],
)
def test_a_tax_must_be_one(bench, unit, factor, rate, maps, message):
    bench.maps = Maps(**maps)
    error = refusal(bench, line("COLA", 1, "1.00", rates=(rate,), unit=unit, factor=factor))
    assert message in error.message
    assert error.cause == f"MAP#erp#tax/{rate}"


def test_a_mapped_tax_is_taken_by_name(bench):
    bench.maps = Maps(tax={"0.07": "7% services"})
    bench.export(view(line("COLA", 1, "1.00", rates=("0.07",))))
    assert only(bench)["lines"][0]["taxes"] == ["7% services"]


def test_prices_with_tax_take_the_included_tax(bench):
    lines = [
        line("COLA", 3, "3.57", rates=("0.19",)),
        line("LEMON", 7, "6.93", rates=("0.19",)),
    ]
    bench.export(view(*lines, included=True))
    order = only(bench)
    assert order["lines"][0]["taxes"] == ["19% incl."]
    assert (order["amount_untaxed"], order["amount_tax"], order["amount_total"]) == (
        8.82,
        1.68,
        10.5,
    )
    error = refusal(Bench(), line("COLA", 1, "1.00", rates=("0.2",)), included=True)
    assert error.cause == "MAP#erp#tax/0.2 included"


def test_a_pack_odoo_does_not_have_is_ordered_in_base_units(bench):
    bench.export(view(line("COLA", 1, "2000.01", unit="PALLET", factor=2592)))
    (cola,) = only(bench)["lines"]
    assert (cola["qty"], cola["uom"], cola["price_subtotal"]) == (2592, "Units", 2000.01)


def test_a_mapped_unit_wins_if_it_measures_the_same(bench):
    bench.maps = Maps(unit={"PALLET 2592": "Pallet", "CASE 24": "Hours"})
    bench.export(view(line("COLA", 1, "2000.01", unit="PALLET", factor=2592)))
    assert only(bench)["lines"][0]["uom"] == "Pallet"
    error = refusal(Bench(maps=bench.maps), COLA)
    assert error.cause == "MAP#erp#unit/CASE 24"


def test_a_product_kept_in_packs_needs_a_word_of_a_person(bench):
    error = refusal(bench, line("KEG", 1, "80.00", unit="EACH"))
    assert error.cause == "MAP#erp#unit/EACH"
    bench.maps = Maps(unit={"EACH": "Keg tree"})
    bench.export(view(line("KEG", 1, "80.00", unit="EACH")))
    assert only(bench)["lines"][0]["uom"] == "Keg tree"


def test_another_currency_goes_by_a_price_list(bench):
    bench.export(view(COLA, currency="USD"))
    assert only(bench)["currency"] == "USD"
    error = refusal(Bench(), COLA, currency="GBP")
    assert error.cause == "MAP#erp#pricelist/GBP"
    assert "several" in error.message
    mapped = Bench(maps=Maps(pricelist={"GBP": "Pounds B"}))
    mapped.export(view(COLA, currency="GBP"))
    assert only(mapped)["currency"] == "GBP"
    wrong = Bench(maps=Maps(pricelist={"GBP": "Dollars"}))
    with pytest.raises(errors.TargetRejectedError, match="USD in Odoo and in GBP"):
        wrong.export(view(COLA, currency="GBP"))
    assert only(wrong)["state"] == "draft"


def test_the_warehouse_of_the_settings(bench):
    chosen = Bench(warehouse="WH")
    chosen.export(view(COLA))
    assert chosen.records("sale.order")[0]["warehouse_id"]
    with pytest.raises(errors.ConfigurationError, match="NO"):
        Bench(warehouse="NO").export(view(COLA))


# -- totals ----------------------------------------------------------------------------------------


def test_another_total_is_never_sent(bench):
    odd = Totals(net=Decimal("45.78"), tax=Decimal("9.16"), gross=Decimal("54.94"))
    with pytest.raises(errors.TotalMismatchError) as found:
        bench.export(view(COLA, total=odd))
    assert "would be 55.01 EUR there and is 54.94 EUR with us" in found.value.message
    assert "difference -0.07" in found.value.message
    assert bench.shown() == []


def test_a_cent_is_a_line_of_its_own():
    bench = Bench(rounding_sku="ROUND", seed={"products": [*SEED["products"], ROUND]})
    odd = Totals(net=Decimal("45.84"), tax=Decimal("9.16"), gross=Decimal("55.00"))
    bench.export(view(COLA, total=odd))
    (order,) = bench.shown()
    assert (order["state"], order["amount_total"]) == ("sale", 55.0)
    assert bench.records("sale.order.line")[-1]["price_unit"] == -0.01


ROUND = {"default_code": "ROUND", "name": "Rounding", "type": "service", "taxes_id": []}


def test_a_company_that_rounds_by_line_has_a_setting():
    lines = [line(f"SKU{n}", 1, "0.13", rates=("0.19",)) for n in range(5)]
    products = [{"default_code": f"SKU{n}", "name": "-"} for n in range(5)]
    company = {"tax_calculation_rounding_method": "round_per_line"}
    seed = {"products": [*SEED["products"], *products, ROUND], "company": company}
    shop = Totals(net=Decimal("0.65"), tax=Decimal("0.12"), gross=Decimal("0.77"))
    bench = Bench(tax_rounding="line", rounding_sku="ROUND", seed=seed)
    bench.export(view(*lines, total=shop))
    (order,) = bench.shown()
    assert (order["state"], order["amount_total"]) == ("sale", 0.77)
    wrongly_set = Bench(rounding_sku="ROUND", seed=seed)
    with pytest.raises(errors.TotalMismatchError, match=r"would be 0.75 EUR .* 0.77 EUR"):
        wrongly_set.export(view(*lines, total=shop))
    assert only(wrongly_set)["state"] == "draft"


amounts = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)


sold_lines = st.tuples(st.sampled_from(["COLA", "LEMON"]), st.integers(1, 999), amounts)


@given(amounts, st.integers(1, 100_000))
def test_a_unit_price_gives_the_amount_back(amount, quantity):
    as_odoo_counts = float(unit_price(amount, quantity)) * quantity
    assert round(Decimal(as_odoo_counts), 2) == amount


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["COLA", "LEMON"]), st.integers(1, 999), amounts),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
@example(
    [("COLA", 1, Decimal("2.25")), ("COLA", 364, Decimal("1.25"))], False
)  # half a cent of tax
def test_every_total_arrives_to_the_cent(sold, included):
    lines = [
        line(sku, quantity, amount, rates=("0.19",), id=f"l{number}")
        for number, (sku, quantity, amount) in enumerate(sold)
    ]
    bench = Bench()
    bench.export(view(*lines, included=included, ship_to=None))
    assert only(bench)["state"] == "sale"


# -- customers -------------------------------------------------------------------------------------

ANN = Customer(
    contact=Contact(name="Ann Bar", email="ann@example.com", phone="+353 21 1"),
    company=Company(id="7", name="Red Bar Ltd", vat_number="IE1234567T"),
    addresses=(
        Address(street="1 Quay", city="New York", country="US", region="NY", postal_code="1"),
        Address(name="Dock 2", street="2 Quay", city="Cork", country="IE"),
    ),
)
PERSON = ref(Kind.CUSTOMER, "shop-uk", "c-78")


def export_customer(bench, customer, reference=PERSON.key):
    shown = View(PERSON, {Part.RECORD: StoredPart(customer, "1", "f", "shop-uk")})
    payload = PARTNERS.desired(shown, Situation(bench.connection, bench.maps))
    vendor = bench.client()
    found = PARTNERS.find(vendor, reference, payload)
    external_id = found or PARTNERS.create(vendor, reference, payload)
    PARTNERS.update(vendor, external_id, payload)
    return external_id


def partners(bench):
    return {p["name"]: p for p in bench.records("res.partner") if p["name"] != "Blue Bar"}


def test_a_customer_arrives_with_its_delivery_address(bench):
    external_id = export_customer(bench, ANN)
    found = partners(bench)
    assert set(found) == {"Red Bar Ltd", "Dock 2"}
    red = found["Red Bar Ltd"]
    assert (str(red["id"]), red["ref"], red["is_company"]) == (external_id, "shop-uk/c-78", True)
    assert (red["email"], red["vat"], red["street"]) == ("ann@example.com", "IE1234567T", "1 Quay")
    assert red["country_id"]
    assert red["state_id"]
    assert found["Dock 2"]["parent_id"] == red["id"]
    assert found["Dock 2"]["type"] == "delivery"
    assert export_customer(bench, ANN) == external_id
    assert len(partners(bench)) == 2
    assert not writes(bench)


def test_what_we_do_not_know_of_a_customer_stays(bench):
    export_customer(bench, ANN)
    moved = Contact(name="Ann Bar", email="new@example.com")
    export_customer(bench, ANN.model_copy(update={"contact": moved, "company": None}))
    found = partners(bench)["Ann Bar"]
    assert (found["email"], found["vat"], found["phone"]) == (
        "new@example.com",
        "IE1234567T",
        "+353 21 1",
    )


def test_an_erased_customer_is_blank_everywhere(bench):
    export_customer(bench, ANN)
    nobody = Customer(contact=Contact(), is_erased=True)
    export_customer(bench, nobody)
    export_customer(bench, nobody, "shop-uk/c-79")
    for stored in bench.records("res.partner"):
        if stored.get("ref") != "shop-uk/c-77":
            assert stored["name"] == "Erased"
            assert not any(stored.get(name) for name in ("email", "vat", "street", "city", "phone"))


def test_customers_are_refused_archived_or_gone(bench):
    external_id = export_customer(bench, ANN)
    PARTNERS.cancel(bench.client(), external_id)
    assert PARTNERS.find(bench.client(), PERSON.key, None) == external_id
    bench.sandbox.store.rows["res.partner"].clear()
    with pytest.raises(errors.DeletedAtTargetError):
        PARTNERS.update(bench.client(), external_id, export_payload(bench))


def export_payload(bench):
    shown = View(PERSON, {Part.RECORD: StoredPart(ANN, "1", "f", "shop-uk")})
    return PARTNERS.desired(shown, Situation(bench.connection, bench.maps))


def test_two_customers_of_one_reference_are_ambiguous():
    partner = {"name": "X", "ref": PERSON.key}
    with pytest.raises(errors.AmbiguousMatchError):
        export_customer(Bench(seed={"partners": [partner, partner]}), ANN)


# -- what desires depend on ------------------------------------------------------------------------


def test_an_order_needs_its_customer():
    assert ORDERS.requires(view(COLA)) == [CUSTOMER]
    assert not PARTNERS.requires(View(PERSON))
    with pytest.raises(errors.DependencyNotReadyError):
        ORDERS.desired(view(COLA), Situation(Bench().connection, Maps()))
    with pytest.raises(errors.DependencyNotReadyError):
        ORDERS.desired(View(ORDER), Situation(Bench().connection, Maps()))
    with pytest.raises(errors.DependencyNotReadyError):
        PARTNERS.desired(View(PERSON), Situation(Bench().connection, Maps()))


def test_equal_state_equal_payload():
    bench = Bench()
    assert bench.desired(view(COLA)) == bench.desired(view(COLA))
    assert bench.desired(view(COLA)).fingerprint() != bench.desired(view(LEMON)).fingerprint()
    assert "ann@" not in repr(export_payload(bench))


# -- errors ----------------------------------------------------------------------------------------


def body(name, message="no"):
    return {"name": name, "message": message, "debug": "Traceback: secret"}


ERROR_TABLE = [
    (401, body("werkzeug.exceptions.Unauthorized", "Invalid apikey"), errors.ConfigurationError),
    (403, body("odoo.exceptions.AccessError"), errors.ConfigurationError),
    (404, body("werkzeug.exceptions.NotFound"), errors.ConfigurationError),
    (404, body("odoo.exceptions.MissingError"), errors.DeletedAtTargetError),
    (404, "<html>no database</html>", errors.ConfigurationError),
    (200, "<html>login</html>", errors.ConfigurationError),
    (415, body("werkzeug.exceptions.UnsupportedMediaType"), errors.TargetRejectedError),
    (422, body("odoo.exceptions.UserError"), errors.TargetRejectedError),
    (422, body("builtins.TypeError", "unexpected keyword"), errors.TargetRejectedError),
    (429, "<html>slow down</html>", errors.RateLimitedError),
    (500, body("builtins.ValueError"), errors.TargetRejectedError),
    (500, body("builtins.KeyError"), errors.TargetRejectedError),
    (500, body("psycopg2.errors.SerializationFailure"), errors.ConflictError),
    (500, body("psycopg2.errors.LockNotAvailable"), errors.ConflictError),
    (500, body("x.Y", "could not serialize access due to"), errors.ConflictError),
    (500, body("builtins.RuntimeError"), errors.OutcomeUnknownError),
    (502, "<html>bad gateway</html>", errors.OutcomeUnknownError),
    (503, None, errors.OutcomeUnknownError),
    (504, None, errors.OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "answer", "verdict"), ERROR_TABLE)
def test_json2_answers_are_classified(status, answer, verdict):
    bench = Bench()
    bench.sandbox.faults.arm(Fault("status", status=status, body=answer))
    with pytest.raises(errors.FizzbridgeError) as found:
        bench.client().post("/json/2/sale.order/write", json={"ids": [1]}, writes=True)
    assert type(found.value) is verdict
    assert "secret" not in str(found.value)
    ours = isinstance(answer, dict) and answer["name"].startswith("builtins.")
    if verdict is errors.TargetRejectedError:
        assert found.value.blame == ("ours" if ours else "customer_config")


@pytest.mark.parametrize(
    ("name", "message", "verdict"),
    [
        ("odoo.exceptions.AccessDenied", "Access Denied", errors.ConfigurationError),
        ("odoo.exceptions.AccessError", "not allowed", errors.ConfigurationError),
        ("psycopg2.OperationalError", 'database "x" does not exist', errors.ConfigurationError),
        ("psycopg2.OperationalError", "the server is starting up", errors.OutcomeUnknownError),
        ("builtins.AttributeError", "no method", errors.TargetRejectedError),
        ("odoo.exceptions.UserError", "no", errors.TargetRejectedError),
        ("odoo.exceptions.ValidationError", "no", errors.TargetRejectedError),
        ("odoo.exceptions.MissingError", "no", errors.DeletedAtTargetError),
        ("builtins.ValueError", "no", errors.TargetRejectedError),
        ("psycopg2.errors.SerializationFailure", "no", errors.ConflictError),
        ("x.Y", "could not serialize access due to", errors.ConflictError),
        ("builtins.RuntimeError", "no", errors.OutcomeUnknownError),
    ],
)
def test_jsonrpc_answers_are_classified(name, message, verdict):
    bench = Bench("jsonrpc")
    error = {"code": 0, "message": "Odoo Server Error", "data": body(name, message)}
    bench.sandbox.faults.arm(
        Fault(
            "status",
            body_contains="execute_kw",
            status=200,
            body={"jsonrpc": "2.0", "error": error},
        )
    )
    with pytest.raises(errors.FizzbridgeError) as found:
        bench.client().post("/json/2/sale.order/write", json={"ids": [1]}, writes=True)
    assert type(found.value) is verdict
    assert found.value.code == name
    assert "secret" not in str(found.value)


@pytest.mark.parametrize("transport", ["json2", "jsonrpc"])
def test_a_wrong_key_or_database_is_the_connections_trouble(transport):
    with pytest.raises(errors.ConfigurationError):
        Bench(transport, secret={"api_key": "spent", "login": "bot@example.com"}).export(view(COLA))
    with pytest.raises(errors.ConfigurationError):
        Bench(transport, database="other").export(view(COLA))


def test_an_unknown_transport_is_refused():
    with pytest.raises(errors.ConfigurationError, match="xmlrpc"):
        Bench("xmlrpc").client()


def test_what_an_import_refuses_is_refused(bench):
    payload = bench.desired(view(COLA)).model_copy(update={"customer": "9999"})
    with pytest.raises(errors.TargetRejectedError, match=r"sale\.order"):
        ORDERS.create(bench.client(), ORDER.key, payload.model_copy(update={"ship_to": None}))
    assert not bench.shown()


def test_the_key_is_in_no_address_and_no_error():
    bench = Bench("jsonrpc")
    bench.export(view(COLA))
    for request in bench.transport.requests:
        assert "sandbox-key" not in str(request.url)
    assert any(b"sandbox-key" in request.content for request in bench.transport.requests)
    assert "sandbox-key" not in repr(TARGET.auth(bench.secret, bench.connection))


RECORDED = sorted(Path("events/odoo/api").glob("*.json"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_exchanges_are_read_as_what_they_are(path):
    exchange = json.loads(path.read_text(), parse_float=Decimal)
    sent, answer = exchange["request"], exchange["response"]
    content = encode(answer.get("body")) if "body" in answer else b""

    def replay(request):
        assert request.url.path == sent["path"]
        headers = answer.get("headers", {})
        return httpx.Response(answer["status"], content=content, headers=headers)

    bench = Bench()
    bench.transport = httpx.MockTransport(replay)
    is_rpc = sent["path"] == "/jsonrpc"
    if answer["status"] < 300 and not (is_rpc and "error" in answer["body"]):
        got = bench.client().post(sent["path"], json=sent.get("body") or {}, writes=False)
        assert got.data == answer.get("body")
    else:
        with pytest.raises(errors.FizzbridgeError) as found:
            bench.client().post(sent["path"], json=sent.get("body") or {}, writes=True)
        assert isinstance(found.value, errors.ConfigurationError | errors.PermanentError)
