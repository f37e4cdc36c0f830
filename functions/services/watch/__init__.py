"""Watch: on a schedule, count what is held, parked, silent or about to expire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fizzbridge.observability import BRIDGE, Metrics, log, log_context, new_correlation_id
from fizzbridge.runtime.watch import Watch
from fizzbridge.runtime.wiring import now, ports


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Lambda's entry: a tick of the schedule."""
    del event, context
    given = ports()
    with log_context(new_correlation_id(), connection=BRIDGE), Metrics() as metrics:
        Watch(given.table, given.bridge, metrics, now).run()
        log.info("watched")
