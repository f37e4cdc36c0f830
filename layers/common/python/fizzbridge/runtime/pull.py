"""What a platform's ``pull.py`` declares and codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import httpx

from fizzbridge.http.classify import ErrorRules
from fizzbridge.http.client import VendorClient
from fizzbridge.model.version import Clock
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime.subscriptions import Subscriptions
from fizzbridge.settings import Connection


@dataclass(frozen=True)
class Page:
    """One page of changes.

    Attributes:
        told: what the page shows, oldest change first.
        cursor: where the next page starts; opaque to the runtime.
        is_last: whether nothing newer was there when the page was read.
        carries_on: whether the cursor is the platform's own place in all its changes, so that the
            next round goes on from it and begins at no time.
    """

    told: Iterable[Told]
    cursor: str
    is_last: bool
    carries_on: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.cursor, str):
            # Out of an answer, as it was: kept, it would spoil every later round.
            raise TypeError("a cursor is a text")


@dataclass(frozen=True)
class Span:
    """Of which changes a round reads.

    Attributes:
        since: changed then or later; a poll's overlap is already taken off.
        until: changed then or earlier; None for up to now.
    """

    since: datetime
    until: datetime | None = None


class PullAdapter:
    """One platform as something to read. What it returns counts as authoritative.

    Attributes:
        platform: the platform's slug.
        clock: what the versions of this platform's parts are made of.
        errors: what the platform's answers mean, beyond the common rules.
        subscriptions: its register of webhooks; None where they are set up by hand.
        calls: how many calls a read or a page usually takes; reserved, and given back if unused.
        level_streams: streams of products, prices and stock: read where somebody owns such things.
    """

    platform: ClassVar[str]
    clock: ClassVar[Clock]
    errors: ClassVar[ErrorRules]
    subscriptions: ClassVar[Subscriptions | None] = None
    calls: ClassVar[int] = 4
    level_streams: ClassVar[Set[str]] = frozenset()

    def auth(self, secret: Mapping[str, Any], connection: Connection) -> httpx.Auth:
        """How requests are authorised, from the connection's api secret."""
        raise NotImplementedError

    def fetch(self, vendor: VendorClient, hint: Hint, connection: Connection) -> Iterable[Told]:
        """Read what a hint names; a thing the platform says is gone is a Seen without body.

        Raises:
            NotThereError: there is no such thing, which says nothing.
        """
        raise NotImplementedError

    def changes(
        self,
        vendor: VendorClient,
        stream: str,
        cursor: str | None,
        span: Span,
        connection: Connection,
    ) -> Page:
        """Read one page of a stream, sorted by (changed, id).

        Args:
            vendor: the client.
            stream: one of the manifest's streams.
            cursor: where the last page ended; None at the first page of a round, unless the round
                before it carries on.
            span: of which changes; the same for every page of a round.
            connection: the connection read.
        """
        raise NotImplementedError

    def existing(
        self, vendor: VendorClient, ids: Sequence[str], connection: Connection
    ) -> Set[str]:
        """Which of some orders the platform still has, in whatever state: only their keys are read.

        Asked where the manifest says ``rechecked``: of platforms that delete without a word.
        """
        raise NotImplementedError
