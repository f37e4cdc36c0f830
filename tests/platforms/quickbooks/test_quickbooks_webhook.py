import json
from datetime import UTC, datetime

import pytest

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.quickbooks.webhook import QuickBooksWebhook
from tests.kit.source import EVENTS, http_event
from tests.platforms.quickbooks.quickbooks_world import HOOK, REALM, Books, form, paying

WEBHOOK = QuickBooksWebhook()
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
VERIFIER = "sandbox-verifier-token"


def delivered(body, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery.from_event(http_event(headers, raw), AT)


def fixture(name):
    return delivered(
        json.loads((EVENTS / "quickbooks" / f"{name}.json").read_text())["body"].encode()
    )


def hints(name):
    delivery = fixture(name)
    return [(one.what, one.external_id) for one in read(WEBHOOK, delivery, "books") or ()]


# The vendor's own arithmetic, with a key and bodies of ours.
@pytest.mark.parametrize(
    ("body", "proof"),
    [
        (
            '[{"specversion":"1.0","id":"5f1c2a10-0000-4000-8000-000000000001","source":'
            '"intuit.test","type":"qbo.invoice.updated.v1","datacontenttype":"application/json",'
            '"time":"2026-11-02T10:15:30.123456789Z","intuitentityid":"145","intuitaccountid":'
            '"9130350000000001","data":{}}]',
            "6Mmlwnrygsjmb+KcuSawUC+2tzmPgGu7UHgfcqLBxC4=",
        ),
        (
            '{"eventNotifications":[{"realmId":"9130350000000001","dataChangeEvent":{"entities":'
            '[{"name":"Invoice","id":"145","operation":"Update","lastUpdated":'
            '"2026-11-02T10:15:30.000Z"}]}}]}',
            "Y+5J0AWqwef/BYJyuF8Wzc0FFD1eConojxHMB++idBw=",
        ),
    ],
)
def test_the_proof(body, proof):
    delivery = delivered(body.encode(), **{"intuit-signature": proof})
    WEBHOOK.signature.verify(delivery, ["fizz-verifier-token"], AT)
    with pytest.raises(VerificationError):
        WEBHOOK.signature.verify(delivery, ["another token"], AT)


@pytest.mark.parametrize("end", ["", "_classic"])
def test_of_several_companies_every_record_is_named_with_its_own(end):
    named = hints(f"invoice_updated__two_companies{end}")
    assert named == [("Invoice", f"{REALM}/145"), ("Invoice", "9130350000000002/145")]


def test_both_records_of_a_merge_where_both_are_told():
    assert hints("customer_merged__classic") == [
        ("Customer", f"{REALM}/57"),
        ("Customer", f"{REALM}/58"),
    ]
    assert hints("customer_merged__cloudevents") == [("Customer", f"{REALM}/58")]


@pytest.mark.parametrize("what", ["deleted", "voided", "updated"])
@pytest.mark.parametrize("form", ["classic", "cloudevents"])
def test_whatever_was_done_the_record_is_read_again(what, form):
    assert hints(f"payment_{what}__{form}") == [("Payment", f"{REALM}/147")]


def test_an_operation_nobody_knows_and_things_nobody_asked_for():
    assert hints("invoice_approved__unknown_operation") == [("Invoice", f"{REALM}/145")]
    assert hints("invoice_updated__among_unknown") == [
        ("Invoice", f"{REALM}/145"),
        ("Payment", f"{REALM}/147"),
    ]
    assert hints("bill_created__unknown_entity") == hints("test_event__empty_array") == []


def test_topics_say_what_is_read():
    names = {
        "invoice_updated__among_unknown": "qbo.invoice",
        "payment_created__with_its_invoice_classic": "Payment",
        "vendor_updated__unknown_entity_classic": "Vendor",
        "test_event__empty_classic": "",
    }
    assert {name: WEBHOOK.topic(fixture(name)) for name in names} == names
    assert WEBHOOK.delivery_id(fixture("account_created__cloudevents")).startswith("4a44a41d")
    assert WEBHOOK.delivery_id(fixture("invoice_updated__classic")) == ""


@pytest.mark.parametrize("body", [{}, 7, None, [7], [{}], {"eventNotifications": [{}]}, {"a": []}])
def test_another_form_is_none(body):
    with pytest.raises(MalformedDeliveryError):
        WEBHOOK.topic(delivered(body))


@pytest.mark.parametrize("shape", ["cloudevents", "classic"])
def test_what_the_company_sends_names_what_pull_reads(shape):
    books = Books(webhook_uri=HOOK, webhook_form=shape)
    invoice = books.post("Invoice", form())
    money = books.post("Payment", paying(invoice["Id"], 30))
    told = []
    for sent in books.deliveries:
        delivery = delivered(sent.body, **{"intuit-signature": sent.headers["intuit-signature"]})
        WEBHOOK.signature.verify(delivery, [VERIFIER], AT)
        told += read(WEBHOOK, delivery, "books")
    assert {one for one in told if one.what in {"Invoice", "Payment"}} == {
        Hint("Invoice", f"{REALM}/{invoice['Id']}"),
        Hint("Payment", f"{REALM}/{money['Id']}"),
    }
