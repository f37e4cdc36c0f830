"""The function behind a source connection's pull queue: fetch, poll, and drain what was spilled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from fizzbridge.errors import (
    ConfigurationError,
    FizzbridgeError,
    MalformedDeliveryError,
    NotThereError,
    PermanentError,
    RetryableError,
    UnreadableAnswerError,
)
from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import EntityRef
from fizzbridge.model.version import Clock
from fizzbridge.observability import Metric, Metrics, log, log_context, new_correlation_id
from fizzbridge.observation import Hint, Told
from fizzbridge.runtime import rows
from fizzbridge.runtime.batch import FIRST_WAIT, Again, Message, process
from fizzbridge.runtime.breaker import STOPPED_WAIT, Breaker
from fizzbridge.runtime.calls import MakeClient, reserved, vendor_client
from fizzbridge.runtime.erase import erase_customer
from fizzbridge.runtime.intake import DELIVERY, TOLD, Intake, nothing_of_ours
from fizzbridge.runtime.leases import Busy, acquire, release
from fizzbridge.runtime.limiter import Limiter
from fizzbridge.runtime.observe import Circumstances, Observer
from fizzbridge.runtime.pull import Page, PullAdapter, Span
from fizzbridge.runtime.recheck import Recheck
from fizzbridge.runtime.subscriptions import Register, Wish
from fizzbridge.runtime.wiring import DOWN, Ports, now, ports, visibility
from fizzbridge.state.cursors import CursorMovedError, Cursors, cursor_key
from fizzbridge.state.moments import from_text, to_text
from fizzbridge.state.table import Write
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.receive import active
from fizzbridge.webhook.storing import from_message, to_message

KEYS_PER_CALL = 50
PAGES_PER_RUN = 4
"""Then the run queues its continuation, so that hints and deliveries get their turn."""

ERASED_PER_RUN = 50
"""Customers erased before a run queues its continuation."""

REAL_ATTEMPTS = 5
"""After so many failures nobody can classify, or answers nobody can read, a person must look."""

DOWN_WAIT = timedelta(minutes=1)
"""Longest a message stays away when a service of our own does not answer. A longer backoff would
sleep through the end of the outage, with acknowledged deliveries waiting."""

QUARANTINE_LIFE = timedelta(days=30)
"""How long a delivery that could not be read is kept; it may hold personal data."""

_TICKS = frozenset({"poll", "watch", "recheck"})
"""What schedules send again and again."""

_WITHOUT_VENDOR = frozenset({"delivery", "farewell"})


@dataclass(frozen=True)
class Place:
    """How far a stream was read.

    Attributes:
        since: from when on the present round reads.
        begun: when its first page was read; None between rounds.
        cursor: where its last page ended, in the adapter's words; between rounds only where the
            platform counts its changes.
    """

    since: datetime
    begun: datetime | None = None
    cursor: str = ""

    @classmethod
    def parse(cls, text: str, start: datetime) -> Self:
        """Read a stored place; a stream never read begins at ``start``."""
        if not text:
            return cls(start)
        stored = json.loads(text)
        begun = stored.get("begun")
        return cls(
            from_text(stored["since"]),
            from_text(begun) if begun else None,
            stored.get("cursor", ""),
        )

    def text(self) -> str:
        """The place as it is stored."""
        stored = {"since": to_text(self.since)}
        if self.begun:
            stored["begun"] = to_text(self.begun)
        if self.begun or self.cursor:
            stored["cursor"] = self.cursor
        return json.dumps(stored)

    def after(self, page: Page, read_at: datetime, overlap: timedelta) -> Place:
        """The place after a page: further on in this round, or at the start of the next.

        The next round begins before this one began by what the vendor's longest transaction may
        take, since a change shows with the time it began, after it is committed.
        """
        begun = self.begun or read_at
        if page.is_last:
            return Place(begun - overlap, cursor=page.cursor if page.carries_on else "")
        return Place(self.since, begun, page.cursor)


@dataclass(frozen=True)
class Round:
    """A round of reading a stream: a poll's next one, or a backfill with a cursor of its own.

    Attributes:
        stream: the stream.
        resumes: whether it only goes on with a round that was begun.
        backfill: names a backfill; empty for a poll.
        since: where a backfill begins.
        until: where it ends; None for up to now.
    """

    stream: str
    resumes: bool = False
    backfill: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """The round a message asks for."""
        since, until = (from_text(body[name]) if body.get(name) else None for name in _BOUNDS)
        return cls(
            body["stream"], body["type"] == "continue", body.get("backfill", ""), since, until
        )

    @property
    def cursor(self) -> str:
        """The name its place is kept under."""
        return backfill_cursor(self.stream, self.backfill) if self.backfill else self.stream

    @property
    def message(self) -> dict[str, str]:
        """What a message must say to ask for it again."""
        bounds = {name: to_text(at) for name in _BOUNDS if (at := getattr(self, name))}
        named = {"backfill": self.backfill} if self.backfill else {}
        return {"stream": self.stream} | named | bounds


_BOUNDS = ("since", "until")


def backfill_cursor(stream: str, backfill: str) -> str:
    """The name under which a backfill's place is kept."""
    return f"{stream}~{backfill}"


