"""The NetSuite sandbox behaves as the vendor's SOAP web services do."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from platforms.netsuite_soap.sandbox import make
from platforms.netsuite_soap.sandbox_desk import NoSuchActError
from platforms.netsuite_soap.sandbox_soap import NS
from platforms.netsuite_soap.sandbox_types import KINDS, SCHEMAS, RefusalError
from sandbox.faults import Fault
from tests.platforms.netsuite_soap.netsuite_soap_world import (
    CAFE,
    FULL,
    PATH,
    Keys,
    NetSuite,
    enveloped,
    found,
    line,
    order,
    parsed,
    plain,
    record,
    status,
    world,
)

VENDOR = Path(__file__).parents[4] / "shared" / "platforms"
SAMPLES = VENDOR / "samples" / "netsuite_soap"
SPECS = VENDOR / "specs" / "netsuite_soap"
needs_vendor = pytest.mark.skipif(
    not VENDOR.is_dir(), reason="the vendor's samples and specs are not on this machine"
)
MESSAGES, CORE = f"{{{NS['messages']}}}", f"{{{NS['core']}}}"
REF = '<baseRef xsi:type="c:RecordRef" type="{}" internalId="{}"/>'
KEYED = '<baseRef xsi:type="c:RecordRef" type="{}" externalId="{}"/>'
PREFERENCES = "<preferences>{}</preferences>"
EMPTY_GET = "<get>" + REF.format("customer", "1") + "</get>"


@pytest.fixture
def ns() -> NetSuite:
    return world()


@pytest.fixture
def placed(ns):
    """An order of two lines: 12 cases of cola, 2 crates of deposit."""
    return ns, ns.made("upsert", "SalesOrder", order(line(), line("2", "3.00", "58")), **KEY)


KEY = {"externalId": "shopify:1001"}


def items(*rows: str, replaces: str = "true") -> str:
    return f'<s:itemList replaceAll="{replaces}">{"".join(rows)}</s:itemList>'


def at(number: int, more: str) -> str:
    return f"<s:item><s:line>{number}</s:line>{more}</s:item>"


# Authentication.


def test_the_vectors_signature():
    keys = Keys(
        "1234567_SB1",
        "ck_demo_fizz_0001",
        "cs_demo_fizz_0002",
        "tk_demo_fizz_0003",
        "ts_demo_fizz_0004",
    )
    signature = keys.signature("Qw8ErTy12UiOpAs9DfGh", "1795435200")
    assert signature == "92Rxota0SbzprBIcfz5czp6WwGsow0DOXEEghpfJgU8="
    token = {"consumer_key": keys.consumer, "consumer_secret": keys.consumer_secret}
    token |= {"token": keys.token, "token_secret": keys.token_secret}
    ns = NetSuite(keys, account="1234567_SB1", tokens=[token])
    ns.now = datetime.fromtimestamp(1795435200, UTC)
    passport = keys.passport("Qw8ErTy12UiOpAs9DfGh", "1795435200", signature=signature)
    answer = ns.send("getServerTime", "<getServerTime/>", passport)
    assert answer.status_code == 200
    again = ns.send("getServerTime", "<getServerTime/>", passport)
    assert ns.fault(again)[:2] == ("invalidCredentialsFault", "INVALID_LOGIN_ATTEMPT")


def test_a_nonce_is_used_once_and_time_is_within_five_minutes(ns):
    second = int(ns.now.timestamp())
    for skew, status_code in ((299, 200), (-299, 200), (300, 500), (-301, 500)):
        passport = ns.keys.passport(f"nonce{skew % 1000}", str(second + skew))
        assert ns.send("getServerTime", "<getServerTime/>", passport).status_code == status_code


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "bm90IGl0"},
        {"algorithm": "HMAC-SHA1"},
        {"account": "7654321-sb2"},
        {"account": "1234567"},
        {"consumerKey": "ck_other"},
        {"token": "tk_other"},
        {"timestamp": "soon"},
    ],
)
def test_a_wrong_passport_is_refused(ns, changes):
    answer = ns.send("get", EMPTY_GET, ns.passport(**changes))
    assert ns.fault(answer) == (
        "invalidCredentialsFault",
        "INVALID_LOGIN_ATTEMPT",
        "Invalid login attempt.",
    )


@pytest.mark.parametrize("nonce", ["short", "a" * 65, "with-hyphen"])
def test_a_nonce_is_six_to_sixty_four_letters_and_digits(ns, nonce):
    passport = ns.keys.passport(nonce, str(int(ns.now.timestamp())))
    assert ns.fault(ns.send("get", EMPTY_GET, passport))[1] == "INVALID_LOGIN_ATTEMPT"


def test_a_passport_signed_with_sha1_is_refused(ns):
    second = str(int(ns.now.timestamp()))
    weak = ns.keys.signature("abcdefgh", second, hashlib.sha1)
    for algorithm in ("HMAC-SHA1", "HMAC-SHA256"):
        passport = ns.keys.passport("abcdefgh", second, signature=weak, algorithm=algorithm)
        assert ns.send("get", EMPTY_GET, passport).status_code == 500


def test_no_passport_no_entry_and_one_credential_only(ns):
    assert ns.fault(ns.send("get", EMPTY_GET, ""))[0] == "invalidCredentialsFault"
    info = "<applicationInfo><applicationId>A</applicationId></applicationInfo>"
    answer = ns.send("get", EMPTY_GET, ns.passport() + info)
    assert ns.fault(answer)[:2] == ("invalidCredentialsFault", "USER_ERROR")


def test_a_role_without_soap_and_a_role_without_a_permission():
    token = {"consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox"}
    token |= {"token": "tk_sandbox", "token_secret": "ts_sandbox"}
    ns = NetSuite(tokens=[token | {"is_soap_allowed": False}])
    fault = ns.fault(ns.send("get", EMPTY_GET))
    assert fault[:2] == ("insufficientPermissionFault", "WS_PERMISSION_REQD")
    ns = NetSuite(tokens=[token | {"denied": ["customer.add"]}])
    refused = ns.refused("upsert", "Customer", CAFE, externalId="cust:corner")
    assert refused.code == "INSUFFICIENT_PERMISSION"


# Transport.


def test_the_envelope_and_its_headers_are_looked_at(ns):
    assert ns.http.get(PATH).status_code == 405
    assert ns.http.post("/services/Other", content="x").status_code == 404
    assert "no SOAPAction" in ns.fault(ns.send("get", EMPTY_GET, SOAPAction=""))[2]
    wrong = ns.send("get", EMPTY_GET, SOAPAction='"update"')
    assert "No such operation" in ns.fault(wrong)[2]
    assert ns.send("get", EMPTY_GET, SOAPAction="get").status_code == 200
    json_kind = {"Content-Type": "application/soap+xml"}
    assert ns.send("get", EMPTY_GET, **json_kind).status_code == 415
    old = ns.http.post(PATH.replace("2025_2", "2015_1"), content="x")
    assert ns.fault(old)[:2] == ("invalidVersionFault", "INVALID_VERSION")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda text: text.replace("messages_2025_2", "messages_2025_1"), "invalidVersionFault"),
        (lambda text: text.replace("core_2025_2", "core_2019_2"), "invalidVersionFault"),
        (lambda text: text.replace("urn:messages_2025_2", "urn:news_2025_2"), ""),
        (lambda text: text[:-20], ""),
        (lambda text: text.replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>', 1), ""),
        (lambda text: text.replace("envelope/", "envelop/"), ""),
        (lambda text: text.replace('"c:RecordRef"', '"z:RecordRef"'), ""),
        (lambda text: text.replace('"c:RecordRef"', '"cm:RecordRef"'), ""),
        (lambda text: text.replace('type="customer"', 'type="pudding"'), ""),
        (lambda text: text.replace("<get>", "<get><other/>"), ""),
    ],
)
def test_a_message_that_cannot_be_read_is_a_fault(ns, change, kind):
    content = change(enveloped(EMPTY_GET, ns.passport())).encode()
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": "get"}
    assert ns.fault(ns.http.post(PATH, content=content, headers=headers))[0] == kind


def test_prefixes_change_from_answer_to_answer(ns):
    texts = [ns.send("get", EMPTY_GET.replace('"1"', '"730"')).text for _ in range(3)]
    heads = [re.search(r"<(\w*:?)getResponse", text)[1] for text in texts]
    assert len(set(heads)) == 2
    assert len({re.search(r"<(\w*:?)altName", text)[1] for text in texts}) == 3
    roots = [parsed(text) for text in texts]
    records = [next(root.iter(f"{MESSAGES}record")) for root in roots]
    assert all(plain(one) == plain(records[0]) for one in records)


def test_where_the_account_lives_is_told_to_anybody(ns):
    answer = ns.http.get("/rest/datacenterurls", params={"account": "7654321_SB2"})
    assert answer.json()["webservicesDomain"] == "https://7654321-sb2.suitetalk.erp.example"
    asked = "<getDataCenterUrls><account>7654321_SB2</account></getDataCenterUrls>"
    result = ns.opened(ns.send("getDataCenterUrls", asked, ""), "getDataCenterUrls")
    assert result.findtext(f"{CORE}dataCenterUrls/{CORE}systemDomain") == (
        "https://7654321-sb2.app.erp.example"
    )


# Limits and faults.


def test_calls_of_others_count_too(ns):
    ns.http.put("/_sandbox/load", json={"busy": 4})
    assert ns.send("get", EMPTY_GET).status_code == 200
    ns.http.put("/_sandbox/load", json={"busy": 5})
    assert ns.fault(ns.send("get", EMPTY_GET)) == (
        "exceededConcurrentRequestLimitFault",
        "WS_REQUEST_BLOCKED",
        "SuiteTalk concurrent request limit exceeded. Request blocked.",
    )
    ns.http.put("/_sandbox/load", json={"busy": 0})
    assert ns.send("get", EMPTY_GET).status_code == 200


def test_more_than_five_calls_at_once_are_blocked():
    ns = world(work_ms=150, concurrency_faults=["blocked", "session"])
    passports = [ns.passport() for _ in range(8)]
    faults = []

    def ask(passport):
        answer = ns.send("get", EMPTY_GET, passport)
        if answer.status_code != 200:
            faults.append(ns.fault(answer)[1])

    threads = [threading.Thread(target=ask, args=(one,)) for one in passports]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(set(faults)) == ["WS_CONCUR_SESSION_DISALLWD", "WS_REQUEST_BLOCKED"]
    assert len(faults) == 3
    assert ns.send("get", EMPTY_GET).status_code == 200


TROUBLES = {
    "session": ("exceededRequestLimitFault", "WS_CONCUR_SESSION_DISALLWD"),
    "unexpected": ("unexpectedErrorFault", "UNEXPECTED_ERROR"),
    "maintenance": ("unexpectedErrorFault", "ACCT_TEMP_UNAVAILABLE"),
    "invalidation": ("unexpectedErrorFault", "UNEXPECTED_ERROR"),
    "pool": ("unexpectedErrorFault", "UNEXPECTED_ERROR"),
    "null_pointer": ("", ""),
    "illegal_state": ("", ""),
    "concurrent_modification": ("", ""),
    "permission": ("insufficientPermissionFault", "WS_PERMISSION_REQD"),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_fault_may_stand_for_a_write_that_was_done(ns, name):
    arm = [{"fault": name, "operation": "upsert", "commits": True}, {"fault": name}]
    assert ns.http.post("/_sandbox/troubles", json=arm).status_code == 201
    body = f"<upsert>{record('SalesOrder', order(), **KEY)}</upsert>"
    assert ns.fault(ns.send("upsert", body))[:2] == TROUBLES[name]
    assert ns.sandbox.accepted == {"salesorder created": 1}
    assert ns.fault(ns.send("upsert", body))[:2] == TROUBLES[name]
    assert ns.sandbox.accepted == {"salesorder created": 1}
    assert ns.send("upsert", body).status_code == 200
    assert ns.sandbox.accepted["salesorder created"] == 1


def test_gateways_answer_in_html_and_unknown_faults_are_refused(ns):
    arm = [{"fault": "bad_gateway"}, {"fault": "unavailable"}]
    ns.http.post("/_sandbox/troubles", json=arm)
    answers = [ns.send("get", EMPTY_GET) for _ in range(2)]
    assert [one.status_code for one in answers] == [502, 503]
    assert answers[0].headers["content-type"].startswith("text/html")
    assert ns.http.post("/_sandbox/troubles", json=[{"fault": "flood"}]).status_code == 422


def test_a_list_may_be_cut_off_half_done(ns):
    ns.http.post("/_sandbox/troubles", json=[{"fault": "unexpected", "commits": 2}])
    records = "".join(record("SalesOrder", order(), externalId=f"k:{n}") for n in range(4))
    answer = ns.send("upsertList", f"<upsertList>{records}</upsertList>")
    assert ns.fault(answer)[0] == "unexpectedErrorFault"
    assert ns.sandbox.accepted == {"salesorder created": 2}
    result = ns.call("upsertList", records)
    assert [one.ok for one in map(status, result.findall(f"{MESSAGES}writeResponse"))] == [True] * 4
    assert ns.sandbox.accepted == {"salesorder created": 4, "salesorder updated": 2}


def test_the_server_finishes_what_it_received():
    ns = world(work_ms=1500)
    fault = Fault("give_up", on=PATH, seconds=0.5)
    ns.sandbox.faults.arm(fault)
    with pytest.raises(Exception, match="no answer in time"):
        ns.write("upsert", "SalesOrder", order(), **KEY)
    assert ns.sandbox.accepted == {}
    ns.sandbox.workers.shutdown(wait=True)
    assert ns.sandbox.accepted == {"salesorder created": 1}


@pytest.mark.parametrize("kind", ["commit_then_silence", "commit_then_reset", "truncate"])
def test_a_fault_after_the_commit_leaves_the_record(ns, kind):
    ns.sandbox.faults.arm(Fault(kind, on=PATH, body_contains="shopify:1001"))
    with pytest.raises(Exception, match=r"answer|reset|element|token|tag"):
        ns.made("upsert", "SalesOrder", order(), **KEY)
    assert ns.sandbox.accepted == {"salesorder created": 1}
    ns.made("upsert", "SalesOrder", order(), **KEY)
    assert ns.sandbox.accepted == {"salesorder created": 1, "salesorder updated": 1}


def test_lists_and_requests_have_a_size():
    ns = world(list_limit=3, line_limit=2, request_bytes=20_000)
    rows = "".join(record("SalesOrder", order(), externalId=f"k:{n}") for n in range(4))
    fault = ns.fault(ns.send("upsertList", f"<upsertList>{rows}</upsertList>"))
    assert fault[:2] == ("exceededRecordCountFault", "MAX_RCRDS_EXCEEDED")
    assert ns.refused("upsert", "SalesOrder", order(line(), line(), line()), **KEY).code
    big = order(more=f"<s:memo>{'x' * 20_000}</s:memo>")
    answer = ns.send("add", f"<add>{record('SalesOrder', big)}</add>")
    assert ns.fault(answer)[0] == "exceededRequestSizeFault"
    assert ns.sandbox.accepted == {}


# Orders.


def test_an_order_is_completed_and_added_up(placed):
    ns, number = placed
    shown = ns.get("salesOrder", number)
    assert shown["tranId"] == "SO1001"
    assert shown["status"] == "Pending Fulfillment"
    assert shown["subTotal"] == "121.2"
    assert shown["taxTotal"] == "23.04"
    assert shown["total"] == "144.24"
    assert shown["tranDate"] == "2026-11-20T00:00:00.000-08:00"
    assert shown["createdDate"].endswith(".000-08:00")
    first, second = shown["itemList"]
    assert first["units"] == "3"
    assert (first["line"], first["rate"], first["amount"]) == ("1", "9.60", "115.2")
    assert (second["line"], second["tax1Amt"], second["grossAmt"]) == ("2", "0.0", "6.0")
    assert shown["shippingAddress"]["addrText"] == "Ada Quill\n4 Quay Road\nHull HU1 1AA"
    assert ns.sandbox.accepted == {"salesorder created": 1}


def test_upsert_with_the_same_key_changes_the_same_order(placed):
    ns, number = placed
    ns.tick()
    memo = order(more="<s:memo>  ring twice </s:memo>")
    assert ns.made("upsert", "SalesOrder", memo, **KEY) == number
    shown = ns.get("salesOrder", number)
    assert shown["memo"] == "ring twice"
    assert [one["line"] for one in shown["itemList"]] == ["3"]
    assert shown["lastModifiedDate"] > shown["createdDate"]


def test_upsert_takes_only_an_external_id(ns):
    with_both = ns.refused("upsert", "SalesOrder", order(), internalId="5", **KEY)
    assert (with_both.code, with_both.details[0][0]) == ("INVALID_KEY_OR_REF", "ERROR")
    assert ns.refused("upsert", "SalesOrder", order()).code == "INVALID_KEY_OR_REF"


def test_a_refused_upsert_names_the_key_it_was_given(ns):
    answer = ns.write("upsert", "SalesOrder", order(line(item="999")), **KEY)
    assert status(answer).code == "INVALID_KEY_OR_REF"
    ref = answer.find(f"{MESSAGES}baseRef")
    assert (ref.get("externalId"), ref.get("internalId")) == ("shopify:1001", None)
    assert ref.get("type") == "salesOrder"


def test_adding_twice_is_refused_where_there_is_a_key_and_not_where_there_is_none(ns):
    ns.made("add", "SalesOrder", order(), **KEY)
    assert ns.refused("add", "SalesOrder", order(), **KEY).code == "DUP_RCRD"
    assert ns.made("add", "SalesOrder", order()) != ns.made("add", "SalesOrder", order())


def test_an_external_id_belongs_to_one_transaction_unless_the_seed_says_by_type(placed):
    ns, number = placed
    deposit = f'<t:salesOrder internalId="{number}"/><t:payment>5</t:payment>'
    assert ns.refused("upsert", "CustomerDeposit", deposit, **KEY).code == "DUP_RCRD"
    other = world(external_ids="type")
    number = other.made("upsert", "SalesOrder", order(), **KEY)
    deposit = f'<t:salesOrder internalId="{number}"/><t:payment>5</t:payment>'
    assert other.made("upsert", "CustomerDeposit", deposit, **KEY)


def test_replace_all_false_merges_by_line_and_true_takes_the_rest_away(placed):
    ns, number = placed
    edit = items(at(1, "<s:quantity>5</s:quantity>"), line("1", "2.00"), replaces="false")
    ns.made("update", "SalesOrder", edit, internalId=number)
    lines = ns.get("salesOrder", number)["itemList"]
    assert [(one["line"], one["quantity"], one["amount"]) for one in lines] == [
        ("1", "5.0", "48.0"),
        ("2", "2.0", "6.0"),
        ("3", "1.0", "2.0"),
    ]
    ns.made("update", "SalesOrder", items(at(2, "")), internalId=number)
    lines = ns.get("salesOrder", number)["itemList"]
    assert [(one["line"], one["quantity"]) for one in lines] == [("2", "2.0")]


def test_without_replace_all_every_line_not_named_goes(placed):
    ns, number = placed
    silent = items(line("1", "2.00")).replace(' replaceAll="true"', "")
    ns.made("update", "SalesOrder", silent, internalId=number)
    assert [one["line"] for one in ns.get("salesOrder", number)["itemList"]] == ["3"]


def test_a_line_that_is_not_there_is_refused(placed):
    ns, number = placed
    edit = items(at(9, "<s:quantity>5</s:quantity>"), replaces="false")
    refused = ns.refused("update", "SalesOrder", edit, internalId=number)
    assert refused.code == "USER_ERROR"
    assert "[line] and value: [9]" in refused.details[0][2]


def test_a_price_level_beats_the_rate_unless_it_is_the_custom_one(ns):
    listed = line("2", "1.00").replace('<s:price internalId="-1"/>', "")
    many = line("100", "1.00").replace('internalId="-1"', 'internalId="1"')
    trade = line("2", "1.00").replace('internalId="-1"', 'internalId="5"')
    can = line("24", "1").replace('internalId="-1"', 'internalId="1"')
    can = can.replace("</s:quantity>", '</s:quantity><s:units internalId="1"/>')
    number = ns.made("add", "SalesOrder", order(listed, many, trade, can, line("2", "1")))
    rates = [one["rate"] for one in ns.get("salesOrder", number)["itemList"]]
    assert rates == ["9.60", "9.20", "9.10", "0.40", "1.00"]


def test_an_amount_gives_the_rate_and_cents_are_rounded_half_up(ns):
    amount = line("3").replace("<s:rate>9.60</s:rate>", "<s:amount>10.00</s:amount>")
    fine = line("3", "0.335")
    number = ns.made("add", "SalesOrder", order(amount, fine))
    first, second = ns.get("salesOrder", number)["itemList"]
    assert (first["rate"], first["amount"]) == ("3.33333333", "10.0")
    assert (second["rate"], second["amount"], second["tax1Amt"]) == ("0.335", "1.01", "0.2")


def test_discounts_and_shipping_bear_their_own_tax(ns):
    more = '<s:discountItem internalId="59"/><s:discountRate>-10%</s:discountRate>'
    more += '<s:shippingCost>15.005</s:shippingCost><s:shippingTaxCode internalId="10"/>'
    shown = ns.get("salesOrder", ns.made("add", "SalesOrder", order(more=more)))
    assert shown["discountTotal"] == "-11.52"
    assert shown["shippingCost"] == "15.01"
    assert shown["taxTotal"] == str(Decimal("23.04") - Decimal("2.30") + Decimal("3.00"))
    assert shown["total"] == "142.43"
    tenth = '<s:item><s:item internalId="59"/><s:rate>-10.0%</s:rate></s:item>'
    shown = ns.get("salesOrder", ns.made("add", "SalesOrder", order(line(), tenth)))
    assert shown["itemList"][1]["amount"] == "-11.52"
    assert shown["total"] == "124.42"


def test_a_date_is_the_day_in_the_accounts_time_zone(ns):
    for text, day in (
        ("2026-11-23T00:00:00Z", "2026-11-22T00:00:00.000-08:00"),
        ("2026-11-23T12:00:00Z", "2026-11-23T00:00:00.000-08:00"),
        ("2026-07-01T00:00:00.000-07:00", "2026-07-01T00:00:00.000-07:00"),
    ):
        dated = order(more=f"<s:tranDate>{text}</s:tranDate>")
        assert ns.get("salesOrder", ns.made("add", "SalesOrder", dated))["tranDate"] == day


def test_an_empty_element_changes_nothing_and_a_null_field_clears(placed):
    ns, number = placed
    both = "<s:memo>two dogs</s:memo><s:otherRefNum>PO 7</s:otherRefNum>"
    ns.made("update", "SalesOrder", both, internalId=number)
    ns.made("update", "SalesOrder", '<s:memo/><s:otherRefNum xsi:nil="true"/>', internalId=number)
    assert ns.get("salesOrder", number)["memo"] == "two dogs"
    cleared = "<c:nullFieldList><c:name>memo</c:name></c:nullFieldList>"
    ns.made("update", "SalesOrder", cleared, internalId=number)
    shown = ns.get("salesOrder", number)
    assert shown["memo"] is None
    assert shown["otherRefNum"] == "PO 7"
    needed = cleared.replace("memo", "entity")
    assert ns.refused("update", "SalesOrder", needed, internalId=number).code == "MISSING_REQD_FLD"
    wrong = cleared.replace("memo", "mood")
    assert ns.refused("update", "SalesOrder", wrong, internalId=number).code == "USER_ERROR"


def test_an_order_needs_approval_unless_it_says_otherwise(ns):
    silent = order().replace("<s:orderStatus>_pendingFulfillment</s:orderStatus>", "")
    number = ns.made("add", "SalesOrder", silent)
    shown = ns.get("salesOrder", number)
    assert (shown["orderStatus"], shown["status"]) == ("_pendingApproval", "Pending Approval")
    assert shown["itemList"][0]["quantityCommitted"] == "0.0"
    refused = status(ns.initialized("itemFulfillment", "salesOrder", number))
    assert refused.details == [
        (
            "ERROR",
            "INVALID_INITIALIZE_REF",
            f"You can not initialize itemFulfillment: invalid reference {number}.",
        )
    ]


def test_closing_all_lines_cancels_an_order(placed):
    ns, number = placed
    closed = "<s:isClosed>true</s:isClosed>"
    ns.made("update", "SalesOrder", items(at(2, closed), replaces="false"), internalId=number)
    assert ns.get("salesOrder", number)["status"] == "Pending Fulfillment"
    ns.made("update", "SalesOrder", items(at(1, closed), replaces="false"), internalId=number)
    assert ns.get("salesOrder", number)["status"] == "Closed"
    assert ns.sandbox.accepted["salesorder cancelled"] == 1
    ns.made("update", "SalesOrder", items(at(1, closed), replaces="false"), internalId=number)
    assert ns.sandbox.accepted["salesorder cancelled"] == 1


def test_cancelling_by_status_needs_the_permission(placed):
    ns, number = placed
    cancel = "<s:orderStatus>_cancelled</s:orderStatus>"
    refused = ns.refused("update", "SalesOrder", cancel, internalId=number)
    assert refused.code == "INSUFFICIENT_PERMISSION"
    other = world(is_cancel_by_status_allowed=True)
    number = other.made("upsert", "SalesOrder", order(), **KEY)
    other.made("update", "SalesOrder", cancel, internalId=number)
    assert other.get("salesOrder", number)["status"] == "Cancelled"
    assert other.sandbox.accepted["salesorder cancelled"] == 1
    assert other.refused("upsert", "SalesOrder", order(), **KEY).code == "USER_ERROR"


WRONG_ORDERS = [
    (order().replace("cust:corner", "cust:nobody"), "INVALID_KEY_OR_REF"),
    (order().replace('externalId="cust:corner"', ""), "INVALID_KEY_OR_REF"),
    (order().replace('<s:entity externalId="cust:corner"/>', ""), "MISSING_REQD_FLD"),
    (order(line(item="60")), "INVALID_KEY_OR_REF"),
    (order(line(item="999")), "INVALID_KEY_OR_REF"),
    (order(line().replace('<s:item internalId="57"/>', "")), "USER_ERROR"),
    (order(line("0")), "USER_ERROR"),
    (order(line("-1")), "USER_ERROR"),
    (order(line("1", "10%")), "USER_ERROR"),
    (order(line("1", "ten")), "USER_ERROR"),
    (order(line(more='<s:units internalId="9"/>')), "INVALID_KEY_OR_REF"),
    (order(line(item="58", more='<s:units internalId="3"/>')), "INVALID_KEY_OR_REF"),
    (order(line(more='<s:taxCode internalId="77"/>')), "INVALID_KEY_OR_REF"),
    (order(line(more='<s:location internalId="9"/>')), "INVALID_KEY_OR_REF"),
    (order(more='<s:currency internalId="2"/>'), "INVALID_KEY_OR_REF"),
    (order(more='<s:currency internalId="9"/>'), "INVALID_KEY_OR_REF"),
    (order(more='<s:subsidiary internalId="9"/>'), "INVALID_KEY_OR_REF"),
    (order(more="<s:discountRate>-10%</s:discountRate>"), "USER_ERROR"),
    (order(more="<s:total>1</s:total>"), "INSUFFICIENT_PERMISSION"),
    (order(more="<s:status>Billed</s:status>"), "INSUFFICIENT_PERMISSION"),
    (order(more="<s:tranId>SO5</s:tranId>"), "INSUFFICIENT_PERMISSION"),
    (
        order(line(more="<s:quantityBilled>1</s:quantityBilled>")),
        "INSUFFICIENT_PERMISSION",
    ),
    (order().replace("_pendingFulfillment", "_fullyBilled"), "USER_ERROR"),
    ("<s:entity externalId='cust:corner'/>", "USER_ERROR"),
]


@pytest.mark.parametrize(("inner", "code"), WRONG_ORDERS)
def test_a_wrong_order_is_refused_with_its_code(ns, inner, code):
    refused = ns.refused("upsert", "SalesOrder", inner, **KEY)
    assert refused.details[0][:2] == ("ERROR", code)
    assert ns.sandbox.accepted == {}


UNREADABLE = [
    order(more="<s:colour>red</s:colour>"),
    order(more="<c:memo>core</c:memo>"),
    order(more="<s:memo><s:b>bold</s:b></s:memo>"),
    order(more="<s:memo>a</s:memo><s:memo>b</s:memo>"),
    order(more="<s:tranDate>2026-11-23</s:tranDate>"),
    order(more="<s:tranDate>23/11/2026</s:tranDate>"),
    order(more="<s:shipComplete>yes</s:shipComplete>"),
    order(more="<s:shippingCost>1,50</s:shippingCost>"),
    order(more="<s:billingAddress><cm:country>GB</cm:country></s:billingAddress>"),
    order(more="<s:billingAddress><s:city>Hull</s:city></s:billingAddress>"),
    order().replace("_pendingFulfillment", "_pendingMiracle"),
    order(line("twelve")),
    order(line(more="<s:colour>red</s:colour>")),
    order(replaces='replaceAll="perhaps"'),
    order()
    .replace("<s:item><s:item", "<s:line><s:item")
    .replace("</s:item></s:itemL", "</s:line></s:itemL"),
    order(
        more="<s:customFieldList><c:customField scriptId='custbody_fizz_key'/></s:customFieldList>"
    ),
]


@pytest.mark.parametrize("inner", UNREADABLE)
def test_what_the_engine_cannot_read_fails_the_whole_request(ns, inner):
    answer = ns.send("upsert", f"<upsert>{record('SalesOrder', inner, **KEY)}</upsert>")
    assert ns.fault(answer)[:2] == ("", "")
    assert ns.sandbox.accepted == {}


def test_a_record_needs_its_own_type(ns):
    for attribute in ('xsi:type="t:SalesOrder"', 'xsi:type="s:Sale"', ""):
        text = f"<upsert>{record('SalesOrder', order(), **KEY)}</upsert>"
        answer = ns.send("upsert", text.replace('xsi:type="s:SalesOrder"', attribute))
        assert "SAXException" in ns.fault(answer)[2]


def test_custom_fields_are_the_accounts_and_of_their_type(ns):
    field = (
        "<s:customFieldList><c:customField xsi:type='c:StringCustomFieldRef' "
        "scriptId='custbody_fizz_key'><c:value>k 1</c:value></c:customField></s:customFieldList>"
    )
    number = ns.made("add", "SalesOrder", order(more=field))
    ns.made("update", "SalesOrder", "<s:memo>stays</s:memo>", internalId=number)
    assert ns.get("salesOrder", number)["customFieldList"] == {"custbody_fizz_key": "k 1"}
    for wrong in (
        field.replace("fizz_key", "other"),
        field.replace("String", "Long").replace("k 1", "1"),
        field.replace("custbody_fizz_key", "custentity_fizz_key"),
    ):
        refused = ns.refused("add", "SalesOrder", order(more=wrong))
        assert refused.code == "INSUFFICIENT_PERMISSION"


def test_forms_hide_fields_and_need_fields():
    hidden = world(hidden_fields={"salesOrder": ["memo"]})
    memo = order(more="<s:memo>x</s:memo>")
    assert hidden.refused("add", "SalesOrder", memo).code == "INSUFFICIENT_PERMISSION"
    asking = world(required_fields={"salesOrder": ["otherRefNum"]})
    refused = asking.refused("add", "SalesOrder", order())
    assert refused.details == [("ERROR", "USER_ERROR", "Please enter value(s) for: otherRefNum")]


def test_preferences_let_read_only_fields_pass_and_scripts_sleep(ns):
    total = order(more="<s:total>1</s:total>")
    ignore = PREFERENCES.format("<ignoreReadOnlyFields>true</ignoreReadOnlyFields>")
    number = ns.made("add", "SalesOrder", total, ignore)
    assert ns.get("salesOrder", number)["total"] == "138.24"
    script = {"record": "salesOrder", "message": "Not on Fridays", "times": -1}
    ns.http.post("/_sandbox/scripts", json=[script])
    refused = ns.refused("add", "SalesOrder", order())
    assert refused.details == [("ERROR", "USER_ERROR", "Not on Fridays")]
    name = "runServerSuiteScriptAndTriggerWorkflows"
    assert ns.made("add", "SalesOrder", order(), PREFERENCES.format(f"<{name}>false</{name}>"))
    unknown = ns.passport() + PREFERENCES.format("<beQuick>true</beQuick>")
    answer = ns.send("get", EMPTY_GET, unknown)
    assert ns.fault(answer)[0] == ""


def test_a_warning_is_saved_anyway_unless_it_is_to_be_an_error(ns):
    script = {"record": "salesOrder", "phase": "warn", "message": "Low stock", "times": 2}
    ns.http.post("/_sandbox/scripts", json=[script])
    strict = PREFERENCES.format("<warningAsError>true</warningAsError>")
    assert not status(ns.write("upsert", "SalesOrder", order(), strict, **KEY)).ok
    assert ns.sandbox.accepted == {}
    said = status(ns.write("upsert", "SalesOrder", order(), **KEY))
    assert said.ok
    assert said.details == [("WARN", "USER_ERROR", "Low stock")]
    assert ns.sandbox.accepted == {"salesorder created": 1}


def test_a_script_after_the_save_fails_too_late(ns):
    ns.http.post("/_sandbox/scripts", json=[{"phase": "after", "message": "mail failed"}])
    said = status(ns.write("upsert", "SalesOrder", order(), **KEY))
    assert (said.ok, said.after_failed) == (True, "true")
    assert said.details == [("ERROR", "USER_ERROR", "mail failed")]
    assert ns.sandbox.accepted == {"salesorder created": 1}
    said = status(ns.write("upsert", "SalesOrder", order(), **KEY))
    assert (said.after_failed, said.details) == ("false", [(None, "", "")])


def test_a_record_changed_meanwhile_is_read_again(placed):
    ns, number = placed
    script = {"operation": "update", "code": "RCRD_HAS_BEEN_CHANGED"}
    ns.http.post("/_sandbox/scripts", json=[script | {"message": "Record has been changed"}])
    memo = "<s:memo>x</s:memo>"
    refused = ns.refused("update", "SalesOrder", memo, internalId=number)
    assert refused.code == "RCRD_HAS_BEEN_CHANGED"
    assert ns.made("update", "SalesOrder", memo, internalId=number) == number


def test_what_is_not_there_cannot_be_changed_read_or_deleted(ns):
    missing = ns.refused("update", "SalesOrder", "<s:memo>x</s:memo>", internalId="9")
    assert missing.code == "RCRD_DSNT_EXIST"
    read = ns.call("get", REF.format("salesOrder", "9"))
    assert status(read).code == "RCRD_DSNT_EXIST"
    assert read.find(f"{MESSAGES}record") is None
    gone = ns.call("delete", REF.format("salesOrder", "9"))
    assert status(gone).code == "RCRD_DSNT_EXIST"


def test_a_list_has_one_answer_per_record_in_order(placed):
    ns, number = placed
    refs = REF.format("salesOrder", number) + REF.format("salesOrder", "9")
    refs += KEYED.format("customer", "cust:corner")
    result = ns.call("getList", refs)
    assert status(result).ok
    answers = result.findall(f"{MESSAGES}readResponse")
    assert [status(one).ok for one in answers] == [True, False, True]
    rows = record("SalesOrder", "<s:memo>a</s:memo>", internalId=number)
    rows += record("SalesOrder", "<s:memo>a</s:memo>", internalId="9")
    answers = ns.call("updateList", rows).findall(f"{MESSAGES}writeResponse")
    assert [status(one).ok for one in answers] == [True, False]
    rows = record("SalesOrder", order(line(item="999"))) + record("SalesOrder", order())
    answers = ns.call("addList", rows).findall(f"{MESSAGES}writeResponse")
    assert [status(one).ok for one in answers] == [False, True]
    refs = REF.format("salesOrder", "9") + REF.format("salesOrder", number)
    answers = ns.call("deleteList", refs).findall(f"{MESSAGES}writeResponse")
    assert [status(one).ok for one in answers] == [False, True]


# What follows from an order.


def shipment(number: str, *rows: str, state: str = "_shipped", replaces: str = "true") -> str:
    lists = f'<s:itemList replaceAll="{replaces}">{"".join(rows)}</s:itemList>' if rows else ""
    return (
        f'<s:createdFrom internalId="{number}"/><s:shipStatus>{state}</s:shipStatus>{lists}'
        "<s:packageList><s:package><s:packageWeight>4.5</s:packageWeight>"
        "<s:packageTrackingNumber>TRACK 1</s:packageTrackingNumber></s:package></s:packageList>"
    )


def part(place: int, quantity: str, more: str = "") -> str:
    return (
        f"<s:item><s:orderLine>{place}</s:orderLine><s:quantity>{quantity}</s:quantity>"
        f"{more}</s:item>"
    )


def test_a_fulfilment_is_filled_in_from_the_order(placed):
    ns, number = placed
    answer = ns.initialized("itemFulfillment", "salesOrder", number)
    shown = answer.find(f"{MESSAGES}record")
    assert shown.get("internalId") is None
    (only,) = plain(shown)["itemList"]
    assert (only["orderLine"], only["quantity"], only["itemReceive"]) == ("1", "12.0", "true")
    assert ns.sandbox.accepted == {"salesorder created": 1}


def test_a_shipment_moves_order_and_stock(placed):
    ns, number = placed
    ns.tick()
    key = {"externalId": "shipment:1"}
    sent = ns.made("add", "ItemFulfillment", shipment(number, part(1, "5")), **key)
    shown = ns.get("salesOrder", number)
    assert shown["status"] == "Pending Billing/Partially Fulfilled"
    assert shown["itemList"][0]["quantityFulfilled"] == "5.0"
    assert shown["itemList"][0]["quantityCommitted"] == "7.0"
    assert shown["linkedTrackingNumbers"] == "TRACK 1"
    assert shown["lastModifiedDate"] > shown["createdDate"]
    assert ns.get("itemFulfillment", sent)["status"] == "Shipped"
    assert stock(ns)["1"]["quantityOnHand"] == str(Decimal(4800 - 5 * 24) * 1) + ".0"
    more = ns.refused("add", "ItemFulfillment", shipment(number, part(1, "8")))
    assert (more.code, "7 are left" in more.details[0][2]) == ("USER_ERROR", True)
    assert ns.refused("add", "ItemFulfillment", shipment(number, part(1, "5")), **key).code == (
        "DUP_RCRD"
    )
    ns.made("add", "ItemFulfillment", shipment(number))
    assert ns.get("salesOrder", number)["status"] == "Pending Billing"


def test_picked_is_not_shipped(placed):
    ns, number = placed
    silent = shipment(number).replace("<s:shipStatus>_shipped</s:shipStatus>", "")
    sent = ns.made("add", "ItemFulfillment", silent)
    assert ns.get("itemFulfillment", sent)["shipStatus"] == "_picked"
    assert ns.get("salesOrder", number)["status"] == "Pending Fulfillment"
    assert stock(ns)["1"]["quantityOnHand"] == "4800.0"
    ns.made("update", "ItemFulfillment", "<s:shipStatus>_shipped</s:shipStatus>", internalId=sent)
    assert stock(ns)["1"]["quantityOnHand"] == "4512.0"
    ns.call("delete", REF.format("itemFulfillment", sent))
    assert stock(ns)["1"]["quantityOnHand"] == "4800.0"
    whole = NetSuite(is_pick_pack_ship=False)
    whole.made("upsert", "Customer", CAFE, externalId="cust:corner")
    number = whole.made("add", "SalesOrder", order())
    sent = whole.made("add", "ItemFulfillment", f'<s:createdFrom internalId="{number}"/>')
    assert whole.get("itemFulfillment", sent)["shipStatus"] == "_shipped"


def test_lines_not_named_are_shipped_unless_all_are_replaced(ns):
    number = ns.made("add", "SalesOrder", order(line("2"), line("3")))
    sent = ns.made("add", "ItemFulfillment", shipment(number, part(1, "1"), replaces="false"))
    lines = ns.get("itemFulfillment", sent)["itemList"]
    assert [(one["orderLine"], one["quantity"]) for one in lines] == [("1", "1.0"), ("2", "3.0")]
    other = ns.made("add", "SalesOrder", order(line("2"), line("3")))
    no = "<s:itemReceive>false</s:itemReceive>"
    sent = ns.made("add", "ItemFulfillment", shipment(other, part(1, "1", no), part(2, "3")))
    lines = ns.get("itemFulfillment", sent)["itemList"]
    assert [(one["orderLine"], one["quantity"]) for one in lines] == [("2", "3.0")]


def test_fulfilled_lines_cannot_be_removed(placed):
    ns, number = placed
    ns.made("add", "ItemFulfillment", shipment(number, part(1, "5")))
    assert ns.refused("upsert", "SalesOrder", order(), **KEY).code == "USER_ERROR"
    less = items(at(1, "<s:quantity>4</s:quantity>"), replaces="false")
    assert ns.refused("update", "SalesOrder", less, internalId=number).code == "USER_ERROR"
    more = items(at(1, "<s:quantity>6</s:quantity>"), replaces="false")
    assert ns.made("upsert", "SalesOrder", more, **KEY) == number
    deleted = ns.call("delete", REF.format("salesOrder", number))
    assert status(deleted).code == "USER_ERROR"


def test_only_what_is_shipped_can_be_billed(placed):
    ns, number = placed
    bill = f'<s:createdFrom internalId="{number}"/>'
    ns.made("add", "ItemFulfillment", shipment(number, part(1, "5")))
    invoice = ns.made("add", "Invoice", bill, externalId="inv:1")
    shown = ns.get("invoice", invoice)
    assert [(one["orderLine"], one["quantity"]) for one in shown["itemList"]] == [
        ("1", "5.0"),
        ("2", "2.0"),
    ]
    assert shown["total"] == "63.6"
    assert (shown["amountRemaining"], shown["status"]) == ("63.6", "Open")
    assert shown["dueDate"] == "2026-12-20T00:00:00.000-08:00"
    assert status(ns.initialized("invoice", "salesOrder", number)).code == "INVALID_INITIALIZE_REF"
    assert ns.refused("add", "Invoice", bill).code == "INVALID_INITIALIZE_REF"
    ahead = world(is_invoice_in_advance=True)
    number = ahead.made("add", "SalesOrder", order())
    invoice = ahead.made("add", "Invoice", f'<s:createdFrom internalId="{number}"/>')
    assert ahead.get("invoice", invoice)["total"] == "138.24"


def test_billed_and_shipped_in_full_is_billed(placed):
    ns, number = placed
    ns.made("add", "ItemFulfillment", shipment(number))
    ns.made("add", "CashSale", f'<s:createdFrom internalId="{number}"/>')
    shown = ns.get("salesOrder", number)
    assert shown["status"] == "Billed"
    assert [one["quantityBilled"] for one in shown["itemList"]] == ["12.0", "2.0"]


def billed(ns: NetSuite) -> str:
    number = ns.made("add", "SalesOrder", order())
    ns.made("add", "ItemFulfillment", shipment(number))
    return ns.made("add", "Invoice", f'<s:createdFrom internalId="{number}"/>')


def pay(customer: str, invoice: str, amount: str, whole: str = "") -> str:
    total = f"<t:payment>{whole}</t:payment>" if whole else ""
    return (
        f'<t:customer {customer}/>{total}<t:applyList replaceAll="true"><t:apply>'
        f"<t:doc>{invoice}</t:doc><t:apply>true</t:apply><t:amount>{amount}</t:amount>"
        "</t:apply></t:applyList>"
    )


CORNER = 'externalId="cust:corner"'


def test_a_payment_is_applied_and_never_too_much(ns):
    invoice = billed(ns)
    too_much = ns.refused("add", "CustomerPayment", pay(CORNER, invoice, "138.25"))
    assert (too_much.code, "138.24 is open" in too_much.details[0][2]) == ("USER_ERROR", True)
    assert ns.refused("add", "CustomerPayment", pay(CORNER, invoice, "10", "9")).code
    assert ns.refused("add", "CustomerPayment", pay(CORNER, "9999", "10")).code == (
        "INVALID_KEY_OR_REF"
    )
    paid = ns.made("add", "CustomerPayment", pay(CORNER, invoice, "38.24", "50"))
    shown = ns.get("customerPayment", paid)
    assert (shown["applied"], shown["unapplied"], shown["total"]) == ("38.24", "11.76", "50.0")
    assert shown["status"] == "Not Deposited"
    assert ns.get("invoice", invoice)["amountRemaining"] == "100.0"
    ns.made("add", "CustomerPayment", pay(CORNER, invoice, "100"))
    shown = ns.get("invoice", invoice)
    assert (shown["status"], shown["amountPaid"]) == ("Paid In Full", "138.24")
    assert status(ns.call("delete", REF.format("invoice", invoice))).code == "USER_ERROR"


def test_a_payment_applies_itself_to_the_oldest(ns):
    first, second = billed(ns), billed(ns)
    auto = f"<t:customer {CORNER}/><t:payment>200</t:payment><t:autoApply>true</t:autoApply>"
    ns.made("add", "CustomerPayment", auto)
    left = [ns.get("invoice", one)["amountRemaining"] for one in (first, second)]
    assert left == ["0.0", "76.48"]


def test_a_deposit_above_the_order_is_a_warning(placed):
    ns, number = placed
    deposit = f'<t:salesOrder internalId="{number}"/><t:payment>{{}}</t:payment>'
    ns.made("add", "CustomerDeposit", deposit.format("144.24"))
    said = status(ns.write("add", "CustomerDeposit", deposit.format("1")))
    assert (said.ok, said.details[0][:2]) == (True, ("WARN", "WARNING"))
    assert ns.refused("add", "CustomerDeposit", deposit.format("0")).code == "MISSING_REQD_FLD"


def test_goods_come_back_and_are_credited(ns):
    invoice = billed(ns)
    back = (
        f'<t:createdFrom internalId="{invoice}"/><t:orderStatus>_pendingReceipt</t:orderStatus>'
        "<t:itemList replaceAll='true'><t:item><t:orderLine>{}</t:orderLine>"
        "<t:quantity>{}</t:quantity></t:item></t:itemList>"
    )
    assert ns.refused("add", "ReturnAuthorization", back.format(1, 13)).code == "USER_ERROR"
    number = ns.made("add", "ReturnAuthorization", back.format(1, 2))
    assert ns.get("returnAuthorization", number)["status"] == "Pending Receipt"
    credit = f'<t:createdFrom internalId="{number}"/>'
    assert ns.refused("add", "CreditMemo", credit).code == "INVALID_INITIALIZE_REF"
    before = stock(ns)["1"]["quantityOnHand"]
    ns.store.act("returns", number, "return")
    assert Decimal(stock(ns)["1"]["quantityOnHand"]) == Decimal(before) + 48
    memo = ns.made("add", "CreditMemo", credit)
    shown = ns.get("creditMemo", memo)
    assert (shown["total"], shown["unapplied"], shown["status"]) == ("23.04", "23.04", "Open")
    assert ns.get("returnAuthorization", number)["status"] == "Refunded"
    refund = pay(CORNER, memo, "23.04")
    assert ns.refused("add", "CustomerRefund", refund).code == "MISSING_REQD_FLD"
    ns.made("add", "CustomerRefund", f'{refund}<t:paymentMethod internalId="7"/>')
    assert ns.get("creditMemo", memo)["status"] == "Fully Applied"


def test_a_credit_made_from_an_invoice_is_applied_there(ns):
    invoice = billed(ns)
    lines = (
        "<t:itemList replaceAll='true'><t:item><t:orderLine>1</t:orderLine>"
        "<t:quantity>1</t:quantity></t:item></t:itemList>"
    )
    memo = ns.made("add", "CreditMemo", f'<t:createdFrom internalId="{invoice}"/>{lines}')
    shown = ns.get("creditMemo", memo)
    assert (shown["total"], shown["applied"], shown["status"]) == (
        "11.52",
        "11.52",
        "Fully Applied",
    )
    assert ns.get("invoice", invoice)["amountRemaining"] == "126.72"


# Customers, items and stock.


def test_a_customer_is_numbered_and_completed(ns):
    shown = ns.get("customer", "730")
    assert shown["entityId"] == "CUST1001"
    assert shown["altName"] == "Harbour Corner Cafe"
    assert shown["stage"] == "_customer"
    assert shown["balance"] == "0.0"
    (entry,) = shown["addressbookList"]
    assert entry["defaultShipping"] == "true"
    assert entry["addressbookAddress"]["city"] == "Hull"
    invoice = billed(ns)
    assert ns.get("customer", "730")["balance"] == "138.24"
    ns.tick(40 * 86400)
    shown = ns.get("customer", "730")
    assert (shown["overdueBalance"], shown["daysOverdue"]) == ("138.24", "10")
    deleted = ns.call("delete", REF.format("customer", "730"))
    assert status(deleted).code == "USER_ERROR"
    assert ns.get("invoice", invoice)["entity"] == "730"


WRONG_CUSTOMERS = [
    (CAFE.replace('<l:subsidiary internalId="1"/>', ""), "MISSING_REQD_FLD"),
    (CAFE.replace("<l:companyName>Harbour Corner Cafe</l:companyName>", ""), "MISSING_REQD_FLD"),
    (CAFE + "<l:isPerson>true</l:isPerson>", "MISSING_REQD_FLD"),
    (CAFE.replace("orders@corner.example", "orders"), "USER_ERROR"),
    (CAFE.replace('terms internalId="2"', 'terms internalId="99"'), "INVALID_KEY_OR_REF"),
    (CAFE + "<l:entityId>cust1001</l:entityId>", "UNIQUE_CUST_ID_REQD"),
    (CAFE + "<l:balance>0</l:balance>", "INSUFFICIENT_PERMISSION"),
]


@pytest.mark.parametrize(("inner", "code"), WRONG_CUSTOMERS)
def test_a_wrong_customer_is_refused(ns, inner, code):
    assert ns.refused("upsert", "Customer", inner, externalId="cust:2").code == code


def test_the_flat_address_is_of_the_past(ns):
    flat = CAFE.replace("<l:label>Quay</l:label>", "<l:addr1>4 Quay Road</l:addr1>")
    answer = ns.send("upsert", f"<upsert>{record('Customer', flat, externalId='cust:2')}</upsert>")
    assert ns.fault(answer)[0] == ""


def test_address_books_merge_by_their_ids(ns):
    (entry,) = ns.get("customer", "730")["addressbookList"]
    more = (
        '<l:addressbookList replaceAll="false"><l:addressbook><l:defaultShipping>true'
        "</l:defaultShipping><l:addressbookAddress><cm:addr1>Gate B</cm:addr1>"
        "</l:addressbookAddress></l:addressbook></l:addressbookList>"
    )
    ns.made("update", "Customer", more, internalId="730")
    old, new = ns.get("customer", "730")["addressbookList"]
    assert (old["internalId"], old["defaultShipping"], old["defaultBilling"]) == (
        entry["internalId"],
        "false",
        "true",
    )
    assert (new["defaultShipping"], new["addressbookAddress"]["country"]) == (
        "true",
        "_unitedKingdom",
    )


def test_contacts_have_names_of_their_own_in_a_company(ns):
    ada = (
        "<l:firstName>Ada</l:firstName><l:lastName>Quill</l:lastName>"
        f"<l:company {CORNER}/><l:email>ada@corner.example</l:email>"
    )
    number = ns.made("add", "Contact", ada)
    shown = ns.get("contact", number)
    assert (shown["entityId"], shown["company"]) == ("Ada Quill", "730")
    assert ns.refused("add", "Contact", ada).code == "CONTACT_ALREADY_EXISTS"


def stock(ns: NetSuite, item: str = 'internalId="57"') -> dict[str, dict[str, str]]:
    asked = f"<c:item><c:recordRef {item}/></c:item>"
    filters = f"<itemAvailabilityFilter>{asked}</itemAvailabilityFilter>"
    result = ns.call("getItemAvailability", filters)
    assert status(result).ok, status(result)
    rows = [plain(one) for one in result.iter(f"{CORE}itemAvailability")]
    return {one["locationId"]: one for one in rows}


def test_stock_is_told_per_location_in_base_units(placed):
    ns, _ = placed
    found_at = stock(ns)
    assert found_at["1"]["quantityOnHand"] == "4800.0"
    assert found_at["1"]["quantityCommitted"] == "288.0"
    assert found_at["1"]["quantityAvailable"] == "4512.0"
    assert found_at["2"]["quantityOnHand"] == "-24.0"
    assert found_at["2"]["quantityAvailable"] == "0.0"
    assert found_at["2"]["quantityOnOrder"] == "960.0"
    assert stock(ns, 'internalId="58"') == {}
    asked = "<c:item><c:recordRef internalId='999'/></c:item>"
    filters = f"<itemAvailabilityFilter>{asked}</itemAvailabilityFilter>"
    assert status(ns.call("getItemAvailability", filters)).code == "INVALID_KEY_OR_REF"


def test_an_adjustment_moves_stock_and_needs_its_account(ns):
    lines = (
        '<i:inventoryList replaceAll="true"><i:inventory><i:item internalId="57"/>'
        '<i:location internalId="1"/><i:units internalId="3"/><i:adjustQtyBy>-2</i:adjustQtyBy>'
        "</i:inventory></i:inventoryList>"
    )
    head = '<i:subsidiary internalId="1"/>'
    assert ns.refused("add", "InventoryAdjustment", head + lines).code == "MISSING_REQD_FLD"
    ns.tick()
    ns.made("add", "InventoryAdjustment", f'<i:account internalId="58"/>{head}{lines}')
    assert stock(ns)["1"]["quantityOnHand"] == "4752.0"
    assert stock(ns)["1"]["lastQtyAvailableChange"] > stock(ns)["2"]["lastQtyAvailableChange"]


def test_orders_beyond_the_stock_are_back_ordered_oldest_first(ns):
    ns.store.set_stock("COLA330-C24", Decimal(24 * 15))
    first = ns.made("add", "SalesOrder", order())
    second = ns.made("add", "SalesOrder", order())
    lines = [ns.get("salesOrder", one)["itemList"][0] for one in (first, second)]
    assert [(one["quantityCommitted"], one["quantityBackOrdered"]) for one in lines] == [
        ("12.0", "0.0"),
        ("3.0", "9.0"),
    ]


def test_an_item_carries_prices_and_stock(ns):
    shown = ns.get("inventoryItem", "57")
    assert shown["itemId"] == "COLA330-C24"
    assert shown["quantityOnHand"] == "4776.0"
    base = next(one for one in shown["pricingMatrix"] if one["priceLevel"] == "1")
    assert [(one["quantity"], one["value"]) for one in base["priceList"]] == [
        ("0.0", "9.6"),
        ("100.0", "9.2"),
    ]
    fresh = (
        '<a:itemId>LEMON200</a:itemId><a:unitsType internalId="1"/><a:pricingMatrix><a:pricing>'
        '<a:priceLevel internalId="1"/><a:priceList><a:price><a:value>1.5</a:value></a:price>'
        "</a:priceList></a:pricing></a:pricingMatrix>"
    )
    number = ns.made("upsert", "InventoryItem", fresh, externalId="LEMON200")
    listed = line("2").replace('<s:price internalId="-1"/><s:rate>9.60</s:rate>', "")
    listed = listed.replace('internalId="57"', 'externalId="LEMON200"')
    number = ns.made("add", "SalesOrder", order(listed))
    assert ns.get("salesOrder", number)["subTotal"] == "3.0"
    assert ns.refused("add", "InventoryItem", fresh).code == "DUP_ITEM"


# Searches.

WITHIN = (
    '<cm:lastModifiedDate operator="within" xsi:type="c:SearchDateField">'
    "<c:searchValue>{}</c:searchValue><c:searchValue2>{}</c:searchValue2></cm:lastModifiedDate>"
)
ORDERS = (
    '<cm:type operator="anyOf" xsi:type="c:SearchEnumMultiSelectField">'
    "<c:searchValue>_salesOrder</c:searchValue></cm:type>"
)


def window(start: str, end: str) -> str:
    return WITHIN.format(f"2026-11-20T{start}Z", f"2026-11-20T{end}Z") + ORDERS


def test_a_closed_window_finds_what_changed_in_it(placed):
    ns, number = placed
    result = ns.search("Transaction", window("10:00:00", "10:05:00"))
    assert found(result) == [number]
    said = {one.tag.rpartition("}")[2]: one.text for one in result if one.text}
    assert (said["totalRecords"], said["totalPages"], said["pageIndex"]) == ("1", "1", "1")
    assert said["searchId"].startswith("WEBSERVICES_7654321_SB2_")
    shown = plain(next(result.iter(f"{CORE}record")))
    assert len(shown["itemList"]) == 2
    assert found(ns.search("Transaction", window("10:02:00", "10:05:00"))) == []
    # Both ends belong to the window.
    assert found(ns.search("Transaction", window("10:01:00", "10:05:00"))) == [number]
    assert found(ns.search("Transaction", window("09:00:00", "10:01:00"))) == [number]


def test_without_preferences_no_lines_come(placed):
    ns, _ = placed
    asked = f'<searchRecord xsi:type="cm:TransactionSearchBasic">{ORDERS}</searchRecord>'
    shown = plain(next(ns.call("search", asked).iter(f"{CORE}record")))
    assert "itemList" not in shown
    assert shown["total"] == "144.24"


def test_nothing_found_is_an_empty_list_or_none(ns):
    lists = []
    for _ in range(3):
        result = ns.search("Transaction", ORDERS)
        assert result.findtext(f"{CORE}totalRecords") == "0"
        lists.append(result.find(f"{CORE}recordList") is None)
    assert set(lists) == {True, False}


def test_pages_are_cut_anew_so_that_changes_lose_rows(ns):
    numbers = [ns.made("add", "SalesOrder", order()) for _ in range(12)]
    first = ns.search("Transaction", window("10:00:00", "10:05:00"), size=5)
    assert found(first) == numbers[:5]
    assert first.findtext(f"{CORE}totalPages") == "3"
    search_id = first.findtext(f"{CORE}searchId")
    ns.tick(3600)
    ns.made("update", "SalesOrder", "<s:memo>x</s:memo>", internalId=numbers[0])
    second = ns.more(search_id, 2)
    # The sixth order has moved to the first page, which was read before.
    assert found(second) == numbers[6:11]
    assert found(ns.more(search_id, 3)) == numbers[11:]
    assert status(ns.more(search_id, 4)).code == "INVALID_SEARCH_PAGE_INDEX"
    assert status(ns.more("WEBSERVICES_0", 1)).code == "INVALID_SEARCH_MORE"
    for size in (4, 1001):
        refused = status(ns.search("Transaction", ORDERS, size=size))
        assert refused.code == "INVALID_SEARCH_PAGE_SIZE"


def field(name: str, operator: str, value: str, kind: str = "SearchStringField") -> str:
    inner = f"<c:searchValue>{value}</c:searchValue>"
    return f'<cm:{name} operator="{operator}" xsi:type="c:{kind}">{inner}</cm:{name}>'


def chosen(name: str, attribute: str) -> str:
    kind = 'xsi:type="c:SearchMultiSelectField"'
    return f'<cm:{name} operator="anyOf" {kind}><c:searchValue {attribute}/></cm:{name}>'


def test_transactions_are_found_by_their_fields(placed):
    ns, number = placed
    other = ns.made("add", "SalesOrder", order(more="<s:otherRefNum>PO 9</s:otherRefNum>"))
    sent = ns.made("add", "ItemFulfillment", shipment(number))
    for basic, numbers in (
        (chosen("externalId", 'externalId="shopify:1001" type="salesOrder"'), [number]),
        (chosen("internalId", f'internalId="{other}"'), [other]),
        (chosen("entity", 'internalId="730"') + ORDERS, [number, other]),
        (chosen("createdFrom", f'internalId="{number}"'), [sent]),
        (field("tranId", "is", "so1002"), [other]),
        (field("externalIdString", "startsWith", "shopify:"), [number]),
        (field("otherRefNum", "equalTo", "PO 9", "SearchTextNumberField"), [other]),
        (
            field("status", "anyOf", "_salesOrderPendingBilling", "SearchEnumMultiSelectField"),
            [number],
        ),
        (
            field("internalIdNumber", "greaterThan", number, "SearchLongField") + ORDERS,
            [other],
        ),
        (field("memo", "empty", "") + ORDERS, [number, other]),
    ):
        assert found(ns.search("Transaction", basic)) == numbers, basic


def test_customers_and_items_are_found_too(ns):
    ns.made(
        "update",
        "Customer",
        "<l:customFieldList><c:customField xsi:type='c:StringCustomFieldRef' "
        "scriptId='custentity_fizz_key'><c:value>c-1</c:value></c:customField></l:customFieldList>",
        internalId="730",
    )
    own = (
        '<cm:customFieldList><c:customField xsi:type="c:SearchStringCustomField" operator="is" '
        'scriptId="custentity_fizz_key"><c:searchValue>{}</c:searchValue></c:customField>'
        "</cm:customFieldList>"
    )
    assert found(ns.search("Customer", own.format("c-1"), ns="l")) == ["730"]
    assert found(ns.search("Customer", own.format("c-2"), ns="l")) == []
    mail = field("email", "is", "ORDERS@corner.example")
    assert found(ns.search("Customer", mail, ns="l")) == ["730"]
    sku = field("itemId", "is", "COLA330-C24")
    assert found(ns.search("Item", sku, ns="a")) == ["57"]
    active = "<cm:isInactive><c:searchValue>false</c:searchValue></cm:isInactive>"
    assert found(ns.search("Item", active, ns="a")) == ["57", "58"]
    for kind, numbers in (
        ("UnitsType", ["1"]),
        ("SalesTaxItem", ["10", "11"]),
        ("Term", ["2", "4"]),
    ):
        assert found(ns.search(kind, "", ns="a")) == numbers


@pytest.mark.parametrize(
    ("basic", "code"),
    [
        (field("tranId", "like", "SO"), "INVALID_SEARCH_FIELD_OPERATOR"),
        (field("tranId", "", "SO"), "INVALID_SEARCH_FIELD_OPERATOR"),
        (
            field("lastModifiedDate", "within", "2026-11-20T10:00:00Z", "SearchDateField"),
            "INVALID_SEARCH_VALUE",
        ),
        (chosen("entity", ""), "INVALID_SEARCH_SELECT_OBJ"),
    ],
)
def test_a_wrong_search_is_refused(ns, basic, code):
    assert status(ns.search("Transaction", basic)).code == code


@pytest.mark.parametrize(
    "basic",
    [
        field("colour", "is", "red"),
        field("tranId", "is", "SO", "SearchDateField"),
        field("tranId", "is", "SO").replace("cm:", "c:"),
        field("lastModifiedDate", "after", "2026-11-20", "SearchDateField"),
    ],
)
def test_a_search_that_cannot_be_read_is_a_fault(ns, basic):
    asked = (
        f'<searchRecord xsi:type="s:TransactionSearch"><s:basic>{basic}</s:basic></searchRecord>'
    )
    answer = ns.send("search", f"<search>{asked}</search>", ns.passport() + FULL.format(200))
    assert ns.fault(answer)[0] == ""


def test_deletions_are_told_with_their_time(placed):
    ns, number = placed
    other = ns.made("add", "SalesOrder", order())
    ns.tick(600)
    assert status(ns.call("delete", KEYED.format("salesOrder", "shopify:1001"))).ok
    assert ns.sandbox.accepted["salesorder deleted"] == 1
    ns.store.act("orders", other, "delete")
    asked = (
        '<getDeletedFilter><c:deletedDate operator="within"><c:searchValue>{}</c:searchValue>'
        "<c:searchValue2>{}</c:searchValue2></c:deletedDate>"
        '<c:type operator="anyOf"><c:searchValue>{}</c:searchValue></c:type></getDeletedFilter>'
    )
    hour = ("2026-11-20T10:05:00Z", "2026-11-20T11:00:00Z")
    result = ns.call("getDeleted", asked.format(*hour, "_salesOrder"))
    records = list(result.iter(f"{CORE}record"))
    assert [one.get("internalId") for one in records] == [number, other]
    assert (records[0].get("type"), records[0].get("externalId")) == ("salesOrder", "shopify:1001")
    assert result.find(f".//{CORE}deletedDate").text == "2026-11-20T02:11:00.000-08:00"
    for kind, count in (("salesOrder", "2"), ("invoice", "0")):
        again = ns.call("getDeleted", asked.format(*hour, kind))
        assert again.findtext(f"{CORE}totalRecords") == count


def test_short_lists_come_whole(ns):
    result = ns.call("getAll", '<record recordType="currency"/>')
    assert [plain(one)["symbol"] for one in result.iter(f"{CORE}record")] == ["GBP", "EUR"]


# People.


def test_people_do_what_the_integration_reads(placed):
    ns, number = placed
    http = ns.http
    made = http.post(
        "/_sandbox/orders/shopify:1001/ship",
        json={
            "lines": [{"sku": "COLA330-C24", "quantity": 5}],
            "tracking": "T 9",
            "carrier": "Parcel",
        },
    ).json()
    assert made["record"]["shipStatus"] == "_shipped"
    assert made["record"]["packageList"][0]["packageTrackingNumber"] == "T 9"
    invoice = http.post(f"/_sandbox/salesOrder/{number}/invoice", json={}).json()
    assert invoice["record"]["total"] == "63.6"
    paid = http.post(
        f"/_sandbox/invoices/{invoice['id']}/pay", json={"amount": "60", "reference": "bank 1"}
    ).json()
    assert paid["record"]["memo"] == "bank 1"
    credit = http.post(f"/_sandbox/invoices/{invoice['id']}/credit", json={"amount": "3.6"}).json()
    assert credit["record"]["total"] == "3.6"
    assert ns.get("invoice", invoice["id"])["status"] == "Paid In Full"
    back = http.post(
        f"/_sandbox/orders/{number}/return", json={"lines": [{"line": 1, "quantity": "1"}]}
    ).json()
    got = http.post(f"/_sandbox/returns/{back['id']}/return", json={}).json()
    assert got["record"]["status"] == "Pending Refund"
    assert http.post(f"/_sandbox/returns/{back['id']}/credit", json={}).status_code == 200
    assert ns.sandbox.accepted == {"salesorder created": 1}
    listed = http.get("/_sandbox/records/creditMemo").json()
    assert len(listed) == 2
    assert len(http.get("/_sandbox/records/items").json()) == 4


def test_people_edit_block_cancel_and_delete(placed):
    ns, number = placed
    http = ns.http
    edit = {"memo": "by hand", "itemList": [{"line": 1, "quantity": "3"}]}
    made = http.post(f"/_sandbox/orders/{number}/edit", json=edit).json()
    assert (made["record"]["memo"], made["record"]["itemList"][0]["quantity"]) == ("by hand", "3.0")
    assert http.post(f"/_sandbox/orders/{number}/edit", json={"memo": None}).status_code == 200
    assert http.post(f"/_sandbox/orders/{number}/cancel").json()["record"]["status"] == "Closed"
    assert http.post(f"/_sandbox/orders/{number}/delete").json() == {"id": number, "record": None}
    http.post("/_sandbox/customers/730/block")
    refused = ns.refused("upsert", "SalesOrder", order(), **KEY)
    assert refused.code == "INVALID_KEY_OR_REF"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("orders/{}/credit", {}, 404),
        ("orders/99/ship", {}, 404),
        ("puddings/1/ship", {}, 404),
        ("orders/{}/ship", {"lines": [{"line": 1, "quantity": "99"}]}, 422),
        ("orders/{}/ship", {"lines": [{"sku": "TONIC200-OLD", "quantity": "1"}]}, 422),
        ("orders/{}/invoice", {"lines": [{"line": 1, "quantity": "1"}]}, 422),
        ("orders/{}/edit", {"colour": "red"}, 422),
        ("orders/{}/edit", {"tranDate": "Friday"}, 422),
        ("orders/{}/pay", {"amount": "much"}, 422),
        ("items/NONE/stock", {"quantity": 1}, 404),
        ("items/COLA330-C24/stock", {}, 422),
    ],
)
def test_what_people_cannot_do_is_told(placed, path, body, code):
    ns, number = placed
    answer = ns.http.post("/_sandbox/" + path.format(number), json=body)
    assert answer.status_code == code
    assert answer.json()["error"]


def test_stock_and_price_are_set_by_hand(ns):
    ns.http.post("/_sandbox/items/COLA330-C24/stock", json={"quantity": 100, "location": "2"})
    ns.http.post("/_sandbox/items/COLA330-C24/price", json={"price": "11.10"})
    assert stock(ns)["2"]["quantityOnHand"] == "100.0"
    listed = line("1").replace('<s:price internalId="-1"/><s:rate>9.60</s:rate>', "")
    number = ns.made("add", "SalesOrder", order(listed))
    assert ns.get("salesOrder", number)["subTotal"] == "11.1"


def test_the_store_needs_no_http(placed):
    ns, number = placed
    assert ns.store.act("orders", number, "ship")["record"]["status"] == "Shipped"
    with pytest.raises(NoSuchActError):
        ns.store.act("orders", number, "dance")
    with pytest.raises(RefusalError):
        ns.store.act("orders", number, "ship")


def test_a_reset_is_back_to_the_seed():
    seeded = {"internalId": "812", "externalId": "cust:seed", "companyName": "Corner Pop Bar"}
    ns = NetSuite(customers=[seeded | {"subsidiary": "1"}])
    assert ns.get("customer", "812")["companyName"] == "Corner Pop Bar"
    ns.made("update", "Customer", "<l:comments>x</l:comments>", internalId="812")
    assert ns.http.post("/_sandbox/reset").status_code == 204
    assert "comments" not in ns.get("customer", "812")
    assert ns.sandbox.accepted == {}
    assert ns.sandbox.outbox.deliveries == []


# The vendor's own samples.


def leaves(element: ElementTree.Element, path: str = "") -> set[str]:
    """The paths of a document, without versions and without its values."""
    ns, _, name = element.tag.rpartition("}")
    family = re.sub(r"_\d[\d_]*", "", ns.strip("{"))
    here = f"{path}/{family.partition('.')[0]}:{name}"
    kind = element.get("{http://www.w3.org/2001/XMLSchema-instance}type", "").rpartition(":")[2]
    plain_attributes = {key for key in element.attrib if not key.startswith("{")}
    own = {here, *(f"{here}@{key}" for key in plain_attributes)}
    own |= {f"{here}@type={kind}"} if kind else set()
    return own.union(*(leaves(child, here) for child in element))


def sample(name: str) -> ElementTree.Element:
    text = (SAMPLES / f"{name}.xml").read_text()
    if "</soapenv:Envelope>" not in text:
        text += "</soapenv:Envelope>"
    return parsed(text)


def answers(ns: NetSuite) -> dict[str, str]:
    """An answer of each kind there is a sample of."""
    number = ns.made("upsert", "SalesOrder", order(), **KEY)
    ns.made("add", "ItemFulfillment", shipment(number))
    bill = record("Invoice", f'<s:createdFrom internalId="{number}"/>')
    approval = "<s:orderStatus>_pendingFulfillment</s:orderStatus>"
    wrong = order(line(item="999")).replace(approval, "")
    bad_bill = record("Invoice", wrong, externalId="in_334")
    ns.made(
        "add",
        "Contact",
        "<l:entityId>Ada</l:entityId><l:title>Buyer</l:title><l:phone>1</l:phone>"
        f"<l:email>a@b.example</l:email><l:company {CORNER}/>",
        externalId="k:1",
    )
    people = '<searchRecord xsi:type="l:ContactSearch"><l:basic/></searchRecord>'
    twin = CAFE.replace("Harbour", "Second")
    sold = record("InventoryItem", "<a:displayName>Cola</a:displayName>", internalId="57")
    said = {
        "add__add_customer": ("add", record("Customer", twin)),
        "add__add_invoice": ("add", bill),
        "add__add_invoice_error": ("add", bill),
        "delete__delete_customer": ("delete", None),
        "delete_list__delete_list_customers": ("deleteList", None),
        "get__get_customer": ("get", KEYED.format("customer", "cust:corner")),
        "search__basic_search_contact": ("search", people),
        "update__update_customer": (
            "update",
            record("Customer", "<l:comments>x</l:comments>", externalId="cust:corner"),
        ),
        "update_list__update_list_items": ("updateList", sold * 2),
        "upsert__upsert_customer": ("upsert", record("Customer", CAFE, externalId="cust:corner")),
        "upsert__upsert_invoice_error": ("upsert", bad_bill),
        "upsert_list__upsert_list_customers": (
            "upsertList",
            record("Customer", CAFE, externalId="cust:corner") * 2,
        ),
    }
    texts = {}
    spare = [ns.made("add", "Customer", twin) for _ in range(3)]
    for name, (operation, inner) in said.items():
        if name == "delete__delete_customer":
            inner = REF.format("customer", spare[0])
        elif name == "delete_list__delete_list_customers":
            inner = REF.format("customer", spare[1]) + REF.format("customer", spare[2])
        texts[name] = ns.send(operation, f"<{operation}>{inner}</{operation}>").text
    other = ns.made("add", "SalesOrder", order())
    ns.made("add", "ItemFulfillment", shipment(other))
    own = record("Invoice", f'<s:createdFrom internalId="{other}"/>', externalId="in241")
    texts["upsert__upsert_invoice"] = ns.send("upsert", f"<upsert>{own}</upsert>").text
    change = record("Invoice", "<s:memo>x</s:memo>", externalId="in241")
    texts["update__update_invoice"] = ns.send("update", f"<update>{change}</update>").text
    ns.http.post("/_sandbox/scripts", json=[{"record": "customer"}] * 2)
    ids = {"internalId": "730", "externalId": "cust:corner"}
    many = record("Customer", "<l:comments>y</l:comments>", **ids)
    both = ns.send("update", f"<update>{many}</update>")
    assert len(status(ns.opened(both, "update")).details) == 2
    texts["update__update_customer_multiple_errors"] = both.text
    ns.http.post("/_sandbox/troubles", json=[{"fault": "session"}])
    texts["login__failure_concurrent_requests"] = ns.send("get", EMPTY_GET).text
    return texts


# Fields of a company our made-up customer does not have, and the address as it was before 2014.2.
ABSENT = re.compile(
    r"entityStatus|contact/.*Subscription|addressbook/urn:relationships:"
    r"(addr1|city|zip|country|addrText|override|state)$"
)


@needs_vendor
def test_answers_have_the_shape_of_the_vendors_samples():
    mine = answers(world(prefixes=["named"]))
    left_out = {
        "add__add_file",
        "attach__attach_file_to_sales_order",
        "get_select_value__item_fulfillment_ship_method",
        "search__saved_search_customer",
    }
    names = {path.stem for path in SAMPLES.glob("*.xml")}
    assert names - left_out == mine.keys()
    for name, text in mine.items():
        root = parsed(text)
        # Old endpoints call the messages and the core of the platform by one version more or less.
        wanted = {path for path in leaves(sample(name)) if not ABSENT.search(path)}
        assert wanted <= leaves(root), name


@needs_vendor
def test_every_field_of_the_specification_is_known():
    spec = json.loads((SPECS / "record_fields.json").read_text())["records"]
    for name in ("SalesOrder", "SalesOrderItem", "Customer", "Invoice", "CustomerPayment"):
        fields = spec[name]
        known = SCHEMAS[name].fields.keys() | SCHEMAS[name].lists.keys() | {"customFieldList"}
        known |= SCHEMAS[name].complex.keys()
        wanted = set(fields["recordRefs"])
        assert wanted <= known
    assert {schema.ns for schema in KINDS.values()} <= NS.keys()


@needs_vendor
def test_every_operation_here_is_one_of_the_vendors():
    text = (SPECS / "NetSuitePort_2015_1.wsdl").read_text()
    theirs = set(re.findall(r'operation name="(\w+)"', text))
    faults = set(re.findall(r'platformFaults:(\w+Fault)"', text))
    sandbox = make()
    assert {*sandbox.calls.operations, "getDataCenterUrls"} <= theirs
    from platforms.netsuite_soap.sandbox import TROUBLES as ALL

    newer = {"exceededConcurrentRequestLimitFault", ""}
    assert {kind for kind, _, _ in ALL.values()} - newer <= faults
