import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fizzbridge import errors
from fizzbridge.http.auth import client_credentials
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Kind, Part, ref
from fizzbridge.model.order import Totals
from fizzbridge.model.party import Address, Company, Contact
from fizzbridge.runtime.planning import PlanningClient
from fizzbridge.runtime.target import Situation
from fizzbridge.runtime.view import StoredPart, View
from platforms.business_central.lines import line_price
from platforms.business_central.transport import code_of, equal
from sandbox.faults import Fault
from tests.kit.orders import CUSTOMER, ORDER, Maps, line
from tests.platforms.business_central.business_central_orders import TARGET, Bench, Meddling, view
from tests.platforms.business_central.business_central_spec import SPEC, validate

ORDERS = TARGET.entities[Kind.ORDER]
CUSTOMERS = TARGET.entities[Kind.CUSTOMER]
COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
LEMON = line("LEMON", 3, "5.01")
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")


@pytest.fixture
def bench():
    return Bench()


def only(bench):
    (order,) = bench.orders()
    return order


def sold(bench):
    return [
        (one["lineObjectNumber"], one["quantity"], one["unitOfMeasureCode"], one["unitPrice"])
        for one in only(bench)["salesOrderLines"]
        if one["lineType"] != "Comment"
    ]


def comments(bench):
    lines = only(bench)["salesOrderLines"]
    return [one["description"] for one in lines if one["lineType"] == "Comment"]


# -- create ----------------------------------------------------------------------------------------


def test_an_order_arrives_whole_and_open(bench):
    bench.export(view(COLA, LEMON, FREIGHT, note="leave at dock 2, two dogs"))
    order = only(bench)
    assert (order["externalDocumentNumber"], order["status"]) == ("SHOP-UK/5501", "Draft")
    assert (order["orderDate"], order["requestedDeliveryDate"]) == ("2026-11-23", "2026-11-25")
    assert (order["customerName"], order["currencyCode"]) == ("Blue Bar", "GBP")
    assert (order["shipToName"], order["shipToAddressLine1"]) == ("Dock 2", "2 Quay")
    assert (order["shipToCity"], order["shipToCountry"]) == ("Cork", "IE")
    assert order["totalAmountIncludingTax"] == Decimal("76.02")
    assert sold(bench) == [
        ("COLA", 48, "PCS", Decimal("0.955")),
        ("LEMON", 3, "PCS", Decimal("1.67")),
        ("SHIP", 1, "PCS", 15),
    ]
    assert comments(bench) == [
        "Shop order: #5501",
        "Shop customer's order: PO 88123",
        "Shop note: leave at dock 2, two dogs",
    ]


def test_a_first_order_makes_few_calls(bench):
    vendor, payload = bench.client(), bench.desired(view(COLA))
    found = ORDERS.find(vendor, ORDER.key, payload)
    ORDERS.update(vendor, found or ORDERS.create(vendor, ORDER.key, payload), payload)
    assert vendor.calls == 6
    assert vendor.clean("of ann@example.com") == "of …"


def test_every_call_says_its_language_and_no_find_asks_a_replica(bench):
    bench.export(view(COLA))
    calls = [one for one in bench.transport.requests if "oauth2" not in one.url.path]
    assert {one.headers["accept-language"] for one in calls} == {"en-US"}
    assert not any("data-access-intent" in one.headers for one in calls)


def test_sent_again_nothing_is_written(bench):
    first = bench.export(view(COLA, LEMON))
    assert bench.export(view(COLA, LEMON)) == first
    assert bench.writes() == ["POST salesOrders"]


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "truncate"])
def test_a_lost_answer_is_unknown_and_then_found(bench, kind):
    bench.sandbox.faults.arm(Fault(kind, on="/salesOrders", body_contains="SHOP-UK/5501"))
    payload = bench.desired(view(COLA))
    with pytest.raises(errors.OutcomeUnknownError):
        ORDERS.create(bench.client(), ORDER.key, payload)
    assert ORDERS.find(bench.client(), ORDER.key, None) == only(bench)["id"]


def test_a_token_that_ends_during_a_write_is_asked_for_again_and_one_order_made(bench):
    payload, vendor = bench.desired(view(COLA)), bench.client()
    refused = {"error": {"code": "Authentication_InvalidCredentials", "message": "no"}}
    bench.sandbox.faults.arm(
        Fault("status", on="/salesOrders", body_contains="SHOP-UK/5501", status=401, body=refused)
    )
    ORDERS.create(vendor, ORDER.key, payload)
    assert only(bench)["externalDocumentNumber"] == "SHOP-UK/5501"


def test_no_token_is_the_connections_trouble(bench):
    bench.secret = {"client_id": bench.secret["client_id"], "client_secret": "spent-secret"}
    with pytest.raises(errors.ConfigurationError) as found:
        bench.export(view(COLA))
    assert "spent-secret" not in found.value.message
    bench.sandbox.faults.arm(Fault("status", on="oauth2", status=503))
    with pytest.raises(errors.TargetUnavailableError):
        bench.export(view(COLA))
    with pytest.raises(errors.ConfigurationError):
        client_credentials("http://login.example/token", "a", "b", "scope", in_form=True)


