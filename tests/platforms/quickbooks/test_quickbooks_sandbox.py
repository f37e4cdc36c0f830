"""The QuickBooks sandbox keeps the vendor's habits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from platforms.quickbooks.sandbox import make
from platforms.quickbooks.sandbox_hooks import sign
from platforms.quickbooks.sandbox_wire import number, read, written
from sandbox.faults import Fault
from tests.platforms.quickbooks.quickbooks_world import (
    BASE,
    COLA,
    CUSTOMER,
    HOOK,
    OTHER,
    REFUND,
    TOKENS,
    TONIC,
    VAT,
    WATER,
    ZERO,
    Books,
    form,
    last,
    off,
    paying,
    sale,
)

EVENTS = Path(__file__).parents[3] / "events" / "quickbooks"
US = {"company": {"name": "Corner Pop Inc", "country": "US"}, "currency": "USD"}


@pytest.fixture
def books() -> Books:
    return Books()


# Credentials


def test_an_access_token_lives_an_hour(books):
    for seconds in (0, 3599):
        books.tick(seconds)
        assert books.call("GET", f"customer/{CUSTOMER}").status_code == 200
    books.tick(1)
    refused = books.call("GET", f"customer/{CUSTOMER}")
    assert refused.status_code == 401
    body = refused.json()
    assert body["fault"]["type"] == "AUTHENTICATION"
    assert body["fault"]["error"][0]["code"] == "3200"
    assert "Fault" not in body


@pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer nobody", "bearer AT-sandbox", "Basic x"])
def test_who_is_not_known_is_refused(books, bearer):
    books.http.headers["Authorization"] = bearer
    assert books.call("GET", f"customer/{CUSTOMER}").status_code == 401


def test_a_refresh_brings_a_new_pair_each_time(books):
    first = books.token().json()
    assert set(first) == {
        "token_type",
        "access_token",
        "expires_in",
        "refresh_token",
        "x_refresh_token_expires_in",
    }
    second = books.token(first["refresh_token"]).json()
    assert len({"RT1-sandbox", first["refresh_token"], second["refresh_token"]}) == 3
    books.http.headers["Authorization"] = f"Bearer {second['access_token']}"
    assert books.call("GET", f"customer/{CUSTOMER}").status_code == 200
    assert books.sandbox.accepted["token refreshed"] == 2


def test_a_spent_refresh_token_ends_the_whole_grant(books):
    pair = books.token().json()
    books.http.headers["Authorization"] = f"Bearer {pair['access_token']}"
    again = books.token()
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert books.token(pair["refresh_token"]).json()["error"] == "invalid_grant"
    assert books.call("GET", f"customer/{CUSTOMER}").status_code == 401
    assert books.sandbox.accepted["token refreshed"] == 1


def test_a_spent_token_may_have_a_moment_of_grace():
    books = Books(reuse_grace_seconds=30)
    pair = books.token().json()
    books.tick(10)
    assert books.token().json()["refresh_token"] == pair["refresh_token"]
    books.tick(30)
    assert books.token().status_code == 400


def test_a_grant_that_does_not_rotate_keeps_its_token():
    books = Books(rotates=False)
    assert books.token().json()["refresh_token"] == "RT1-sandbox"
    assert books.token().status_code == 200


def test_wrong_clients_and_unknown_tokens_end_nothing(books):
    wrong = books.token(client="sandbox-client:spent")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert books.token("spent").json()["error"] == "invalid_grant"
    assert books.token().status_code == 200


@pytest.mark.parametrize(("days", "status"), [(99, 200), (100, 400)])
def test_a_refresh_token_lives_a_hundred_days(books, days, status):
    books.call("GET", f"customer/{CUSTOMER}")
    books.tick(days * 86400)
    assert books.token().status_code == status


def test_no_grant_outlives_five_years(books):
    refresh = books.token().json()["refresh_token"]
    for _ in range(18):
        books.tick(99 * 86400)
        refresh = books.token(refresh).json()["refresh_token"]
    books.tick(50 * 86400)
    assert books.token(refresh).status_code == 400


def test_the_delay_of_a_token_is_within_its_bounds():
    sandbox = make({"token_delay_ms": [300, 2000]})
    delays = [sandbox.tokens.delay() for _ in range(200)]
    assert min(delays) >= 0.3
    assert max(delays) <= 2
    assert max(delays) - min(delays) > 1
    assert make(None).tokens.delay() == 0


def test_two_refreshes_at_once_end_the_grant():
    books = Books(token_delay_ms=[1, 1])
    basic = base64.b64encode(b"sandbox-client:sandbox-secret").decode()
    headers = {"Authorization": f"Basic {basic}"}
    form = {"grant_type": "refresh_token", "refresh_token": "RT1-sandbox"}

    async def two() -> list[httpx.Response]:
        transport = httpx.ASGITransport(books.sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as http:
            asked = (http.post(TOKENS, data=form) for _ in range(2))
            return await asyncio.gather(*asked)

    answers = sorted(asyncio.run(two()), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 400]
    assert books.token(answers[0].json()["refresh_token"]).status_code == 400


def test_a_lost_answer_has_moved_the_token_on(books):
    books.sandbox.faults.arm(Fault("commit_then_silence", "/oauth2/v1/tokens/bearer"))
    with pytest.raises(httpx.ReadTimeout):
        books.token()
    assert books.sandbox.accepted["token refreshed"] == 1
    assert books.token().status_code == 400


def test_a_person_connects_the_company(books):
    asked = {
        "client_id": "sandbox-client",
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "redirect_uri": "https://app.example/back",
        "state": "s1",
    }
    found = books.http.get("https://books.example/.well-known/openid_sandbox_configuration").json()
    back = books.http.get(found["authorization_endpoint"], params=asked)
    assert back.status_code == 302
    query = httpx.URL(back.headers["location"]).params
    assert (query["state"], query["realmId"]) == ("s1", "9130350000000001")
    basic = base64.b64encode(b"sandbox-client:sandbox-secret").decode()
    headers = {"Authorization": f"Basic {basic}"}
    code = {"grant_type": "authorization_code", "code": query["code"]}
    code |= {"redirect_uri": "https://app.example/back"}
    pair = books.http.post(found["token_endpoint"], data=code, headers=headers)
    assert pair.status_code == 200
    assert books.http.post(found["token_endpoint"], data=code, headers=headers).status_code == 400
    token = {"token": pair.json()["refresh_token"]}
    revoked = books.http.post(found["revocation_endpoint"], json=token, headers=headers)
    assert revoked.status_code == 200
    assert books.token(pair.json()["refresh_token"]).status_code == 400
    assert books.token().status_code == 200


def test_another_company_is_not_ours(books):
    other = books.http.get("https://books.example/v3/company/1/customer/58")
    assert (other.status_code, other.json()["fault"]["error"][0]["code"]) == (403, "3100")


# Limits


def throttled(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    fault = answer.json()["Fault"]
    return fault["type"] == "SERVICE" and fault["Error"][0]["code"] == "3001"


def test_a_minute_takes_so_many_calls():
    books = Books(per_minute=3)
    for _ in range(3):
        assert books.call("GET", f"item/{COLA}").status_code == 200
    refused = books.call("GET", f"item/{COLA}")
    assert throttled(refused)
    assert "retry-after" not in refused.headers
    books.tick(60)
    assert books.call("GET", f"item/{COLA}").status_code == 200


def test_a_second_takes_so_many_calls():
    books = Books(per_second=2, retry_after=17)
    for _ in range(2):
        books.call("GET", f"item/{COLA}")
    refused = books.call("GET", f"item/{COLA}")
    assert throttled(refused)
    assert refused.headers["retry-after"] == "17"
    books.tick(1)
    assert books.call("GET", f"item/{COLA}").status_code == 200


def test_batches_have_a_limit_of_their_own():
    books = Books(batch_per_minute=1)
    body = {"BatchItemRequest": [{"bId": "1", "Query": "select * from Item"}]}
    assert books.call("POST", "batch", body).status_code == 200
    assert throttled(books.call("POST", "batch", body))
    assert books.call("GET", f"item/{COLA}").status_code == 200


def test_ten_calls_at_once_and_no_eleventh(books):
    books.sandbox.in_flight = 10
    assert throttled(books.call("POST", "invoice", form()))
    assert not books.sandbox.accepted
    books.sandbox.in_flight = 9
    assert books.call("POST", "invoice", form()).status_code == 200
    assert books.sandbox.in_flight == 9


def test_slow_answers_hold_their_place():
    books = Books(concurrent=2, work_seconds=0.01)
    headers = dict(books.http.headers)

    async def three() -> list[int]:
        transport = httpx.ASGITransport(books.sandbox.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as http:
            answers = await asyncio.gather(*(http.get(f"item/{COLA}") for _ in range(3)))
        return sorted(answer.status_code for answer in answers)

    assert asyncio.run(three()) == [200, 200, 429]


def test_a_throttle_may_speak_xml_whatever_was_asked():
    books = Books(per_minute=0, throttle_body="xml")
    refused = books.call("GET", f"item/{COLA}")
    assert refused.status_code == 429
    assert b'code="3001"' in refused.content
    assert refused.headers["content-type"].startswith("application/xml")


# Calls


def test_every_answer_can_be_traced(books):
    good, bad = books.call("GET", f"item/{COLA}"), books.call("GET", "item/999")
    assert good.headers["intuit_tid"] != bad.headers["intuit_tid"]
    assert good.json()["time"] == "2026-11-20T02:00:00.000-08:00"


@pytest.mark.parametrize("version", ["1", "74", "75"])
def test_every_minor_version_is_the_last(books, version):
    assert books.call("GET", f"item/{COLA}", minorversion=version).status_code == 200


def test_numbers_are_written_as_the_vendor_does():
    amounts = ["150.00", "0.00", "337.50", "75", "4.5", "0.0000001", "8.333333", "-2.10"]
    shown = ["150.0", "0", "337.5", "75", "4.5", "0.0000001", "8.333333", "-2.1"]
    assert [number(Decimal(one)) for one in amounts] == shown
    assert written({"a": [Decimal("1.10"), None, True, 'ü"']}) == '{"a":[1.1,null,true,"ü\\""]}'
    assert read('{"a": 0.1}') == {"a": Decimal("0.1")}


def test_what_is_asked_twice_is_done_once(books):
    first = books.call("POST", "salesreceipt", form(), requestid="b7e2")
    again = books.call("POST", "salesreceipt", form(DocNumber="WEB-2"), requestid="b7e2")
    assert again.text == first.text
    assert books.sandbox.accepted["salesreceipt created"] == 1
    assert books.call("POST", "invoice", form(), requestid="b7e3").status_code == 200


def test_a_refusal_is_not_remembered(books):
    assert books.refused("Invoice", form(DocNumber="x" * 22), requestid="r1") == "2050"
    assert books.post("Invoice", form(DocNumber="x" * 21), requestid="r1")["DocNumber"]


def test_a_request_is_remembered_for_as_long_as_the_seed_says():
    books = Books(requestid_seconds=60)
    books.post("Invoice", form(), requestid="r1")
    books.tick(61)
    books.post("Invoice", form(), requestid="r1")
    assert books.sandbox.accepted["invoice created"] == 2


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset"])
def test_a_lost_answer_is_found_again(books, kind):
    books.sandbox.faults.arm(Fault(kind, "/salesreceipt"))
    with pytest.raises(httpx.TransportError):
        books.call("POST", "salesreceipt", form(DocNumber="WEB-1"), requestid="r1")
    assert books.sandbox.accepted["salesreceipt created"] == 1
    (found,) = books.query("select * from SalesReceipt where DocNumber = 'WEB-1'")["SalesReceipt"]
    assert books.post("SalesReceipt", form(), requestid="r1")["Id"] == found["Id"]
    assert books.sandbox.accepted["salesreceipt created"] == 1


def test_a_call_that_never_arrived_leaves_nothing(books):
    books.sandbox.faults.arm(Fault("drop", "/salesreceipt"))
    with pytest.raises(httpx.TransportError):
        books.call("POST", "salesreceipt", form(), requestid="r1")
    assert not books.sandbox.accepted
    assert books.query("select * from SalesReceipt") == {}


LONG = "x" * 4001
WRONG: list[tuple[str, str, Any, dict[str, str], str]] = [
    ("unknown_field", "Invoice", form(Colour="red"), {}, "2010"),
    ("unknown_field_of_a_line", "Invoice", form(sale(5.0) | {"Qty": 1}), {}, "2010"),
    ("field_of_the_line_in_its_detail", "Invoice", form(sale(5.0, Amount=5)), {}, "2010"),
    ("a_number_as_text", "Invoice", form(sale("25.0")), {}, "2010"),  # type: ignore[arg-type]
    ("a_text_as_number", "Invoice", form(DocNumber=10042), {}, "2010"),
    ("an_id_as_number", "Invoice", form(CustomerRef={"value": 58}), {}, "2010"),
    ("a_word_as_bool", "Invoice", form(ApplyTaxAfterDiscount="true"), {}, "2010"),
    ("no_list", "Invoice", form() | {"Line": {}}, {}, "2010"),
    ("no_object", "Invoice", [], {}, "2010"),
    ("unknown_parameter", "Invoice", form(), {"dryrun": "1"}, "2010"),
    ("minor_version", "Invoice", form(), {"minorversion": "76"}, "2010"),
    ("include", "Invoice", form(), {"include": "everything"}, "2010"),
    ("no_lines", "Invoice", {"CustomerRef": {"value": CUSTOMER}}, {}, "2020"),
    ("empty_lines", "Invoice", form() | {"Line": []}, {}, "2020"),
    ("no_customer", "Invoice", {"Line": [sale()]}, {}, "2020"),
    ("no_customer_of_a_receipt", "SalesReceipt", {"Line": [sale()]}, {}, "2020"),
    ("no_detail_type", "Invoice", form({"Amount": 1.0}), {}, "2020"),
    ("no_amount", "Invoice", form(sale() | {"Amount": None}), {}, "2020"),
    ("no_item", "Invoice", form(sale(ItemRef=None)), {}, "2020"),
    ("refund_from_no_account", "RefundReceipt", form(), {}, "2020"),
    ("payment_of_nothing", "Payment", {"CustomerRef": {"value": CUSTOMER}}, {}, "2020"),
    ("customer_without_name", "Customer", {"Notes": "who?"}, {}, "2020"),
    ("item_without_account", "Item", {"Name": "Lime", "Type": "Service"}, {}, "2020"),
    ("update_of_nothing", "Invoice", form(), {"operation": "update"}, "2020"),
    ("long_number", "Invoice", form(DocNumber="x" * 22), {}, "2050"),
    ("long_note", "Invoice", form(PrivateNote=LONG), {}, "2050"),
    ("long_memo", "Invoice", form(CustomerMemo={"value": "x" * 1001}), {}, "2050"),
    ("long_reference", "SalesReceipt", form(PaymentRefNum="x" * 22), {}, "2050"),
    ("long_requestid", "Invoice", form(), {"requestid": "x" * 51}, "2050"),
    ("date_with_time", "Invoice", form(TxnDate="2026-11-20T10:00:00Z"), {}, "2080"),
    ("no_such_day", "Invoice", form(TxnDate="2026-02-30"), {}, "2080"),
    ("colon_in_a_name", "Customer", {"DisplayName": "Corner: Pop"}, {}, "2080"),
    ("tab_in_a_name", "Customer", {"DisplayName": "Corner\tPop"}, {}, "2080"),
    ("no_mail", "Customer", {"DisplayName": "x", "PrimaryEmailAddr": {"Address": "y"}}, {}, "2080"),
    ("tax_mode", "Invoice", form(GlobalTaxCalculation="TaxIncluded"), {}, "2170"),
    ("line_type", "Invoice", form(sale() | {"DetailType": "TaxLineDetail"}), {}, "2170"),
    ("link_type", "Payment", paying("1", 1.0, kind="Bill"), {}, "2170"),
    ("unknown_customer", "Invoice", form(CustomerRef={"value": "999"}), {}, "2500"),
    ("unknown_item", "Invoice", form(sale(item="999")), {}, "2500"),
    ("unknown_tax_code", "Invoice", form(sale(code="99")), {}, "2500"),
    ("us_tax_code", "Invoice", form(sale(code="TAX")), {}, "2500"),
    ("unknown_term", "Invoice", form(SalesTermRef={"value": "99"}), {}, "2500"),
    ("unknown_field_of_ours", "Invoice", form(CustomField=[{"DefinitionId": "7"}]), {}, "2500"),
    ("inactive_item", "Invoice", form(sale(item=WATER)), {}, "610"),
    ("inactive_account", "SalesReceipt", form(DepositToAccountRef={"value": "90"}), {}, "610"),
    ("unknown_invoice", "Payment", paying("999", 1.0), {}, "610"),
    ("unknown_document", "Invoice", {"Id": "999", "SyncToken": "0"}, {"operation": "void"}, "610"),
    ("wrong_amount", "Invoice", form(sale(25.0, Qty=2, UnitPrice=12.6)), {}, "6070"),
    ("one_of_it", "Invoice", form(sale(25.0, UnitPrice=12.5)), {}, "6070"),
    ("no_tax_code", "Invoice", form(sale(code="")), {}, "6000"),
    ("discount_too_large", "Invoice", form(sale(10.0), off(10.01)), {}, "6000"),
    ("discount_below_nothing", "Invoice", form(sale(10.0), off(-1.0)), {}, "6000"),
    ("two_discounts", "Invoice", form(sale(10.0), off(1.0), off(1.0)), {}, "6000"),
    ("less_than_nothing", "Invoice", form(sale(-1.0)), {}, "6000"),
    ("line_discount", "Invoice", form(sale(9.0, Qty=1, UnitPrice=10, DiscountRate=10)), {}, "6000"),
    ("other_currency", "Invoice", form(CurrencyRef={"value": "EUR"}), {}, "6000"),
    ("income_is_no_bank", "SalesReceipt", form(DepositToAccountRef={"value": "79"}), {}, "6000"),
    (
        "gross_and_net",
        "Invoice",
        form(sale(10.0, TaxInclusiveAmt=13), GlobalTaxCalculation="TaxInclusive"),
        {},
        "6000",
    ),
    (
        "negative_payment",
        "Payment",
        {"CustomerRef": {"value": CUSTOMER}, "TotalAmt": -1.0},
        {},
        "6000",
    ),
    ("taken_name", "Customer", {"DisplayName": "corner pop ltd "}, {}, "6240"),
    (
        "taken_item",
        "Item",
        {"Name": "Tonic, 12 bottles", "IncomeAccountRef": {"value": "79"}},
        {},
        "6240",
    ),
    (
        "a_void_by_update_of_an_invoice",
        "Invoice",
        form(),
        {"operation": "update", "include": "void"},
        "500",
    ),
    ("a_void_of_a_receipt", "SalesReceipt", form(), {"operation": "void"}, "500"),
    ("a_void_of_a_memo", "CreditMemo", form(), {"operation": "void"}, "500"),
    (
        "a_void_of_a_refund",
        "RefundReceipt",
        form(),
        {"operation": "update", "include": "void"},
        "500",
    ),
    ("include_without_operation", "Payment", {}, {"include": "void"}, "500"),
    ("a_customer_is_not_deleted", "Customer", {"Id": CUSTOMER}, {"operation": "delete"}, "500"),
    ("a_written_setting", "TaxCode", {"Name": "x"}, {}, "500"),
    ("an_order", "SalesOrder", form(), {}, "500"),
    ("an_adjustment", "InventoryAdjustment", {}, {}, "500"),
]


@pytest.mark.parametrize(
    ("kind", "body", "query", "code"),
    [pytest.param(*one, id=name) for name, *one in WRONG],
)
def test_wrong_requests(books, kind, body, query, code):
    assert books.refused(kind, body, **query) == code


@pytest.mark.parametrize(
    ("path", "code"), [("invoice/999", "610"), ("order/1", "500"), ("Invoice/1", "500")]
)
def test_wrong_reads(books, path, code):
    assert books.error(books.call("GET", path)) == code


def test_wrong_forms_of_a_call(books):
    assert books.call("GET", f"item/{COLA}").status_code == 200
    xml = books.http.get(f"item/{COLA}", headers={"Accept": "*/*"})
    assert xml.status_code == 406
    plain = books.http.post("invoice", content=json.dumps(form()))
    assert plain.status_code == 415
    kind = {"Content-Type": "application/json"}
    for text in ('{"Line":', "[NaN]", ""):
        answer = books.http.post("invoice", content=text, headers=kind)
        assert books.error(answer) == "2010"
    half = json.dumps(form(PrivateNote="\ud83e"))
    assert books.error(books.http.post("invoice", content=half, headers=kind)) == "2080"
    for method in ("PUT", "PATCH", "DELETE"):
        assert books.error(books.call(method, "invoice", form())) == "500"


def test_closed_books_stay_closed():
    books = Books(closed_until="2026-10-31")
    assert books.refused("Invoice", form(TxnDate="2026-10-31")) == "6210"
    made = books.post("Invoice", form(TxnDate="2026-11-01"))
    assert books.refused("Invoice", last(made, sparse=True, TxnDate="2026-10-01")) == "6210"
    prefs = books.call("GET", "preferences").json()["Preferences"]
    assert prefs["AccountingInfoPrefs"]["BookCloseDate"] == "2026-10-31"


# Names


def test_a_customer_is_put_in_order(books):
    made = books.post(
        "Customer",
        {
            "DisplayName": " Fizz Bar Ltd ",
            "CompanyName": "Fizz Bar Ltd",
            "BillAddr": {"Line1": " 1 Pier Road", "Country": "gb", "Lat": "53.8", "Long": "-1.5"},
            "ShipAddr": {"Country": "Ireland"},
        },
    )
    assert made["DisplayName"] == made["FullyQualifiedName"] == "Fizz Bar Ltd"
    assert made["PrintOnCheckName"] == "Fizz Bar Ltd"
    assert set(made["BillAddr"]) == {"Id", "Line1", "Country"}
    assert made["BillAddr"]["Line1"] == "1 Pier Road"
    assert (made["BillAddr"]["Country"], made["ShipAddr"]["Country"]) == ("GBR", "IRL")
    assert (made["SyncToken"], made["Active"], made["Balance"]) == ("0", True, 0)
    assert made["MetaData"]["CreateTime"] == "2026-11-20T02:00:00-08:00"


def test_names_are_one_list_for_all_people():
    books = Books(vendors=["Can Maker Ltd"], employees=["Bo Vale"])
    assert books.refused("Customer", {"DisplayName": "Can Maker Ltd"}) == "6240"
    assert books.refused("Customer", {"GivenName": "Bo", "FamilyName": "Vale"}) == "6240"
    assert books.post("Customer", {"GivenName": "Ada", "FamilyName": "Quill"})["DisplayName"]


def test_an_update_needs_the_last_state(books):
    row = books.get("Customer", CUSTOMER)
    changed = books.post("Customer", last(row, sparse=True, Notes="pallets only"))
    assert (changed["SyncToken"], changed["DisplayName"]) == ("1", "Corner Pop Ltd")
    assert books.refused("Customer", last(row, sparse=True, Notes="again")) == "5010"
    assert books.refused("Customer", {"Id": CUSTOMER, "sparse": True, "Notes": "x"}) == "2020"
    full = books.post("Customer", last(changed, DisplayName="Corner Pop Ltd"))
    assert "Notes" not in full
    assert "BillAddr" not in full


def test_a_blocked_name_stays_in_old_documents(books):
    invoice = books.post("Invoice", form())
    row = books.get("Item", COLA)
    books.post("Item", last(row, sparse=True, Active=False))
    assert books.refused("Invoice", form()) == "610"
    line = books.get("Invoice", invoice["Id"])["Line"][0]
    assert line["SalesItemLineDetail"]["ItemRef"]["value"] == COLA
    assert books.query("select * from Item where Sku = 'COLA330-C24'") == {}
    asked = "select * from Item where Sku = 'COLA330-C24' and Active in (true, false)"
    assert books.query(asked)["Item"][0]["Active"] is False


def test_the_price_of_an_item_is_changed_sparsely(books):
    row = books.get("Item", COLA)
    changed = books.post("Item", last(row, sparse=True, UnitPrice=12.12345678))
    assert changed["UnitPrice"] == Decimal("12.1234568")
    assert changed["Sku"] == "COLA330-C24"


def test_stock_is_read_and_not_written(books):
    row = books.get("Item", TONIC)
    assert books.refused("Item", last(row, sparse=True, QtyOnHand=50)) == "6000"
    invoice = books.post("Invoice", form(sale(28.2, item=TONIC, Qty=3, UnitPrice=9.4)))
    assert books.get("Item", TONIC)["QtyOnHand"] == 37
    assert books.get("Item", TONIC)["SyncToken"] == "0"
    books.post("CreditMemo", form(sale(9.4, item=TONIC, Qty=1, UnitPrice=9.4)))
    assert books.get("Item", TONIC)["QtyOnHand"] == 38
    lines = [sale(9.4, item=TONIC, Qty=1, UnitPrice=9.4)]
    invoice = books.post("Invoice", last(invoice, sparse=True, Line=lines))
    assert books.get("Item", TONIC)["QtyOnHand"] == 40
    books.post("Invoice", last(invoice), operation="void")
    assert books.get("Item", TONIC)["QtyOnHand"] == 41


@pytest.mark.parametrize("left_out", ["TrackQtyOnHand", "QtyOnHand", "InvStartDate"])
def test_a_stocked_item_needs_its_facts(books, left_out):
    item = {
        "Name": "Ginger beer",
        "Type": "Inventory",
        "TrackQtyOnHand": True,
        "QtyOnHand": 5,
        "InvStartDate": "2026-11-01",
        "AssetAccountRef": {"value": "81"},
        "ExpenseAccountRef": {"value": "80"},
        "IncomeAccountRef": {"value": "79"},
    }
    assert books.post("Item", item)["TrackQtyOnHand"] is True
    del item[left_out]
    assert books.refused("Item", item | {"Name": "Dandelion"}) == "2020"


# Money


def totals(row: dict[str, Any]) -> tuple[Decimal, Decimal]:
    return row["TotalAmt"], row["TxnTaxDetail"]["TotalTax"]


def subtotal(row: dict[str, Any]) -> Any:
    return next(one["Amount"] for one in row["Line"] if one["DetailType"] == "SubTotalLineDetail")


def test_tax_is_added_once_for_each_rate(books):
    lines = [sale(0.13) for _ in range(5)] + [sale(10.0, code="3"), sale(7.77, code=ZERO)]
    made = books.post("Invoice", form(*lines))
    assert totals(made) == (Decimal("19.05"), Decimal("0.63"))
    rates = {
        one["TaxLineDetail"]["TaxRateRef"]["value"]: (
            one["Amount"],
            one["TaxLineDetail"]["NetAmountTaxable"],
        )
        for one in made["TxnTaxDetail"]["TaxLine"]
    }
    assert rates == {
        "3": (Decimal("0.13"), Decimal("0.65")),
        "4": (Decimal("0.5"), Decimal("10.0")),
        "5": (0, Decimal("7.77")),
    }
    assert subtotal(made) == Decimal("18.42")
    assert made["GlobalTaxCalculation"] == "TaxExcluded"


def test_tax_included_counts_from_the_gross(books):
    lines = [
        sale(20.0, Qty=2, UnitPrice=10, TaxInclusiveAmt=24.0),
        sale(8.33, Qty=1, UnitPrice=8.3333333, TaxInclusiveAmt=9.99),
    ]
    made = books.post("SalesReceipt", form(*lines, GlobalTaxCalculation="TaxInclusive"))
    assert totals(made) == (Decimal("33.99"), Decimal("5.67"))
    (line,) = made["TxnTaxDetail"]["TaxLine"]
    assert line["TaxLineDetail"]["NetAmountTaxable"] == Decimal("28.32")
    detail = made["Line"][1]["SalesItemLineDetail"]
    assert (detail["TaxInclusiveAmt"], detail["UnitPrice"]) == (
        Decimal("9.99"),
        Decimal("8.3333333"),
    )
    alone = books.post("SalesReceipt", form(sale(8.33), GlobalTaxCalculation="TaxInclusive"))
    assert totals(alone) == (Decimal("10.0"), Decimal("1.67"))


def test_no_tax_where_it_is_not_applicable(books):
    made = books.post("Invoice", form(sale(code=""), GlobalTaxCalculation="NotApplicable"))
    assert totals(made) == (Decimal("25.0"), 0)
    assert "TaxLine" not in made["TxnTaxDetail"]


@pytest.mark.parametrize(
    ("mode", "after", "total", "tax"),
    [
        ("TaxExcluded", False, "115.0", "20.0"),
        ("TaxExcluded", True, "114.0", "19.0"),
        ("TaxInclusive", False, "115.0", "20.0"),
        ("TaxInclusive", True, "115.0", "19.17"),
    ],
)
def test_a_discount_before_or_after_the_tax(books, mode, after, total, tax):
    line = sale(100.0, **({"TaxInclusiveAmt": 120.0} if mode == "TaxInclusive" else {}))
    made = books.post(
        "Invoice", form(off(5.0), line, GlobalTaxCalculation=mode, ApplyTaxAfterDiscount=after)
    )
    assert totals(made) == (Decimal(total), Decimal(tax))
    assert made["Line"][-1]["DetailType"] == "DiscountLineDetail"
    assert made["Line"][-1]["DiscountLineDetail"]["DiscountAccountRef"]["value"] == "86"


def test_a_discount_is_shared_over_the_rates(books):
    lines = [sale(10.0), sale(10.0, code="3"), sale(10.0, code=ZERO), off(10.0)]
    made = books.post("Invoice", form(*lines, ApplyTaxAfterDiscount=True))
    bases = [one["TaxLineDetail"]["NetAmountTaxable"] for one in made["TxnTaxDetail"]["TaxLine"]]
    assert bases == [Decimal("6.67"), Decimal("6.67"), Decimal("6.66")]
    assert totals(made) == (Decimal("21.66"), Decimal("1.66"))


def test_a_discount_in_percent(books):
    detail = {"PercentBased": True, "DiscountPercent": 10}
    percent = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}
    made = books.post("Invoice", form(sale(33.33, code=ZERO), percent))
    assert totals(made) == (Decimal("30.0"), 0)
    assert made["Line"][-1]["Amount"] == Decimal("3.33")


def test_lines_are_put_in_the_vendors_order(books):
    shipping = sale(5.0, item="SHIPPING_ITEM_ID")
    note = {"DetailType": "DescriptionOnly", "Description": "ring twice"}
    given = [shipping, off(1.0), sale(10.0), note, sale(2.5, Qty=2)]
    made = books.post("Invoice", form(*given))
    kinds = [one["DetailType"].removesuffix("LineDetail") for one in made["Line"]]
    assert kinds == [
        "SalesItem",
        "DescriptionOnly",
        "SalesItem",
        "SubTotal",
        "Discount",
        "SalesItem",
    ]
    assert [one.get("LineNum") for one in made["Line"]] == [1, 2, 3, None, None, None]
    assert made["Line"][2]["SalesItemLineDetail"]["UnitPrice"] == Decimal("1.25")
    assert subtotal(made) == Decimal("12.5")
    assert totals(made) == (Decimal("20.0"), Decimal("3.5"))
    again = books.post("Invoice", last(made, sparse=True, Line=json.loads(written(made["Line"]))))
    assert again["Line"] == made["Line"]


def test_shipping_and_line_discounts_must_be_enabled():
    books = Books(allows_shipping=False, line_discounts=True)
    assert books.refused("Invoice", form(sale(5.0, item="SHIPPING_ITEM_ID"))) == "6000"
    made = books.post("Invoice", form(sale(22.5, Qty=2, UnitPrice=12.5, DiscountRate=10)))
    assert made["Line"][0]["SalesItemLineDetail"]["DiscountRate"] == 10
    assert books.post("Invoice", form(sale(24.0, Qty=2, UnitPrice=12.5, DiscountAmt=1)))


def test_a_bundle_has_lines_of_its_own(books):
    inner = [sale(12.5, Qty=1, UnitPrice=12.5), sale(9.4, item=TONIC, Qty=1, UnitPrice=9.4)]
    group = {"GroupItemRef": {"value": COLA}, "Quantity": 1, "Line": inner}
    bundle = {"DetailType": "GroupLineDetail", "GroupLineDetail": group}
    made = books.post("SalesReceipt", form(bundle))
    assert made["Line"][0]["Amount"] == subtotal(made) == Decimal("21.9")
    assert len(made["Line"][0]["GroupLineDetail"]["Line"]) == 2
    assert books.get("Item", TONIC)["QtyOnHand"] == 39


def test_amounts_and_prices_are_rounded(books):
    line = sale(2.345, Qty=7, UnitPrice=0.33571429)
    made = books.post("Invoice", form(line))["Line"][0]
    assert made["Amount"] == Decimal("2.35")
    assert made["SalesItemLineDetail"]["UnitPrice"] == Decimal("0.3357143")


def test_a_sent_tax_is_recomputed_unless_the_company_takes_it():
    body = form(sale(10.0), TxnTaxDetail={"TotalTax": 1.99})
    assert totals(Books().post("Invoice", body)) == (Decimal("12.0"), Decimal("2.0"))
    taking = Books(honours_total_tax=True)
    assert totals(taking.post("Invoice", body)) == (Decimal("11.99"), Decimal("1.99"))


def test_sales_tax_of_the_united_states():
    books = Books(**US)
    lines = [sale(10.0, code="TAX"), sale(5.0, code="NON"), sale(2.0, code="")]
    made = books.post("Invoice", form(*lines, TxnTaxDetail={"TotalTax": 5}))
    assert totals(made) == (Decimal("17.96"), Decimal("0.96"))
    assert "GlobalTaxCalculation" not in made
    assert books.refused("Invoice", form(GlobalTaxCalculation="TaxExcluded")) == "2010"
    assert books.refused("Invoice", form(sale(code="2"))) == "2500"


def test_a_company_of_several_currencies():
    customer = {"Id": "70", "DisplayName": "Bar Lyon", "CurrencyRef": {"value": "EUR"}}
    books = Books(multicurrency=True, currencies={"EUR": "0.8765"}, customers=[customer])
    made = books.post("Invoice", form(sale(10.0, code=ZERO), CustomerRef={"value": "70"}))
    assert (made["CurrencyRef"]["value"], made["ExchangeRate"]) == ("EUR", Decimal("0.8765"))
    assert (made["HomeTotalAmt"], made["HomeBalance"]) == (Decimal("8.77"), Decimal("8.77"))
    wrong = form(CustomerRef={"value": "70"}, CurrencyRef={"value": "GBP"})
    assert books.refused("Invoice", wrong) == "6000"
    assert (
        books.refused("Customer", {"DisplayName": "x", "CurrencyRef": {"value": "USD"}}) == "2500"
    )
    row = books.get("Customer", "70")
    other = last(row, sparse=True, CurrencyRef={"value": "GBP"})
    assert books.refused("Customer", other) == "6000"


# Documents


def test_own_numbers_are_taken_and_may_repeat(books):
    rows = [books.post("Invoice", form(DocNumber="WEB-10042")) for _ in range(2)]
    assert {row["DocNumber"] for row in rows} == {"WEB-10042"}
    assert len({row["Id"] for row in rows}) == 2
    assert "DocNumber" not in books.post("Invoice", form())


def test_a_company_that_numbers_itself_takes_no_number():
    books = Books(custom_txn_numbers=False)
    made = books.post("Invoice", form(DocNumber="WEB-10042"))
    assert made["DocNumber"] == "1001"
    assert books.post("SalesReceipt", form())["DocNumber"] == "1002"
    assert books.post("Invoice", last(made, sparse=True, DocNumber="X"))["DocNumber"] == "1001"
    prefs = books.call("GET", "preferences").json()["Preferences"]
    assert prefs["SalesFormsPrefs"]["CustomTxnNumbers"] is False


def test_a_company_that_warns_refuses_a_number_again():
    books = Books(warns_duplicate_numbers=True)
    made = books.post("Invoice", form(DocNumber="WEB-1"))
    assert books.refused("Invoice", form(DocNumber="WEB-1")) == "6140"
    assert books.post("SalesReceipt", form(DocNumber="WEB-1"))
    assert books.post("Invoice", last(made, sparse=True, PrivateNote="shop:1"))


def test_what_an_invoice_has_by_itself(books):
    made = books.post("Invoice", form(SalesTermRef={"value": "3"}))
    assert (made["TxnDate"], made["DueDate"]) == ("2026-11-20", "2026-12-20")
    assert made["CustomerRef"] == {"value": CUSTOMER, "name": "Corner Pop Ltd"}
    assert made["BillAddr"]["Line1"] == "8 Fizz Lane"
    assert made["CustomField"] == [{"DefinitionId": "1", "Name": "PO number", "Type": "StringType"}]
    assert (made["LinkedTxn"], made["EmailStatus"], made["sparse"]) == ([], "NotSet", False)
    named = books.post("Invoice", form(CustomField=[{"DefinitionId": "1", "StringValue": "PO 7"}]))
    assert named["CustomField"][0]["StringValue"] == "PO 7"


def test_a_sparse_update_replaces_all_lines(books):
    made = books.post("Invoice", form(sale(10.0), sale(5.0), PrivateNote="shop:1"))
    changed = books.post("Invoice", last(made, sparse=True, Line=[sale(7.0)]))
    assert totals(changed) == (Decimal("8.4"), Decimal("1.4"))
    assert (changed["PrivateNote"], changed["Balance"]) == ("shop:1", Decimal("8.4"))
    assert books.refused("Invoice", last(made, sparse=True, PrivateNote="x")) == "5010"
    full = books.post("Invoice", last(changed) | form())
    assert "PrivateNote" not in full
    assert books.refused("Invoice", last(full)) == "2020"


def test_money_in_full_in_part_and_too_much(books):
    invoice = books.post("Invoice", form())
    assert invoice["Balance"] == Decimal("30.0")
    part = books.post("Payment", paying(invoice["Id"], 10.0))
    row = books.get("Invoice", invoice["Id"])
    assert (row["Balance"], row["SyncToken"]) == (Decimal("20.0"), "1")
    assert row["LinkedTxn"] == [{"TxnId": part["Id"], "TxnType": "Payment"}]
    assert books.refused("Payment", paying(invoice["Id"], 20.01)) == "6000"
    assert books.refused("Payment", paying(invoice["Id"], 20.0, 19.99)) == "6000"
    rest = books.post("Payment", paying(invoice["Id"], 20.0, 26.5))
    assert rest["UnappliedAmt"] == Decimal("6.5")
    assert books.get("Invoice", invoice["Id"])["Balance"] == 0
    assert books.get("Customer", CUSTOMER)["Balance"] == Decimal("-6.5")
    stranger = paying(invoice["Id"], 1.0) | {"CustomerRef": {"value": OTHER}}
    assert books.refused("Payment", stranger) == "6000"


def test_a_line_twice_finds_what_the_first_left(books):
    invoice = books.post("Invoice", form())
    twice = paying(invoice["Id"], 20.0, 40.0)
    twice["Line"] *= 2
    assert books.refused("Payment", twice) == "6000"
    assert books.get("Invoice", invoice["Id"]) == invoice


def test_a_payment_is_changed_voided_and_deleted(books):
    invoice = books.post("Invoice", form())
    payment = books.post("Payment", paying(invoice["Id"], 30.0) | {"PrivateNote": "ch_77"})
    less = last(payment, sparse=True, TotalAmt=12.0, Line=paying(invoice["Id"], 12.0)["Line"])
    payment = books.post("Payment", less)
    assert books.get("Invoice", invoice["Id"])["Balance"] == Decimal("18.0")
    how = {"operation": "update", "include": "void"}
    voided = books.post("Payment", last(payment), **how)
    assert (voided["TotalAmt"], voided["Line"]) == (0, [])
    assert voided["PrivateNote"] == "Voided - ch_77"
    row = books.get("Invoice", invoice["Id"])
    assert (row["Balance"], row["LinkedTxn"]) == (Decimal("30.0"), [])
    assert books.refused("Payment", last(voided), **how) == "6000"
    second = books.post("Payment", paying(invoice["Id"], 5.0))
    gone = books.post("Payment", last(second), operation="delete")
    assert gone == {"domain": "QBO", "status": "Deleted", "Id": second["Id"]}
    assert books.get("Invoice", invoice["Id"])["Balance"] == Decimal("30.0")
    assert books.error(books.call("GET", f"payment/{second['Id']}")) == "610"


def test_a_credit_is_applied_by_a_payment_of_nothing(books):
    invoice = books.post("Invoice", form())
    memo = books.post("CreditMemo", form(sale(10.0)))
    assert memo["RemainingCredit"] == memo["Balance"] == Decimal("12.0")
    lines = [paying(invoice["Id"], 12.0)["Line"][0]]
    lines += paying(memo["Id"], 12.0, kind="CreditMemo")["Line"]
    nothing = {"CustomerRef": {"value": CUSTOMER}, "TotalAmt": 0, "Line": lines}
    books.post("Payment", nothing)
    assert books.get("Invoice", invoice["Id"])["Balance"] == Decimal("18.0")
    assert books.get("CreditMemo", memo["Id"])["RemainingCredit"] == 0
    assert books.refused("Payment", nothing) == "6000"
    only = nothing | {"Line": lines[:1]}
    assert books.refused("Payment", only) == "6000"


def test_an_invoice_is_voided_once(books):
    made = books.post("Invoice", form(PrivateNote="shop:1"))
    voided = books.post("Invoice", last(made), operation="void")
    assert totals(voided) == (0, 0)
    assert (voided["Balance"], voided["PrivateNote"]) == (0, "Voided - shop:1")
    assert voided["Line"][0]["SalesItemLineDetail"]["Qty"] == voided["Line"][0]["Amount"] == 0
    assert voided["DocNumber" if "DocNumber" in made else "Id"]
    assert books.refused("Invoice", last(made), operation="void") == "5010"
    assert books.refused("Invoice", last(voided), operation="void") == "6000"
    assert books.sandbox.accepted["invoice voided"] == 1


def test_what_is_paid_is_neither_voided_nor_deleted(books):
    made = books.post("Invoice", form())
    books.post("Payment", paying(made["Id"], 10.0))
    row = books.get("Invoice", made["Id"])
    for operation in ("void", "delete"):
        assert books.refused("Invoice", last(row), operation=operation) == "6000"
    assert books.refused("Invoice", last(row, sparse=True, Line=[sale(5.0)])) == "6000"


def test_a_receipt_is_voided_by_an_update(books):
    made = books.post("SalesReceipt", form())
    assert made["DepositToAccountRef"]["name"] == "Undeposited Funds"
    voided = books.post("SalesReceipt", last(made), operation="update", include="void")
    assert (voided["TotalAmt"], voided["PrivateNote"]) == (0, "Voided")


@pytest.mark.parametrize("kind", ["CreditMemo", "RefundReceipt", "Estimate", "Invoice"])
def test_documents_are_deleted(books, kind):
    account = {"DepositToAccountRef": {"value": "35"}} if kind == "RefundReceipt" else {}
    made = books.post(kind, form(**account))
    gone = books.post(kind, last(made), operation="delete")
    assert gone["status"] == "Deleted"
    assert books.all(kind) == []


def test_an_estimate_is_closed_by_its_invoice(books):
    estimate = books.post("Estimate", form())
    assert estimate["TxnStatus"] == "Pending"
    link = [{"TxnId": estimate["Id"], "TxnType": "Estimate"}]
    invoice = books.post("Invoice", form(LinkedTxn=link))
    assert invoice["LinkedTxn"] == link
    closed = books.get("Estimate", estimate["Id"])
    assert closed["TxnStatus"] == "Closed"
    assert closed["LinkedTxn"] == [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]
    assert books.refused("Invoice", form(LinkedTxn=link)) == "6000"


def test_a_receipt_may_do_without_a_customer():
    books = Books(receipt_needs_customer=False)
    assert "CustomerRef" not in books.post("SalesReceipt", {"Line": [sale()]})
    assert books.refused("Invoice", {"Line": [sale()]}) == "2020"


# Worked sequences


def test_a_paid_web_order(books):
    assert books.query("select * from Customer where DisplayName = 'Ada O\\'Quill'") == {}
    customer = books.post(
        "Customer",
        {"DisplayName": "Ada O'Quill", "PrimaryEmailAddr": {"Address": "ada@quill.example"}},
    )
    found = books.query("select * from Customer where DisplayName = 'Ada O\\'Quill'")
    assert found["Customer"][0]["Id"] == customer["Id"]
    (item,) = books.query("select * from Item where Sku = 'COLA330-C24'")["Item"]
    assert books.query("select * from SalesReceipt where DocNumber = 'WEB-10042'") == {}
    receipt = books.post(
        "SalesReceipt",
        {
            "DocNumber": "WEB-10042",
            "TxnDate": "2026-11-02",
            "CustomerRef": {"value": customer["Id"]},
            "PaymentMethodRef": {"value": "3"},
            "PaymentRefNum": "ch_77",
            "DepositToAccountRef": {"value": "35"},
            "Line": [sale(25.0, item=item["Id"], Qty=2, UnitPrice=12.5)],
            "PrivateNote": "shop:10042",
        },
        requestid="7f0c5d1e",
    )
    assert (receipt["TotalAmt"], receipt["Balance"]) == (Decimal("30.0"), 0)
    assert receipt["PaymentMethodRef"]["name"] == "Card"
    refund = form(DepositToAccountRef={"value": "35"}, PaymentRefNum="re_77")
    assert books.post("RefundReceipt", refund)["TotalAmt"] == receipt["TotalAmt"]
    partial = form(sale(3.0, item=REFUND, code="5"), DepositToAccountRef={"value": "35"})
    assert totals(books.post("RefundReceipt", partial)) == (Decimal("3.0"), 0)
    assert dict(books.sandbox.accepted) == {
        "customer created": 1,
        "salesreceipt created": 1,
        "refundreceipt created": 2,
    }


def test_a_wholesale_order_on_terms():
    books = Books(webhook_uri=HOOK)
    invoice = books.post("Invoice", form(SalesTermRef={"value": "3"}, DocNumber="SO-900"))
    books.tick()
    books.store.pay(invoice["Id"], {"amount": "30.00", "reference": "BACS 1"})
    types = [one["type"] for one in json.loads(books.deliveries[-1].body)]
    assert sorted(types) == ["qbo.invoice.updated.v1", "qbo.payment.created.v1"]
    assert books.get("Invoice", invoice["Id"])["Balance"] == 0
    assert books.sandbox.accepted["payment created"] == 0


def test_an_order_edited_before_it_is_paid(books):
    made = books.post("Invoice", form())
    books.store.edit("Invoice", made["Id"], {"PrivateNote": "call first"})
    edit = {"sparse": True, "Line": [sale(37.5, Qty=3, UnitPrice=12.5)]}
    assert books.refused("Invoice", last(made) | edit) == "5010"
    again = books.get("Invoice", made["Id"])
    changed = books.post("Invoice", last(again) | edit)
    assert (changed["TotalAmt"], changed["PrivateNote"]) == (Decimal("45.0"), "call first")


# Queries


@pytest.fixture(scope="module")
def many() -> Books:
    books = Books()
    for place in range(1, 6):
        note = f"WEB-{place}"
        books.post("Invoice", form(sale(float(place), code=ZERO), DocNumber=note))
        books.tick()
    return books


def numbers(books: Books, text: str) -> list[str]:
    return [row["DocNumber"][-1] for row in books.query(text).get("Invoice", [])]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("", "54321"),
        ("where DocNumber = 'WEB-2'", "2"),
        ("where docnumber = 'x'", None),
        ("WHERE TotalAmt > '3' ORDERBY TotalAmt", "45"),
        ("where TotalAmt >= '3' and TotalAmt < '5' order by TotalAmt desc", "43"),
        ("where DocNumber in ('WEB-1', 'WEB-3') orderby DocNumber asc", "13"),
        ("where DocNumber like 'WEB%' orderby DocNumber startposition 2 maxresults 2", "23"),
        ("where CustomerRef = '58' orderby Id MAXRESULTS 1", "1"),
        ("where CustomerRef = '59'", ""),
        ("where MetaData.LastUpdatedTime >= '2026-11-20T02:03:00-08:00' orderby Id", "45"),
        ("where MetaData.LastUpdatedTime >= '2026-11-20T10:03:00Z' orderby Id", "45"),
        ("where DocNumber = 'WEB-1' or DocNumber = 'WEB-2'", None),
        ("where DocNumber != 'WEB-1'", None),
        ("where PrivateNote = 'x'", None),
        ("where DocNumber = WEB", None),
        ("startposition 0", None),
        ("maxresults 0", None),
        ("maxresults 1001", None),
        ("maxresults 1000", "54321"),
        ("orderby PrivateNote", None),
        ("where", None),
        ("where DocNumber = 'WEB", None),
        ("where MetaData.LastUpdatedTime > 'yesterday'", None),
        ("join Customer", None),
    ],
)
def test_the_query_language(many, rest, expected):
    text = " ".join(("select * from Invoice", rest))
    if expected is None:
        assert many.error(many.call("GET", "query", query=text)) == "4001"
    else:
        assert "".join(numbers(many, text)) == expected


def test_pages_counts_and_columns(many):
    page = many.query("select * from Invoice startposition 2 maxresults 3")
    assert {name: page[name] for name in page if name != "Invoice"} == {
        "startPosition": 2,
        "maxResults": 3,
        "totalCount": 5,
    }
    assert many.query("select count(*) from Invoice") == {"totalCount": 5}
    assert many.query("select * from Invoice startposition 6") == {}
    (row,) = many.query("select Id, DocNumber from Invoice maxresults 1")["Invoice"]
    assert set(row) == {"Id", "DocNumber", "domain", "sparse"}


def test_a_hundred_rows_without_a_word_about_it(books):
    for place in range(101):
        books.post("Customer", {"DisplayName": f"Kiosk {place}"})
    assert len(books.query("select * from Customer")["Customer"]) == 100


def test_payments_are_found_by_their_reference(books):
    made = books.post("Invoice", form())
    books.post("Payment", paying(made["Id"], 30.0) | {"PaymentRefNum": "ch_77"})
    found = books.query("select * from Payment where PaymentRefNum = 'ch_77'")
    assert len(found["Payment"]) == 1
    asked = "select * from Payment where DocNumber = '1'"
    assert books.error(books.call("GET", "query", query=asked)) == "4001"


@pytest.mark.parametrize(
    ("kind", "id_"),
    [
        ("Account", "79"),
        ("TaxCode", VAT),
        ("TaxRate", "3"),
        ("PaymentMethod", "3"),
        ("Term", "3"),
        ("CompanyInfo", "9130350000000001"),
    ],
)
def test_settings_are_read_and_asked_for(books, kind, id_):
    row = books.get(kind, id_)
    assert row["domain"] == "QBO"
    assert row in books.all(kind)


def test_changes_since_with_what_was_deleted(books):
    kept = books.post("Invoice", form())
    gone = books.post("Invoice", form())
    books.tick()
    books.post("Invoice", last(gone), operation="delete")
    answer = books.call(
        "GET", "cdc", entities="Invoice,Payment", changedSince="2026-11-20T10:00:00Z"
    )
    invoices, payments = answer.json()["CDCResponse"][0]["QueryResponse"]
    assert payments == {}
    assert [row["Id"] for row in invoices["Invoice"]] == [kept["Id"], gone["Id"]]
    assert invoices["Invoice"][1] == {
        "domain": "QBO",
        "status": "Deleted",
        "Id": gone["Id"],
        "MetaData": {"LastUpdatedTime": "2026-11-20T02:01:00-08:00"},
    }


def test_changes_have_bounds():
    books = Books(cdc_limit=2)
    for _ in range(3):
        books.post("Invoice", form())
        books.tick()
    since = {"entities": "Invoice,Customer", "changedSince": "2026-11-20T00:00:00Z"}
    invoices, customers = books.call("GET", "cdc", **since).json()["CDCResponse"][0][
        "QueryResponse"
    ]
    assert (len(invoices["Invoice"]), customers) == (2, {})
    for wrong in (
        {"changedSince": "2026-10-20T00:00:00Z"},
        {"changedSince": "soon"},
        {"entities": "Invoice,Order"},
        {"entities": ""},
    ):
        assert books.error(books.call("GET", "cdc", **since | wrong)) == "4001"


def test_a_batch_fails_item_by_item(books):
    made = books.post("Invoice", form())
    items = [
        {"bId": "1", "operation": "create", "Invoice": form()},
        {"bId": "2", "operation": "create", "Customer": {"DisplayName": "Corner Pop Ltd"}},
        {"bId": "3", "Query": "select * from Item where Sku = 'TONIC-12'"},
        {"bId": "4", "operation": "void", "Invoice": last(made)},
        {"bId": "5", "operation": "delete", "Invoice": last(made)},
        {"bId": "6", "operation": "create"},
    ]
    answer = books.call("POST", "batch", {"BatchItemRequest": items})
    assert answer.status_code == 200
    done = answer.json()["BatchItemResponse"]
    assert [one["bId"] for one in done] == ["1", "2", "3", "4", "5", "6"]
    codes = [one.get("Fault", {"Error": [{"code": ""}]})["Error"][0]["code"] for one in done]
    assert codes == ["", "6240", "", "", "5010", "2010"]
    assert books.sandbox.accepted["invoice created"] == 2
    too_many = {"BatchItemRequest": items[:1] * 31}
    assert books.error(books.call("POST", "batch", too_many)) == "2010"
    assert books.error(books.call("POST", "batch", {})) == "2020"


# Webhooks

VECTORS = [
    (
        '[{"specversion":"1.0","id":"5f1c2a10-0000-4000-8000-000000000001","source":"intuit.test",'
        '"type":"qbo.invoice.updated.v1","datacontenttype":"application/json",'
        '"time":"2026-11-02T10:15:30.123456789Z","intuitentityid":"145",'
        '"intuitaccountid":"9130350000000001","data":{}}]',
        269,
        "6Mmlwnrygsjmb+KcuSawUC+2tzmPgGu7UHgfcqLBxC4=",
    ),
    (
        '{"eventNotifications":[{"realmId":"9130350000000001","dataChangeEvent":{"entities":'
        '[{"name":"Invoice","id":"145","operation":"Update",'
        '"lastUpdated":"2026-11-02T10:15:30.000Z"}]}}]}',
        180,
        "Y+5J0AWqwef/BYJyuF8Wzc0FFD1eConojxHMB++idBw=",
    ),
]


@pytest.mark.parametrize(("body", "size", "proof"), VECTORS)
def test_the_vendors_own_signatures(body, size, proof):
    assert len(body) == size
    assert sign("fizz-verifier-token", body.encode()) == proof


def test_a_change_is_told_thinly():
    books = Books(webhook_uri=HOOK, webhook_token="verifier")
    made = books.post("Invoice", form())
    (sent,) = books.deliveries
    (event,) = json.loads(sent.body)
    assert set(event) == {
        "specversion",
        "id",
        "source",
        "type",
        "datacontenttype",
        "time",
        "intuitentityid",
        "intuitaccountid",
        "data",
    }
    assert event["type"] == "qbo.invoice.created.v1"
    assert event["time"] == "2026-11-20T10:00:00.000000000Z"
    assert (event["intuitentityid"], event["data"]) == (made["Id"], {})
    proof = hmac.digest(b"verifier", sent.body, hashlib.sha256)
    assert sent.headers["intuit-signature"] == base64.b64encode(proof).decode()
    assert (sent.uri, sent.topic) == (HOOK, "Invoice.Create")


def test_the_classic_form():
    books = Books(webhook_uri=HOOK, webhook_form="classic")
    made = books.post("Invoice", form())
    books.post("Payment", paying(made["Id"], 30.0))
    books.post("Invoice", last(books.post("Invoice", form())), operation="void")
    told = [[(one["name"], one["operation"]) for one in entities(body)] for body in books.bodies()]
    assert told == [
        [("Invoice", "Create")],
        [("Invoice", "Update"), ("Payment", "Create")],
        [("Invoice", "Create")],
        [("Invoice", "Void")],
    ]
    assert entities(books.bodies()[0])[0]["lastUpdated"] == "2026-11-20T10:00:00.000Z"


def entities(body: dict[str, Any]) -> list[dict[str, str]]:
    (note,) = body["eventNotifications"]
    assert note["realmId"] == "9130350000000001"
    return note["dataChangeEvent"]["entities"]


def test_only_what_was_subscribed_is_told():
    books = Books(webhook_uri=HOOK, webhook_entities=["Payment"])
    made = books.post("Invoice", form())
    assert books.deliveries == []
    books.post("Payment", paying(made["Id"], 30.0))
    assert [event["type"] for event in books.bodies()[0]] == ["qbo.payment.created.v1"]
    assert Books().deliveries == []


def test_what_failed_is_told_to_nobody():
    books = Books(webhook_uri=HOOK)
    books.refused("Invoice", form(sale(code="")))
    books.post("Invoice", form(), requestid="r1")
    books.post("Invoice", form(), requestid="r1")
    assert len(books.deliveries) == 1


def test_many_unknown_and_repeated_events_in_any_order():
    books = Books(webhook_uri=HOOK)
    told = [
        {"entity": "Invoice", "id": "145", "operation": "Update"},
        {"entity": "Bill", "id": "9", "operation": "Approve"},
        {"entity": "Invoice", "id": "145", "operation": "Update"},
    ]
    books.control("POST", "events", {"events": told})
    books.control("POST", "events", {"events": told[:1]})
    types = [event["type"] for event in books.bodies()[0]]
    assert types == ["qbo.invoice.updated.v1", "qbo.bill.Approve.v1", "qbo.invoice.updated.v1"]
    sent: list[str] = []
    books.sandbox.outbox.post = lambda delivery: sent.append(delivery.id) or 200
    first, second = (one.id for one in books.deliveries)
    answer = books.control("POST", "deliveries/send", {"ids": [second, first, first]})
    assert answer.json() == {"statuses": [200, 200, 200]}
    assert sent == [second, first, first]


def test_only_200_is_an_answer():
    books = Books(webhook_uri=HOOK)
    books.post("Invoice", form())
    books.sandbox.outbox.post = lambda _: 202
    books.sandbox.outbox.send([books.deliveries[0].id])
    assert books.deliveries[0].status == "waiting"


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*__*.json")), ids=lambda path: path.stem)
def test_recorded_deliveries_have_the_vendors_form(path):
    fixture = json.loads(path.read_text())
    assert fixture["origin"] == "documented"
    assert "intuit-signature" not in {name.lower() for name in fixture["headers"]}
    body = json.loads(fixture["body"])
    if isinstance(body, list):
        for event in body:
            assert event["specversion"] == "1.0"
            assert event["type"].startswith("qbo.")
            assert isinstance(event["intuitentityid"], str)
    else:
        for note in body["eventNotifications"]:
            assert note["dataChangeEvent"]["entities"]


# What people do


def test_people_ship_pay_and_credit(books):
    lines = [sale(25.0, Qty=2, UnitPrice=12.5), sale(9.4, item=TONIC, Qty=1, UnitPrice=9.4)]
    made = books.post("Invoice", form(*lines))
    at = f"invoices/{made['Id']}"
    part = {"lines": [{"sku": "COLA330-C24", "quantity": 1}]}
    assert books.control("POST", f"{at}/ship", part).status_code == 422
    shipped = books.control("POST", f"{at}/ship", {"carrier": "Dray", "tracking": "T-1"}).json()
    assert shipped["record"]["ShipMethodRef"]["value"] == "Dray"
    assert (shipped["record"]["TrackingNum"], shipped["record"]["ShipDate"]) == (
        "T-1",
        "2026-11-20",
    )
    credit = {"lines": [{"sku": "COLA330-C24", "quantity": 1}], "apply": True}
    memo = books.control("POST", f"{at}/return", credit).json()["record"]
    assert memo["TotalAmt"] == 15.0
    assert memo["RemainingCredit"] == 0
    paid = books.control("POST", f"{at}/pay", {"amount": "20.00", "reference": "BACS 2"}).json()
    assert paid["record"]["PaymentRefNum"] == "BACS 2"
    assert books.get("Invoice", made["Id"])["Balance"] == Decimal("6.28")
    goodwill = books.control("POST", f"{at}/credit", {"amount": "1.50"}).json()["record"]
    assert goodwill["TotalAmt"] == 1.5
    assert [name for name in books.sandbox.accepted if books.sandbox.accepted[name]] == [
        "invoice created"
    ]
    records = books.control("GET", "records/invoice").json()
    assert [row["Id"] for row in records] == [made["Id"]]


def test_people_refund_cancel_and_delete(books):
    receipt = books.post("SalesReceipt", form())
    refund = books.control("POST", f"salesreceipt/{receipt['Id']}/credit", {}).json()["record"]
    assert (refund["TotalAmt"], refund["DepositToAccountRef"]["value"]) == (30.0, "4")
    done = books.control("POST", f"salesreceipt/{receipt['Id']}/cancel").json()["record"]
    assert done["PrivateNote"] == "Voided"
    gone = books.control("POST", f"refundreceipt/{refund['Id']}/delete").json()
    assert gone["record"]["status"] == "Deleted"
    estimate = books.post("Estimate", form())
    invoiced = books.control("POST", f"estimate/{estimate['Id']}/invoice").json()["record"]
    assert invoiced["LinkedTxn"][0]["TxnType"] == "Estimate"
    mailed = books.control("POST", f"invoice/{invoiced['Id']}/email").json()["record"]
    assert mailed["EmailStatus"] == "EmailSent"


def test_people_change_names_stock_and_prices():
    books = Books(webhook_uri=HOOK)
    stock = books.control("POST", "items/TONIC-12/stock", {"quantity": 12}).json()
    assert stock["record"]["QtyOnHand"] == 12
    price = books.control("POST", "items/COLA330-C24/price", {"price": "13.20"}).json()
    assert price["record"]["UnitPrice"] == 13.2
    merged = books.control("POST", f"customer/{OTHER}/merge", {"into": CUSTOMER}).json()
    assert merged["record"]["Active"] is False
    blocked = books.control("POST", f"customer/{CUSTOMER}/block").json()
    assert blocked["record"]["Active"] is False
    new = books.control("POST", "records/customer", {"DisplayName": "Fizz Bar Ltd"})
    assert new.status_code == 201
    types = [event["type"] for body in books.bodies() for event in body]
    assert types == [
        "qbo.item.updated.v1",
        "qbo.item.updated.v1",
        "qbo.customer.merged.v1",
        "qbo.customer.updated.v1",
        "qbo.customer.created.v1",
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("invoice/999/pay", {}, 404),
        ("invoice/{id}/post", {}, 404),
        ("orders/1/cancel", {}, 404),
        ("creditmemo/1/cancel", {}, 404),
        ("invoice/{id}/pay", {"amount": "much"}, 422),
        ("invoice/{id}/pay", {"amount": "NaN"}, 422),
        ("invoice/{id}/pay", {"amount": 0}, 422),
        ("invoice/{id}/edit", {"Colour": "red"}, 422),
        ("invoice/{id}/credit", {"lines": [{"sku": "LEMON", "quantity": 1}]}, 422),
        ("invoice/{id}/credit", {"lines": [{"sku": "COLA330-C24", "quantity": 3}]}, 422),
        ("items/COLA330-C24/stock", {"quantity": 1}, 422),
        ("items/TONIC-12/stock", {}, 422),
        ("items/TONIC-12/stock", {"quantity": 1, "location": "Leeds"}, 422),
        ("items/LEMON/price", {"price": 1}, 422),
        ("customer/58/merge", {}, 422),
    ],
)
def test_wrong_acts_of_people(books, path, body, status):
    made = books.post("Invoice", form())
    answer = books.control("POST", path.format(id=made["Id"]), body)
    assert (answer.status_code, set(answer.json())) == (status, {"error"})


def test_the_sandbox_starts_afresh(books):
    books.post("Invoice", form(), requestid="r1")
    books.token()
    assert books.control("PUT", "webhook_uri", {"uri": HOOK}).status_code == 204
    assert books.control("GET", "accepted").json() == {"invoice created": 1, "token refreshed": 1}
    assert books.control("POST", "reset").status_code == 204
    assert books.query("select * from Invoice") == {}
    assert books.token().status_code == 200
    assert books.control("GET", "records/nothing").status_code == 404
    with pytest.raises(KeyError):
        make({"realm": "1"})
