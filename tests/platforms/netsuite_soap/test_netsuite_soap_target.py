import re
from datetime import date
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge import errors
from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import Kind, ref
from fizzbridge.model.order import Totals
from fizzbridge.model.party import Address, Contact
from fizzbridge.runtime.planning import PlanningClient
from fizzbridge.runtime.view import View
from platforms.netsuite_soap.countries import COUNTRIES
from platforms.netsuite_soap.keys import external_id
from platforms.netsuite_soap.listing import search
from platforms.netsuite_soap.mapping import noon, pairs, row, unit_rate
from platforms.netsuite_soap.transport import (
    RELATIONSHIPS,
    SuiteTalk,
    TokenPassport,
    decode,
    get,
    kind,
    nonce,
    plain,
    write,
)
from platforms.netsuite_soap.wire import Item, Resolved, SalesOrder, SalesOrderLine
from sandbox.faults import Fault
from tests.kit.orders import CUSTOMER, ORDER, Maps, line
from tests.platforms.netsuite_soap.netsuite_soap_orders import (
    BAR,
    SECRET,
    SEED,
    TARGET,
    Bench,
    item,
    known,
    view,
)
from tests.platforms.netsuite_soap.netsuite_soap_spec import SPECS, validate

ORDERS = TARGET.entities[Kind.ORDER]
CUSTOMERS = TARGET.entities[Kind.CUSTOMER]
PORT = "/services/NetSuitePort_2025_2"
COLA = line("COLA", 2, "45.84", unit="CASE", factor=24)
LEMON = line("LEMON", 3, "5.01", unit="EACH")
FREIGHT = line(None, 1, "15.00", rates=(), kind="FREIGHT", id="freight")
OFF = line(None, 1, "2.00", kind="DISCOUNT", id="off")
CRATE = line(None, 1, "3.00", rates=("0",), kind="DEPOSIT", id="crate")


@pytest.fixture
def bench():
    return Bench()


KEY_FIELDS = {"order_key_field": "custbody_fizz_key", "customer_key_field": "custentity_fizz_key"}


@pytest.fixture(params=[{}, KEY_FIELDS], ids=["external_id", "key_field"])
def either(request):
    """An account whose external ids are ours, and one where they are another's."""
    return Bench(**request.param)


# -- create ----------------------------------------------------------------------------------------


def test_an_order_arrives_whole_and_approved(either):
    shop = view(COLA, LEMON, FREIGHT, OFF, CRATE, note="<b> & co", promised_on=date(2026, 11, 4))
    order = either.read(either.export(shop))
    assert order["orderStatus"] == "_pendingFulfillment"
    assert order["entity"]["internalId"] == either.customer
    assert (order["otherRefNum"], order["memo"]) == ("PO 88123", "<b> & co")
    assert (order["tranDate"][:10], order["shipDate"][:10]) == ("2026-11-01", "2026-11-04")
    assert order["shippingAddress"]["addr1"] == "2 Quay"
    assert order["shippingAddress"]["country"] == "_ireland"
    shown = [
        (
            one["item"]["name"],
            Decimal(one["quantity"]),
            one.get("units", {}).get("name"),
            Decimal(one["amount"]),
            one["taxCode"]["internalId"],
        )
        for one in order["itemList"]["item"]
    ]
    assert shown == [
        ("COLA", 2, "Case of 24", Decimal("45.84"), "10"),
        ("LEMON", 3, "Can", Decimal("5.01"), "10"),
        ("SHIP", 1, None, 15, "11"),
        ("OFF", 1, None, -2, "10"),
        ("CRATE", 1, None, 3, "11"),
    ]
    assert Decimal(order["total"]) == Decimal("76.62")


def test_an_order_on_hold_stays_pending(bench):
    order = bench.export(view(COLA, state="HELD"))
    assert bench.read(order)["orderStatus"] == "_pendingApproval"
    bench.export(view(COLA))
    assert bench.read(order)["orderStatus"] == "_pendingFulfillment"


def test_an_account_that_approves_at_once_is_told_to_wait():
    bench = Bench(seed={"order_status": "_pendingFulfillment"}, confirm="never")
    assert bench.read(bench.export(view(COLA)))["orderStatus"] == "_pendingApproval"


def test_sent_again_nothing_is_written(either):
    first = either.export(view(COLA, LEMON, FREIGHT))
    before = either.writes()
    assert either.export(view(COLA, LEMON, FREIGHT)) == first
    assert either.export(known(BAR)) == either.customer
    assert either.writes() == before


def test_created_twice_there_is_one_order(bench):
    payload = bench.desired(view(COLA))
    first = ORDERS.create(bench.client(), ORDER.key, payload)
    assert ORDERS.create(bench.client(), ORDER.key, payload) == first
    assert ORDERS.create(bench.client(), ORDER.key + "~1", payload) != first
    assert bench.sandbox.accepted["salesorder created"] == 2


@pytest.mark.parametrize("answer", ["commit_then_silence", "commit_then_reset", "truncate"])
def test_a_lost_answer_is_unknown_and_then_found(either, answer):
    either.sandbox.faults.arm(Fault(answer, body_contains='"sales:SalesOrder"'))
    payload = either.desired(view(COLA))
    with pytest.raises(errors.OutcomeUnknownError):
        ORDERS.create(either.client(), ORDER.key, payload)
    found = ORDERS.find(either.client(), ORDER.key, payload)
    ORDERS.update(either.client(), found, payload)
    assert either.read(found)["orderStatus"] == "_pendingFulfillment"
    assert either.sandbox.accepted["salesorder created"] == 1