def test_a_find_takes_no_others_order(bench):
    bench.export(view(COLA))
    for other in ("shop-uk/550", "shop-uk/5501~1", "shop-uk/O'Neil"):
        assert ORDERS.find(bench.client(), other, None) is None


def test_two_orders_of_our_number_are_ambiguous(bench):
    bench.export(view(COLA))
    ORDERS.create(bench.client(), ORDER.key, bench.desired(view(COLA)))
    with pytest.raises(errors.AmbiguousMatchError, match="2 orders"):
        ORDERS.find(bench.client(), ORDER.key, None)


def test_a_reference_is_a_code_and_never_anothers():
    assert code_of("shop-uk/5501", 35) == "SHOP-UK/5501"
    assert len(code_of("shop-uk/" + "5" * 40, 35)) == 35
    assert len(code_of("shop-uk/6543217890123", 20)) == 20
    cases = {code_of(one, 35) for one in ("shop/abc", "shop/ABC", "shop/aBc")}
    assert len(cases) == 3
    assert all(one == one.upper().strip() for one in cases)
    assert equal("number", "O'NEIL", "B") == "number eq 'O''NEIL' or number eq 'B'"


# -- update ----------------------------------------------------------------------------------------


def test_a_changed_order_is_written_line_by_line(bench):
    bench.export(view(COLA, LEMON, FREIGHT))
    changed = line("COLA", 5, "114.60", unit="CASE", factor=24)
    tea = line("TEA", 4, "8.00", rates=("0.05",))
    bench.export(view(changed, line("LEMON", 6, "10.02"), tea, note="ring twice"))
    assert sold(bench) == [
        ("COLA", 120, "PCS", Decimal("0.955")),
        ("LEMON", 6, "PCS", Decimal("1.67")),
        ("TEA", 4, "PCS", 2),
    ]
    assert only(bench)["totalAmountIncludingTax"] == Decimal("157.94")
    assert comments(bench)[-1] == "Shop note: ring twice"
    assert bench.writes()[1:] == [
        "PATCH salesOrderLines",
        "PATCH salesOrderLines",
        "POST salesOrderLines",
        "POST salesOrderLines",
        "DELETE salesOrderLines",
    ]


def test_address_and_date_follow_and_words_of_people_stay(bench):
    bench.export(view(COLA))
    path = f"/salesOrders({only(bench)['id']})/salesOrderLines"
    words = {"lineType": "Comment", "description": "Mind the cellar"}
    bench.client().post(path, json=words, writes=True)
    gate = Address(company="Blue Bar", name="Gate", street="9 Pier", city="Cork", country="IE")
    bench.export(view(COLA, ship_to=gate, promised_on=date(2026, 11, 27), po_number="PO 2"))
    order = only(bench)
    assert (order["shipToName"], order["shipToContact"]) == ("Blue Bar", "Gate")
    assert (order["shipToPostCode"], order["requestedDeliveryDate"]) == ("", "2026-11-27")
    assert comments(bench) == [
        "Shop order: #5501",
        "Mind the cellar",
        "Shop customer's order: PO 2",
    ]
    before = bench.writes()
    bench.export(view(COLA, ship_to=Address(country="IE"), promised_on=None, po_number="PO 2"))
    assert only(bench)["shipToAddressLine1"] == "9 Pier"
    assert bench.writes() == before


def test_a_remark_about_the_shop_is_a_persons(bench):
    path = f"/salesOrders({bench.export(view(COLA))})/salesOrderLines"
    remark = {"lineType": "Comment", "description": "Shop opens at nine"}
    bench.client().post(path, json=remark, writes=True)
    bench.export(view(COLA, note="ring twice"))
    assert {"Shop opens at nine", "Shop note: ring twice"} < set(comments(bench))


def test_an_order_on_hold_says_so(bench):
    bench.export(view(COLA, state="HELD"))
    assert comments(bench)[0] == "Shop says: on hold, do not release"
    bench.export(view(COLA))
    assert comments(bench)[0] == "Shop order: #5501"


@pytest.mark.parametrize("status", [409, 412])
def test_changed_by_a_person_meanwhile_comes_round_again(status):
    bench = Bench(seed={"stale_status": status})
    bench.export(view(COLA, LEMON))
    inner = bench.transport

    def person():
        line_id = only(bench)["salesOrderLines"][0]["id"]
        path = f"/salesOrderLines({line_id})"
        bench.transport = inner
        vendor = bench.client()
        vendor.request("PATCH", path, json={"quantity": 7}, headers={"If-Match": "*"}, writes=True)

    bench.transport = Meddling(inner, "PATCH", person)
    with pytest.raises(errors.ConflictError):
        bench.export(view(line("COLA", 5, "114.60", unit="CASE", factor=24), LEMON))
    bench.transport = inner
    bench.export(view(line("COLA", 5, "114.60", unit="CASE", factor=24), LEMON))
    assert sold(bench)[0][1] == 120


