"""The function behind a target connection's queues."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from fizzbridge.errors import ConfigurationError, FizzbridgeError, OutcomeUnknownError
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import LEVEL_KINDS, EntityRef, Kind
from fizzbridge.observability import Metric, Metrics, log, log_context, new_correlation_id
from fizzbridge.runtime.asked import Desk
from fizzbridge.runtime.batch import Again, Message, process
from fizzbridge.runtime.breaker import STOPPED_WAIT, Breaker
from fizzbridge.runtime.calls import MakeClient, TimeLeft, reserved, vendor_client
from fizzbridge.runtime.converge import Capacity, Converge
from fizzbridge.runtime.leases import Lease
from fizzbridge.runtime.limiter import Limiter, NoCapacityError
from fizzbridge.runtime.links import Outcome
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.overwrite import Overwrite
from fizzbridge.runtime.sweep import RESYNC
from fizzbridge.runtime.target import TargetAdapter
from fizzbridge.runtime.wiring import DOWN, Ports, now, ports, visibility
from fizzbridge.settings import Connection, Timing, load_catalogue
from fizzbridge.trade.packs import Catalogue

CALLS_PER_CONVERGE = 12
"""Reserved before the first call where nobody knows better: most entities need fewer."""

_METRICS = {"held": Metric.HELD, "parked": Metric.PARKED, "retry": Metric.RETRIED}


class Worker:
    """Turns messages into converges, and their outcomes into what becomes of the messages."""

    def __init__(
        self,
        adapter: TargetAdapter,
        connection: Connection,
        converge: Converge,
        breaker: Breaker,
        park: Callable[[EntityRef, Outcome, str], None],
        metrics: Metrics,
        desk: Desk | None = None,
        levels: Overwrite | None = None,
        clock: Callable[[], datetime] = now,
        swept_after: timedelta = timedelta(seconds=Timing().resync_after),  # noqa: B008  frozen
    ) -> None:
        self._adapter = adapter
        self._connection = connection
        self._converge = converge
        self._breaker = breaker
        self._park = park
        self._metrics = metrics
        self._desk = desk
        self._levels = levels
        self._now = clock
        self._swept_after = swept_after

    def work(self, message: Message) -> Again | None:
        """Converge the entity a message names, or answer what a person asks."""
        try:
            return self._work(message)
        except DOWN as error:
            log.warning("converge comes again", extra={"reason": type(error).__name__})
            return None if _is_hint(message) else Again()

    def _work(self, message: Message) -> Again | None:
        wait = self._breaker.wait()
        if wait is not None:
            return None if _is_hint(message) else Again(wait)
        if "asked" in message.body and self._desk:
            self._desk.answer(message.body, f"{message.id}.{message.receives}")
            return None
        detail = message.body["detail"]
        ref = EntityRef(kind=detail["kind"], key=detail["key"])
        with self._context(ref, detail):
            holder = f"{message.id}.{message.receives}"
            if self._levels and self._levels.takes(ref.kind):
                outcome = self._levels.run([ref], holder)[ref]
            else:
                outcome = self._converge.run(ref, holder)
            self._report(ref, outcome, detail.get("event_id", ""))
        return self._fate(message, outcome)

    def together(self, messages: Sequence[Message]) -> dict[str, Again | None]:
        """Overwrite what messages name of products, prices and stock, all at once.

        Returns:
            By message id, when it is to come back; the other messages are left for ``work``.
        """
        if self._levels is None:
            return {}
        named: dict[str, tuple[Message, EntityRef]] = {}
        for message in messages:
            detail = message.body.get("detail") or {}
            if "asked" not in message.body and self._levels.takes(Kind(detail["kind"])):
                named[message.id] = (message, EntityRef(kind=detail["kind"], key=detail["key"]))
        if not named or self._breaker.wait() is not None:
            return {}  # each for itself is put off
        holder = "+".join(f"{one.id}.{one.receives}" for one, _ in named.values())
        refs = list(dict.fromkeys(ref for _, ref in named.values()))
        outcomes = self._levels.run(refs, holder)
        details = {ref: message.body["detail"] for message, ref in named.values()}
        for ref, outcome in outcomes.items():
            with self._context(ref, details.get(ref, {})):
                self._report(ref, outcome, "")
        again = {ref: self._again(outcome) for ref, outcome in outcomes.items()}
        answers = {
            message.id: self._fate(message, outcomes[ref]) for message, ref in named.values()
        }
        besides = [one for ref, one in again.items() if one and ref not in refs]
        done = next((name for name, one in answers.items() if one is None), None)
        if besides and done:
            # Nobody has a message for these: one that is done comes back in their place.
            answers[done] = min(besides, key=lambda one: one.after or timedelta.max)
        return answers

    def _context(self, ref: EntityRef, detail: Mapping[str, Any]) -> AbstractContextManager[None]:
        correlation_id = detail.get("correlation_id") or new_correlation_id()
        return log_context(correlation_id, entity=str(ref), connection=self._connection.name)

    def _report(self, ref: EntityRef, outcome: Outcome, event_id: str) -> None:
        name = self._connection.name
        if outcome.kind == "done":
            log.info("converged")
            self._metrics.count(Metric.CONVERGED, name)
            if outcome.age is not None:
                age_ms = max(outcome.age // timedelta(milliseconds=1), 0)
                self._metrics.measure(Metric.AGE_MS, name, age_ms)
        elif outcome.kind in _METRICS:
            self._metrics.count(_METRICS[outcome.kind], name)
        if isinstance(outcome.error, OutcomeUnknownError):
            self._metrics.count(Metric.UNKNOWN_OUTCOME, name)
        if outcome.error:
            log.warning(
                "converge did not finish",
                extra={
                    "outcome": outcome.kind,
                    "code": outcome.error.code,
                    "blame": outcome.error.blame,
                    "reason": outcome.error.message,
                    "vendor_request_id": outcome.error.request_id,
                },
                exc_info=outcome.error.__cause__ if outcome.error.code == "internal" else None,
            )
        if outcome.kind == "parked" and outcome.error:
            self._park(ref, outcome, event_id)

    def _fate(self, message: Message, outcome: Outcome) -> Again | None:
        """When a message comes back, if at all.

        The sweeper sends another hint while a link is behind: its hints must not pile up. What only
        waits for its turn comes back until it has waited as long as the sweeper lets it: after that
        the sweeper brings it, the oldest first and no more than have a turn. A thousand messages
        that go round in the queue would keep the workers from their work.
        """
        again = self._again(outcome)
        if isinstance(outcome.error, NoCapacityError) and message.sent_at:
            waited = self._now() - message.sent_at
            return None if waited > self._swept_after else again
        return None if _is_hint(message) else again

    def _again(self, outcome: Outcome) -> Again | None:
        if isinstance(outcome.error, ConfigurationError):
            self._breaker.heard(outcome.error)
            return Again(STOPPED_WAIT)
        return Again(outcome.after) if outcome.kind == "retry" else None


def _is_hint(message: Message) -> bool:
    """Whether the sweeper sent it, and will send another."""
    return bool(message.body.get("detail-type") == RESYNC)


def capacity(
    connection: Connection,
    limiter: Limiter,
    make: MakeClient,
    clock: Callable[[], datetime],
    until: datetime,
    heard: Callable[[FizzbridgeError | None], None] | None = None,
) -> Capacity:
    """Reserve calls at the vendor's limiter for as long as one converge makes them.

    Args:
        connection: whose limits hold.
        limiter: shared by all functions of the connection.
        make: gives the client, told how much time is left.
        clock: the present time.
        until: when the function ends; a lease may outlast it.
        heard: told of each call how it ended.
    """

    def for_converge(lease: Lease) -> AbstractContextManager[VendorClient]:
        return reserved(
            connection,
            limiter,
            make,
            calls=CALLS_PER_CONVERGE,
            learns=True,
            holder=f"{lease.holder}/{lease.pk}",
            left=lambda: min(lease.left(clock()), until - clock()),
            heard=heard,
        )

    return for_converge


def pointer(given: Ports, connection: Connection) -> Callable[[EntityRef, Outcome, str], None]:
    """Send a pointer to what was parked to the connection's DLQ, for alarms and people."""

    def park(ref: EntityRef, outcome: Outcome, event_id: str) -> None:
        error = outcome.error
        if error is None or given.settings.dlq is None:
            return
        body = {
            "kind": ref.kind,
            "key": ref.key,
            "connection": connection.name,
            "reason": error.message,
            "event_id": event_id,
        }
        labels = {"reason": error.code, "blame": error.blame}
        given.queue.send(given.settings.dlq, json.dumps(body), attributes=labels)

    return park


