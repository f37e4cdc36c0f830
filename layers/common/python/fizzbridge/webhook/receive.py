"""Receive a delivery: verify, read, merge, acknowledge. Nothing acknowledged is ever lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.observability import Metric, Metrics, log, log_context, new_correlation_id
from fizzbridge.queues import MessageRefusedError, QueueUnavailableError
from fizzbridge.runtime.intake import DELIVERY, TOLD, Intake, nothing_of_ours
from fizzbridge.runtime.observe import Circumstances, Observer
from fizzbridge.runtime.wiring import Ports, now
from fizzbridge.secrets import SecretError, SecretUnavailableError
from fizzbridge.state.objects import ObjectsUnavailableError
from fizzbridge.webhook.adapter import WebhookAdapter
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from fizzbridge.webhook.storing import to_message

Response = dict[str, Any]

ACCEPTED: Response = {"statusCode": 200, "body": ""}
REFUSED: Response = {"statusCode": 401, "body": ""}
TOO_LARGE: Response = {"statusCode": 413, "body": ""}
TRY_AGAIN: Response = {"statusCode": 503, "body": ""}
"""The only answer that asks the vendor to send again: nothing durable could be written."""

_SAY = {"refused": log.warning, "spilled": log.warning, "put_off": log.error}
"""How loud an outcome is; all others are as they should be."""


@dataclass(frozen=True)
class End:
    """What became of a delivery: what the vendor is answered, and the one line that says it.

    Attributes:
        answer: for the vendor.
        outcome: ``taken``, ``spilled``, ``refused``, ``answered`` or ``put_off``.
        told: how many things it tells, and how many came to what; of what is accepted the second
            adds up to the first. What nobody reads, or has read yet, counts as one thing.
        about: what else the line says.
        error: what went wrong, its places are shown.
    """

    answer: Response
    outcome: str
    told: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    error: Exception | None = None


class Receiver:
    """Receives the deliveries of one connection."""

    def __init__(
        self,
        adapter: WebhookAdapter,
        given: Ports,
        metrics: Metrics,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._adapter = adapter
        self._given = given
        self._metrics = metrics
        self._now = clock
        self._connection = given.connection.name
        self._pull_queue = given.settings.pull_queue or ""
        self._merge_deadline = timedelta(seconds=given.bridge.timing.merge_deadline)
        observer = Observer(given.table, given.objects, given.bridge, clock)
        self._intake = Intake(
            self._connection, observer, given.queue, self._pull_queue, metrics, clock
        )

    def receive(self, event: Mapping[str, Any]) -> Response:
        """Answer one HTTP API event, and say in one line what became of it."""
        correlation_id = new_correlation_id()
        # The figures say which delivery they are of, so that a line that is missing is missed.
        self._metrics.correlation_id = correlation_id
        with log_context(correlation_id, connection=self._connection):
            self._count(Metric.RECEIVED)
            end = self._answered(event, correlation_id)
            say = _SAY.get(end.outcome, log.info)
            said = {"outcome": end.outcome, **end.about, **end.told}
            say(DELIVERY, extra=said, exc_info=end.error)
            return end.answer

    def _answered(self, event: Mapping[str, Any], correlation_id: str) -> End:
        try:
            delivery = Delivery.from_event(event, self._now())
            if len(delivery.body) > self._given.bridge.limits.delivery_bytes:
                self._count(Metric.REJECTED)
                size = {"code": "too_large", "bytes": len(delivery.body)}
                return End(TOO_LARGE, "refused", about=size)
            reply = self._adapter.handshake(delivery)
            if reply:
                self._count(Metric.IGNORED)
                headers = {"content-type": reply.media}
                answer = {"statusCode": reply.status, "headers": headers, "body": reply.body}
                return End(answer, "answered")
            proven = self._proven(delivery)
        except VerificationError as error:
            self._count(Metric.REJECTED)
            return End(REFUSED, "refused", about={"code": error.code})
        except (SecretError, SecretUnavailableError) as error:
            self._count(Metric.PUT_OFF)
            return End(TRY_AGAIN, "put_off", about={"reason": type(error).__name__})
        return self._accept(proven, correlation_id)

    def _proven(self, delivery: Delivery) -> Delivery:
        secrets, name = self._given.secrets, self._given.settings.signing_secret or ""
        check = self._adapter.signature.verify
        known = active(secrets.get(name))
        try:
            check(delivery, known, delivery.received_at)
        except VerificationError:
            # The secret may have been rotated a moment ago; the store limits how often we ask.
            known = active(secrets.refetch(name))
            check(delivery, known, delivery.received_at)
        return self._adapter.proven(delivery, known)

    def _accept(self, delivery: Delivery, correlation_id: str) -> End:
        about: dict[str, Any] = {}
        try:
            about["topic"] = self._adapter.topic(delivery)
            about["delivery_id"] = self._adapter.delivery_id(delivery)
            told = read(self._adapter, delivery, self._connection)
            if not told:
                self._count(Metric.IGNORED)
                about["reason"] = "unknown topic" if told is None else "nothing told"
                return End(ACCEPTED, "taken", nothing_of_ours(), about)
            how = Circumstances(
                observed_at=delivery.received_at,
                is_authoritative=False,
                correlation_id=correlation_id,
                source=about["topic"],
            )
            came = self._intake.take(told, self._adapter.clock, how, within=self._merge_deadline)
        except Exception as error:  # noqa: BLE001  whatever it is, a genuine delivery is kept
            about["reason"] = (
                error.code if isinstance(error, MalformedDeliveryError) else type(error).__name__
            )
            return self._spill(delivery, correlation_id, about, error)
        return End(ACCEPTED, "taken", {TOLD: len(told), **came}, about)

    def _spill(
        self, delivery: Delivery, correlation_id: str, about: dict[str, Any], error: Exception
    ) -> End:
        """Leave the delivery to pull, which tries again and quarantines what cannot be read."""
        try:
            message = to_message(delivery, self._connection, correlation_id, self._given.objects)
            self._given.queue.send(self._pull_queue, json.dumps(message))
        except (QueueUnavailableError, MessageRefusedError, ObjectsUnavailableError) as refused:
            self._count(Metric.PUT_OFF)
            about["unkept"] = type(refused).__name__
            return End(TRY_AGAIN, "put_off", about=about, error=error)
        self._count(Metric.SPILLED)
        return End(ACCEPTED, "spilled", {TOLD: 1, Metric.SPILLED: 1}, about, error)

    def _count(self, metric: Metric) -> None:
        self._metrics.count(metric, self._connection)


def active(secret: Mapping[str, object]) -> list[str]:
    """The values a delivery may be signed with: the newest, and the one before it."""
    values = secret.get("active")
    listed = values if isinstance(values, list) else [values]
    return [value for value in listed if isinstance(value, str) and value]
