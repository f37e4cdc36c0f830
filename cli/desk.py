"""What waits for a person, by cause: parked links, held orders, and messages that failed.

The table says what is parked and held. Messages in dead-letter queues are only the bell: a parked
link without a pointer is listed as any other, and a pointer whose link goes on is history.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cli import links
from cli.letters import Letter, Sort, peek
from cli.stack import CommandError, Stack
from fizzbridge.errors import AmbiguousMatchError, DeletedAtTargetError, HoldError
from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.model.money import Money
from fizzbridge.model.order import HoldReason, OrderAssessment, OrderRequest
from fizzbridge.runtime import rows
from fizzbridge.runtime.assess import is_own
from fizzbridge.runtime.loading import Loader
from fizzbridge.state import Row
from fizzbridge.state.moments import to_text
from fizzbridge.trade.draft import REQUEST_CAUSE

GROUP_DIGITS = 6

_NAMES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{6,}")
"""What makes two messages about one cause differ: the vendor's ids and moments."""


_SPEAKS = frozenset({DeletedAtTargetError.code, AmbiguousMatchError.code})
"""Reasons that say all; their messages name the object."""


class Status(StrEnum):
    """What becomes of work that waits, if nobody does anything."""

    PARKED = "parked"
    """Nothing: a person must look."""
    HELD = "held"
    """It goes on by itself once what it waits for is there."""
    FAILED = "failed"
    """Nothing: a message that no function could work off."""
    SETTLED = "settled"
    """It goes on already, or was given up: only a pointer is left."""


@dataclass(frozen=True)
class Case:
    """One entity at one connection that waits, or one message.

    Attributes:
        status: what becomes of it.
        connection: where it waits; of a message that concerns none, the queue's name.
        reason: why, in a word.
        cause: what it waits for, or what was said when it was given up; one for all alike.
        message: the same in a sentence.
        blame: whose turn it is.
        since: since when.
        ref: the entity, where there is one.
        letters: its messages in dead-letter queues.
        redriven: how often it was sent back already.
    """

    status: Status
    connection: str
    reason: str
    cause: str
    message: str
    blame: str
    since: str
    ref: EntityRef | None
    letters: tuple[Letter, ...] = ()
    redriven: int = 0

    @property
    def group(self) -> str:
        """The id of its group: the same for as long as the cause is."""
        return rows.token(self.status, self.connection, self.reason, self.cause)[:GROUP_DIGITS]

    def shown(self) -> dict[str, object]:
        """What people may see of it: codes and ids, no delivery's content."""
        letter = self.letters[0].shown() if self.letters else {}
        return {
            "group": self.group,
            "status": str(self.status),
            "connection": self.connection,
            "entity": str(self.ref or ""),
            "reason": self.reason,
            "message": self.message,
            "what": letter.get("what", ""),
            "blame": self.blame,
            "since": self.since,
            "redriven": self.redriven,
            "ids": [one.id for one in self.letters],
        }


@dataclass(frozen=True)
class CauseGroup:
    """All that waits for one cause.

    Attributes:
        cases: the longest waiting first.
        reading: what is the matter, in a sentence.
        worth: gross of the orders it is about, in their currencies; None where nobody knows it.
        repair: the command that mends it.
    """

    cases: tuple[Case, ...]
    reading: str
    worth: Mapping[EntityRef, Money | None]
    repair: str

    @property
    def of(self) -> Case:
        """The one that waits longest: what is alike in all is read from it."""
        return self.cases[0]

    @property
    def gross(self) -> dict[str, Decimal]:
        """What its orders come to, by currency."""
        return total([self])

    @property
    def blame(self) -> str:
        """Whose turn it is."""
        return " and ".join(sorted({one.blame for one in self.cases if one.blame}))

    def shown(self) -> dict[str, object]:
        """The group as JSON has it; amounts as text, exactly."""
        return {
            "group": self.of.group,
            "status": str(self.of.status),
            "connection": self.of.connection,
            "reason": self.of.reason,
            "cause": self.of.cause,
            "reading": self.reading,
            "entities": len(self.cases),
            "orders": len(self.worth),
            "gross": {currency: f"{amount:f}" for currency, amount in self.gross.items()},
            "oldest": self.of.since,
            "blame": self.blame,
            "repair": self.repair,
            "messages": sum(len(one.letters) for one in self.cases),
        }


# -- what there is ---------------------------------------------------------------------------------


def cases(stack: Stack, connection: str | None) -> list[Case]:
    """All that waits, the longest waiting first.

    Args:
        stack: the stack.
        connection: only what waits there.
    """
    if connection is not None:
        stack.connection(connection)
    letters = peek(stack, connection)
    pointers: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        if letter.sort is Sort.POINTER:
            pointers.setdefault(letter.about, []).append(letter)
    names = [connection] if connection else list(stack.connections)
    parked = [one for name in names for one in _parked(stack, name, pointers)]
    listed = {(str(one.ref), one.connection) for one in parked}
    settled = (
        _settled(letter)
        for about, found in pointers.items()
        if about not in listed
        for letter in found
    )
    failed = (_failed(letter) for letter in letters if letter.sort is not Sort.POINTER)
    held = (one for one in _held(stack, names) if connection in (None, one.connection))
    return sorted((*parked, *held, *failed, *settled), key=lambda one: one.since)