def build(
    adapter: TargetAdapter,
    given: Ports,
    metrics: Metrics,
    clock: Callable[[], datetime] = now,
    make: MakeClient | None = None,
) -> Worker:
    """Put a worker together from a function's ports."""
    connection, table = given.connection, given.table
    breaker = Breaker(table, connection.name, clock, given.bridge.timing)
    # An invocation begins when its worker is built.
    until = clock() + timedelta(seconds=given.bridge.timing.target_timeout)
    limiter, make = Limiter(table, clock), make or vendor_client(adapter, connection, given)
    items = load_catalogue() if LEVEL_KINDS & set(adapter.entities) else ()
    converge = Converge(
        adapter,
        connection,
        given.bridge,
        table,
        given.objects,
        capacity(connection, limiter, make, clock, until, breaker.heard),
        clock,
        Catalogue(items),
    )

    def yielding(holder: str, calls: int, left: TimeLeft) -> AbstractContextManager[VendorClient]:
        return reserved(
            connection,
            limiter,
            make,
            calls=calls,
            holder=holder,
            left=lambda: min(left(), until - clock()),
            heard=breaker.heard,
            yields=True,
        )

    levels = Overwrite(
        adapter,
        connection,
        given.bridge,
        table,
        Loader(table, given.objects),
        yielding,
        lambda: converge.situation({}),
        clock,
    )

    def reach(holder: str) -> AbstractContextManager[VendorClient]:
        return reserved(
            connection,
            limiter,
            make,
            calls=CALLS_PER_CONVERGE,
            holder=holder,
            left=lambda: until - clock(),
            heard=breaker.heard,
        )

    desk = Desk(
        adapter,
        connection,
        converge,
        reach,
        table,
        load_catalogue,
        clock,
    )
    park = pointer(given, connection)
    swept_after = timedelta(seconds=given.bridge.timing.resync_after)
    return Worker(
        adapter, connection, converge, breaker, park, metrics, desk, levels, clock, swept_after
    )


def target_handler(
    adapter: TargetAdapter,
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The handler of a target function."""

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        del context
        with Metrics() as metrics:
            worker = build(adapter, ports(), metrics)
            return process(event, worker.work, visibility(), worker.together)

    return handler
