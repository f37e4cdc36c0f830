from datetime import UTC, datetime
from decimal import Decimal

import pytest

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.webhook.request import Delivery

AT = datetime(2026, 11, 20, tzinfo=UTC)


def delivery(**event):
    return Delivery.from_event(event, AT)


def test_a_text_body_is_its_utf8_bytes():
    assert delivery(body="48 × cola").body == "48 × cola".encode()


def test_a_base64_body_is_decoded():
    assert delivery(body="/wA=", isBase64Encoded=True).body == b"\xff\x00"


def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_refused():
    with pytest.raises(VerificationError):
        delivery(body="a", isBase64Encoded=True)


def test_an_event_without_anything_is_an_empty_delivery():
    assert delivery() == Delivery(headers={}, body=b"", received_at=AT)
    assert delivery(body=None, headers=None, pathParameters=None).body == b""


def test_header_names_are_lower_case_and_repetitions_joined():
    found = delivery(headers={"X-Topic": "a", "x-topic": "b", "Other": "c"})
    assert found.headers == {"x-topic": "a,b", "other": "c"}


def test_token_and_request_id_are_found():
    found = delivery(pathParameters={"token": "t"}, requestContext={"requestId": "r"})
    assert (found.path_token, found.request_id) == ("t", "r")


def test_what_the_address_asks_is_found_and_not_stored():
    found = delivery(queryStringParameters={"validationToken": "8d1f"})
    assert found.query == {"validationToken": "8d1f"}
    assert found.without(()).query == {}


def test_what_is_stored_holds_no_proof():
    headers = {"authorization": "a", "cookie": "c", "x-proof": "p", "x-topic": "t"}
    found = delivery(headers=headers, pathParameters={"token": "t"}).without(["x-proof"])
    assert found.headers == {"x-topic": "t"}
    assert found.path_token is None


def test_numbers_with_a_point_are_exact():
    found = delivery(body='{"a": 35.40, "b": 7, "c": 9007199254740993}').json()
    assert found == {"a": Decimal("35.40"), "b": 7, "c": 9007199254740993}
    assert str(found["a"]) == "35.40"


@pytest.mark.parametrize("body", ["", "{", '{"a": NaN}', "Infinity", "[" * 20000])
def test_what_is_not_json_is_malformed(body):
    with pytest.raises(MalformedDeliveryError) as refused:
        delivery(body=body).json()
    assert refused.value.code == "not_json"


def test_bytes_that_are_no_text_are_malformed():
    with pytest.raises(MalformedDeliveryError):
        delivery(body="//4=", isBase64Encoded=True).json()
