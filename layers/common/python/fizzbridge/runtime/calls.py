"""Calls to a vendor within a connection's limits: the client, and the right to use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Protocol, TypeAlias

import httpx

from fizzbridge.errors import ConfigurationError, FizzbridgeError
from fizzbridge.http.addresses import own_addresses, problem
from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime.limiter import Limiter, NoCapacityError
from fizzbridge.runtime.tokens import RotatingToken
from fizzbridge.runtime.wiring import Ports, now
from fizzbridge.secrets import SecretError
from fizzbridge.settings import LOCAL_STAGE, Connection

TimeLeft: TypeAlias = Callable[[], timedelta]
MakeClient: TypeAlias = Callable[[TimeLeft], VendorClient]


class Platform(Protocol):
    """What pull and target adapters have in common."""

    platform: ClassVar[str]
    errors: ClassVar[ErrorRules]

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """How requests are authorised."""
        ...


@contextmanager
def reserved(
    connection: Connection,
    limiter: Limiter,
    make: MakeClient,
    *,
    calls: int,
    holder: str,
    left: TimeLeft,
    heard: Callable[[FizzbridgeError | None], None] | None = None,
    yields: bool = False,
    learns: bool = False,
) -> Iterator[VendorClient]:
    """Reserve calls at the limiter for as long as the client is used.

    Args:
        connection: whose limits hold.
        limiter: shared by all functions of the connection.
        make: gives the client.
        calls: how many may be needed; what was not used is given back.
        holder: unique to this invocation and message.
        left: how much time there is; the slot ends with it.
        heard: told of each call how it ended.
        yields: whether others go first.
        learns: whether fewer are reserved where others needed fewer.

    Raises:
        NoCapacityError: not now.
        UnreadableAnswerError, OutcomeUnknownError: as ``reading`` says.
    """
    allowed = connection.calls
    # First, so that a connection without its secret takes up no slot.
    vendor = make(left)
    if heard:
        vendor.heard = heard
    try:
        reservation = limiter.reserve(
            connection.name,
            allowed.parallel,
            allowed.per_minute,
            calls,
            holder,
            left().total_seconds(),
            yields=yields,
            learns=learns,
        )
    except NoCapacityError as full:
        raise NoCapacityError(
            "our own limit for this connection is used up", retry_after=full.retry_after
        ) from full
    try:
        with reading(vendor):
            yield vendor
    except BaseException:
        # What broke off says nothing of what a whole run needs.
        limiter.release(replace(reservation, learns=False), vendor.calls)
        raise
    limiter.release(reservation, vendor.calls)


@contextmanager
def reading(vendor: VendorClient) -> Iterator[None]:
    """Say of what the vendor answered and nobody can read what it stands for.

    Raises:
        UnreadableAnswerError: it was to be read only.
        OutcomeUnknownError: it was a write's, which may have been done.
    """
    try:
        yield
    except Exception as error:
        misread = vendor.misread(error)
        if misread:
            raise misread from error
        raise


def vendor_client(adapter: Platform, connection: Connection, given: Ports) -> MakeClient:
    """Make clients for a connection; the secret is read when the first call is due.

    The addresses were checked with the bridge file; what is deployed is checked again, before a
    secret is read for it.
    """

    def make(left: TimeLeft) -> VendorClient:
        for where, address in own_addresses(connection.base_url, connection.settings):
            wrong = problem(address, local=given.settings.stage == LOCAL_STAGE)
            if wrong:
                raise ConfigurationError(f"{where}: {wrong}", platform=adapter.platform)
        try:
            secret = given.secrets.get(given.settings.api_secret or "")
        except SecretError as error:
            said = f"{error}; set it with fizzbridge secrets set {connection.name}"
            raise ConfigurationError(said, platform=adapter.platform) from error
        auth = adapter.auth(secret, connection)
        if isinstance(auth, RotatingToken):
            auth.share(given.table, connection.name, now)
        return VendorClient(
            platform=adapter.platform,
            base_url=connection.base_url,
            auth=auth,
            errors=adapter.errors,
            timeout=timedelta(seconds=given.bridge.timing.call_timeout),
            deadline=left,
            secrets=[value for value in secret.values() if isinstance(value, str)],
        )

    return make