def _parked(
    stack: Stack, name: str, pointers: Mapping[tuple[str, str], list[Letter]]
) -> Iterator[Case]:
    for ref, row in links.read(stack, name, links.waiting(stack, name, "parked")):
        yield parked(ref, name, row, pointers.get((str(ref), name), ()))


def parked(ref: EntityRef, name: str, row: Row, letters: Iterable[Letter] = ()) -> Case:
    """The case of a parked link."""
    found = tuple(letters)
    told = found[0] if found else None
    message = rows.text(row, "message") or (told.content.get("reason", "") if told else "")
    blame = rows.text(row, "blame") or (told.attributes.get("blame", "") if told else "")
    reason = rows.text(row, "reason")
    return Case(
        status=Status.PARKED,
        connection=name,
        reason=reason,
        cause="" if reason in _SPEAKS else _alike(message, ref, rows.text(row, "external_id")),
        message=message,
        blame=blame,
        since=rows.text(row, "updated_at"),
        ref=ref,
        letters=found,
        redriven=rows.number(row, "redriven"),
    )


def _alike(message: str, ref: EntityRef, external_id: str) -> str:
    """A message without what names the one entity it is about."""
    for name in filter(None, (ref.key, ref.external_id, external_id)):
        message = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", message)
    return _NAMES.sub("…", message)


def _settled(letter: Letter) -> Case:
    return Case(
        status=Status.SETTLED,
        connection=letter.about[1],
        reason="pointer",
        cause="",
        message="it is not parked any more",
        blame="",
        since=to_text(letter.sent_at),
        ref=letter.ref,
        letters=(letter,),
    )


def _failed(letter: Letter) -> Case:
    shown = letter.shown()
    return Case(
        status=Status.FAILED,
        connection=letter.queue,
        reason=letter.reason,
        cause=shown["what"],
        message=shown["message"],
        blame=shown["blame"],
        since=shown["sent_at"],
        ref=letter.ref,
        letters=(letter,),
    )


def _held(stack: Stack, names: Collection[str]) -> Iterator[Case]:
    """One case for each open hold; an order that waits for two things waits in two groups."""
    load = Loader(stack.table, stack.objects)
    listed = [
        *links.waiting(stack, rows.ASSESS, "held"),
        *(ref for name in names for ref in links.waiting(stack, name, "held")),
    ]
    refs = list(dict.fromkeys(listed))
    with ThreadPoolExecutor(links.READERS) as pool:
        for ref, found in zip(refs, pool.map(load.open_holds, refs), strict=True):
            for sk, row in found.items():
                _, scope, reason, *_ = sk.split("#")
                yield Case(
                    status=Status.HELD,
                    connection=ref.connection if is_own(sk) else scope,
                    reason=reason,
                    cause=rows.text(row, "cause"),
                    message=rows.text(row, "message"),
                    blame=HoldError.blame,
                    since=rows.text(row, "opened_at"),
                    ref=ref,
                )


# -- what it means ---------------------------------------------------------------------------------


def groups(stack: Stack, found: Iterable[Case]) -> list[CauseGroup]:
    """Cases by cause, those of the longest wait first, with what their orders come to."""
    by_cause: dict[str, list[Case]] = {}
    for one in found:
        by_cause.setdefault(one.group, []).append(one)
    listed = (one for alike in by_cause.values() for one in alike if one.status != Status.SETTLED)
    refs = list(dict.fromkeys(one.ref for one in listed if one.ref))
    with ThreadPoolExecutor(links.READERS) as pool:
        orders = dict(zip(refs, pool.map(lambda ref: _order(stack, ref), refs), strict=True))
        distinct = list(dict.fromkeys(filter(None, orders.values())))
        worth = dict(zip(distinct, pool.map(lambda ref: _gross(stack, ref), distinct), strict=True))
    made = []
    for alike in by_cause.values():
        theirs = dict.fromkeys(order for one in alike if one.ref and (order := orders.get(one.ref)))
        made.append(
            CauseGroup(
                cases=tuple(alike),
                reading=_reading(stack, alike),
                worth={order: worth[order] for order in theirs},
                repair=_repair(alike),
            )
        )
    return sorted(made, key=lambda one: one.of.since)


def total(of: Iterable[CauseGroup]) -> dict[str, Decimal]:
    """What the orders of groups come to, by currency; one that is in several counts once."""
    amounts = {order: worth for one in of for order, worth in one.worth.items()}
    gross: dict[str, Decimal] = {}
    for worth in filter(None, amounts.values()):
        gross[worth.currency] = gross.get(worth.currency, Decimal(0)) + worth.amount
    return dict(sorted(gross.items()))


