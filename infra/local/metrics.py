"""Copies metrics to the emulator's CloudWatch: it reads neither EMF lines nor queues by itself.

On AWS, CloudWatch does both. Alarms and dashboards see the same names either way. The emulator
counts errors and throttles in ``AWS/Lambda`` on its own, of direct calls only; nobody here can say
how a call by queue, stream or API went, nor how far a stream's reader is behind (``IteratorAge``).
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx

from fizzbridge.settings import LOCAL_STAGE
from infra.local.deploy import client
from infra.local.state import LocalState

_BATCH = 1000
_QUEUE_FIGURES = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}


def watch(state: LocalState, interval_s: int) -> None:
    """Publish again and again until interrupted."""
    since = time.time()
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(interval_s)
            now = time.time()
            publish(state, since)
            since = now


def publish(state: LocalState, since: float) -> int:
    """Publish what the functions logged since a time, and how full the queues are now.

    Returns:
        How many figures were published.
    """
    figures = [*_logged(state, since), *_queues(state)]
    cloudwatch = client(state, "cloudwatch")
    for namespace in {namespace for namespace, _ in figures}:
        data = [datum for name, datum in figures if name == namespace]
        for start in range(0, len(data), _BATCH):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + _BATCH])
    return len(figures)


def _logged(state: LocalState, since: float) -> Iterator[tuple[str, dict[str, Any]]]:
    logs = client(state, "logs")
    groups = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/fizzbridge-{LOCAL_STAGE}-")
    for group in groups["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"],
            startTime=int(since * 1000),
            filterPattern='"_aws"',
        )
        for page in pages:
            for event in page["events"]:
                yield from embedded(event["message"])


def embedded(message: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each figure of one embedded-metric line, with its namespace."""
    try:
        line = json.loads(message)
        blocks = line["_aws"]["CloudWatchMetrics"]
    except (ValueError, KeyError, TypeError):
        return
    moment = datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC)
    for block in blocks:
        for names in block["Dimensions"]:
            for metric in block["Metrics"]:
                yield block["Namespace"], _datum(line, metric, names, moment)


def _datum(
    line: Mapping[str, Any], metric: Mapping[str, str], names: list[str], moment: datetime
) -> dict[str, Any]:
    values = line[metric["Name"]]
    return {
        "MetricName": metric["Name"],
        "Dimensions": [{"Name": name, "Value": str(line[name])} for name in names],
        "Timestamp": moment,
        "Values": values if isinstance(values, list) else [values],
        "Unit": metric.get("Unit", "None"),
    }


def _queues(state: LocalState) -> Iterator[tuple[str, dict[str, Any]]]:
    queues = client(state, "sqs")
    listed = queues.list_queues(QueueNamePrefix=f"fizzbridge-{LOCAL_STAGE}-")
    waiting = _messages(state)
    for url in listed.get("QueueUrls", []):
        name = url.rsplit("/", 1)[1]
        attributes = queues.get_queue_attributes(QueueUrl=url, AttributeNames=list(_QUEUE_FIGURES))[
            "Attributes"
        ]
        figures = {metric: float(attributes[name]) for name, metric in _QUEUE_FIGURES.items()}
        figures["ApproximateAgeOfOldestMessage"] = _oldest_s(waiting.get(name, []))
        for metric, value in figures.items():
            dimensions = [{"Name": "QueueName", "Value": name}]
            yield "AWS/SQS", {"MetricName": metric, "Dimensions": dimensions, "Value": value}


def _messages(state: LocalState) -> dict[str, list[dict[str, Any]]]:
    """Every message by its queue's name, looked at and not received: receiving would count."""
    answer = httpx.get(f"{state.endpoint}/_ministack/sqs/messages", trust_env=False, timeout=30)
    answer.raise_for_status()
    regions = answer.json()["messages"].get(state.account, {})
    listed = regions.get(state.region, {})
    return {url.rsplit("/", 1)[1]: messages for url, messages in listed.items()}


def _oldest_s(messages: list[dict[str, Any]]) -> float:
    sent = [int(message["SentTimestamp"]) for message in messages]
    return max(time.time() - min(sent), 0.0) if sent else 0.0
