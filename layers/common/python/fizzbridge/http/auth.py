"""Auth schemes that need no state; what they hold never shows in a repr."""

from __future__ import annotations

from collections.abc import Generator

import httpx


class HeaderToken(httpx.Auth):
    """A fixed secret in a header: ``X-Access-Token: ...``."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        request.headers[self._name] = self._value
        yield request


class Bearer(HeaderToken):
    """A bearer token (RFC 6750)."""

    def __init__(self, token: str) -> None:
        super().__init__("Authorization", f"Bearer {token}")
