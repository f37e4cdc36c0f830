"""OAuth 1.0a (RFC 5849) as Magento's integrations ask for it: HMAC-SHA256, in the header.

The shop reckons the signature from the query as it was sent and takes a ``+`` for what it is. So a
query is written anew before it is signed, with every blank as ``%20``.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Generator
from urllib.parse import parse_qsl, quote

import httpx

_METHOD = "HMAC-SHA256"


class OAuth1(httpx.Auth):
    """Signs requests with the keys of an integration.

    Args:
        consumer_key: names the integration.
        consumer_secret: its secret.
        token: of the merchant's consent.
        token_secret: its secret.
        clock: seconds since 1970; the shop refuses what is ten minutes ahead of it.
        nonce: a text that is never used twice; the shop refuses one that was.
    """

    def __init__(
        self,
        consumer_key: str,
        consumer_secret: str,
        token: str,
        token_secret: str,
        *,
        clock: Callable[[], float] = time.time,
        nonce: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._named = {"oauth_consumer_key": consumer_key, "oauth_token": token}
        self._key = f"{encoded(consumer_secret)}&{encoded(token_secret)}".encode()
        self._clock = clock
        self._nonce = nonce

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Write the query anew and add the header."""
        query = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        if query:
            request.url = request.url.copy_with(query=_joined(query).encode())
        said = self._named | {
            "oauth_signature_method": _METHOD,
            "oauth_timestamp": str(int(self._clock())),
            "oauth_nonce": self._nonce(),
            "oauth_version": "1.0",
        }
        signed = base_string(request.method, request.url, [*query, *said.items()])
        digest = hmac.new(self._key, signed.encode(), hashlib.sha256).digest()
        said["oauth_signature"] = base64.b64encode(digest).decode()
        words = ",".join(f'{name}="{encoded(value)}"' for name, value in said.items())
        request.headers["Authorization"] = f"OAuth {words}"
        yield request


def base_string(method: str, url: httpx.URL, parameters: list[tuple[str, str]]) -> str:
    """What is signed: the method, the address without its query, and everything sorted."""
    pairs = sorted((encoded(name), encoded(value)) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    return "&".join((method, encoded(str(url.copy_with(query=None))), encoded(joined)))


def encoded(text: str) -> str:
    """Letters, digits and ``-._~`` stay; a blank is ``%20`` (RFC 3986)."""
    return quote(text, safe="")


def _joined(query: list[tuple[str, str]]) -> str:
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in query)
