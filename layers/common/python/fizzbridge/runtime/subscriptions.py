"""A platform's register of webhooks, and the watch that keeps ours in it.

Platforms drop a webhook that fails, or switch it off, and tell nobody. What should be there is a
wish in the state table: ``connect`` writes it, ``disconnect`` takes it back, and the watch mends
what is missing in between. Whatever was not told meanwhile is read by the polls it asks for.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from fizzbridge.errors import NotThereError
from fizzbridge.http.client import VendorClient
from fizzbridge.runtime import rows
from fizzbridge.settings import Connection
from fizzbridge.state.moments import to_text
from fizzbridge.state.table import Table, Write

SUBSCRIPTIONS_SK = "SUBSCRIPTIONS"


@dataclass(frozen=True)
class Subscription:
    """One webhook as the platform lists it.

    Attributes:
        id: the platform's.
        topic: what it tells of, in the words of ``topics``.
        address: where it is sent.
        is_active: False where the platform has switched it off.
    """

    id: str
    topic: str
    address: str
    is_active: bool = True


class Subscriptions(ABC):
    """What a platform's ``subscriptions.py`` codes.

    Attributes:
        topics: what every connection subscribes to, one webhook each.
        optional: by the setting that must be on, what some connections subscribe to as well.
    """

    topics: ClassVar[tuple[str, ...]]
    optional: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @abstractmethod
    def listed(self, vendor: VendorClient, connection: Connection) -> Iterable[Subscription]:
        """Every webhook the account can see, ours or not."""

    @abstractmethod
    def add(
        self, vendor: VendorClient, topic: str, address: str, secret: str, connection: Connection
    ) -> None:
        """Make one.

        Args:
            vendor: the client.
            topic: one of ``topics``.
            address: where to send it.
            secret: the newest signing secret, for platforms that take one.
            connection: the connection.
        """

    def renew(  # noqa: B027  most last until they are deleted
        self, vendor: VendorClient, subscription: Subscription, secret: str, connection: Connection
    ) -> None:
        """Make one that is kept last longer, where they run out, and know the newest secret.

        Raises:
            NotThereError: it is gone meanwhile; another is made.
        """

    @abstractmethod
    def remove(
        self, vendor: VendorClient, subscription: Subscription, connection: Connection
    ) -> None:
        """Delete one.

        Raises:
            NotThereError: it is gone already, which is as good.
        """


@dataclass(frozen=True)
class Wish:
    """What should be in the platform's register.

    Attributes:
        address: where webhooks of the connection go; empty where nobody ever connected it.
        is_wanted: whether they should be there.
    """

    address: str = ""
    is_wanted: bool = False


class Register:
    """The wish of one connection, and what came of it."""

    def __init__(self, table: Table, connection: Connection, now: Callable[[], datetime]) -> None:
        self._table = table
        self._pk = rows.connection_pk(connection.name)
        self._connection = connection
        self._now = now

    def wish(self) -> Wish:
        """What should be there."""
        row = self._table.get(self._pk, SUBSCRIPTIONS_SK) or {}
        return Wish(rows.text(row, "address"), rows.text(row, "wanted") == "yes")

    def want(self, wish: Wish) -> None:
        """Write what should be there, before anything is done about it."""
        self._write(address=wish.address, wanted="yes" if wish.is_wanted else "no")

    def fulfil(
        self, adapter: Subscriptions, vendor: VendorClient, secret: str, asked: str = ""
    ) -> Sequence[str]:
        """Make the register be as wished; gives the topics that had to be mended.

        One webhook is deleted before another takes its place: several platforms refuse a second
        one of the same topic and address. What is told in between, the polls find.
        """
        wish = self.wish()
        settings = self._connection.settings
        known = adapter.topics + sum(adapter.optional.values(), ())
        on = (topics for name, topics in adapter.optional.items() if settings.get(name))
        wanted = adapter.topics + sum(on, ()) if wish.is_wanted else ()
        theirs = [
            one
            for one in adapter.listed(vendor, self._connection)
            if one.address == wish.address and one.topic in known
        ]
        kept: dict[str, Subscription] = {}
        for one in theirs:
            if one.topic in wanted and one.is_active and one.topic not in kept:
                kept[one.topic] = one
            else:
                with suppress(NotThereError):
                    adapter.remove(vendor, one, self._connection)
        for one in list(kept.values()):
            try:
                adapter.renew(vendor, one, secret, self._connection)
            except NotThereError:
                del kept[one.topic]
        missing = [topic for topic in wanted if topic not in kept]
        for topic in missing:
            adapter.add(vendor, topic, wish.address, secret, self._connection)
        self.done(asked, wanted, missing)
        return missing

    def done(self, asked: str, topics: Sequence[str] = (), mended: Sequence[str] = ()) -> None:
        """Say that it is as it should be, to whoever waits for that.

        Args:
            asked: names the request; empty for the watch.
            topics: what is subscribed to now.
            mended: which of them had to be made.
        """
        self._write(
            asked=asked,
            topics=json.dumps(list(topics)),
            mended=json.dumps(list(mended)),
            checked=to_text(self._now()),
        )

    def _write(self, **values: str) -> None:
        self._table.write(Write(self._pk, SUBSCRIPTIONS_SK, set=values))
