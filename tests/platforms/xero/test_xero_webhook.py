import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.xero.webhook import XeroWebhook
from tests.kit.source import EVENTS, SECRET, Source, http_event
from tests.platforms.xero.xero_world import CORNER, KEY, QUAY, Xero

WEBHOOK = XeroWebhook()
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
PROOF = "x-xero-signature"


def delivered(body, **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Delivery.from_event(http_event(headers, raw), AT)


def fixture(name):
    return delivered(json.loads((EVENTS / "xero" / f"{name}.json").read_text())["body"].encode())


def hints(name):
    return [(one.what, one.external_id) for one in read(WEBHOOK, fixture(name), "books") or ()]


@pytest.mark.parametrize(
    ("body", "proof"),
    [
        (
            '{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, '
            '"entropy": "FIZZENTROPY"}',
            "Zj1e6l04p4KpnZAJ9onwYqgkByF8+HE4t4Qnp5G+EL8=",
        ),
        (
            '{"events":[{"resourceUrl":"https://api.xero.com/api.xro/2.0/Invoices/11111111-2222-'
            '3333-4444-555555555555","resourceId":"11111111-2222-3333-4444-555555555555",'
            '"tenantId":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","tenantType":"ORGANISATION",'
            '"eventCategory":"INVOICE","eventType":"UPDATE","eventDateUtc":'
            '"2026-11-02T10:15:30.123"}],"firstEventSequence":7,"lastEventSequence":7,"entropy":'
            '"ABCDEFGHIJ"}',
            "+pW+CdVHWgRAPeHEX1TAiWlISz2harg5toR2bAibPWY=",
        ),
    ],
)
def test_the_proof(body, proof):
    delivery = delivered(body.encode(), **{PROOF: proof})
    WEBHOOK.signature.verify(delivery, ["fizz-xero-signing-key"], AT)
    with pytest.raises(VerificationError):
        WEBHOOK.signature.verify(delivery, ["another key"], AT)


def answered(source, body, proof):
    return source.receiver.receive(http_event({PROOF: proof}, body))


def test_an_intent_to_receive_is_answered_right_and_wrong_with_nothing_in_it():
    """Whoever reads bodies again, or answers with a body or a cookie, never gets the webhook."""
    xero, source = Xero(webhook_key=SECRET), Source(WEBHOOK)
    answers = [
        answered(source, sent.body, sent.headers[PROOF]) for sent in xero.sandbox.outbox.burst()
    ]
    assert [one["statusCode"] for one in answers] == [200, 401, 401, 200]
    # Of what the gateway passes on there is nothing else: no headers, no cookies.
    assert all(one.keys() == {"statusCode", "body"} and one["body"] == "" for one in answers)
    assert source.messages() == []
    assert source.parts() == {}


def test_an_ordinary_delivery_is_answered_likewise():
    source = Source(WEBHOOK)
    body = fixture("invoice_update__paid").body
    proof = base64.b64encode(hmac.digest(SECRET.encode(), body, hashlib.sha256)).decode()
    assert answered(source, body, proof) == {"statusCode": 200, "body": ""}
    assert answered(source, body + b" ", proof) == {"statusCode": 401, "body": ""}
    (message,) = source.messages()
    assert (message["what"], message["id"]) == (
        "Invoices",
        f"{CORNER}/3f1d7c52-9a0e-4a55-8b57-1a60c2f4d101",
    )


def test_of_several_organisations_every_thing_is_named_with_its_own():
    named = hints("invoice_update__mixed_tenants")
    assert [(what, one.partition("/")[0]) for what, one in named] == [
        ("Invoices", CORNER),
        ("Contacts", QUAY),
        ("CreditNotes", QUAY),
        ("Invoices", QUAY),
    ]


def test_one_act_in_several_events_is_one_thing_to_read():
    assert len(hints("invoice_update__burst")) == 1


def test_what_is_of_suppliers_or_of_the_app_is_not_read():
    assert hints("creditnote_update__of_a_supplier") == hints("subscription_create__bought") == []


def test_topics_and_numbers():
    names = {
        "invoice_update__mixed_tenants": "INVOICE",
        "creditnote_create__draft": "CREDITNOTE",
        "subscription_update__plan_changed": "SUBSCRIPTION",
        "intent_to_receive__blanks": "",
    }
    assert {name: WEBHOOK.topic(fixture(name)) for name in names} == names
    assert WEBHOOK.delivery_id(fixture("invoice_update__sequence_gap")) == "59"


@pytest.mark.parametrize("body", [{}, [], 7, None, {"events": 7}, {"events": [7]}])
def test_another_form_is_none(body):
    with pytest.raises(MalformedDeliveryError):
        WEBHOOK.topic(delivered(body))


def test_what_the_organisation_sends_names_what_pull_reads():
    xero = Xero()
    xero.tick()
    xero.contact()
    invoice = xero.invoice()
    xero.pay(invoice, 10)
    note = xero.credit_note()
    told = []
    for sent in xero.deliveries:
        delivery = delivered(sent.body, **{PROOF: sent.headers[PROOF]})
        WEBHOOK.signature.verify(delivery, [KEY], AT)
        told += [(one.what, one.external_id) for one in read(WEBHOOK, delivery, "books")]
    assert told.count(("Invoices", f"{CORNER}/{invoice['InvoiceID']}")) == 2
    assert ("CreditNotes", f"{CORNER}/{note['CreditNoteID']}") in told
    assert any(what == "Contacts" for what, _ in told)