def test_what_was_half_written_is_finished(bench):
    bench.export(view(COLA, LEMON))
    bench.sandbox.faults.arm(Fault("status", on="POST", body_contains="SHIP", status=503))
    changed = view(line("COLA", 5, "114.60", unit="CASE", factor=24), FREIGHT)
    with pytest.raises(errors.OutcomeUnknownError):
        bench.export(changed)
    before = len(bench.writes())
    bench.export(changed)
    assert bench.writes()[before:] == ["POST salesOrderLines", "DELETE salesOrderLines"]
    assert [one[:2] for one in sold(bench)] == [("COLA", 120), ("SHIP", 1)]


def test_a_line_whose_answer_was_lost_is_not_added_twice(bench):
    bench.export(view(COLA))
    bench.sandbox.faults.arm(Fault("commit_then_silence", on="POST", body_contains="SHIP"))
    with pytest.raises(errors.OutcomeUnknownError):
        bench.export(view(COLA, FREIGHT))
    bench.export(view(COLA, FREIGHT))
    assert [one[0] for one in sold(bench)] == ["COLA", "SHIP"]


def test_paid_and_free_goods_of_one_item_keep_apart(bench):
    paid = line("COLA", 10, "96.00", id="a")
    free = line("COLA", 1, "0", id="b", kind="FREE_GOODS")
    bench.export(view(paid, free))
    assert [(one[1], one[3]) for one in sold(bench)] == [(10, Decimal("9.6")), (1, 0)]
    bench.export(view(paid, free))
    assert bench.writes() == ["POST salesOrders"]
    bench.export(view(free))
    assert [(one[1], one[3]) for one in sold(bench)] == [(1, 0)]


@pytest.mark.parametrize(("act", "word"), [("release", "released"), ("submit", "approval")])
def test_a_locked_order_is_left_alone(bench, act, word):
    bench.export(view(COLA))
    bench.do(act)
    before = bench.writes()
    bench.export(view(COLA, note="read by nobody"))
    with pytest.raises(errors.TargetRejectedError, match=word):
        bench.export(view(LEMON))
    assert bench.writes() == before


def test_goods_that_left_are_not_taken_off(bench):
    external_id = bench.export(view(COLA, LEMON))
    bench.do("ship")
    with pytest.raises(errors.TargetRejectedError, match="48 of COLA have left"):
        bench.export(view(line("COLA", 1, "22.92", unit="CASE", factor=24), LEMON))
    with pytest.raises(errors.TargetRejectedError, match="3 of LEMON have left"):
        bench.export(view(COLA))
    with pytest.raises(errors.TargetRejectedError, match="goods have left"):
        ORDERS.cancel(bench.client(), external_id)
    assert [one[1] for one in sold(bench)] == [48, 3]
    bench.export(view(line("COLA", 3, "68.76", unit="CASE", factor=24), LEMON))
    assert [one[1] for one in sold(bench)] == [72, 3]


@pytest.mark.parametrize("kind", ["DEPOSIT_REFUND", "DISCOUNT"])
def test_what_takes_away_may_change_until_it_is_posted(kind):
    bench = Bench(deposit_refund_sku="SHIP", discount_sku="SHIP")

    def less(pieces):
        return line(None, pieces, f"{pieces}.00", rates=(), kind=kind, id="less")

    bench.export(view(COLA, less(4)))
    bench.export(view(COLA, less(6)))
    assert sold(bench)[1][:2] == ("SHIP", -6)
    bench.export(view(COLA, less(2)))
    assert only(bench)["totalAmountIncludingTax"] == Decimal("53.01")
    bench.do("ship")
    before = bench.writes()
    more = line("COLA", 3, "68.76", unit="CASE", factor=24)
    for wanted in ([more, less(1)], [more]):
        with pytest.raises(errors.TargetRejectedError, match="2 of SHIP have left; take them back"):
            bench.export(view(*wanted))
    assert bench.writes() == before
    bench.export(view(COLA, less(3)))
    assert sold(bench)[1][:2] == ("SHIP", -3)


def test_goods_that_left_keep_their_unit(bench):
    bench.maps = Maps(unit={"CASE 24": "CASE"})
    bench.export(view(COLA))
    bench.do("ship", lines=[{"sku": "COLA", "quantity": 1}])
    bench.maps = Maps()
    with pytest.raises(errors.TargetRejectedError, match="by the CASE, and the shop's are by the"):
        bench.export(view(COLA))
    assert sold(bench)[0][:3] == ("COLA", 2, "CASE")


def test_what_is_billed_keeps_its_price(bench):
    bench.export(view(COLA))
    for act in ("ship", "invoice"):
        bench.do(act, lines=[{"sku": "COLA", "quantity": 24}])
    with pytest.raises(errors.TargetRejectedError, match="billed at another price"):
        bench.export(view(line("COLA", 2, "40.00", unit="CASE", factor=24)))
    bench.export(view(line("COLA", 3, "68.76", unit="CASE", factor=24)))
    assert sold(bench)[0][:2] == ("COLA", 72)