def test_a_find_finds_nothing_of_others(either):
    either.export(view(COLA))
    assert ORDERS.find(either.client(), ORDER.key, None)
    for other in ("shop-uk/550", "shop-uk/5501~1", "shop/uk:5501"):
        assert ORDERS.find(either.client(), other, None) is None


def test_two_orders_of_our_key_field_are_ambiguous():
    bench = Bench(**KEY_FIELDS)
    payload = bench.desired(view(COLA))
    for _ in range(2):
        ORDERS.create(bench.client(), ORDER.key, payload)
    with pytest.raises(errors.AmbiguousMatchError, match="2 of salesOrder"):
        ORDERS.find(bench.client(), ORDER.key, None)


class Saying(httpx.BaseTransport):
    """Once, answers what contains a text in the sandbox's place, or does something after it."""

    def __init__(self, inner, text, *, body=None, status=200, after=None):
        self.inner, self.text, self.is_done = inner, text.encode(), False
        self.body, self.status, self.after = body, status, after

    def handle_request(self, request):
        request.read()
        if self.text not in request.content or self.is_done:
            return self.inner.handle_request(request)
        self.is_done = True
        if self.after:
            answer = self.inner.handle_request(request)
            self.after()
            return answer
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        return httpx.Response(self.status, content=self.body.encode(), headers=headers)


ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:q="urn:messages_2025_2.platform.webservices.netsuite.com" '
    'xmlns:z="urn:core_2025_2.platform.webservices.netsuite.com"><e:Body>{}</e:Body></e:Envelope>'
)


FAULTS_SPACE = "urn:faults_2025_2.platform.webservices.netsuite.com"


def refused(code, message="no", sort="ERROR"):
    said = f"<z:code>{code}</z:code><z:message>{message}</z:message>"
    detail = f"<z:statusDetail type='{sort}'>{said}</z:statusDetail>"
    status = f"<q:writeResponse><z:status isSuccess='false'>{detail}</z:status></q:writeResponse>"
    return ENVELOPE.format(f"<q:aResponse>{status}</q:aResponse>")


def fault(name, code="", message="no"):
    said = f"<f:code>{code}</f:code><f:message>{message}</f:message>"
    typed = f"<f:{name} xmlns:f='{FAULTS_SPACE}'>{said}</f:{name}>" if name else ""
    host = "<h:hostname xmlns:h='http://xml.apache.org/axis/'>a1</h:hostname>"
    return ENVELOPE.format(
        f"<e:Fault><faultcode>e:Server</faultcode><faultstring>{message}</faultstring>"
        f"<detail>{typed}{host}</detail></e:Fault>"
    )


def test_what_is_there_already_is_looked_up(bench):
    order = bench.export(view(COLA))
    payload = bench.desired(view(COLA))
    sandbox = bench.transport
    for known_as in (ORDER.key, "shop-uk/5502"):
        bench.transport = Saying(sandbox, "<m:upsert>", body=refused("DUP_RCRD"))
        if known_as == ORDER.key:
            assert ORDERS.create(bench.client(), known_as, payload) == order
        else:
            with pytest.raises(errors.TargetRejectedError):
                ORDERS.create(bench.client(), known_as, payload)


def test_an_external_id_in_other_letters_is_not_ours(bench):
    body = ENVELOPE.format(
        "<q:getResponse><q:readResponse><z:status isSuccess='true'/>"
        "<q:record internalId='9' externalId='SHOP-UK:5501'/></q:readResponse></q:getResponse>"
    )
    bench.transport = Saying(bench.transport, "<m:get>", body=body)
    with pytest.raises(errors.AmbiguousMatchError, match="other letters"):
        ORDERS.find(bench.client(), ORDER.key, None)


@given(st.lists(st.text(max_size=6), min_size=2, max_size=2, unique=True))
def test_distinct_references_stay_distinct(ids):
    first, second = (external_id(f"shop-uk/{one}") for one in ids)
    assert first != second
    assert external_id("shop/uk:1") != external_id("shop-uk/1")


# -- update ----------------------------------------------------------------------------------------


def amounts(bench, order):
    return [
        (one["item"]["name"], Decimal(one["quantity"]), Decimal(one["amount"]))
        for one in bench.lines(order)
    ]


def test_a_changed_line_is_merged_and_the_others_are_left_alone(bench):
    order = bench.export(view(COLA, LEMON))
    bench.export(view(line("COLA", 5, "114.60", unit="CASE", factor=24), LEMON))
    assert amounts(bench, order) == [("COLA", 5, Decimal("114.60")), ("LEMON", 3, Decimal("5.01"))]
    assert bench.writes() == ["upsert", "upsert", "update", "update"]
    (change,) = [one for one in bench.transport.requests if b'replaceAll="false"' in one.content]
    assert change.content.count(b"<sales:item>") == 1


def test_added_and_removed_lines(bench):
    order = bench.export(view(COLA, FREIGHT))
    bench.export(view(LEMON, FREIGHT))
    assert sorted(amounts(bench, order)) == [("LEMON", 3, Decimal("5.01")), ("SHIP", 1, 15)]
    bench.export(view(LEMON, FREIGHT, COLA))
    assert len(bench.lines(order)) == 3


def test_lines_of_one_item_keep_apart(bench):
    paid = line("COLA", 10, "96.00", unit="CASE", factor=24, id="a")
    free = line("COLA", 1, "0", unit="CASE", factor=24, id="b", kind="FREE_GOODS")
    order = bench.export(view(paid, free))
    bench.export(view(free))
    assert amounts(bench, order) == [("COLA", 1, 0)]


