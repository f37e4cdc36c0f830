"""How entities lie in the table: the keys of every row, and parts to rows and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from fizzbridge.model.base import Frozen, fingerprint_of
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.runtime.view import BODIES, StoredPart
from fizzbridge.state.bodies import pack, unpack
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import Row, Table, Value, Write

ASSESS = "assess"
"""The link of every entity to ourselves: what assess has taken in."""

SCHEMA = 1
"""Of part bodies; a row of an older number is brought up when it is read."""

BEHIND_SHARDS = 4
TIMELINE_LIFE = timedelta(days=90)
"""The timeline is for people; nothing but reading it depends on it."""


GONE = "gone"
"""Stamp of an object that was cancelled, or never made, because nothing should be there."""

ERASED = "erased"
"""Attribute of a part's row: whatever is observed later is blanked before it is stored."""


RESTORED = "restored"
"""Attribute of a row that a restore put back: its operation."""

HELD = "held"
"""Attribute of an order's assessment: how often it was held."""


def part_sk(part: Part) -> str:
    """Sort key of a part."""
    return f"PART#{part}"


def link_sk(connection: str) -> str:
    """Sort key of the link to a connection, or to ``ASSESS``."""
    return f"LINK#{connection}"


def hold_sk(scope: str, reason: str) -> str:
    """Sort key of a hold; scope is ``order`` or a connection."""
    return f"HOLD#{scope}#{reason}"


def child_sk(child: EntityRef) -> str:
    """Sort key of the relation to a child document."""
    return f"CHILD#{child}"


def map_pk(connection: str, sort: str) -> str:
    """Partition of one id map: its rows' sort keys are our or the source's values."""
    return f"MAP#{connection}#{sort}"


def map_cause(connection: str, sort: str, value: str) -> str:
    """What a hold waits for when this row of a map is missing."""
    return f"{map_pk(connection, sort)}/{value}"


def waiting_cause(connection: str, status: str) -> str:
    """Cause key that lists a connection's links that are held or parked, for people to look at."""
    return f"{link_sk(connection)}#{status}"


def external_pk(connection: str, kind: Kind, external_id: str) -> str:
    """Partition of the way back from a platform's id to our entity."""
    return f"EXTERNAL#{connection}#{kind}#{external_id}"


EXTERNAL_SK = "ENTITY"


def ours(table: Table, name: EntityRef) -> EntityRef | None:
    """Our entity that a connection holds under its own name; None where it holds none of ours."""
    row = table.get(external_pk(name.connection, name.kind, name.external_id), EXTERNAL_SK)
    return EntityRef.parse(text(row, "entity")) if row else None


DUE_SK = "DUE"
"""When an entity is to be assessed again though nothing moved; listed with what is behind."""

LEVEL = "LEVEL#"
CLAIM = "CLAIM#"
FREED_SK = "FREED"
"""Moves when an order lets go of what it claimed."""

TURN_SK = "TURN"
"""Moves with every row that others of its partition must have seen before they add theirs."""


def stock_pk(sku: str) -> str:
    """Partition of an item's stock: the levels told of it, and the claims of orders on it.

    Also the cause key of what waits for stock.
    """
    return f"STOCK#{sku}"


CLAIMED = "CLAIMED#"
"""Below an order: the items it has claims on."""


def claim_sk(order: EntityRef) -> str:
    """Beginning of the sort keys of an order's claims on an item."""
    return f"{CLAIM}{order}"


WAITS = "WAITS#"
"""Below a product: prices and levels that have no code of their own."""

OWNED = "OWNED#"
TOLD = "TOLD#"


def item_pk(sku: str) -> str:
    """Partition of who speaks of an item: its owner's entities, and what others tell of it."""
    return f"ITEM#{sku}"


def lot_pk(lot: str) -> str:
    """Partition of a production batch: the orders it was shipped with."""
    return f"LOT#{lot}"


def account_pk(account: EntityRef) -> str:
    """Partition of an account's open orders: what each owes that no invoice says yet."""
    return f"ACCOUNT#{account}"


def credit_cause(account: EntityRef) -> str:
    """What an order held for credit waits for."""
    return f"CREDIT#{account}"


def empties_pk(account: EntityRef, outlet: str) -> str:
    """Partition of the ledger of empties of an outlet: one row per container and order."""
    return f"EMPTIES#{account}#{outlet}"


def connection_pk(connection: str) -> str:
    """Partition of what we keep about a connection: cursors, breaker, limiter slots."""
    return f"CONNECTION#{connection}"


BREAKER_SK = "BREAKER"


OPERATION_LIFE = timedelta(days=400)
"""What people did is kept for longer than a business year."""


def operation_pk(at: datetime) -> str:
    """Partition of what people did to the bridge on a UTC day, each by its time."""
    return f"OPERATION#{at:%Y-%m-%d}"


def number_pk(number: str) -> str:
    """Partition that finds orders by the number people see."""
    return f"NUMBER#{number}"


def buyer_pk(customer: EntityRef) -> str:
    """Partition that lists a customer's orders."""
    return f"BUYER#{customer}"