def test_an_order_posted_in_full_is_found_and_can_only_be_credited(bench):
    external_id = bench.export(view(COLA, LEMON))
    bench.do("post")
    assert bench.orders() == []
    before = bench.writes()
    assert bench.export(view(COLA, LEMON)) == external_id
    with pytest.raises(
        errors.TargetRejectedError, match=r"61\.02 GBP after credits, and is 55\.01"
    ):
        bench.export(view(COLA))
    with pytest.raises(errors.TargetRejectedError, match="posted as invoice"):
        ORDERS.cancel(bench.client(), external_id)
    assert bench.writes() == before


@pytest.mark.parametrize(
    ("where", "word"), [("salesInvoices", "invoice 9"), ("salesShipments", "shipment 9")]
)
def test_papers_of_our_number_without_an_order_are_a_persons_to_judge(bench, where, word):
    nobody = "00000000-0000-0000-0000-000000000000"
    paper = {"number": "9", "externalDocumentNumber": "SHOP-UK/5501", "orderId": nobody}
    bench.sandbox.faults.arm(Fault("status", on=where, status=200, body={"value": [paper]}))
    with pytest.raises(errors.TargetRejectedError, match=f"{word} has the external number"):
        bench.export(view(COLA))
    assert bench.writes() == []


def test_a_customer_whose_prices_hold_tax_is_said(bench):
    bench.export(view(COLA))
    shown = bench.client().get(f"/salesOrders({only(bench)['id']})?$expand=salesOrderLines").text
    body = json.loads(shown) | {"pricesIncludeTax": True}
    fault = Fault("status", on=f"/salesOrders({only(bench)['id']})", status=200, body=body)
    bench.sandbox.faults.arm(fault)
    with pytest.raises(errors.TargetRejectedError, match="prices including VAT"):
        bench.export(view(COLA))


def test_what_people_credited_is_taken_off_a_posted_order(bench):
    bench.export(view(COLA, LEMON))
    bench.do("post")
    (invoice,) = bench.sandbox.store.records("salesInvoices")
    bench.do("credit", invoice["number"], "salesInvoices", amount=Decimal("6.01"))
    bench.export(view(COLA))


def test_a_memo_that_does_not_stand_takes_nothing_off(bench):
    bench.export(view(COLA))
    bench.do("post")
    store = bench.sandbox.store
    (invoice,) = store.records("salesInvoices")
    for act in ("pay", "credit"):
        bench.do(act, invoice["number"], "salesInvoices")
    (memo,) = store.records("salesCreditMemos")
    with pytest.raises(errors.TargetRejectedError, match=r"0\.00 GBP after credits"):
        bench.export(view(COLA))
    bench.do("cancel", memo["number"], "salesCreditMemos")
    bench.export(view(COLA))
    store.api.store.change("salesCreditMemos", memo["id"], status="In Review")
    bench.export(view(COLA))


def test_an_order_posted_in_full_is_cancelled_once_it_is_credited(bench):
    external_id = bench.export(view(COLA))
    bench.do("post")
    (invoice,) = bench.sandbox.store.records("salesInvoices")
    bench.do("credit", invoice["number"], "salesInvoices", amount=Decimal("6.01"))
    with pytest.raises(errors.TargetRejectedError, match="credit it"):
        ORDERS.cancel(bench.client(), external_id)
    bench.do("credit", invoice["number"], "salesInvoices", amount=Decimal("49.00"))
    ORDERS.cancel(bench.client(), external_id)


def test_what_a_person_deleted_is_not_made_again(bench):
    external_id = bench.export(view(COLA))
    bench.do("delete")
    with pytest.raises(errors.DeletedAtTargetError):
        ORDERS.update(bench.client(), external_id, bench.desired(view(LEMON)))


def test_a_plan_shows_what_is_and_what_would_be(bench):
    external_id = bench.export(view(COLA))
    plain = bench.client()
    planning = PlanningClient(plain)
    changed = view(line("COLA", 5, "114.60", unit="CASE", factor=24), po_number="")
    with pytest.raises(errors.ConflictError):
        ORDERS.update(planning, external_id, bench.desired(changed))
    patched, gone = planning.steps
    shown = {one.name: (one.was, one.becomes) for one in patched.fields}
    assert shown["quantity"] == ("48", "120")
    assert gone.call.startswith("DELETE")
    assert bench.writes() == ["POST salesOrders"]


# -- cancel ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [None, "release"])
def test_cancelled_once_and_for_all(bench, act):
    external_id = bench.export(view(COLA))
    if act:
        bench.do(act)
    ORDERS.cancel(bench.client(), external_id)
    assert bench.orders() == []
    ORDERS.cancel(bench.client(), external_id)
    assert bench.writes() == ["POST salesOrders", "DELETE salesOrders"]


# -- items, units, taxes, currencies ---------------------------------------------------------------