def test_purchase_number_note_and_address_follow(bench):
    order = bench.export(view(COLA))
    gate = Address(company="Blue Bar", name="Gate", street="9 Pier", city="Cork", country="IE")
    changed = view(COLA, po_number="PO 2", ship_to=gate, note="ring")
    bench.export(changed)
    there = bench.read(order)
    assert (there["otherRefNum"], there["memo"]) == ("PO 2", "ring")
    assert there["shippingAddress"]["attention"] == "Gate"
    before = bench.writes()
    bench.export(changed)
    bench.export(view(COLA, po_number="", ship_to=None))
    assert bench.writes() == before


def test_an_address_in_another_country_is_another(bench):
    newry = Address(name="Dock 2", street="2 Quay", city="Newry", country="IE")
    order = bench.export(view(COLA, ship_to=newry))
    before = bench.writes()
    bench.export(view(COLA, ship_to=newry.model_copy(update={"country": None})))
    assert bench.writes() == before
    bench.export(view(COLA, ship_to=newry.model_copy(update={"country": "GB"})))
    assert bench.read(order)["shippingAddress"]["country"] == "_unitedKingdom"


def test_what_a_person_deleted_is_not_made_again(bench):
    order = bench.export(view(COLA))
    bench.delete(order)
    with pytest.raises(errors.DeletedAtTargetError):
        ORDERS.update(bench.client(), order, bench.desired(view(LEMON)))
    ORDERS.cancel(bench.client(), order)


def test_what_a_person_closed_is_not_revived(bench):
    order = bench.export(view(COLA))
    ORDERS.cancel(bench.client(), order)
    with pytest.raises(errors.DeletedAtTargetError, match="was closed in NetSuite"):
        bench.export(view(COLA))


def test_a_partly_shipped_order_changes_by_line(bench):
    order = bench.export(view(COLA, LEMON, FREIGHT))
    bench.ship(order, 1)
    more = line("COLA", 5, "114.60", unit="CASE", factor=24)
    bench.export(view(more, FREIGHT))
    assert amounts(bench, order) == [
        ("COLA", 5, Decimal("114.60")),
        ("LEMON", 3, 0),
        ("SHIP", 1, 15),
    ]
    assert bench.lines(order)[1]["isClosed"] == "true"
    before = bench.writes()
    bench.export(view(more, FREIGHT))
    assert bench.writes() == before
    bench.export(view(more, LEMON, FREIGHT))
    assert bench.lines(order)[1]["isClosed"] == "false"
    assert amounts(bench, order)[1] == ("LEMON", 3, Decimal("5.01"))


@pytest.mark.parametrize("lines", [[FREIGHT], [line("COLA", 12, "12", unit="EACH"), FREIGHT]])
def test_what_has_left_is_not_taken_back(bench, lines):
    bench.ship(bench.export(view(COLA, FREIGHT)), 1)
    with pytest.raises(errors.TargetRejectedError, match="line 1: 1 have left"):
        bench.export(view(*lines))


def test_what_is_billed_keeps_its_price(bench):
    order = bench.export(view(COLA, FREIGHT))
    bench.ship(order, 1)
    bench.bill(order)
    with pytest.raises(errors.TargetRejectedError, match="line 1: 1 are billed at another price"):
        bench.export(view(line("COLA", 2, "40.00", unit="CASE", factor=24), FREIGHT))
    bench.export(view(line("COLA", 3, "68.76", unit="CASE", factor=24), FREIGHT))
    assert amounts(bench, order)[0] == ("COLA", 3, Decimal("68.76"))


def test_a_shipped_order_takes_no_change(bench):
    order = bench.export(view(COLA))
    bench.ship(order, 2)
    bench.export(view(COLA))
    with pytest.raises(errors.TargetRejectedError, match="return or credit what differs"):
        bench.export(view(COLA, po_number="PO 2"))


def test_a_total_of_another_hand_is_held_before_approval(bench):
    order = bench.export(view(COLA, state="HELD"))
    bench.set(order, shippingCost="7.50")
    with pytest.raises(errors.TotalMismatchError, match=r"would be 62.51 .* is 55.01"):
        bench.export(view(COLA))
    assert bench.read(order)["orderStatus"] == "_pendingApproval"


def test_a_note_is_written_once_however_it_was_typed_and_hides_no_other_total(bench):
    note = " two dogs\r\n\x0bring\x00 twice "
    order = bench.export(view(COLA, note=note, state="HELD"))
    assert bench.read(order)["memo"].split() == ["two", "dogs", "ring", "twice"]
    before = bench.writes()
    bench.export(view(COLA, note=note, state="HELD"))
    assert bench.writes() == before
    bench.set(order, shippingCost="7.50")
    with pytest.raises(errors.TotalMismatchError):
        bench.export(view(COLA, note=note))


def test_changed_by_somebody_else_meanwhile_comes_round_again(bench):
    order = bench.export(view(COLA))
    sandbox = bench.transport

    def sell_more():
        bench.transport = sandbox
        bench.set(order, itemList={"@replaceAll": False, "item": {"line": 1, "quantity": 7}})

    # Between our write and our look at the total.
    bench.transport = Saying(sandbox, "PO 2", after=sell_more)
    with pytest.raises(errors.ConflictError, match="is being changed"):
        bench.export(view(COLA, po_number="PO 2"))
    bench.export(view(COLA, po_number="PO 2"))
    assert amounts(bench, order) == [("COLA", 2, Decimal("45.84"))]