def sold_pk(connection: str) -> str:
    """Partition that lists the products, prices and levels a connection owns."""
    return f"SOLD#{connection}"


def known_pk(connection: str) -> str:
    """Partition that lists the customers a connection has told of."""
    return f"KNOWN#{connection}"


ENQUIRY_SK = "ENQUIRY"
OPEN_ENQUIRIES = "ENQUIRY#open"
"""Cause key that lists customers who ask what is known of them, until somebody has answered."""


def placed_pk(connection: str, placed_at: datetime) -> str:
    """Partition that lists a source's orders of one UTC day."""
    return f"PLACED#{connection}#{placed_at:%Y-%m-%d}"


def token(*of: str) -> str:
    """A short text that changes when any of its inputs changes: what ``wanted`` is made of."""
    return hashlib.sha256("\n".join(of).encode()).hexdigest()[:32]


def shard(ref: EntityRef, connection: str) -> str:
    """The partition of the index of links that are behind.

    Each connection has its own, so that one that is stuck hides nothing of the others; and several,
    so that none is hot.
    """
    number = int(hashlib.sha256(str(ref).encode()).hexdigest()[:8], 16) % BEHIND_SHARDS
    return shards(connection)[1 + number]


def urgent_shard(connection: str) -> str:
    """The partition of links that go before all others: of what was just sold."""
    return f"{connection}#urgent"


def is_urgent(link: Row, connection: str) -> bool:
    """Whether a link is behind, and goes before others."""
    return link.get("behind_shard") == urgent_shard(connection)


def shards(connection: str) -> list[str]:
    """All partitions of a connection, or of ``ASSESS``, in the index of links that are behind.

    The urgent one is the first.
    """
    return [urgent_shard(connection), *(f"{connection}#{one}" for one in range(BEHIND_SHARDS))]


def want(
    ref: EntityRef,
    connection: str,
    wanted: str,
    now: datetime,
    *,
    urgent: bool = False,
    **also: Value,
) -> Write:
    """Tell a link that what its converge depends on has changed.

    Unconditional: whoever holds the link's lease re-reads ``wanted`` before it lets go.
    """
    place = urgent_shard(connection) if urgent else shard(ref, connection)
    return Write(
        str(ref),
        link_sk(connection),
        set={"wanted": wanted, "behind_shard": place} | {"updated_at": to_text(now)} | also,
        set_if_absent={"behind_since": to_text(now), "status": "behind"},
    )


def part_row(
    body: Frozen | None,
    *,
    version: str,
    connection: str,
    observed_at: datetime,
    objects: Objects,
    **also: Value,
) -> dict[str, Value]:
    """The attributes of a part's row; without body it is a tombstone."""
    written = body.model_dump_json() if body else ""
    row: dict[str, Value] = {
        "version": version,
        "fingerprint": fingerprint_of(written) if body else "",
        "observed_at": to_text(observed_at),
        "connection": connection,
        "schema": SCHEMA,
        "deleted": body is None,
    }
    return row | (pack(written, objects) if body else {}) | also


def stored_part(row: Row, ref: EntityRef, objects: Objects) -> StoredPart:
    """The part a row holds."""
    part = Part(text(row, "sk").removeprefix("PART#"))
    body = None
    if not row.get("deleted"):
        # Stacks are deployed one after the other, and perhaps back: a field of another release is
        # let be. What is written has its own fields only.
        model = BODIES[ref.kind, part]
        body = model.model_validate_json(unpack(row, objects), extra="ignore")
    return StoredPart(
        body=body,
        version=text(row, "version"),
        fingerprint=text(row, "fingerprint"),
        connection=text(row, "connection"),
        of=text(row, "of"),
        is_erased=bool(row.get(ERASED)),
        observed_at=text(row, "observed_at"),
        held=number(row, HELD),
    )


def timeline(
    ref: EntityRef, now: datetime, unique: str, what: str, details: Iterable[tuple[str, Value]]
) -> Write:
    """A line on the entity's timeline, for people: codes and ids, never persons.

    Args:
        ref: the entity.
        now: when it happened.
        unique: tells lines of one moment apart, and makes a repeated line the same row.
        what: what happened, in a word: ``delivery``, ``OrderBooked``.
        details: what else to show.
    """
    expires = int((now + TIMELINE_LIFE).timestamp())
    shown: dict[str, Value] = {"what": what, "at": to_text(now), "expires_at": expires}
    return Write(
        str(ref),
        f"TIMELINE#{to_text(now)}#{unique}",
        set=shown | dict(details),
        replace=True,
    )


def text(row: Row, name: str) -> str:
    """A text attribute; empty where it is absent."""
    value = row.get(name, "")
    return value if isinstance(value, str) else ""


def number(row: Row, name: str) -> int:
    """A number attribute; nought where it is absent."""
    value = row.get(name, 0)
    return value if isinstance(value, int) else 0


def words(row: Row, name: str) -> list[str]:
    """An attribute of several texts; none where it is absent."""
    value = row.get(name, [])
    return value if isinstance(value, list) else []
