"""A shop and the bridge beside it, minute by minute: what is scheduled is done when it is due."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from fizzbridge.manifest import load_registry
from tests.kit.shop import HEARS, ROOT, Shop
from tests.kit.source import PULL_QUEUE, Source, http_event

MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
MANIFESTS = load_registry(ROOT)


def minutes(interval: str) -> int:
    """How many minutes an interval of a manifest is."""
    number, unit = re.fullmatch(r"(\d+) (minute|hour|day)s?", interval).groups()  # type: ignore[union-attr]
    return int(number) * MINUTES[unit]


class Calendar:
    """Lets time go by for a shop and its bridge.

    Args:
        shop: the shop.
        source: the bridge beside it.
        skew: seconds the shop's clock is ahead of ours.

    Attributes:
        hears: whether what the shop sends arrives.
        statuses: how deliveries were answered.
    """

    def __init__(self, shop: Shop, source: Source, skew: float = 0) -> None:
        self.shop, self.source, self.skew = shop, source, skew
        self.hears = True
        self.statuses: list[int] = []
        self._heard = len(shop.told())
        self._minute = 0
        manifest = MANIFESTS[shop.platform]
        self.due: list[tuple[int, dict[str, Any]]] = [
            (minutes(one.every), {"type": "poll", "stream": one.name}) for one in manifest.streams
        ]
        watched = manifest.webhook.watched if manifest.webhook else None
        if watched:
            streams = [one.name for one in manifest.streams]
            watch = {"type": "watch", "address": HEARS, "streams": streams}
            self.due.append((minutes(watched), watch))
        self.catch_up()

    def catch_up(self) -> None:
        """Our clock shows what it is here when it is that time at the shop."""
        ours = self.shop.clock.now - timedelta(seconds=self.skew)
        self.source.clock.advance((ours - self.source.clock()).total_seconds())

    def hear(self) -> None:
        """Deliver what the shop has sent since, and do what came of it."""
        told = self.shop.told()[self._heard :]
        self._heard += len(told)
        for one in told if self.hears else ():
            event = http_event(one.headers, one.body, encoded=True)
            self.statuses.append(self.source.deliver(event))
        self.drain()

    def drain(self) -> None:
        """Work until nothing waits; what is put off comes again within the minute."""
        for _ in range(500):
            messages = self.source.queue.take(PULL_QUEUE)
            if not messages:
                return
            for message in messages:
                again = self.source.work(json.loads(message.body))
                if again is not None:
                    self.source.queue.send(PULL_QUEUE, message.body)
                    self.shop.later(1)
                    self.catch_up()
        raise AssertionError("the pull queue does not run dry")

    def ask(self, message: dict[str, Any]) -> None:
        """What a schedule sends."""
        self.source.queue.send(PULL_QUEUE, json.dumps(message))
        self.drain()

    def pass_by(self, minutes: int) -> None:
        """So many minutes, one after the other."""
        for _ in range(minutes):
            self._minute += 1
            self.shop.later(60)
            self.catch_up()
            self.hear()
            for every, message in self.due:
                if self._minute % every == 0:
                    self.ask(message)
