"""What an order holds of ours: metafields of one namespace, which people see and leave alone."""

from __future__ import annotations

import hashlib

from fizzbridge.model.entity import EntityRef
from platforms.shopify.telling import Write, gid

NAMESPACE = "fizzbridge"
ERP_NUMBER = "erp_number"
SHIPMENT = "shipment-"
MARKS = f'metafields(first: 100, namespace: "{NAMESPACE}") {{ nodes {{ key value }} }}'
"""What is asked of an order to see them."""


def mark_of(shipment: EntityRef) -> str:
    """The key for a shipment; a key has 64 letters at most, and of few kinds."""
    return f"{SHIPMENT}{hashlib.sha256(shipment.key.encode()).hexdigest()[:32]}"


def setting(order: str, key: str, value: str) -> Write:
    """Write one of them; one that is there is replaced."""
    given = {
        "ownerId": gid("Order", order),
        "namespace": NAMESPACE,
        "key": key,
        "type": "single_line_text_field",
        "value": value,
    }
    return Write("metafieldsSet", {"metafields": ("[MetafieldsSetInput!]!", [given])})
