"""What an order holds of ours: metafields of one namespace, which people see and leave alone."""

from __future__ import annotations

import hashlib

from fizzbridge.model.entity import EntityRef
from platforms.shopify.telling import Write, gid

NAMESPACE = "fizzbridge"
ERP_NUMBER = "erp_number"
MARKS = f'metafields(first: 100, namespace: "{NAMESPACE}") {{ nodes {{ key value }} }}'
"""What is asked of an order to see them."""


def mark_of(kind: str, ref: EntityRef) -> str:
    """The key for a document of an order; a key has 64 letters at most, of few kinds."""
    return f"{kind}-{hashlib.sha256(ref.key.encode()).hexdigest()[:32]}"


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
