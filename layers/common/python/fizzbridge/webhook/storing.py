"""Deliveries as messages of the pull queue: spilled, or replayed out of quarantine."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fizzbridge.state.objects import Objects, ObjectsUnavailableError
from fizzbridge.webhook.request import Delivery

INLINE_LIMIT_BYTES = 200_000
"""Longest body a message takes when the bucket does not: base64 adds a third, and 1 MiB is all."""


def to_message(
    delivery: Delivery, connection: str, correlation_id: str, objects: Objects
) -> dict[str, Any]:
    """The message that stands for a verified delivery.

    The body may hold personal data, so it goes to the bucket, which queues do not share their
    rights with. Only with the bucket out of reach is it in the message: kept beats kept apart.

    Args:
        delivery: without its proof: whoever reads it later does not verify again.
        connection: whose delivery it is.
        correlation_id: follows it through logs and events.
        objects: takes the body.

    Raises:
        ObjectsUnavailableError: the bucket is out of reach and the body too long for a message.
    """
    message = {
        "type": "delivery",
        "headers": dict(delivery.headers),
        "received_at": delivery.received_at.isoformat(),
        "request_id": delivery.request_id,
        "correlation_id": correlation_id,
    }
    key = f"deliveries/{connection}/{hashlib.sha256(delivery.body).hexdigest()}"
    try:
        objects.put(key, delivery.body)
    except ObjectsUnavailableError:
        if len(delivery.body) > INLINE_LIMIT_BYTES:
            raise
        return message | {"body_base64": base64.b64encode(delivery.body).decode()}
    return message | {"bucket_key": key}


def from_message(message: Mapping[str, Any], objects: Objects) -> Delivery:
    """The delivery a message stands for."""
    key = message.get("bucket_key")
    return Delivery(
        headers=message["headers"],
        body=objects.get(key) if key else base64.b64decode(message["body_base64"]),
        received_at=datetime.fromisoformat(message["received_at"]),
        request_id=message.get("request_id", ""),
    )


def hint_message(what: str, external_id: str, correlation_id: str) -> str:
    """The message that asks pull to fetch something."""
    return json.dumps(
        {"type": "hint", "what": what, "id": external_id, "correlation_id": correlation_id}
    )
