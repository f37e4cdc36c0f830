"""Bodies of parts and deliveries as row attributes: plain, compressed, or by reference."""

from __future__ import annotations

import hashlib
import zlib

from fizzbridge.state.objects import Objects
from fizzbridge.state.table import Row, Value

BODY_ATTRIBUTES = ("body", "body_z", "body_ref")
"""Exactly one is in a row with a body: an update that sets one removes the others."""

PLAIN_LIMIT_BYTES = 4 * 1024
ROW_LIMIT_BYTES = 64 * 1024


def pack(text: str, objects: Objects) -> dict[str, Value]:
    """Turns a body into the attribute that holds it.

    A large body is stored as an object first, under a key made from its content: a row never
    points at an object that is not there, and an object never changes.

    Args:
        text: The body, as a rule JSON.
        objects: Where a large body goes.
    """
    raw = text.encode()
    if len(raw) <= PLAIN_LIMIT_BYTES:
        return {"body": text}
    compressed = zlib.compress(raw)
    if len(compressed) <= ROW_LIMIT_BYTES:
        return {"body_z": compressed}
    key = f"bodies/{hashlib.sha256(compressed).hexdigest()}"
    objects.put(key, compressed)
    return {"body_ref": key}


def unpack(row: Row, objects: Objects) -> str:
    """Reads a row's body.

    Raises:
        LookupError: The row has no body, or its object is gone.
    """
    match row:
        case {"body": str(text)}:
            return text
        case {"body_z": bytes(compressed)}:
            return zlib.decompress(compressed).decode()
        case {"body_ref": str(key)}:
            return zlib.decompress(objects.get(key)).decode()
    raise LookupError("the row has no body")