def test_a_record_that_changed_under_us_is_a_conflict(bench):
    order = bench.export(view(COLA))
    body = refused("RCRD_HAS_BEEN_CHANGED")
    bench.transport = Saying(bench.transport, "<m:update>", body=body)
    with pytest.raises(errors.ConflictError):
        ORDERS.update(bench.client(), order, bench.desired(view(LEMON)))


def test_a_plan_names_what_is_and_what_would_be(bench):
    order = bench.export(view(COLA))
    changed = bench.desired(view(line("COLA", 5, "114.60", unit="CASE", factor=24), po_number="P2"))
    plain_client = bench.client()._inner
    planning = PlanningClient(plain_client)
    with pytest.raises(TypeError):
        ORDERS.update(SuiteTalk(planning, bench.connection.settings), order, changed)
    (step,) = planning.steps
    fields = {one.name: (one.was, one.becomes) for one in step.fields}
    assert step.call == f"POST {PORT}"
    assert fields["otherRefNum"] == ("PO 88123", "P2")
    assert fields["itemList.item.0.quantity"] == ("2.0", "5")
    assert fields["itemList.item.0.amount"] == ("45.84", "114.60")
    assert bench.lines(order)[0]["quantity"] == "2.0"


# -- cancel ----------------------------------------------------------------------------------------


def test_cancelled_once_and_for_all(bench):
    order = bench.export(view(COLA, LEMON))
    for _ in range(2):
        ORDERS.cancel(bench.client(), order)
    assert bench.read(order)["orderStatus"] == "_closed"
    assert bench.sandbox.accepted["salesorder cancelled"] == 1


def test_a_pending_order_is_cancelled_by_its_status_where_that_is_set():
    seed = {"is_cancel_by_status_allowed": True}
    bench = Bench(cancel="status", confirm="never", seed=seed)
    order = bench.export(view(COLA))
    for _ in range(2):
        ORDERS.cancel(bench.client(), order)
    assert bench.read(order)["orderStatus"] == "_cancelled"


def test_goods_that_left_stop_a_cancellation(bench):
    order = bench.export(view(COLA))
    bench.ship(order, 2)
    for _ in range(2):
        with pytest.raises(errors.TargetRejectedError, match="return or credit them first"):
            ORDERS.cancel(bench.client(), order)
        if bench.read(order)["orderStatus"] == "_pendingBilling":
            bench.bill(order)


# -- items, units, taxes, currencies ---------------------------------------------------------------


def refusal(bench, *lines, **order):
    with pytest.raises(errors.MappingError) as found:
        bench.export(view(*lines, **order))
    assert not bench.sandbox.accepted["salesorder created"]
    return found.value


@pytest.mark.parametrize("sku", ["NOPE", "cola", "lemon", "TONIC-OLD"])
def test_an_unknown_or_inactive_item_waits_for_its_map_row(bench, sku):
    error = refusal(bench, COLA, line(sku, 1, "1.00", unit="EACH"))
    assert error.cause == f"MAP#erp#sku/{sku}"
    assert sku in error.message
    assert ("inactive" in error.message) == (sku == "TONIC-OLD")


def test_an_inactive_item_is_none_under_its_external_id_either():
    gone = item(70, "GONE", isInactive=True)
    bench = Bench(seed={"items": [*SEED["items"], gone]})
    assert "item GONE is inactive" in refusal(bench, line("GONE", 1, "1.00")).message


def test_a_mapped_sku_is_sold_under_netsuites_name():
    bench = Bench(maps=Maps(sku={"COLA-OLD": "LEMON", "FREIGHT": "ROUND"}))
    order = bench.export(view(line("COLA-OLD", 1, "1.00", unit="EACH"), FREIGHT))
    assert [one["item"]["name"] for one in bench.lines(order)] == ["LEMON", "ROUND"]


def test_two_items_of_one_name_are_ambiguous():
    twins = [item(n, "TWIN", external=False) for n in (91, 92)]
    bench = Bench(seed={"items": [*SEED["items"], *twins]})
    with pytest.raises(errors.AmbiguousMatchError, match="TWIN"):
        bench.export(view(line("TWIN", 1, "1.00", unit="EACH")))


@pytest.mark.parametrize(
    ("units", "sold", "unit", "quantity"),
    [
        ({}, line("COLA", 2, "9.60", unit="CASE", factor=24), "Case of 24", 2),
        ({}, line("COLA", 2, "9.60", unit="CASE", factor=6), "Can", 12),
        ({"CASE 6": "case"}, line("COLA", 2, "9.60", unit="CASE", factor=6), "Case of 24", 2),
        ({"EACH": "3"}, line("COLA", 2, "9.60", unit="EACH"), "Case of 24", 2),
        ({}, line("COLA", 2, "9.60"), "Can", 2),
    ],
)
def test_a_unit_is_mapped_or_known_by_its_size_else_the_base(units, sold, unit, quantity):
    bench = Bench(maps=Maps(unit=units))
    (one,) = bench.lines(bench.export(view(sold)))
    assert (one["units"]["name"], Decimal(one["quantity"])) == (unit, quantity)


def test_a_unit_the_item_does_not_have_holds():
    bench = Bench(maps=Maps(unit={"CASE 24": "Pallet"}))
    assert refusal(bench, COLA).cause == "MAP#erp#unit/CASE 24"


def test_an_item_without_units_is_sold_in_our_base_unit():
    bench = Bench(seed={"items": [item(57, "COLA")]})
    (one,) = bench.lines(bench.export(view(COLA)))
    assert ("units" in one, Decimal(one["quantity"])) == (False, 48)