def chosen(found: Iterable[Case], group: str) -> list[Case]:
    """The cases of a group, by its id or the beginning of it.

    Raises:
        CommandError: there is none, or several begin so.
    """
    alike = [one for one in found if one.group.startswith(group.lower())]
    ids = sorted({one.group for one in alike})
    if not group or not ids:
        raise CommandError(f"There is no group {group}; it may be settled. See: fizzbridge dlq")
    if len(ids) > 1:
        raise CommandError(f"{group} begins several groups: {', '.join(ids)}. Write more of it.")
    return alike


def _order(stack: Stack, ref: EntityRef) -> EntityRef | None:
    """The order an entity is, or belongs to."""
    if ref.kind is Kind.ORDER:
        return ref
    record = stack.table.get(str(ref), rows.part_sk(Part.RECORD))
    if record is None or record.get("deleted"):
        return None
    named = getattr(rows.stored_part(record, ref, stack.objects).body, "order", None)
    return (rows.ours(stack.table, named) or named) if isinstance(named, EntityRef) else None


def _gross(stack: Stack, order: EntityRef) -> Money | None:
    """An order's gross: ours, or the shop's while it is not assessed."""
    for part in (Part.ASSESSMENT, Part.REQUEST):
        row = stack.table.get(str(order), rows.part_sk(part))
        if row and not row.get("deleted"):
            body = rows.stored_part(row, order, stack.objects).body
            if isinstance(body, OrderAssessment | OrderRequest):
                return Money(amount=body.totals.gross, currency=body.currency)
    return None


_SORTS = {"sku": ("SKU", "item"), "tax": ("tax", "tax"), "unit": ("unit", "unit")}
"""A map's values and what they are called on the other side, where people have a word for it."""

_HELD_FOR = {
    HoldReason.CREDIT: "over its credit limit",
    HoldReason.STOCK: "short of stock",
    HoldReason.LIMIT: "over its limit of containers out",
    HoldReason.TOTAL_MISMATCH: "the total would be another one there",
}


def _reading(stack: Stack, alike: list[Case]) -> str:
    of = alike[0]
    where = named(stack, of.connection)
    if of.status is Status.SETTLED:
        return f"Pointers of {where} to work that goes on or was given up"
    if of.status is Status.FAILED:
        what = of.cause or "messages"
        return f"{where} could not work off {what} ({of.reason}): {of.message}".rstrip(": ")
    if of.status is Status.PARKED:
        if of.reason == DeletedAtTargetError.code:
            return f"Deleted at {where} by somebody, and wanted there"
        if of.reason == AmbiguousMatchError.code:
            return f"Several objects at {where} carry our reference"
        same = len({one.message for one in alike}) == 1
        return f"{where}, {of.reason}: {of.message if same else of.cause}"
    if of.cause.startswith("MAP#"):
        return _missing(of, where)
    about = of.cause.partition("#")[2].removeprefix(f"{Kind.CUSTOMER}#")
    words = _HELD_FOR.get(HoldReason(of.reason), "") if of.reason in set(HoldReason) else ""
    if words and about:
        subject = "SKU" if of.reason == HoldReason.STOCK else "account"
        return f"{subject} {about}: {words}"
    if words:
        return f"{where}: {words}"
    same = len({one.message for one in alike}) == 1
    return f"{where}, {of.reason.replace('_', ' ').lower()}" + (f": {of.message}" if same else "")


def _missing(of: Case, where: str) -> str:
    """A code without a counterpart."""
    owner, sort, value = _map(of.cause)
    ours, theirs = _SORTS.get(sort, (sort.replace("_", " "), "counterpart"))
    if owner == of.connection and of.ref and of.ref.connection == owner:
        return f"{ours} {value} of {where} is none that we know"
    return f"{ours} {value} has no {theirs} in {where}"


def _map(cause: str) -> tuple[str, str, str]:
    """Connection, sort and value of a map's row."""
    pk, _, value = cause.partition("/")
    _, owner, sort = pk.split("#", 2)
    return owner, sort, value


def named(stack: Stack, connection: str) -> str:
    """A connection with its platform, as people call it."""
    known = stack.manifests.get(stack.connections.get(connection, {}).get("Platform", ""))
    return f"{connection} ({known.name})" if known else connection


def _repair(alike: list[Case]) -> str:
    of = alike[0]
    one = of.ref.key if of.ref and of.ref.kind is Kind.ORDER else str(of.ref)
    if of.status is Status.HELD:
        if of.cause.startswith("MAP#"):
            owner, sort, value = _map(of.cause)
            return f"fizzbridge map set {owner} {sort} {shlex.quote(value)} <code>"
        if of.cause == REQUEST_CAUSE or len(alike) == 1:
            name = one if len(alike) == 1 else "<order>"
            return f'fizzbridge hold release {name} --why "..."'
        return "fizzbridge hold list"
    if of.reason == DeletedAtTargetError.code and len(alike) == 1:
        return f'fizzbridge recreate {one} --to {of.connection} --why "..."'
    return f"fizzbridge dlq redrive --group {of.group}"
