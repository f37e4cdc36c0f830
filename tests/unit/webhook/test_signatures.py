import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.errors import VerificationError
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import (
    TOLERANCE,
    FizzHmac,
    HmacSha256,
    PathToken,
    StandardWebhooks,
    standard_proof,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
# RFC 4231, test case 2.
KEY, DATA = "Jefe", b"what do ya want for nothing?"
DIGEST = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def verify(signature, headers, body=DATA, secrets=(KEY,)):
    signature.verify(Delivery(headers=headers, body=body, received_at=AT), secrets, AT)


def test_the_rfcs_example_in_both_encodings():
    verify(HmacSha256(("h",), "hex"), {"h": DIGEST})
    verify(HmacSha256(("h",)), {"h": base64.b64encode(bytes.fromhex(DIGEST)).decode()})


def test_the_first_header_present_counts():
    signature = HmacSha256(("new", "old"), "hex")
    verify(signature, {"old": DIGEST})
    with pytest.raises(VerificationError):
        verify(signature, {"new": "0" * 64, "old": DIGEST})


def test_any_active_secret_will_do():
    verify(HmacSha256(("h",), "hex"), {"h": DIGEST}, secrets=("newest", KEY))


@pytest.mark.parametrize("secrets", [(), ("other",)])
def test_no_fitting_secret_is_a_refusal(secrets):
    with pytest.raises(VerificationError):
        verify(HmacSha256(("h",), "hex"), {"h": DIGEST}, secrets=secrets)


@given(proof=st.text(), body=st.binary())
def test_whatever_comes_is_refused_and_never_an_exception_of_another_kind(proof, body):
    for encoding in ("hex", "base64"):
        digest = hmac.new(KEY.encode(), body, hashlib.sha256).digest()
        right = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
        if proof == right and body:
            continue
        with pytest.raises(VerificationError):
            verify(HmacSha256(("h",), encoding), {"h": proof}, body)


@given(body=st.binary(min_size=1), flip=st.integers(min_value=0))
def test_any_changed_byte_is_noticed(body, flip):
    proof = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    verify(HmacSha256(("h",), "hex"), {"h": proof}, body)
    changed = bytearray(body)
    changed[flip % len(body)] ^= 1
    with pytest.raises(VerificationError):
        verify(HmacSha256(("h",), "hex"), {"h": proof}, bytes(changed))


# -- schemes that sign a time ----------------------------------------------------------------------

SECOND = int(AT.timestamp())


def standard(body=DATA, secret=KEY, named="msg_1", at=SECOND):
    digest = hmac.digest(secret.encode(), f"{named}.{at}.".encode() + body, hashlib.sha256)
    proof = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": named, "webhook-timestamp": str(at), "webhook-signature": proof}


def fizz(body=DATA, secret=KEY, at=SECOND):
    digest = hmac.digest(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return {"x-fizz-timestamp": str(at), "x-fizz-signature": f"v1={digest.hex()}"}


TIMED = [(StandardWebhooks(), standard), (FizzHmac(), fizz)]
timed = pytest.mark.parametrize(("signature", "sign"), TIMED, ids=["standard", "fizz"])


def test_a_vector_of_standard_webhooks_made_elsewhere():
    secret, body = (
        "bc-client-secret-for-tests",
        (
            b'{"producer":"stores/abc123","hash":"0f1b5800def7b505369b08b4a3503a1db2c4b1a6",'
            b'"created_at":1763900000,"store_id":"1000123","scope":"store/order/created",'
            b'"data":{"type":"order","id":272}}'
        ),
    )
    headers = {
        "webhook-id": "msg_2abcDEF",
        "webhook-timestamp": "1763900001",
        "webhook-signature": "v1,other v1,tiFRtoEuQsawJ8ZAKPOlbGKcH+uK5tJKj83VLs6nGq4=",
    }
    at = datetime.fromtimestamp(1763900001, UTC)
    delivery = Delivery(headers=headers, body=body, received_at=at)
    StandardWebhooks().verify(delivery, (secret,), at)


def test_the_vector_of_standard_webhooks_own_libraries():
    """https://github.com/standard-webhooks/standard-webhooks, the tests of its libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    delivery = Delivery(headers=headers, body=body, received_at=at)
    StandardWebhooks().verify(delivery, ("another", secret), at)
    with pytest.raises(VerificationError):
        StandardWebhooks().verify(delivery, (secret.removeprefix("whsec_"),), at)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_cut", "whsec_\u00fc", "whsec_%%%%"])
def test_a_secret_that_was_spoiled_refuses_and_breaks_nothing(secret):
    proof = standard_proof("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", str(SECOND), DATA)
    keyless = hmac.digest(b"", f"msg_1.{SECOND}.".encode() + DATA, hashlib.sha256)
    for one in (proof, "v1," + base64.b64encode(keyless).decode()):
        with pytest.raises(VerificationError):
            verify(StandardWebhooks(), standard() | {"webhook-signature": one}, secrets=(secret,))


def test_a_vector_of_our_modules_made_elsewhere():
    body = (
        b'{"event":"order.placed","site_id":"FizzUS","order_no":"00028011",'
        b'"occurred_at":"2026-11-01T10:15:30.000Z",'
        b'"delivery_id":"0f6b9c1e-7f0a-4c55-9a1e-2c9d9b5b7d10"}'
    )
    proof = "v1=ed62015d74fa177318e45c0f05de2c85022321391463f80ca066b01fcbb209e3"
    headers = {"x-fizz-timestamp": "1793528130", "x-fizz-signature": proof}
    at = datetime.fromtimestamp(1793528130, UTC)
    delivery = Delivery(headers=headers, body=body, received_at=at)
    FizzHmac().verify(delivery, ("fizz_hook_demo_secret",), at)


@timed
def test_any_active_secret_proves_a_delivery_of_now(signature, sign):
    verify(signature, sign(), secrets=("newest", KEY))


@timed
@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_few_minutes_off_are_forgiven(signature, sign, seconds):
    assert abs(seconds) == TOLERANCE.total_seconds()
    verify(signature, sign(at=SECOND + seconds))
    with pytest.raises(VerificationError) as refused:
        verify(signature, sign(at=SECOND + seconds + seconds // 300))
    assert refused.value.code == "stale"


@timed
@pytest.mark.parametrize("at", ["", "soon", "-1", "1e9", "9" * 40, "१"])
def test_a_time_that_is_none_is_refused(signature, sign, at):
    with pytest.raises(VerificationError):
        verify(signature, sign(at=at))


@timed
def test_another_time_does_not_fit_the_proof(signature, sign):
    headers = sign() | {
        name: value for name, value in sign(at=SECOND + 1).items() if "timestamp" in name
    }
    with pytest.raises(VerificationError):
        verify(signature, headers)


@timed
@given(proof=st.text(), body=st.binary())
def test_no_proof_is_ever_an_exception_of_another_kind(signature, sign, proof, body):
    headers = sign(body) | {signature.headers[0]: proof}
    if headers == sign(body) and body:
        return
    with pytest.raises(VerificationError):
        verify(signature, headers, body)


def test_a_secret_is_not_compared_with_a_time_of_long_ago():
    with pytest.raises(VerificationError):
        StandardWebhooks().verify(
            Delivery(headers=standard(), body=DATA, received_at=AT), (KEY,), AT + timedelta(days=1)
        )


# -- vendors that cannot sign ----------------------------------------------------------------------


def by_token(token, body=DATA, secrets=(KEY,)):
    PathToken().verify(Delivery({}, body, AT, path_token=token), secrets, AT)


def test_any_active_secret_at_the_end_of_the_path_will_do():
    by_token(KEY)
    by_token(KEY, secrets=("newest", KEY))


@pytest.mark.parametrize("token", [None, "", "jefe", f"{KEY} ", KEY[:-1], "\ud800", "é"])
def test_any_other_token_is_refused(token):
    with pytest.raises(VerificationError):
        by_token(token)


def test_a_token_without_a_body_tells_nothing():
    with pytest.raises(VerificationError):
        by_token(KEY, b"")