TAXES = [
    {"internalId": "10", "itemId": "S-GB", "rate": "20.0%"},
    {"internalId": "12", "itemId": "IS-GB", "rate": "20.0%"},
    {"internalId": "13", "itemId": "R-GB", "rate": "5.0%"},
]


def test_a_tax_is_mapped_or_the_only_one_of_its_rate():
    seed = {"taxes": TAXES}
    assert refusal(Bench(seed=seed), COLA).cause == "MAP#erp#tax/0.2"
    assert refusal(Bench(seed=seed), FREIGHT).cause == "MAP#erp#tax/0"
    for named in ("S-GB", "10"):
        bench = Bench(seed=seed, maps=Maps(tax={"0.2": named}))
        (one,) = bench.lines(bench.export(view(COLA)))
        assert one["taxCode"]["internalId"] == "10"
    two = line("COLA", 1, "1.00", rates=("0.05", "0.2"), unit="EACH")
    assert "several taxes" in refusal(Bench(seed=seed), two).message


def test_an_order_is_in_its_currency():
    bench = Bench()
    assert refusal(bench, COLA, currency="USD").cause == "MAP#erp#currency/USD"
    pounds = {"internalId": "1", "name": "Pound", "symbol": "GBP", "isBaseCurrency": "true"}
    single = Bench(seed={"currencies": [pounds | {"exchangeRate": "1", "currencyPrecision": "2"}]})
    single.export(view(COLA))
    assert not [one for one in single.transport.requests if b"<sales:currency" in one.content]
    mapped = Bench(maps=Maps(currency={"GBP": "1"}))
    assert mapped.read(mapped.export(view(COLA)))["currency"]["internalId"] == "1"


def test_an_order_in_another_currency_is_refused(bench):
    order = bench.export(view(COLA))
    bench.maps = Maps(currency={"GBP": "2"})
    with pytest.raises(errors.TargetRejectedError, match="another currency"):
        ORDERS.update(bench.client(), order, bench.desired(view(COLA)))


# -- totals ----------------------------------------------------------------------------------------


def test_prices_with_tax_arrive_without_it_and_a_cent_is_a_line_of_its_own():
    bench = Bench(rounding_sku="ROUND")
    sold = line("COLA", 1, "10.03", unit="EACH")
    order = bench.read(bench.export(view(sold, included=True)))
    assert Decimal(order["total"]) == Decimal("10.03")
    odd = line("COLA", 1, "0.03", unit="EACH")
    total = Totals(net=Decimal("0.03"), tax=Decimal(0), gross=Decimal("0.03"))
    order = bench.export(view(odd, included=True, total=total), "shop-uk/5502")
    assert Decimal(bench.read(order)["total"]) == Decimal("0.03")


@pytest.mark.parametrize("way", ["line", "document"])
def test_many_prices_with_tax_are_off_by_a_cent_at_most(way):
    bench = Bench(tax_rounding=way, rounding_sku="ROUND")
    lines = [line("COLA", 1, "9.99", unit="EACH", id=f"l{number}") for number in range(20)]
    free = line("COLA", 1, "0", unit="EACH", id="free", kind="FREE_GOODS")
    shown = view(*lines, free, included=True)
    payload = bench.desired(shown)
    assert payload.total == Decimal("199.80")
    assert {one.amount for one in payload.lines if one.id.startswith("l")} == {
        Decimal("8.32"),
        Decimal("8.33"),
    }
    assert [one.amount for one in payload.lines if one.id == "free"] == [0]
    assert all(abs(one.amount) <= Decimal("0.01") for one in payload.lines[21:])


sold_lines = st.tuples(st.integers(1, 999), st.integers(0, 10_000_000))


@given(st.lists(sold_lines, min_size=1, max_size=5))
def test_a_rate_gives_the_amount_back(lines):
    for quantity, cents in lines:
        amount = Decimal(cents) / 100
        assert round(unit_rate(amount, quantity) * quantity, 2) == amount
        assert "E" not in f"{unit_rate(amount, quantity):f}"


def test_a_discount_item_has_an_amount_and_no_quantity():
    assert Item.model_validate({"internalId": "60", "sort": "DiscountItem"}).is_discount
    two = {"rate": Decimal(-2), "amount": Decimal(-2)}
    off = Resolved(title="Off", item="60", quantity=None, units="", tax_code="10", **two)
    assert set(row(None, off)) == {"item", "description", "rate", "amount", "taxCode"}
    read = {"line": "1", "item": {"internalId": "60"}, "taxCode": {"internalId": "10"}}
    there = SalesOrderLine.model_validate(read | {"amount": "-2.0"})
    assert pairs([there], [off]) == [(there, off)]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Auckland", "UTC"])
def test_a_day_stays_the_day_in_the_accounts_zone(zone):
    assert noon(date(2026, 11, 1), {"time_zone": zone}).startswith("2026-11-01T12:00:00.000")


# -- customers -------------------------------------------------------------------------------------

PERSON = ref(Kind.CUSTOMER, "shop-uk", "c-78")
ANN = Customer(
    contact=Contact(name="Ann Mary Bar", email="ann@example.com", phone="+353 21 765 4321"),
    addresses=(Address(name="Ann Bar", street="1 Quay", city="Cork", country="IE"),),
)


def customer(bench, internal_id):
    return bench.read(internal_id, "customer")


def addresses(bench, internal_id):
    rows = customer(bench, internal_id).get("addressbookList") or {}
    rows = rows.get("addressbook", []) if isinstance(rows, dict) else []
    return rows if isinstance(rows, list) else [rows]


