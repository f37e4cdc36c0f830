"""One call to a vendor: sent, read, classified. No retries and no waiting: the runtime decides."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NoReturn

import httpx

from fizzbridge.errors import (
    ConfigurationError,
    ConflictError,
    FizzbridgeError,
    OutcomeUnknownError,
    TargetUnavailableError,
    UnreadableAnswerError,
)
from fizzbridge.http.addresses import LOOPBACK, problem
from fizzbridge.http.classify import Answer, ErrorRules, clean, personal
from fizzbridge.http.connecting import GuardedTransport
from fizzbridge.http.misreading import misreading

__all__ = ["Answer", "VendorClient", "decode", "encode"]

# httpx logs whole addresses at INFO, and a query may hold a mail address or a reference.
logging.getLogger("httpx").setLevel(logging.WARNING)

_REQUEST_IDS = ("x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid")
_SECRET_LENGTH = 8
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class VendorClient:
    """A connection's way to its vendor.

    Args:
        platform: slug, for errors.
        base_url: the connection's; https, or plain http on this machine. Whatever is asked for
            must begin with its scheme, host and port.
        auth: how requests are authorised.
        errors: what answers mean, beyond the common rules.
        timeout: for one call as a whole, from connecting to the last byte.
        transport: in place of the process's shared connection pool.
        deadline: the time left of lease and function; a write that might outlast it is not begun.
        secrets: what a vendor may quote and nobody may read: the values of the api secret.
    """

    def __init__(
        self,
        *,
        platform: str,
        base_url: str,
        auth: httpx.Auth,
        errors: ErrorRules,
        timeout: timedelta,
        transport: httpx.BaseTransport | None = None,
        deadline: Callable[[], timedelta] | None = None,
        secrets: Collection[str] = (),
    ) -> None:
        said = problem(base_url, local=True)
        if said:
            raise ConfigurationError(f"base URL: {said}", platform=platform)
        self.platform = platform
        self._base = httpx.URL(base_url)
        self._auth = auth
        self._errors = errors
        self._timeout = timeout
        self._transport = transport
        self._deadline = deadline
        self._beside: list[VendorClient] = []
        # The last call, where it was answered: what it was, whether it writes, the vendor's name
        # for it. Clients beside each other share it.
        self._in_hand: list[tuple[str, bool, str]] = []
        self.heard: Callable[[FizzbridgeError | None], None] = _unheard
        """Told of each call how it ended: None where it was answered."""
        self._calls = 0
        self._said = {one for one in secrets if len(one) >= _SECRET_LENGTH}
        self._http = httpx.Client(
            base_url=self._base,
            auth=auth,
            timeout=timeout.total_seconds(),
            transport=transport or _pool(to_loopback=self._base.host in LOOPBACK),
            follow_redirects=False,
            event_hooks={"request": [self._count]},
            headers={"User-Agent": "fizzbridge", "Accept": "application/json"},
        )

    @property
    def calls(self) -> int:
        """How many requests went out, those of a token refresh included."""
        return self._calls + sum(one.calls for one in self._beside)

    def beside(self, base_url: str) -> VendorClient:
        """A client of another host of the vendor's: same rights and rules, counted with this one.

        Args:
            base_url: the adapter's own or a setting's, never out of an answer: it gets our
                credentials.
        """
        other = VendorClient(
            platform=self.platform,
            base_url=base_url,
            auth=self._auth,
            errors=self._errors,
            timeout=self._timeout,
            transport=self._transport,
            deadline=self._deadline,
            secrets=self._said,
        )
        other.heard = self.heard
        other._in_hand = self._in_hand
        self._beside.append(other)
        return other

    def clean(self, text: str) -> str:
        """A vendor's sentence without what this client told it of people and of itself."""
        return clean(text, self._said)

    def misread(self, error: BaseException) -> FizzbridgeError | None:
        """What an exception of an adapter stands for that was raised over the last answer.

        None where there was no answer, or the bug is ours. Of a write that was answered oddly
        nobody knows whether it was done.
        """
        said = misreading(error)
        if not said or not self._in_hand:
            return None
        call, writes, request_id = self._in_hand[0]
        verdict = OutcomeUnknownError if writes else UnreadableAnswerError
        return verdict(
            f"{call}: the answer is not of the documented shape ({said})",
            code=UnreadableAnswerError.code,
            platform=self.platform,
            request_id=request_id,
        )

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Answer:
        """Read something."""
        return self.request("GET", path, params=params, writes=False)

    def post(self, path: str, *, json: Any, writes: bool) -> Answer:
        """Send JSON."""
        return self.request("POST", path, json=json, writes=writes)

    def request(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        was: Mapping[str, Any] | None = None,  # noqa: ARG002  for plans
        shown: Any = None,
    ) -> Answer:
        """Make one call and return the answer of a success.

        Args:
            method: of HTTP.
            path: below the base URL, or a whole address on the same host.
            writes: whether the call can change something at the vendor.
            json: body to send; a Decimal goes out digit for digit.
            content: body to send as it is.
            params: of the query.
            headers: beside the usual ones.
            was: what the fields to be written hold now, which a plan shows beside them.
            shown: what a body that is no JSON says: for plans, and to keep it out of errors.

        Raises:
            FizzbridgeError: what the answer, or its absence, stands for.
        """
        self._in_hand.clear()  # what breaks while a call is made is no matter of its answer
        try:
            request = self._http.build_request(
                method,
                path,
                content=encode(json) if json is not None else content,
                params=params,
                headers=({"Content-Type": "application/json"} if json is not None else {})
                | dict(headers or {}),
            )
        except httpx.InvalidURL as unreadable:
            said = f"{method}: what should be a link is none"
            raise ConfigurationError(said, platform=self.platform) from unreadable
        call = f"{method} {request.url.path}"
        self._said.update(personal(json if json is not None else shown))
        try:
            answer = self._call(request, call, writes=writes)
        except FizzbridgeError as error:
            self._in_hand.append((call, writes, error.request_id))
            self.heard(error)
            raise
        self._in_hand.append((call, writes, answer.request_id))
        self.heard(None)
        return answer

    def _call(self, request: httpx.Request, call: str, *, writes: bool) -> Answer:
        self._check(request, call, writes=writes)
        response = self._send(request, call, writes=writes)
        answer = self._read(response, call, writes=writes)
        error = self._errors.error(
            answer, platform=self.platform, call=call, writes=writes, said=self._said
        )
        if error:
            raise error
        if response.is_success and answer.data is None and answer.text.strip():
            is_page = "html" in answer.headers.get("content-type", "")
            if is_page or self._errors.decode:
                # Of somebody before the vendor, who says that it is being worked on, say: what was
                # asked is done, or not.
                self._give_up(call, "a page in place of an answer", writes=writes)
        return answer

    def _count(self, _: httpx.Request) -> None:
        self._calls += 1

    def _check(self, request: httpx.Request, call: str, *, writes: bool) -> None:
        there = (request.url.scheme, request.url.host, request.url.port)
        own = (self._base.scheme, self._base.host, self._base.port)
        if there != own or request.url.userinfo:
            # A link in an answer must not carry our credentials elsewhere.
            raise ConfigurationError(
                f"{call}: leaves the connection's host", platform=self.platform
            )
        if writes and self._deadline and self._deadline() < self._timeout:
            raise ConflictError(f"{call}: too little time left to begin", platform=self.platform)

    def _send(self, request: httpx.Request, call: str, *, writes: bool) -> httpx.Response:
        until = time.monotonic() + self._timeout.total_seconds()
        open_headers = set(request.headers)
        try:
            response = self._http.send(request, stream=True)
            try:
                # httpx times each read; a vendor that trickles bytes would never run out.
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if time.monotonic() > until:
                        self._give_up(call, "the answer took too long", writes=writes)
            finally:
                response.close()
        except _NEVER_SENT as error:
            self._give_up(call, type(error).__name__, writes=False, cause=error)
        except httpx.RequestError as error:
            self._give_up(call, type(error).__name__, writes=writes, cause=error)
        for name, value in response.request.headers.items():
            if name not in open_headers:  # the auth put it there, and a vendor may quote it
                self._said.update(word for word in value.split() if len(word) >= _SECRET_LENGTH)
        return httpx.Response(
            response.status_code,
            headers=[
                pair
                for pair in response.headers.multi_items()
                if pair[0] not in {"content-encoding", "content-length", "transfer-encoding"}
            ],
            content=bytes(body),
        )

    def _read(self, response: httpx.Response, call: str, *, writes: bool) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        text = response.text
        data = None
        try:
            data = (self._errors.decode or decode)(text) if text.strip() else None
        except ValueError:
            if response.is_success and self._errors.media in headers.get("content-type", ""):
                # Cut off on its way: what was asked is done, or not.
                self._give_up(call, "the answer is not whole", writes=writes)
        request_id = next((headers[name] for name in _REQUEST_IDS if name in headers), "")
        return Answer(response.status_code, headers, data, text, request_id)

    def _give_up(
        self, call: str, what: str, *, writes: bool, cause: Exception | None = None
    ) -> NoReturn:
        verdict = OutcomeUnknownError if writes else TargetUnavailableError
        raise verdict(f"{call}: {what}", platform=self.platform) from cause