def refusal(bench, *lines, **order):
    with pytest.raises(errors.MappingError) as found:
        bench.export(view(*lines, **order))
    return found.value


@pytest.mark.parametrize(("sku", "word"), [("NOPE", "has no item"), ("OLD", "blocks the item")])
def test_an_item_that_cannot_be_sold_waits_for_its_map_row(bench, sku, word):
    error = refusal(bench, COLA, line(sku, 1, "1.00"))
    assert error.cause == f"MAP#erp#sku/{sku}"
    assert word in error.message
    assert bench.orders() == []


def test_codes_go_in_upper_case(bench):
    bench.maps = Maps(sku={"cola-old": "cola"}, tax={"0.2": "standard"}, unit={"CASE 24": "case"})
    bench.export(view(line("cola-old", 2, "19.20", unit="CASE", factor=24)))
    bench.export(view(line("cola-old", 2, "19.20", unit="CASE", factor=24)))
    assert sold(bench) == [("COLA", 2, "CASE", Decimal("9.6"))]
    assert bench.writes() == ["POST salesOrders"]


def test_a_mapped_unit_the_item_lacks_is_refused_by_name(bench):
    bench.maps = Maps(unit={"CASE 24": "KEG"})
    with pytest.raises(errors.TargetRejectedError, match="KEG") as found:
        bench.export(view(COLA))
    assert found.value.code == "Internal_InvalidTableRelation"


def test_an_item_kept_in_another_unit_needs_a_word_of_a_person(bench):
    error = refusal(bench, line("KEG", 1, "80.00", unit="EACH"))
    assert error.cause == "MAP#erp#unit/EACH"
    bench.maps = Maps(unit={"EACH": "KEG"})
    bench.export(view(line("KEG", 1, "80.00", unit="EACH")))
    assert sold(bench)[0][:3] == ("KEG", 1, "KEG")


def test_deposits_go_to_an_account_and_empties_come_back():
    bench = Bench(
        maps=Maps(account={"DEPOSIT": "40500"}, tax={"0": "ZERO"}),
        deposit_sku="DEPOSIT",
        deposit_refund_sku="DEPOSIT",
        discount_sku="SHIP",
    )
    bench.export(
        view(
            COLA,
            line(None, 48, "12.00", rates=(), kind="DEPOSIT", id="d"),
            line(None, 4, "1.00", rates=(), kind="DEPOSIT_REFUND", id="r"),
            line(None, 3, "1.00", rates=(), kind="DISCOUNT", id="x"),
        )
    )
    assert [(one[0], one[1], one[3]) for one in sold(bench)[1:]] == [
        ("40500", 48, Decimal("0.25")),
        ("40500", -4, Decimal("0.25")),
        ("SHIP", -3, Decimal("0.33333")),
    ]
    assert only(bench)["totalAmountIncludingTax"] == Decimal("65.01")


def test_a_tax_that_is_not_the_shops_is_named(bench):
    error = refusal(bench, line("TEA", 1, "10.00"))
    assert error.cause == "MAP#erp#tax/0.2"
    assert "taxes TEA at 5 %, the shop at 20 %" in error.message
    bench.maps = Maps(tax={"0.2": "STANDARD"})
    bench.export(view(line("TEA", 1, "10.00")))
    assert only(bench)["totalAmountIncludingTax"] == 12


def test_prices_with_tax_are_sent_without(bench):
    free = line("COLA", 1, "0", kind="FREE_GOODS", id="free")
    bench.export(view(line("COLA", 3, "3.57"), line("LEMON", 7, "6.93"), free, included=True))
    assert only(bench)["totalAmountIncludingTax"] == Decimal("10.50")
    amounts_there = [one["amountExcludingTax"] for one in only(bench)["salesOrderLines"][:3]]
    assert amounts_there == [Decimal("2.98"), Decimal("5.77"), 0]
    assert not only(bench)["pricesIncludeTax"]


def test_another_currency(bench):
    bench.export(view(COLA, currency="EUR"))
    assert only(bench)["currencyCode"] == "EUR"
    with pytest.raises(errors.TargetRejectedError, match="EUR there and in USD"):
        bench.export(view(COLA, currency="USD"))


def test_an_unknown_currency_is_refused(bench):
    with pytest.raises(errors.TargetRejectedError):
        bench.export(view(COLA, currency="SEK"))


def test_location_and_terms_of_the_settings():
    bench = Bench(
        location="main", payment_terms="COD", maps=Maps(payment_terms={"Net 30": "30 DAYS"})
    )
    bench.export(view(COLA, FREIGHT, payment_terms="Net 30"))
    cola, freight, *_ = only(bench)["salesOrderLines"]
    assert cola["locationId"] == bench.sandbox.store.records("locations")[0]["id"]
    assert freight["locationId"] == "00000000-0000-0000-0000-000000000000"
    terms = {one["id"]: one["code"] for one in bench.sandbox.store.records("paymentTerms")}
    assert terms[only(bench)["paymentTermsId"]] == "30 DAYS"
    bench.export(view(COLA, FREIGHT, payment_terms="Net 30"))
    assert bench.writes() == ["POST salesOrders"]
    assert refusal(Bench(location="NO"), COLA).cause == "MAP#erp#warehouse/NO"


