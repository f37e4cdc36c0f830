"""Rotating OAuth 2.0 tokens: one refresh for all processes of a connection.

A refresh token of such a vendor is good once, and spending it twice may end the whole grant. So the
pair lies in the connection's row of the table, whoever refreshes holds that row's lease, and the
new pair is stored before it is used. A holder that dies leaves the old refresh token, which vendors
take again for a while where the new one was never used; where not, a person must connect again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from fizzbridge.errors import ConfigurationError, ConflictError, TargetUnavailableError
from fizzbridge.http.addresses import problem
from fizzbridge.http.auth import granted
from fizzbridge.runtime import rows
from fizzbridge.runtime.leases import LEASE_ATTRIBUTES, Busy, Lease, acquire, release
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import (
    Absent,
    AnyOf,
    ConditionFailedError,
    Equals,
    Row,
    Table,
    Write,
)

TOKEN_SK = "TOKEN"  # noqa: S105  a sort key
HELD_S = 30
"""How long a refresh may take; a vendor's answer is waited for no longer than a call's time."""

EARLY = timedelta(minutes=2)
"""A token with less time left is renewed before it is used: a call may last."""

_REFRESH_LIVES = ("refresh_token_expires_in", "x_refresh_token_expires_in")
"""OAuth has no name for it; these are the two in use."""

SOON = timedelta(seconds=1)
"""When to come again while another process refreshes."""


@dataclass(frozen=True)
class Pair:
    """What a grant has given last.

    Attributes:
        access: goes on every request; empty before the first refresh.
        refresh: buys the next pair.
        until: when the access token ends.
        refresh_until: when the refresh token ends, where the vendor says so.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: datetime
    refresh_until: datetime | None = None


class Tokens:
    """The pair of one connection, shared by all its processes.

    Args:
        table: the state table.
        connection: whose pair it is.
        first: the refresh token a person set; another one than last time begins a new grant.
        now: the present time.
    """

    def __init__(
        self, table: Table, connection: str, first: str, now: Callable[[], datetime]
    ) -> None:
        self._table = table
        self._pk = rows.connection_pk(connection)
        self._first = first
        self._grant = rows.token(first)
        self._now = now

    def current(self) -> Pair | None:
        """The pair in use; None where a refresh is due."""
        pair = self._pair(self._table.get(self._pk, TOKEN_SK) or {})
        return pair if pair.access and pair.until - self._now() > EARLY else None

    def begin(self, spent: str) -> Pair | tuple[Lease, str]:
        """Begin a refresh: the lease with the refresh token to spend, or the pair of who was first.

        Args:
            spent: an access token the vendor no longer takes; empty where its time is over.

        Raises:
            ConflictError: another process is at it; come again soon.
        """
        holder = secrets.token_hex(8)
        lease = acquire(self._table, self._pk, TOKEN_SK, holder, HELD_S, self._now())
        if isinstance(lease, Busy):
            raise ConflictError("another process is refreshing the token", retry_after=SOON)
        pair = self._pair(lease.row)
        is_good = pair.access and pair.access != spent and pair.until - self._now() > EARLY
        if is_good:
            release(self._table, lease)
            return pair
        return lease, pair.refresh

    def finish(self, lease: Lease, pair: Pair, spent: str) -> None:
        """Store the new pair before it is used, and let go.

        A lease that ran out does no harm while nobody has stored another pair: this one may be the
        only one that lives.

        Raises:
            ConflictError: another stored a pair meanwhile; that one holds.
        """
        unchanged = Equals("refresh", spent) if "refresh" in lease.row else Absent("refresh")
        change = {"access": pair.access, "refresh": pair.refresh, "until": to_text(pair.until)}
        change |= {"grant": self._grant, "updated_at": to_text(self._now())}
        if pair.refresh_until:
            change["refresh_until"] = to_text(pair.refresh_until)
        try:
            self._table.write(
                Write(
                    self._pk,
                    TOKEN_SK,
                    set=change,
                    remove=LEASE_ATTRIBUTES,
                    when=AnyOf(lease.held, unchanged),
                )
            )
        except ConditionFailedError as error:
            raise ConflictError("another process refreshed the token", retry_after=SOON) from error

    def abandon(self, lease: Lease) -> None:
        """Let go without a new pair."""
        release(self._table, lease)

    def _pair(self, row: Row) -> Pair:
        if rows.text(row, "grant") != self._grant:
            return Pair("", self._first, self._now())
        return Pair(
            rows.text(row, "access"), rows.text(row, "refresh"), from_text(rows.text(row, "until"))
        )