def _unheard(_: FizzbridgeError | None) -> None:
    """Nobody asks how calls end."""


class ClientAround(VendorClient):
    """Another client under a vendor's way of asking: what it does not change goes through."""

    def __init__(self, inner: VendorClient) -> None:
        self.platform = inner.platform
        self._inner = inner

    @property
    def calls(self) -> int:
        """How many requests went out."""
        return self._inner.calls

    def beside(self, base_url: str) -> VendorClient:
        """A client of another host, counted with the one within."""
        return self._inner.beside(base_url)

    def clean(self, text: str) -> str:
        """A vendor's sentence without what this client told it of people and of itself."""
        return self._inner.clean(text)

    def misread(self, error: BaseException) -> FizzbridgeError | None:
        """What an exception of an adapter stands for that was raised over the last answer."""
        return self._inner.misread(error)

    def request(self, *call: Any, **more: Any) -> Answer:
        """Make one call."""
        return self._inner.request(*call, **more)


def encode(value: Any) -> bytes:
    """JSON with every Decimal as the number it is.

    The standard encoder takes no Decimal except through float, which changes money; vendors differ
    in whether they accept amounts as text, and none refuses a number.

    Raises:
        TypeError: there is a float in it.
    """
    return _encode(value).encode()


def _encode(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            msg = f"{value} is not a number JSON has"
            raise ValueError(msg)
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{_encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    if isinstance(value, float):
        msg = "a float cannot hold money or measures exactly; send an integer, a Decimal or text"
        raise TypeError(msg)
    return json.dumps(value)


def decode(text: str) -> Any:
    """JSON with every fraction as Decimal.

    Raises:
        ValueError: it is not JSON, or has a number JSON does not have.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (RecursionError, InvalidOperation) as error:
        # Nested too deep to be read, or with an exponent that is no number to Decimal.
        raise ValueError("JSON nobody can read") from error


def _refuse(name: str) -> NoReturn:
    msg = f"{name} is not a number JSON has"
    raise ValueError(msg)


@cache
def _pool(*, to_loopback: bool) -> httpx.HTTPTransport:
    """One pool for the process: clients come and go with each message, connections stay."""
    return GuardedTransport(to_loopback=to_loopback)
