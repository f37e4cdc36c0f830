"""Access tokens of apps made since 2026: a day's token for the app's id and secret.

There is no refresh token and several tokens are good at once, so every process may ask for its own:
nothing has to be stored or shared.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache

import httpx

from fizzbridge.errors import ConfigurationError, TargetUnavailableError
from fizzbridge.http.auth import granted

HEADER = "X-Shopify-Access-Token"
_TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105  a path


class ClientCredentials(httpx.Auth):
    """Asks for a token when there is none, and once more when the shop no longer takes it."""

    requires_response_body = True

    def __init__(self, client_id: str, client_secret: str) -> None:
        self._form = {
            "client_id": client_id,
            "client_secret": client_secret,
            "grant_type": "client_credentials",
        }
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token that holds.

        Raises:
            ConfigurationError: the shop gives the app no token.
            TargetUnavailableError: the shop does not answer; nothing of the request was sent.
        """
        if not self._token:
            yield from self._ask(request.url)
        request.headers[HEADER] = self._token
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._ask(request.url)
            request.headers[HEADER] = self._token
            yield request

    def _ask(self, url: httpx.URL) -> Generator[httpx.Request, httpx.Response, None]:
        where = url.copy_with(path=_TOKEN_PATH, query=None)
        answer = yield httpx.Request("POST", where, json=self._form)
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TargetUnavailableError(f"no token: HTTP {answer.status_code}", platform="shopify")
        if not answer.is_success:
            said = "the shop gives the app no token: is it installed, in the shop's organisation?"
            raise ConfigurationError(said, code="token", platform="shopify")
        self._token = granted(answer)["access_token"]


@cache
def client_credentials(client_id: str, client_secret: str) -> ClientCredentials:
    """One per app and process, so that its token is asked for once."""
    return ClientCredentials(client_id, client_secret)