# -- totals ----------------------------------------------------------------------------------------


def test_another_total_is_never_sent(bench):
    odd = Totals(net=Decimal("45.78"), tax=Decimal("9.16"), gross=Decimal("54.94"))
    with pytest.raises(errors.TotalMismatchError, match=r"difference -0\.07"):
        bench.export(view(COLA, total=odd))
    assert bench.orders() == []


def test_a_cent_is_a_line_of_its_own():
    bench = Bench(rounding_sku="ROUND")
    odd = Totals(net=Decimal("45.84"), tax=Decimal("9.16"), gross=Decimal("55.00"))
    bench.export(view(COLA, total=odd))
    assert only(bench)["totalAmountIncludingTax"] == 55
    assert [one[1:] for one in sold(bench)][-1] == (-1, "PCS", Decimal("0.01"))


def test_a_total_that_a_person_moved_holds_the_order(bench):
    bench.export(view(COLA))
    path = f"/salesOrders({only(bench)['id']})"
    off = {"discountAmount": Decimal("5.00")}
    bench.client().request("PATCH", path, json=off, headers={"If-Match": "*"}, writes=True)
    with pytest.raises(errors.TotalMismatchError, match=r"would be 49\.01 GBP"):
        bench.export(view(COLA))


def test_a_post_code_in_small_letters_is_written_once_and_hides_no_other_total(bench):
    dock = Address(name="Dock 2", street="2 Quay", postal_code=" t12 xy ", country="IE")
    external_id = bench.export(view(COLA, ship_to=dock))
    before = bench.writes()
    bench.export(view(COLA, ship_to=dock))
    assert bench.writes() == before
    path, discount = f"/salesOrders({external_id})", {"discountAmount": 5}
    headers = {"If-Match": "*"}
    bench.client().request("PATCH", path, json=discount, headers=headers, writes=True)
    with pytest.raises(errors.TotalMismatchError):
        bench.export(view(COLA, ship_to=dock))


amounts = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)


@given(st.integers(-10_000_000, 10_000_000), st.integers(1, 100_000))
@example(364, 3665)
def test_price_and_discount_give_the_amount_back(cents, quantity):
    amount = Decimal(cents) / 100
    count, price, discount = line_price(amount, quantity, "GBP")
    assert price == round(price, 5)
    assert price >= 0
    assert 0 <= discount <= Decimal("1.00")
    whole = (count * price).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert whole - discount == amount


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["COLA", "LEMON"]), st.integers(1, 9999), amounts),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
@example([("COLA", 7919, Decimal("1.25")), ("COLA", 3, Decimal("0.01"))], False)
def test_every_total_arrives_to_the_cent(lots, included):
    lines = [
        line(sku, quantity, amount, id=f"l{number}")
        for number, (sku, quantity, amount) in enumerate(lots)
    ]
    bench = Bench(rounding_sku="ROUND")
    shown = view(*lines, included=included, ship_to=None)
    bench.export(shown)
    assert only(bench)["totalAmountIncludingTax"] == shown.request.totals.gross


# -- customers -------------------------------------------------------------------------------------

ANN = Customer(
    contact=Contact(name="Ann Bar", email="ann@example.com", phone="+353 21 1"),
    company=Company(id="7", name="Red Bar Ltd", vat_number="IE1234567T"),
    addresses=(Address(street="1 Quay", city="Cork", country="IE", postal_code="T12"),),
)
PERSON = ref(Kind.CUSTOMER, "shop-uk", "c-78")


def export_customer(bench, customer, person=PERSON):
    shown = View(person, {Part.RECORD: StoredPart(customer, "1", "f", "shop-uk")})
    payload = CUSTOMERS.desired(shown, Situation(bench.connection, bench.maps))
    vendor = bench.client()
    found = CUSTOMERS.find(vendor, person.key, payload)
    external_id = found or CUSTOMERS.create(vendor, person.key, payload)
    CUSTOMERS.update(vendor, external_id, payload)
    return external_id


def customer(bench, number="SHOP-UK/C-78"):
    return bench.sandbox.store.find("customers", number)


def test_a_customer_arrives_once():
    bench = Bench(tax_area="EXPORT", maps=Maps(tax_area={"GB": "DOMESTIC"}))
    external_id = export_customer(bench, ANN)
    red = customer(bench)
    assert (red["displayName"], red["type"], red["email"]) == (
        "Red Bar Ltd",
        "Company",
        "ann@example.com",
    )
    assert (red["addressLine1"], red["country"], red["taxRegistrationNumber"]) == (
        "1 Quay",
        "IE",
        "IE1234567T",
    )
    areas = {one["id"]: one["code"] for one in bench.sandbox.store.records("taxAreas")}
    assert areas[red["taxAreaId"]] == "EXPORT"
    assert export_customer(bench, ANN) == external_id
    assert bench.writes() == ["POST customers"]


