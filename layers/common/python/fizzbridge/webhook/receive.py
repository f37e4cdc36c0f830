"""Receive a delivery: verify, read, merge, acknowledge. Nothing acknowledged is ever lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from fizzbridge.errors import MalformedDeliveryError, VerificationError
from fizzbridge.observability import Metric, Metrics, log, log_context, new_correlation_id
from fizzbridge.queues import MessageRefusedError, QueueUnavailableError
from fizzbridge.runtime.intake import Intake, parts
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
        """Answer one HTTP API event."""
        correlation_id = new_correlation_id()
        with log_context(correlation_id, connection=self._connection):
            self._count(Metric.RECEIVED)
            try:
                delivery = Delivery.from_event(event, self._now())
                if len(delivery.body) > self._given.bridge.limits.delivery_bytes:
                    self._count(Metric.REJECTED)
                    log.warning("delivery too large", extra={"bytes": len(delivery.body)})
                    return TOO_LARGE
                reply = self._adapter.handshake(delivery)
                if reply:
                    self._count(Metric.IGNORED)
                    headers = {"content-type": reply.media}
                    return {"statusCode": reply.status, "headers": headers, "body": reply.body}
                proven = self._proven(delivery)
            except VerificationError as error:
                self._count(Metric.REJECTED)
                log.warning("delivery refused", extra={"code": error.code})
                return REFUSED
            except (SecretError, SecretUnavailableError) as error:
                self._count(Metric.PUT_OFF)
                log.error("no signing secret", extra={"reason": type(error).__name__})
                return TRY_AGAIN
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

    def _accept(self, delivery: Delivery, correlation_id: str) -> Response:
        about: dict[str, str] = {}
        try:
            about["topic"] = self._adapter.topic(delivery)
            about["delivery_id"] = self._adapter.delivery_id(delivery)
            told = read(self._adapter, delivery, self._connection)
            if not told:
                self._count(Metric.IGNORED)
                log.info("topic ignored" if told is None else "nothing told", extra=about)
                return ACCEPTED
            how = Circumstances(
                observed_at=delivery.received_at,
                is_authoritative=False,
                correlation_id=correlation_id,
                source=about["topic"],
            )
            came = self._intake.take(told, self._adapter.clock, how, within=self._merge_deadline)
        except Exception as error:  # noqa: BLE001  whatever it is, a genuine delivery is kept
            reason = (
                error.code if isinstance(error, MalformedDeliveryError) else type(error).__name__
            )
            log.warning("delivery spilled", extra=about | {"reason": reason}, exc_info=True)
            return self._spill(delivery, correlation_id)
        log.info("taken in", extra={**about, "parts": parts(told), **came})
        return ACCEPTED

    def _spill(self, delivery: Delivery, correlation_id: str) -> Response:
        """Leave the delivery to pull, which tries again and quarantines what cannot be read."""
        try:
            message = to_message(delivery, self._connection, correlation_id, self._given.objects)
            self._given.queue.send(self._pull_queue, json.dumps(message))
        except (QueueUnavailableError, MessageRefusedError, ObjectsUnavailableError) as error:
            self._count(Metric.PUT_OFF)
            log.error("delivery not kept", extra={"reason": type(error).__name__})
            return TRY_AGAIN
        self._count(Metric.SPILLED)
        return ACCEPTED

    def _count(self, metric: Metric) -> None:
        self._metrics.count(metric, self._connection)


def active(secret: Mapping[str, object]) -> list[str]:
    """The values a delivery may be signed with: the newest, and the one before it."""
    values = secret.get("active")
    listed = values if isinstance(values, list) else [values]
    return [value for value in listed if isinstance(value, str) and value]
