"""Take in what a platform told: merge what it showed, ask pull for what it only named."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from fizzbridge.model.entity import LEVEL_KINDS
from fizzbridge.model.version import Clock
from fizzbridge.observability import Metric, Metrics
from fizzbridge.observation import Enquiry, Farewell, Hint, Told
from fizzbridge.queues import Queue
from fizzbridge.runtime.observe import Circumstances, Merge, Observer
from fizzbridge.state.table import TableUnavailableError
from fizzbridge.webhook.storing import hint_message

DELIVERY = "delivery"
"""Message of the one line that says what became of a delivery."""

TOLD = "told"
"""How many things a delivery, a poll or a fetch told: each of them comes to something."""


def nothing_of_ours() -> Mapping[str, int]:
    """The account of a delivery that tells nothing we understand: one thing, ignored."""
    return {TOLD: 1, Metric.IGNORED: 1}


class Intake:
    """What webhooks, polls and fetches of one connection share."""

    def __init__(
        self,
        connection: str,
        observer: Observer,
        queue: Queue,
        pull_queue: str,
        metrics: Metrics,
        now: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._observer = observer
        self._queue = queue
        self._pull_queue = pull_queue
        self._metrics = metrics
        self._now = now

    def take(
        self,
        told: Iterable[Told],
        clock: Clock,
        how: Circumstances,
        within: timedelta | None = None,
    ) -> Mapping[str, int]:
        """Merge everything, then send the hints; gives how many things came to what.

        Each thing told comes to one: merged, equal, older, tied, ignored, or hinted where pull has
        been asked for it. A tie asks pull as well, and stays a tie.

        Args:
            told: what the platform told.
            clock: the platform's.
            how: how it was told.
            within: no further merge is begun after this time.

        Raises:
            TableUnavailableError: something is not merged; all of it may be taken in again.
            QueueUnavailableError: a hint is not sent.
        """
        begun = self._now()
        came: Counter[str] = Counter()
        # A dict keeps the order and drops the repetitions; how many things told each stands for.
        hints: Counter[Hint] = Counter()
        for one in told:
            if isinstance(one, Hint):
                if one.of not in LEVEL_KINDS or self._observer.compares:
                    hints[one] += 1
                else:
                    self._metrics.count(Metric.IGNORED, self._connection)
                    came[Metric.IGNORED] += 1
                continue
            if isinstance(one, Enquiry | Farewell):
                came[self._heard(one, how)] += 1
                continue
            if within is not None and self._now() - begun > within:
                raise TableUnavailableError("the merge takes too long")
            circumstances = replace(how, can_fetch=one.refetch is not None)
            merge = self._observer.observe(self._connection, one, clock, circumstances)
            self._metrics.count(Metric(merge), self._connection)
            came[merge] += 1
            if merge is Merge.TIED and one.refetch:
                hints[one.refetch] += 0
        for hint, stands_for in hints.items():
            self._queue.send(
                self._pull_queue, hint_message(hint.what, hint.external_id, how.correlation_id)
            )
            self._metrics.count(Metric.HINTED, self._connection)
            if stands_for:
                came[Metric.HINTED] += stands_for
        return came

    def _heard(self, one: Enquiry | Farewell, how: Circumstances) -> Metric:
        """What comes of a word that shows no entity."""
        if isinstance(one, Enquiry):
            self._observer.enquire(self._connection, one.customer, how)
            comes_to = Metric.MERGED
        elif self._observer.is_host(self._connection, one.host):
            self._queue.send(self._pull_queue, json.dumps({"type": "farewell"}))
            comes_to = Metric.HINTED
        else:
            comes_to = Metric.IGNORED
        self._metrics.count(comes_to, self._connection)
        return comes_to