def test_made_by_two_at_once_there_is_one_customer(bench):
    shown = View(PERSON, {Part.RECORD: StoredPart(ANN, "1", "f", "shop-uk")})
    payload = CUSTOMERS.desired(shown, bench.situation())
    first = CUSTOMERS.create(bench.client(), PERSON.key, payload)
    with pytest.raises(errors.ConflictError):
        CUSTOMERS.create(bench.client(), PERSON.key, payload)
    assert CUSTOMERS.find(bench.client(), PERSON.key, None) == first


def test_what_we_do_not_know_of_a_customer_stays(bench):
    export_customer(bench, ANN)
    moved = Contact(name="Ann Bar", email="new@example.com")
    export_customer(bench, ANN.model_copy(update={"contact": moved, "addresses": ()}))
    found = customer(bench)
    assert (found["email"], found["addressLine1"], found["phoneNumber"]) == (
        "new@example.com",
        "1 Quay",
        "+353 21 1",
    )


def test_an_erased_customer_is_blank(bench):
    export_customer(bench, ANN)
    export_customer(bench, Customer(contact=Contact(), is_erased=True))
    found = customer(bench)
    assert found["displayName"] == "Erased"
    blank = "email addressLine1 city country postalCode phoneNumber taxRegistrationNumber".split()
    assert not any(found[name] for name in blank)


def test_an_account_is_linked_and_never_written():
    bench = Bench(seed={"customers": [{"number": "C-1042", "displayName": "Harbour Cafe"}]})
    company = Company(id="7", name="Harbour", account="c-1042")
    on_account = ANN.model_copy(update={"company": company})
    assert export_customer(bench, on_account) == customer(bench, "C-1042")["id"]
    assert customer(bench, "C-1042")["displayName"] == "Harbour Cafe"
    bench.maps = Maps(customer={PERSON.key: "C-1042"})
    assert export_customer(bench, ANN) == customer(bench, "C-1042")["id"]
    assert bench.writes() == []
    bench.maps = Maps(customer={PERSON.key: "C-9"})
    with pytest.raises(errors.MappingError) as found:
        export_customer(bench, ANN)
    assert found.value.cause == "MAP#erp#customer/shop-uk/c-78"


def test_a_customer_is_blocked_not_deleted_and_missed_when_gone(bench):
    external_id = export_customer(bench, ANN)
    for _ in range(2):
        CUSTOMERS.cancel(bench.client(), external_id)
    assert customer(bench)["blocked"] == "All"
    assert bench.writes() == ["POST customers", "PATCH customers"]
    bench.do("delete", "SHOP-UK/C-78", "customers")
    shown = View(PERSON, {Part.RECORD: StoredPart(ANN, "1", "f", "shop-uk")})
    payload = CUSTOMERS.desired(shown, bench.situation())
    with pytest.raises(errors.DeletedAtTargetError):
        CUSTOMERS.update(bench.client(), external_id, payload)


# -- what answers mean -----------------------------------------------------------------------------

MEANINGS = [
    (400, "BadRequest_InvalidToken", errors.TargetRejectedError, "ours"),
    (404, "BadRequest_NotFound", errors.NotThereError, "customer_config"),
    (404, "Internal_RecordNotFound", errors.NotThereError, "customer_config"),
    (404, "Internal_CompanyNotFound", errors.ConfigurationError, "customer_config"),
    (404, "BadRequest_ResourceNotFound", errors.ConfigurationError, "customer_config"),
    (401, "Authentication_InvalidCredentials", errors.ConfigurationError, "customer_config"),
    (403, "Authorization_RequestDenied", errors.ConfigurationError, "customer_config"),
    (409, "Request_EntityChanged", errors.ConflictError, "vendor"),
    (400, "Request_EntityChanged", errors.ConflictError, "vendor"),
    (412, "", errors.ConflictError, "vendor"),
    (400, "Internal_EntityWithSameKeyExists", errors.ConflictError, "vendor"),
    (400, "Internal_InvalidTableRelation", errors.TargetRejectedError, "customer_config"),
    (400, "Application_DialogException", errors.TargetRejectedError, "customer_config"),
    (500, "Application_FieldValidationException", errors.TargetRejectedError, "customer_config"),
    (400, "Internal_TenantUnavailable", errors.OutcomeUnknownError, "vendor"),
    (500, "Internal_ServerError", errors.OutcomeUnknownError, "vendor"),
    (408, "", errors.OutcomeUnknownError, "vendor"),
    (413, "", errors.TargetRejectedError, "ours"),
    (429, "", errors.RateLimitedError, "vendor"),
    (504, "", errors.OutcomeUnknownError, "vendor"),
]


