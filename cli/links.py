"""Links of entities to targets: which are behind, and how their workers are told to look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from cli.stack import Stack
from fizzbridge.model.entity import LEVEL_KINDS, EntityRef
from fizzbridge.runtime import rows
from fizzbridge.runtime.sweep import hint
from fizzbridge.state import Row
from fizzbridge.state.moments import to_text

READERS = 8
MANY = 10_000
"""Links looked at per partition; who has more of them reads a dashboard first."""


def behind(stack: Stack) -> dict[str, list[EntityRef]]:
    """Entities behind by connection, ``assess`` being one; longest first within a shard."""
    return {
        connection: [
            EntityRef.parse(pk)
            for shard in rows.shards(connection)
            for pk, sk in stack.table.index("behind", shard, limit=MANY)
            if sk != rows.DUE_SK
        ]
        for connection in (rows.ASSESS, *stack.connections)
    }


def waiting(stack: Stack, connection: str, status: str) -> list[EntityRef]:
    """Entities whose link to a connection is ``held``, ``parked`` or ``differs``."""
    cause = rows.waiting_cause(connection, status)
    listed = (EntityRef.parse(pk) for pk, _ in stack.table.index("cause", cause, limit=MANY))
    # New content may have set it going since.
    return [ref for ref, row in read(stack, connection, listed) if row.get("status") == status]


def read(
    stack: Stack, connection: str, refs: Iterable[EntityRef]
) -> Iterator[tuple[EntityRef, Row]]:
    """The link rows themselves: an index is only a hint, the row decides."""
    listed = list(refs)
    sk = rows.link_sk(connection)
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(lambda ref: stack.table.get(str(ref), sk), listed)
        yield from ((ref, row) for ref, row in zip(listed, found, strict=True) if row)


def shown_again(stack: Stack, connection: str, now: datetime) -> int:
    """Have a shop told anew of everything that is sold there; what it shows already stays.

    Returns:
        How many products, prices and levels are looked at.
    """
    token = rows.token("shown again", to_text(now))
    told = 0
    for owner in stack.connections:
        for row in stack.table.query(rows.sold_pk(owner)):
            ref = EntityRef.parse(rows.text(row, "sk"))
            if stack.table.get(str(ref), rows.link_sk(connection)):
                stack.table.write(rows.want(ref, connection, token, now))
                tell(stack, connection, ref)
            else:
                stack.table.write(rows.want(ref, rows.ASSESS, token, now))
            told += 1
    return told


def tell(stack: Stack, connection: str, ref: EntityRef) -> None:
    """Tell a target's worker to look at an entity."""
    output = "LevelsQueueUrl" if ref.kind in LEVEL_KINDS else "DocumentsQueueUrl"
    stack.sqs.send_message(QueueUrl=stack.target(connection)[output], MessageBody=hint(ref))