class RotatingToken(httpx.Auth):
    """A bearer token that is refreshed once for all; a 401 refreshes it once more.

    Args:
        token_url: where tokens are given; https, or http on this machine.
        client_id: the client.
        client_secret: its secret, sent by Basic authentication.
        refresh_token: the one a person was given with their consent.
    """

    requires_response_body = True

    def __init__(
        self, token_url: str, client_id: str, client_secret: str, refresh_token: str
    ) -> None:
        said = problem(token_url, local=True)
        if said:
            raise ConfigurationError(f"token address: {said}")
        self._url = httpx.URL(token_url)
        self._client = httpx.BasicAuth(client_id, client_secret)
        self._first = refresh_token
        self._tokens: Tokens | None = None
        self._now: Callable[[], datetime] | None = None

    def share(self, table: Table, connection: str, now: Callable[[], datetime]) -> None:
        """Where the pair is kept; the runtime says it before the first call."""
        self._tokens = Tokens(table, connection, self._first, now)
        self._now = now

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token that holds.

        Raises:
            ConfigurationError: the grant has ended: a person must connect again.
            ConflictError: another process refreshes; nothing of the request was sent.
            TargetUnavailableError: nobody gives tokens; nothing of the request was sent.
        """
        if self._tokens is None or self._now is None:
            raise TypeError("share() comes first")
        pair = self._tokens.current() or (yield from self._refresh(self._tokens, self._now, ""))
        request.headers["Authorization"] = f"Bearer {pair.access}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            pair = yield from self._refresh(self._tokens, self._now, pair.access)
            request.headers["Authorization"] = f"Bearer {pair.access}"
            yield request

    def _refresh(
        self, tokens: Tokens, now: Callable[[], datetime], spent: str
    ) -> Generator[httpx.Request, httpx.Response, Pair]:
        begun = tokens.begin(spent)
        if isinstance(begun, Pair):
            return begun
        lease, refresh = begun
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        asked = httpx.Request("POST", self._url, data=form, headers={"Accept": "application/json"})
        answer = yield next(self._client.auth_flow(asked))
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            tokens.abandon(lease)
            raise TargetUnavailableError(f"no token: HTTP {answer.status_code}", retry_after=SOON)
        if not answer.is_success:
            tokens.abandon(lease)
            said = "the grant has ended: connect again and set the new refresh token"
            raise ConfigurationError(said, code="token")
        try:
            body = granted(answer)
            pair = Pair(
                access=body["access_token"],
                refresh=str(body.get("refresh_token") or refresh),
                until=now() + timedelta(seconds=int(body["expires_in"])),
                refresh_until=_refresh_until(body, now()),
            )
        except (TargetUnavailableError, KeyError, TypeError, ValueError, OverflowError) as error:
            tokens.abandon(lease)
            said = "no token: the answer has none in it"
            raise TargetUnavailableError(said, retry_after=SOON) from error
        tokens.finish(lease, pair, refresh)
        return pair


def _refresh_until(body: Mapping[str, Any], now: datetime) -> datetime | None:
    """When the new refresh token ends; most vendors do not say."""
    seconds = next((body[name] for name in _REFRESH_LIVES if body.get(name)), None)
    return now + timedelta(seconds=int(seconds)) if seconds else None
