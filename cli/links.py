"""Links of entities to targets: which are behind, and how their workers are told to look."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from cli.stack import CommandError, Stack
from fizzbridge.model.entity import LEVEL_KINDS, EntityRef
from fizzbridge.model.events import SOURCE_PREFIX
from fizzbridge.runtime import rows
from fizzbridge.state import Row

READERS = 8
MANY = 10_000
"""Links looked at per shard; who has more behind reads a dashboard first."""


def behind(stack: Stack) -> dict[str, list[EntityRef]]:
    """Entities behind, longest first within a shard, by connection; ``assess`` is one of them."""
    found: dict[str, list[EntityRef]] = {}
    for shard in range(rows.BEHIND_SHARDS):
        for pk, sk in stack.table.index("behind", str(shard), limit=MANY):
            found.setdefault(sk.removeprefix("LINK#"), []).append(EntityRef.parse(pk))
    return found


def read(
    stack: Stack, connection: str, refs: Iterable[EntityRef]
) -> Iterator[tuple[EntityRef, Row]]:
    """The link rows themselves: an index is only a hint, the row decides."""
    listed = list(refs)
    sk = rows.link_sk(connection)
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(lambda ref: stack.table.get(str(ref), sk), listed)
        yield from ((ref, row) for ref, row in zip(listed, found, strict=True) if row)


def hint(stack: Stack, connection: str, ref: EntityRef, correlation_id: str = "") -> None:
    """Tell a target's worker to look at an entity."""
    output = "LevelsQueueUrl" if ref.kind in LEVEL_KINDS else "DocumentsQueueUrl"
    if output not in stack.connection(connection):
        raise CommandError(f"'{connection}' is no target: it has no queue to send to.")
    message = {
        "detail-type": "Resync",
        "source": f"{SOURCE_PREFIX}{connection}",
        "detail": {
            "kind": str(ref.kind),
            "key": ref.key,
            "event_id": str(uuid.uuid4()),
            "correlation_id": correlation_id,
        },
    }
    stack.sqs.send_message(
        QueueUrl=stack.connections[connection][output], MessageBody=json.dumps(message)
    )
