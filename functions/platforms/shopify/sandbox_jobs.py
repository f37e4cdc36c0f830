"""The sandbox shop's jobs: what it does a moment after it answered."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import RefusedError


@dataclass
class Job:
    """One job; ``subject`` is what it is about."""

    gid: str
    subject: int
    due: datetime
    act: Callable[[], object]
    is_done: bool = False

    def node(self) -> Json:
        """As the API shows it."""
        return {"admin_graphql_api_id": self.gid, "done": self.is_done}


class Jobs:
    """The jobs of one shop.

    Args:
        clock: gives the time.
        seconds: how long each takes to begin.
    """

    def __init__(self, clock: Callable[[], datetime], seconds: float) -> None:
        self._clock = clock
        self._pause = timedelta(seconds=seconds)
        self.known: dict[str, Job] = {}

    def add(self, subject: int, act: Callable[[], object]) -> Job:
        """A job to do later."""
        job = Job(f"gid://shopify/Job/{uuid.uuid4()}", subject, self._clock() + self._pause, act)
        self.known[job.gid] = job
        return job

    def waits(self, subject: int) -> bool:
        """Whether something is still to be done about a subject."""
        return any(one.subject == subject and not one.is_done for one in self.known.values())

    def run(self, *, at_once: bool = False) -> None:
        """Do what is due, or all; what the shop refuses by now comes to nothing."""
        for job in list(self.known.values()):
            if job.is_done or (job.due > self._clock() and not at_once):
                continue
            job.is_done = True
            try:
                job.act()
            except RefusedError:
                continue
