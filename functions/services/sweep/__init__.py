"""Sweep: on a schedule, hint at what has been behind too long, and turn connections off and on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from fizzbridge.aws import aws_client
from fizzbridge.observability import BRIDGE, Metrics, log, log_context, new_correlation_id
from fizzbridge.runtime.sweep import QueueNames, Sweeper
from fizzbridge.runtime.wiring import AWS_CALL_S, now, ports
from fizzbridge.switches import MappingSwitches


@cache
def _sweeper() -> Sweeper:
    given = ports()
    client = aws_client("sqs", deadline_s=AWS_CALL_S)

    @cache
    def url(name: str) -> str:
        return client.get_queue_url(QueueName=name)["QueueUrl"]

    names = QueueNames(given.settings.stage, url, given.settings.assess_queue or "")
    connections = [connection.name for connection in given.bridge.connections]
    timing = given.bridge.timing
    after = timedelta(seconds=timing.resync_after)
    switches = MappingSwitches(aws_client("lambda", deadline_s=AWS_CALL_S))
    per_minute = {one.name: one.calls.per_minute for one in given.bridge.connections}
    return Sweeper(
        given.table, given.queue, names, connections, after, now, switches, timing, per_minute
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Lambda's entry: a tick of the schedule."""
    del event, context
    with Metrics() as metrics, log_context(new_correlation_id(), connection=BRIDGE):
        sent = _sweeper().run(metrics)
        log.info("swept", extra={"hints": sent})
    return {"hints": sent}
