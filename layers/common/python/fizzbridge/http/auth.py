"""Auth schemes that need no state; what they hold never shows in a repr."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cache
from typing import Any

import httpx

from fizzbridge.errors import ConfigurationError, TargetUnavailableError
from fizzbridge.http.addresses import problem
from fizzbridge.http.client import decode


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


class ClientCredentials(httpx.Auth):
    """OAuth 2.0 client credentials (RFC 6749, 4.4): asks for a token, and again when it is dead.

    Any number of tokens is good at once, so every process may ask for its own: nothing has to be
    stored or shared.

    Args:
        token_url: where tokens are given; https, or http on this machine.
        client_id: the client.
        client_secret: its secret.
        scope: what the token is for, with blanks between.
        in_form: whether id and secret go into the form, and not by Basic authentication.
    """

    requires_response_body = True

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str,
        *,
        in_form: bool = False,
    ) -> None:
        said = problem(token_url, local=True)
        if said:
            raise ConfigurationError(f"token address: {said}")
        self._url = httpx.URL(token_url)
        self._client = httpx.Auth() if in_form else httpx.BasicAuth(client_id, client_secret)
        self._form = {"grant_type": "client_credentials", "scope": scope}
        if in_form:
            self._form |= {"client_id": client_id, "client_secret": client_secret}
        self._token = ""

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token that holds.

        Raises:
            ConfigurationError: the client gets no token.
            TargetUnavailableError: nobody answers; nothing of the request was sent.
        """
        if not self._token:
            yield from self._ask()
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            yield from self._ask()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request

    def _ask(self) -> Generator[httpx.Request, httpx.Response, None]:
        asked = httpx.Request("POST", self._url, data=self._form)
        answer = yield next(self._client.auth_flow(asked))
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise TargetUnavailableError(f"no token: HTTP {answer.status_code}")
        if not answer.is_success:
            said = "no token is given: are id, secret and scopes those of the account's client?"
            raise ConfigurationError(said, code="token")
        self._token = granted(answer)["access_token"]


def granted(answer: httpx.Response) -> Mapping[str, Any]:
    """What a token endpoint's answer grants; ``access_token`` is a text in it.

    Raises:
        TargetUnavailableError: it grants nothing, whatever its status says; nobody could tell more.
    """
    try:
        body = decode(answer.text)
    except ValueError:
        body = None
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise TargetUnavailableError("no token: the answer has none in it")
    return dict(body)


@cache
def client_credentials(
    token_url: str, client_id: str, client_secret: str, scope: str, *, in_form: bool = False
) -> ClientCredentials:
    """One per client and process, so that its token is asked for once."""
    return ClientCredentials(token_url, client_id, client_secret, scope, in_form=in_form)