@pytest.mark.parametrize(("status", "code", "verdict", "blame"), MEANINGS)
def test_an_answer_means_one_thing(bench, status, code, verdict, blame):
    body = {"error": {"code": code, "message": "no.  CorrelationId:  1-2."}}
    bench.sandbox.faults.arm(Fault("status", on="/salesOrders", status=status, body=body, times=2))
    vendor = bench.client()
    vendor.get("/companyInformation")
    with pytest.raises(verdict) as found:
        vendor.post("/salesOrders", json={"customerNumber": "C1"}, writes=True)
    assert type(found.value) is verdict
    assert found.value.code == (code or verdict.code)
    assert found.value.blame == blame


def test_a_limit_is_waited_for_with_or_without_a_word():
    for headers, wait in (({}, None), ({"Retry-After": "7"}, 7)):
        bench = Bench()
        bench.sandbox.faults.arm(Fault("status", on="/salesOrders", status=429, headers=headers))
        with pytest.raises(errors.RateLimitedError) as found:
            bench.export(view(COLA))
        after = found.value.retry_after
        assert (after.total_seconds() if after else None) == wait


def test_a_missing_company_is_no_deleted_order(bench):
    external_id = bench.export(view(COLA))
    other = dict(bench.connection.settings) | {"company": "0f1e2d3c-4b5a-4697-8897-a6b5c4d3e2f1"}
    bench.connection = bench.connection.model_copy(update={"settings": other})
    with pytest.raises(errors.ConfigurationError):
        ORDERS.update(bench.client(), external_id, bench.desired(view(COLA)))


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://erp.example/api/v2.0"},
        {"settings": {"token_url": "https://x.example"}},
    ],
)
def test_an_address_without_tenant_or_company_is_said(bench, change):
    bench.connection = bench.connection.model_copy(update=change)
    with pytest.raises(errors.ConfigurationError, match=r"base_url|company"):
        bench.client()


def test_nothing_personal_is_told_of_a_refusal(bench):
    long = Address(name="Ada Lovelace", street="12 Canary Wharf", street2="Ada " * 20, country="GB")
    with pytest.raises(errors.TargetRejectedError) as found:
        bench.export(view(COLA, ship_to=long))
    assert found.value.code == "Application_StringExceededLength"
    assert "Ada" not in found.value.message


# -- what people ask -------------------------------------------------------------------------------


def test_items_come_page_by_page_without_what_is_blocked():
    bench = Bench(seed={"page_size": 2})
    found = {one.code: one for one in TARGET.items(bench.client(), bench.connection)}
    assert set(found) == {"COLA", "LEMON", "TEA", "KEG", "SHIP", "ROUND"}
    assert found["LEMON"].gtin == "05012345678900"


def test_a_check_says_what_is_missing_and_what_there_is():
    bench = Bench(
        location="NO",
        tax_area="DOMESTIC",
        tax_rates="0 0.2 0.05",
        deposit_sku="DEPOSIT",
        maps=Maps(tax={"0.2": "STANDARD", "0.05": "GONE"}, account={"DEPOSIT": "40500"}),
    )
    bench.sandbox.faults.arm(Fault("status", on="salesShipments", status=403))
    found = {one.what: one for one in TARGET.check(bench.client(), bench.situation())}
    bad = {what for what, one in found.items() if not one.is_good}
    assert bad == {"right salesShipments", "setting location", "tax 0.05"}
    assert "MAIN" in found["setting location"].message
    assert "GBP" in found["company"].message
    assert found["account DEPOSIT"].is_good


# -- what desires depend on ------------------------------------------------------------------------


def test_an_order_needs_its_customer(bench):
    assert ORDERS.requires(view(COLA)) == [CUSTOMER]
    assert not CUSTOMERS.requires(View(PERSON))
    for entity, shown in ((ORDERS, view(COLA)), (ORDERS, View(ORDER)), (CUSTOMERS, View(PERSON))):
        with pytest.raises(errors.DependencyNotReadyError):
            entity.desired(shown, Situation(bench.connection, Maps()))


def test_equal_state_equal_payload(bench):
    assert bench.desired(view(COLA)) == bench.desired(view(COLA))
    assert bench.desired(view(COLA)).fingerprint() != bench.desired(view(LEMON)).fingerprint()
    shown = View(PERSON, {Part.RECORD: StoredPart(ANN, "1", "f", "shop-uk")})
    assert "ann@" not in repr(CUSTOMERS.desired(shown, bench.situation()))
    assert "2 Quay" not in repr(bench.desired(view(COLA)))


def test_every_request_is_one_the_vendor_describes(bench):
    if not SPEC.is_dir():
        pytest.skip(f"the vendor's description of API v2.0 is not here: {SPEC}")
    bench.export(view(COLA, FREIGHT))
    bench.export(view(LEMON))
    ORDERS.cancel(bench.client(), only(bench)["id"])
    done = {validate(request) for request in bench.transport.requests}
    changed = {("salesOrder", "POST"), ("salesOrder", "DELETE"), ("salesOrderLine", "POST")}
    assert changed <= done
    assert {("salesOrderLine", "DELETE"), ("item", "GET"), ("salesShipment", "GET")} <= done