def test_a_company_arrives_with_its_addresses(either):
    there = customer(either, either.customer)
    assert (there["isPerson"], there["companyName"]) == ("false", "Blue Bar Ltd")
    assert (there["email"], there["vatRegNumber"]) == ("ann@example.com", "IE1234567T")
    first, second = addresses(either, either.customer)
    assert (first["defaultBilling"], second["defaultBilling"]) == ("true", "false")
    assert first["addressbookAddress"]["country"] == "_unitedStates"
    assert second["addressbookAddress"]["attention"] == "Dock"


def test_a_person_has_two_names(bench):
    there = customer(bench, bench.export(known(ANN, PERSON)))
    assert (there["firstName"], there["lastName"]) == ("Ann Mary", "Bar")
    single = Customer(contact=Contact(name="Cher"))
    there = customer(bench, bench.export(known(single, ref(Kind.CUSTOMER, "shop-uk", "c-79"))))
    assert (there["firstName"], there["lastName"]) == ("-", "Cher")


def test_what_we_do_not_know_of_a_customer_stays(bench):
    moved = Address(street="3 Quay", city="Cork", country="IE")
    told = BAR.model_copy(
        update={
            "contact": Contact(name="Ann Bar", email="new@example.com"),
            "company": BAR.company.model_copy(update={"vat_number": ""}),
            "addresses": (moved,),
        }
    )
    bench.export(known(told))
    there = customer(bench, bench.customer)
    assert (there["email"], there["phone"]) == ("new@example.com", "+353 21 123 4567")
    assert there["vatRegNumber"] == "IE1234567T"
    book = addresses(bench, bench.customer)
    assert len(book) == 3
    assert [one["defaultBilling"] for one in book].count("true") == 1
    assert book[2]["defaultBilling"] == "true"


def test_an_erased_customer_is_blank_everywhere(bench):
    nobody = Customer(contact=Contact(), is_erased=True)
    for told, entity in ((BAR, CUSTOMER), (ANN, PERSON)):
        internal_id = bench.export(known(told, entity))
        assert bench.export(known(nobody, entity)) == internal_id
        there = customer(bench, internal_id)
        assert "Erased" in {there.get("companyName"), there.get("lastName")}
        assert not any(there.get(name) for name in ("email", "phone", "vatRegNumber"))
        assert not addresses(bench, internal_id)
        before = bench.writes()
        bench.export(known(nobody, entity))
        assert bench.writes() == before


def test_a_customer_is_made_inactive_and_found_again(bench):
    CUSTOMERS.cancel(bench.client(), bench.customer)
    assert customer(bench, bench.customer)["isInactive"] == "true"
    assert CUSTOMERS.find(bench.client(), CUSTOMER.key, None) == bench.customer


def test_a_customer_a_person_deleted_is_said(bench):
    gone = bench.export(known(ANN, PERSON))
    bench.delete(gone, "customer")
    with pytest.raises(errors.DeletedAtTargetError):
        CUSTOMERS.update(bench.client(), gone, bench.desired(known(ANN, PERSON)))


def test_countries_have_netsuites_words():
    assert COUNTRIES["GB"] == "_unitedKingdom"
    assert COUNTRIES["IE"] == "_ireland"
    assert all(re.fullmatch("[A-Z]{2}", code) for code in COUNTRIES)
    assert len(set(COUNTRIES.values())) == len(COUNTRIES) == 248


# -- what desires depend on ------------------------------------------------------------------------


def test_an_order_needs_its_customer(bench):
    assert ORDERS.requires(view(COLA)) == [CUSTOMER]
    assert not ORDERS.requires(View(ORDER))
    del bench.customer
    for shown in (view(COLA), View(ORDER), View(PERSON)):
        with pytest.raises(errors.DependencyNotReadyError):
            bench.desired(shown)


def test_equal_state_equal_payload(bench):
    assert bench.desired(view(COLA)) == bench.desired(view(COLA))
    assert bench.desired(view(COLA)).fingerprint() != bench.desired(view(LEMON)).fingerprint()
    assert "ann@" not in repr(bench.desired(known(BAR)))


# -- check and items -------------------------------------------------------------------------------


def findings(bench):
    return {one.what: one for one in TARGET.check(bench.client(), bench.situation())}


def test_a_check_of_an_account_that_has_all():
    bench = Bench(location="1", **KEY_FIELDS)
    found = findings(bench)
    assert all(one.is_good for one in found.values()), found
    assert {
        "currencies",
        "units types",
        "tax 0.2",
        "setting location",
        "field custbody_fizz_key",
    } <= set(found)


def test_a_check_says_what_to_do():
    bench = Bench(
        seed={"taxes": TAXES}, location="99", order_key_field="custbody_nobody", cancel="close"
    )
    found = findings(bench)
    bad = {what for what, one in found.items() if not one.is_good}
    assert bad == {"tax 0.2", "setting location", "field custbody_nobody"}
    assert "map tax 0.2" in found["tax 0.2"].message
    assert "S-GB" in found["tax 0.2"].message


def test_a_check_without_tax_codes():
    assert not findings(Bench(seed={"taxes": []}))["tax"].is_good


def test_items_are_listed_by_every_code(bench):
    codes = [one.code for one in TARGET.items(bench.client(), bench.connection)]
    assert codes == ["COLA", "LEMON", "SHIP", "OFF", "ROUND", "CRATE"]


def test_a_long_search_takes_all_pages():
    many = [item(n, f"SKU{n}", upcCode=f"{n}") for n in range(1000, 1450)]
    bench = Bench(seed={"items": many})
    found = list(TARGET.items(bench.client(), bench.connection))
    assert len({one.code for one in found}) == 450
    names = [r.headers["SOAPAction"] for r in bench.transport.requests]
    assert names.count('"searchMoreWithId"') == 2


