import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fizzbridge.errors import VerificationError
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.signatures import HmacSha256

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