class Puller:
    """Turns messages of the pull queue into observations."""

    def __init__(
        self,
        adapter: PullAdapter,
        webhook: WebhookAdapter | None,
        given: Ports,
        metrics: Metrics,
        clock: Callable[[], datetime] = now,
        make: MakeClient | None = None,
    ) -> None:
        self._adapter = adapter
        self._webhook = webhook
        self._given = given
        self._metrics = metrics
        self._now = clock
        self._connection = given.connection
        self._make = make or vendor_client(adapter, given.connection, given)
        self._limiter = Limiter(given.table, clock)
        self._cursors = Cursors(given.table, clock)
        self._breaker = Breaker(given.table, given.connection.name, clock, given.bridge.timing)
        self._register = Register(given.table, given.connection, clock)
        self._recheck = Recheck(given.table, given.connection.name, given.bridge.limits, clock)
        self._observer = Observer(given.table, given.objects, given.bridge, clock)
        self._intake = Intake(
            given.connection.name,
            self._observer,
            given.queue,
            given.settings.pull_queue or "",
            metrics,
            clock,
        )

    def work(self, message: Message) -> Again | None:
        """Do what a message asks for."""
        body = message.body
        if self._is_overtaken(message):
            return None
        if body.get("type") not in _WITHOUT_VENDOR:
            wait = self._breaker.wait()
            if wait is not None:
                return Again(wait)
        correlation_id = body.get("correlation_id") or new_correlation_id()
        begun = self._now()
        with log_context(correlation_id, connection=self._connection.name):
            try:
                self._do(body, f"{message.id}.{message.receives}", correlation_id)
                self._note_tick(message, begun)
            except ConfigurationError as error:
                self._breaker.heard(error)
                log.error("connection does not work", extra=_about(error))
                return Again(STOPPED_WAIT)
            except RetryableError as error:
                return self._try_again(message, error, correlation_id)
            except (MalformedDeliveryError, PermanentError) as error:
                self._give_up(body, error, correlation_id)
            except DOWN as error:
                log.warning("pull comes again", extra={"reason": type(error).__name__})
                return Again(min(FIRST_WAIT * 2 ** min(message.receives - 1, 5), DOWN_WAIT))
            except Exception as error:
                if message.receives < REAL_ATTEMPTS:
                    raise
                log.exception("pull gives up")
                self._give_up(body, _unknown(error), correlation_id)
        return None

    def _try_again(
        self, message: Message, error: RetryableError, correlation_id: str
    ) -> Again | None:
        """What may pass comes again; a shape that stays as it is goes to a person."""
        is_unreadable = error.code == UnreadableAnswerError.code
        if is_unreadable and message.receives >= REAL_ATTEMPTS:
            self._give_up(message.body, error, correlation_id)
            return None
        self._metrics.count(Metric.RETRIED, self._connection.name)
        log.warning("pull comes again", extra=_about(error))
        return Again(error.retry_after)

    def _is_overtaken(self, message: Message) -> bool:
        """Whether a schedule's message asks for what was done after it was sent.

        While a connection is paused its schedules go on: of all that waited, the first does the
        work, and the others find it done.
        """
        tick = _tick(message)
        if tick is None or message.sent_at is None:
            return False
        row = self._given.table.get(rows.connection_pk(self._connection.name), tick) or {}
        return rows.text(row, "begun_at") > to_text(message.sent_at)

    def _note_tick(self, message: Message, begun: datetime) -> None:
        tick = _tick(message)
        if tick and message.sent_at:
            begun_at = {"begun_at": to_text(begun)}
            pk = rows.connection_pk(self._connection.name)
            self._given.table.write(Write(pk, tick, set=begun_at))

    def _do(self, body: Mapping[str, Any], holder: str, correlation_id: str) -> None:
        match body.get("type"):
            case "hint":
                self._fetch(Hint(body["what"], body["id"]), holder, correlation_id)
            case "poll" | "continue":
                self._poll(Round.of(body), holder, correlation_id)
            case "delivery":
                self._deliver(body, correlation_id)
            case "recheck":
                self._look_for(body.get("day"), holder, correlation_id)
            case "farewell":
                self._farewell(body.get("after", ""))
            case "connect":
                self._connect(body, holder)
            case "disconnect":
                self._register.want(Wish(self._register.wish().address))
                self._subscribe(body, holder)
            case "watch":
                if self._register.wish().is_wanted:
                    self._subscribe(body, holder)
            case other:
                raise PermanentError(f"no such message: {other}", code="unknown_message")

    # -- hints ---------------------------------------------------------------------------------

    def _fetch(self, hint: Hint, holder: str, correlation_id: str) -> None:
        how = self._as_read(f"fetch {hint.what}", correlation_id)
        told: list[Told] = []
        # What is not there says nothing: it may be gone, not yet there, or never have been.
        with suppress(NotThereError), self._vendor(holder) as vendor:
            told = list(self._adapter.fetch(vendor, hint, self._connection))
        self._take(told, self._adapter.clock, how)

    def _take(self, told: Sequence[Told], clock: Clock, how: Circumstances) -> None:
        came = self._intake.take(told, clock, how)
        log.info("taken in", extra={"source": how.source, TOLD: len(told), **came})

    def _as_read(self, source: str, correlation_id: str) -> Circumstances:
        """Circumstances of a read that begins now: what it shows is at least as new as that."""
        return Circumstances(
            observed_at=self._now(),
            is_authoritative=True,
            correlation_id=correlation_id,
            source=source,
        )

    def _vendor(self, holder: str) -> AbstractContextManager[VendorClient]:
        until = self._now() + timedelta(seconds=self._given.bridge.timing.pull_timeout)
        return reserved(
            self._connection,
            self._limiter,
            self._make,
            calls=self._adapter.calls,
            holder=holder,
            left=lambda: until - self._now(),
            heard=self._breaker.heard,
        )

    # -- polls ---------------------------------------------------------------------------------

    def _poll(self, asked: Round, holder: str, correlation_id: str) -> None:
        if not self._is_of_use(asked.stream):
            return
        pk, sk = cursor_key(self._connection.name, asked.cursor)
        seconds = self._given.bridge.timing.lease
        lease = acquire(self._given.table, pk, sk, holder, seconds, self._now())
        if isinstance(lease, Busy):
            return  # whoever holds it reads on, and queues its own continuation
        try:
            is_done = self._pages(asked, holder, correlation_id)
        finally:
            release(self._given.table, lease)
        if not is_done:
            goes_on = asked.message | {"type": "continue", "correlation_id": correlation_id}
            self._given.queue.send(self._given.settings.pull_queue or "", json.dumps(goes_on))

    def _is_of_use(self, stream: str) -> bool:
        return stream not in self._adapter.level_streams or self._observer.compares

    def _pages(self, asked: Round, holder: str, correlation_id: str) -> bool:
        """Read a few pages; whether there is nothing left to read."""
        cursor = self._cursors.read(self._connection.name, asked.cursor)
        place = Place.parse(cursor.position, asked.since or self._connection.start_at)
        has_ended = place.begun is None and bool(cursor.position)
        if has_ended and (asked.resumes or asked.backfill):
            return True  # another run has ended the round
        timing = self._given.bridge.timing
        overlap = timedelta(seconds=timing.poll_overlap)
        # A page begun later might outlast the function.
        last_start = self._now() + timedelta(seconds=timing.pull_timeout - timing.call_timeout)
        for _ in range(PAGES_PER_RUN):
            if self._now() > last_start:
                break
            how = self._as_read(f"poll {asked.stream}", correlation_id)
            page = self._page(asked, place, holder)
            self._take(list(page.told), self._adapter.clock, how)
            place = place.after(page, how.observed_at, overlap)
            try:
                cursor = self._cursors.advance(cursor, place.text())
            except CursorMovedError:
                return True  # our lease ran out, and another run reads on
            if page.is_last:
                return True
        return False

    def _page(self, asked: Round, place: Place, holder: str) -> Page:
        span = Span(place.since, asked.until)
        with self._vendor(holder) as vendor:
            page = self._adapter.changes(
                vendor, asked.stream, place.cursor or None, span, self._connection
            )
            return replace(page, told=list(page.told))

    # -- what is gone --------------------------------------------------------------------------

    def _look_for(self, day: str | None, holder: str, correlation_id: str) -> None:
        """Look for the orders of a day; without one, ask for each of the last days."""
        if day is None:
            for one in self._recheck.days():
                asked = json.dumps({"type": "recheck", "day": one})
                self._given.queue.send(self._given.settings.pull_queue or "", asked)
            return
        how = self._as_read(f"recheck {day}", correlation_id)
        known = self._recheck.known(day)
        there: set[str] = set()
        for start in range(0, len(known), KEYS_PER_CALL):
            ids = [ref.external_id for ref in known[start : start + KEYS_PER_CALL]]
            with self._vendor(holder) as vendor:
                there |= self._adapter.existing(vendor, ids, self._connection)
        self._take(self._recheck.missed(day, known, there), self._adapter.clock, how)

    # -- who leaves ----------------------------------------------------------------------------

    def _farewell(self, after: str) -> None:
        """Erase everybody the connection has told of, some in each run."""
        pk = rows.known_pk(self._connection.name)
        listed = self._given.table.query(pk, limit=ERASED_PER_RUN, after=after or None)
        for row in listed:
            customer = EntityRef.parse(rows.text(row, "sk"))
            erase_customer(
                self._given.table, self._given.objects, customer, self._now(), "shop has left"
            )
        log.warning("erased", extra={"customers": len(listed)})
        if len(listed) == ERASED_PER_RUN:
            goes_on = {"type": "farewell", "after": rows.text(listed[-1], "sk")}
            self._given.queue.send(self._given.settings.pull_queue or "", json.dumps(goes_on))

    # -- webhooks ------------------------------------------------------------------------------

    def _connect(self, body: Mapping[str, Any], holder: str) -> None:
        """Read a little of each stream, so that a missing right is said at once; then subscribe."""
        span = Span(self._now(), self._now())
        for stream in filter(self._is_of_use, body["streams"]):
            with self._vendor(holder) as vendor:
                list(self._adapter.changes(vendor, stream, None, span, self._connection).told)
        self._register.want(Wish(body["address"], is_wanted=True))
        self._subscribe(body, holder)

    def _subscribe(self, body: Mapping[str, Any], holder: str) -> None:
        """Mend what the platform dropped, and read what it did not tell meanwhile."""
        asked = body.get("asked", "")
        subscriptions = self._adapter.subscriptions
        if subscriptions is None:  # they are set up in the shop, by its own module
            self._register.done(asked)
            return
        given = active(self._given.secrets.get(self._given.settings.subscription_secret or ""))
        secret = next(iter(given), "")
        with self._vendor(holder) as vendor:
            mended = self._register.fulfil(subscriptions, vendor, secret, asked)
        if not mended:
            return
        log.warning("webhooks mended", extra={"topics": list(mended)})
        if not asked:  # a person who connects knows that they are not there yet
            self._metrics.count(Metric.RESUBSCRIBED, self._connection.name, len(mended))
        for stream in body["streams"]:
            poll = json.dumps({"type": "poll", "stream": stream})
            self._given.queue.send(self._given.settings.pull_queue or "", poll)

    # -- deliveries ----------------------------------------------------------------------------

    def _deliver(self, body: Mapping[str, Any], correlation_id: str) -> None:
        """Take in a delivery that was verified when it came."""
        if self._webhook is None:
            raise PermanentError("no webhook here to read a delivery", code="unknown_message")
        delivery = from_message(body, self._given.objects)
        told = read(self._webhook, delivery, self._connection.name)
        how = Circumstances(
            observed_at=delivery.received_at,
            is_authoritative=False,
            correlation_id=correlation_id,
            source=self._webhook.topic(delivery),
        )
        account: Mapping[str, int] = (
            {TOLD: len(told), **self._intake.take(told, self._webhook.clock, how)}
            if told
            else nothing_of_ours()
        )
        log.info(DELIVERY, extra={"outcome": "drained", "topic": how.source, **account})

    # -- giving up -----------------------------------------------------------------------------

    def _give_up(
        self, body: Mapping[str, Any], error: FizzbridgeError, correlation_id: str
    ) -> None:
        """Leave it to a person: what was asked for goes to the DLQ, from where it can come back."""
        message, about = "pull gave up", _about(error)
        if body.get("type") == "delivery":
            body = self._quarantine(body, error, correlation_id)
            message = DELIVERY
            about |= {"outcome": "quarantined", TOLD: 1, Metric.QUARANTINED: 1}
        else:
            self._metrics.count(Metric.PARKED, self._connection.name)
        if self._given.settings.dlq:
            labels = {"reason": error.code, "blame": error.blame, "code": error.code}
            self._given.queue.send(self._given.settings.dlq, json.dumps(body), attributes=labels)
        # Last: what is not kept yet comes again, and has not ended.
        log.error(message, extra=about)

    def _quarantine(
        self, body: Mapping[str, Any], error: FizzbridgeError, correlation_id: str
    ) -> Mapping[str, Any]:
        """Keep a delivery that cannot be read: the body in the bucket only, listed in the table."""
        name = self._connection.name
        delivery = from_message(body, self._given.objects)
        kept = to_message(delivery, name, correlation_id, self._given.objects)
        unique = rows.token(delivery.request_id, str(kept.get("bucket_key")))[:12]
        self._given.table.write(
            Write(
                rows.connection_pk(name),
                f"QUARANTINE#{to_text(delivery.received_at)}#{unique}",
                set={
                    "message": json.dumps(kept),
                    "reason": error.code,
                    "text": error.message,
                    "blame": error.blame,
                    "expires_at": int((self._now() + QUARANTINE_LIFE).timestamp()),
                },
                replace=True,
            )
        )
        self._metrics.count(Metric.QUARANTINED, name)
        return kept


def _tick(message: Message) -> str | None:
    """Sort key of what a schedule asks for; None for what is asked for once."""
    body = message.body
    if body.get("type") not in _TICKS or "day" in body or "backfill" in body:
        return None
    return f"TICK#{body['type']}#{body.get('stream', '')}"


def _about(error: FizzbridgeError) -> dict[str, Any]:
    return {
        "code": error.code,
        "blame": error.blame,
        "reason": error.message,
        "vendor_request_id": error.request_id,
    }


def _unknown(error: Exception) -> FizzbridgeError:
    """Our own fault, or something nobody thought of; its text may quote data, its type does not."""
    return FizzbridgeError(type(error).__name__, code="internal")


def pull_handler(
    adapter: PullAdapter, webhook: WebhookAdapter | None
) -> Callable[[Mapping[str, Any], Any], dict[str, Any]]:
    """The handler of a pull function.

    Args:
        adapter: reads the platform.
        webhook: reads deliveries that were spilled or are replayed; None where none come.
    """

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        del context
        with Metrics() as metrics:
            puller = Puller(adapter, webhook, ports(), metrics)
            return process(event, puller.work, visibility())

    return handler