# -- transport -------------------------------------------------------------------------------------


def test_the_vendors_own_signature():
    secret = {
        "consumer_key": "ck_demo_fizz_0001",
        "consumer_secret": "cs_demo_fizz_0002",
        "token": "tk_demo_fizz_0003",
        "token_secret": "ts_demo_fizz_0004",
    }
    for account in ("1234567_SB1", "1234567-sb1"):
        passport = TokenPassport(account, secret).passport("Qw8ErTy12UiOpAs9DfGh", 1795435200)
        assert b"<core:account>1234567_SB1</core:account>" in passport
        assert b">92Rxota0SbzprBIcfz5czp6WwGsow0DOXEEghpfJgU8=<" in passport
        assert b'algorithm="HMAC-SHA256"' in passport


def test_every_request_is_signed_anew_and_no_secret_is_sent(bench):
    bench.export(view(COLA))
    sent = [one.content.decode() for one in bench.transport.requests]
    once = [re.search(r"<core:nonce>(\w+)</core:nonce>", text)[1] for text in sent]
    assert len(set(once)) == len(once)
    assert all(re.fullmatch("[A-Za-z0-9]{6,64}", one) for one in [*once, nonce()])
    for text in [*sent, repr(TARGET.auth(SECRET, bench.connection))]:
        assert "cs_sandbox" not in text
        assert "ts_sandbox" not in text


def test_a_connection_without_account_is_told(bench):
    bench.connection = bench.connection.model_copy(update={"settings": {}})
    with pytest.raises(errors.ConfigurationError, match="set account"):
        bench.client()


def test_a_wrong_token_is_the_connections_trouble(bench):
    bench.secret = SECRET | {"token_secret": "spent"}
    with pytest.raises(errors.ConfigurationError):
        bench.export(view(COLA))


BOTH = [
    ("WS_REQUEST_BLOCKED", errors.RateLimitedError),
    ("WS_CONCUR_SESSION_DISALLWD", errors.RateLimitedError),
    ("INVALID_LOGIN_ATTEMPT", errors.ConfigurationError),
    ("UNEXPECTED_ERROR", errors.OutcomeUnknownError),
    ("RCRD_HAS_BEEN_CHANGED", errors.ConflictError),
    ("RCRD_DSNT_EXIST", errors.NotThereError),
    ("INVALID_KEY_OR_REF", errors.TargetRejectedError),
    ("USER_ERROR", errors.TargetRejectedError),
    ("INVALID_INITIALIZE_REF", errors.TargetRejectedError),
    ("MISSING_REQD_FLD", errors.TargetRejectedError),
    ("DUP_RCRD", errors.TargetRejectedError),
]
FAULTS = [
    ("exceededConcurrentRequestLimitFault", errors.RateLimitedError),
    ("exceededRequestLimitFault", errors.RateLimitedError),
    ("invalidCredentialsFault", errors.ConfigurationError),
    ("insufficientPermissionFault", errors.ConfigurationError),
    ("invalidVersionFault", errors.ConfigurationError),
    ("exceededRecordCountFault", errors.TargetRejectedError),
    ("exceededRequestSizeFault", errors.TargetRejectedError),
    ("unexpectedErrorFault", errors.OutcomeUnknownError),
    ("somethingNewFault", errors.OutcomeUnknownError),
    ("", errors.OutcomeUnknownError),
]
PAUSES = [
    "An unexpected error occurred. Error ID: abc",
    "Your account is currently unavailable",
    "java.lang.NullPointerException",
    "java.lang.IllegalStateException: x",
    "java.util.ConcurrentModificationException",
    "Session invalidation is in progress with different thread",
    "Cannot get a connection from the connection pool",
]
ANSWERS = [
    *((200, refused(code), verdict) for code, verdict in BOTH),
    *((500, fault("aFault", code), verdict) for code, verdict in BOTH),
    *((500, fault(name), verdict) for name, verdict in FAULTS),
    *((200, refused("USER_ERROR", text), errors.OutcomeUnknownError) for text in PAUSES),
    *((500, fault("", "", text), errors.OutcomeUnknownError) for text in PAUSES),
    (200, refused("SOMETHING_NEW"), errors.TargetRejectedError),
    (200, refused("", sort="WARN"), errors.TargetRejectedError),
    (500, fault("", "", "org.xml.sax.SAXException: x"), errors.TargetRejectedError),
    (502, "<html>bad gateway</html>", errors.OutcomeUnknownError),
    (503, "", errors.OutcomeUnknownError),
    (200, refused("USER_ERROR")[:-20], errors.OutcomeUnknownError),
    (200, "<other/>", errors.OutcomeUnknownError),
    (200, ENVELOPE.format("<q:upsertResponse/>"), errors.OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "body", "verdict"), ANSWERS)
def test_answers_are_classified(bench, status, body, verdict):
    bench.transport = Saying(bench.transport, "<m:upsert>", body=body, status=status)
    with pytest.raises(errors.FizzbridgeError) as found:
        ORDERS.create(bench.client(), "shop-uk/1", bench.desired(view(COLA)))
    assert type(found.value) is verdict
    ours = any(word in body for word in ("RecordCount", "RequestSize", "SAXException"))
    if verdict is errors.TargetRejectedError:
        assert found.value.blame == ("ours" if ours else "customer_config")


