"""Sweep: on a schedule, send hints for what has been behind too long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from fizzbridge.aws import aws_client
from fizzbridge.observability import BRIDGE, log, log_context, new_correlation_id
from fizzbridge.runtime.sweep import QueueNames, Sweeper
from fizzbridge.runtime.wiring import AWS_CALL_S, now, ports


@cache
def _sweeper() -> Sweeper:
    given = ports()
    client = aws_client("sqs", deadline_s=AWS_CALL_S)

    @cache
    def url(name: str) -> str:
        return client.get_queue_url(QueueName=name)["QueueUrl"]

    names = QueueNames(given.settings.stage, url, given.settings.assess_queue or "")
    connections = [connection.name for connection in given.bridge.connections]
    after = timedelta(seconds=given.bridge.timing.resync_after)
    return Sweeper(given.table, given.queue, names, connections, after, now)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Lambda's entry: a tick of the schedule."""
    del event, context
    with log_context(new_correlation_id(), connection=BRIDGE):
        sent = _sweeper().run()
        log.info("swept", extra={"hints": sent})
    return {"hints": sent}
