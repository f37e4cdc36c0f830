"""Who may call the sandbox shop: OAuth 1.0a with HMAC-SHA256, or the bare token where it is on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote, unquote

from starlette.requests import Request

from platforms.magento.sandbox_search import VendorError, required
from platforms.magento.sandbox_values import Json

AHEAD_S = 600
NEEDED = (
    "oauth_consumer_key oauth_signature_method oauth_timestamp oauth_nonce oauth_signature"
    " oauth_token"
)


def enc(text: str) -> str:
    """RFC 3986: everything but letters, digits and four marks."""
    return quote(text, safe="-._~")


def base_string(method: str, url: str, parameters: list[tuple[str, str]]) -> str:
    """What is signed: the query and all of OAuth's own parameters but the signature."""
    encoded = sorted((enc(name), enc(value)) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    return f"{method.upper()}&{enc(url)}&{enc(joined)}"


def signature(base: str, consumer_secret: str, token_secret: str) -> str:
    """The proof of a base string."""
    key = f"{enc(consumer_secret)}&{enc(token_secret)}"
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode()


class Gate:
    """Checks the ``Authorization`` header of a call.

    Args:
        seed: ``consumer_key``, ``consumer_secret``, ``access_token``, ``access_token_secret`` and
            ``bearer``.
        clock: gives the time.
    """

    def __init__(self, seed: Json, clock: Callable[[], datetime]) -> None:
        self._seed = seed
        self._clock = clock
        self._nonces: set[str] = set()

    def lets_in(self, request: Request) -> bool:
        """Whether the caller is the integration; False is a caller without a token.

        Raises:
            VendorError: for a header that does not hold.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return bool(self._seed["bearer"]) and value.strip() == self._seed["access_token"]
        if scheme.lower() != "oauth":
            return False
        given = _parameters(value)
        self._look_at(given)
        if given["oauth_token"] != self._seed["access_token"]:
            raise VendorError(401, "Specified token does not exist")
        self._prove(request, given)
        return True

    def _look_at(self, given: dict[str, str]) -> None:
        for name in NEEDED.split():
            if not given.get(name):
                raise required(name)
        method = given["oauth_signature_method"]
        if method != "HMAC-SHA256":
            raise VendorError(400, "Signature method %1 is not supported", [method])
        version = given.get("oauth_version", "1.0")
        if version != "1.0":
            raise VendorError(400, "OAuth version %1 is not supported", [version])
        if given["oauth_consumer_key"] != self._seed["consumer_key"]:
            raise VendorError(401, "A consumer having the specified key does not exist")
        self._spend(given["oauth_nonce"], given["oauth_timestamp"])

    def _spend(self, nonce: str, at: str) -> None:
        """Too far ahead is refused, however old is not; a nonce counts once, signed well or not."""
        if not at.isdecimal() or not 0 < int(at) <= self._clock().timestamp() + AHEAD_S:
            raise VendorError(401, "An error occurred validating the nonce")
        if nonce in self._nonces:
            text = "The nonce is already being used by the consumer with ID %1"
            raise VendorError(401, text, ["1"])
        self._nonces.add(nonce)

    def _prove(self, request: Request, given: dict[str, str]) -> None:
        query = request.url.query
        signed = [(n, v) for n, v in given.items() if n not in {"oauth_signature", "realm"}]
        for part in filter(None, query.split("&")):
            name, _, value = part.partition("=")
            signed.append((unquote(name), unquote(value)))
        base = base_string(request.method, _address(request), signed)
        names = ("consumer_secret", "access_token_secret")
        proof = signature(base, *(self._seed[name] for name in names))
        is_right = hmac.compare_digest(proof.encode(), given["oauth_signature"].encode())
        # A plus for a space was refused, signed either way.
        if not is_right or "+" in query:
            raise VendorError(401, "The signature is invalid. Verify and try again.")


def _address(request: Request) -> str:
    """The URL as it was sent, without its query and without the port everybody has."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    host = re.sub(r":(80|443)$", "", request.headers.get("host", request.url.netloc).lower())
    return f"{request.url.scheme}://{host}{path.decode().partition('?')[0]}"


def _parameters(text: str) -> dict[str, str]:
    found = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        found[unquote(name)] = unquote(value.strip('"'))
    return found