@pytest.mark.parametrize(
    ("seed", "word"),
    [
        ({"hidden_fields": {"salesOrder": ["memo"]}}, "memo"),
        ({"required_fields": {"salesOrder": ["department"]}}, "department"),
    ],
)
def test_a_form_that_does_not_fit_says_so(seed, word):
    with pytest.raises(errors.TargetRejectedError, match=word):
        Bench(seed=seed).export(view(COLA, note="ring"))
    assert Bench(seed=seed, department="1").export(view(COLA))


def test_a_page_in_place_of_an_answer_is_the_connections_trouble(bench):
    page = {"content-type": "text/html"}
    bench.sandbox.faults.arm(Fault("status", status=200, body="<p>Log in</p>", headers=page))
    with pytest.raises(errors.ConfigurationError):
        ORDERS.find(bench.client(), ORDER.key, None)


def test_a_refused_read_is_no_unknown_outcome(bench):
    body = fault("unexpectedErrorFault", "UNEXPECTED_ERROR")
    bench.transport = Saying(bench.transport, "<m:get>", body=body, status=500)
    with pytest.raises(errors.TargetUnavailableError):
        ORDERS.find(bench.client(), ORDER.key, None)


def test_errors_of_a_script_quote_nobody(bench):
    said = "Ann Bar of 1 Quay is on stop: ann@example.com"
    record = kind(RELATIONSHIPS, "Customer") | {
        "lastName": "Ann Bar",
        "addressbookList": {"addressbook": {"addressbookAddress": {"addr1": "1 Quay"}}},
    }
    bench.transport = Saying(bench.transport, "<m:add>", body=refused("USER_ERROR", said))
    with pytest.raises(errors.TargetRejectedError) as found:
        write(bench.client(), "add", record, RELATIONSHIPS)
    assert "on stop" in found.value.message
    for word in ("Ann", "Quay", "example.com"):
        assert word not in found.value.message


def test_values_are_read_by_namespace_not_by_prefix():
    text = (
        "<a:record xmlns:a='urn:messages_2025_2.platform.webservices.netsuite.com' "
        "xmlns:b='urn:sales_2025_2.transactions.webservices.netsuite.com' "
        "xmlns:x='http://www.w3.org/2001/XMLSchema-instance' internalId='5'>"
        "<b:memo x:nil='true'/><b:tranId>SO1</b:tranId><other xmlns='urn:b'>1</other>"
        "<b:itemList><b:item><b:line>1</b:line><b:quantity x:nil='1'/></b:item></b:itemList>"
        "<b:currency internalId='1'/><b:otherRefNum/></a:record>"
    )
    found = plain(decode(ENVELOPE.format(text))["response"])
    assert "other" not in found
    order = SalesOrder.model_validate(found)
    assert (order.memo, order.other_ref_num, order.tran_id, order.currency) == ("", "", "SO1", "1")
    assert [(one.line, one.quantity) for one in order.item_list] == [(1, None)]
    assert SalesOrder.model_validate({"itemList": ""}).item_list == ()


BOMB = "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"


@pytest.mark.parametrize("text", ["", "<a>", "<a/>", ENVELOPE.format(""), BOMB])
def test_what_is_no_envelope_is_no_answer(text):
    with pytest.raises(ValueError, match=r"."):
        decode(text)


SAMPLES = SPECS.parents[1] / "samples" / "netsuite_soap"
HAVE_SAMPLES = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the vendor's samples and specifications are not here"
)


@HAVE_SAMPLES
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.xml")), ids=lambda path: path.stem)
def test_the_vendors_samples_are_read(path):
    # Namespaces carry the version of the endpoint they were taken from.
    text = re.sub(r"_20\d\d_\d|_2_5", "_2025_2", path.read_text(encoding="utf-8"))
    if path.stem.startswith("upsert_list"):
        text = text.rstrip() + "</soapenv:Envelope>"
    found = decode(text)
    if path.stem == "login__failure_concurrent_requests":
        assert found["fault"]["code"] == "WS_CONCUR_SESSION_DISALLWD"
    elif "error" in path.stem:
        assert found["status"]["code"]
        assert "Second" not in found["status"]["message"]
    else:
        assert "status" not in found
        assert found["response"].tag.endswith("Response")


@HAVE_SAMPLES
def test_every_request_is_one_the_spec_allows(either):
    order = either.export(view(COLA, LEMON, FREIGHT, note="ring", promised_on=date(2026, 11, 4)))
    either.export(view(COLA, po_number="PO 2"))
    either.export(known(Customer(contact=Contact(), is_erased=True)))
    ORDERS.cancel(either.client(), order)
    list(TARGET.items(either.client(), either.connection))
    done = {validate(one) for one in either.transport.requests}
    assert {("SalesOrder", "update"), ("Customer", "update")} <= done


def test_the_adapter_keeps_to_few_calls(bench):
    before = bench.client().calls
    vendor = bench.client()
    payload = bench.desired(view(COLA, FREIGHT))
    assert ORDERS.find(vendor, ORDER.key, payload) is None
    ORDERS.update(vendor, ORDERS.create(vendor, ORDER.key, payload), payload)
    assert vendor.calls - before <= 10


def test_a_search_of_nothing_is_empty(bench):
    empty = ENVELOPE.format("<q:searchResponse/>")
    bench.transport = Saying(bench.transport, "<m:search>", body=empty)
    assert search(bench.client(), RELATIONSHIPS, "CustomerSearch", {}) == []
    none = ENVELOPE.format("<q:getResponse/>")
    bench.transport = Saying(bench.transport, "<m:get>", body=none)
    assert get(bench.client(), "customer", internalId="1") == {}
    assert bench.client().clean("a  b") == "a b"
