"""Erase a person: blank what is personal, and leave a mark that later observations respect.

An erased customer is an observation like any other: the row of the customer changes, assess hears
of it and erases the orders. So a crash in between loses nothing, and no poll brings anything back.
"""

from __future__ import annotations

from datetime import datetime

from fizzbridge.model.customer import Customer
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.party import Contact
from fizzbridge.model.privacy import scrub, without_person
from fizzbridge.model.version import SEED
from fizzbridge.runtime import rows
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.rows import ERASED
from fizzbridge.state.moments import to_text
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import ConditionFailedError, Equals, NoRow, Row, Table, Write

TRIES = 8


def erase_customer(
    table: Table, objects: Objects, customer: EntityRef, now: datetime, by: str
) -> None:
    """Blank a customer, known or not; its orders follow.

    Args:
        table: the state table.
        objects: bodies too large for it.
        customer: who.
        now: the present time.
        by: who asked for it, for the timeline.
    """
    sk = rows.part_sk(Part.RECORD)
    for _ in range(TRIES):
        stored = table.get(str(customer), sk)
        found = rows.stored_part(stored, customer, objects).body if stored else None
        body = scrub(found or Customer(contact=Contact()))
        row = rows.part_row(
            body,
            version=rows.text(stored, "version") if stored else SEED,
            connection=customer.connection,
            observed_at=now,
            objects=objects,
            erased=True,
        )
        when = Equals("fingerprint", rows.text(stored, "fingerprint")) if stored else NoRow()
        wanted = rows.token(sk, ERASED, to_text(now))
        writes = [
            Write(str(customer), sk, set=row, replace=True, when=when),
            rows.want(customer, rows.ASSESS, wanted, now),
            rows.timeline(customer, now, wanted[:12], "erased", [("by", by)]),
        ]
        try:
            table.transact(writes)
        except ConditionFailedError:
            continue  # somebody merged meanwhile
        return
    raise ConditionFailedError([None], [0])


def orders_of(table: Table, customer: EntityRef) -> list[EntityRef]:
    """The orders of a customer; a guest is known by the one order."""
    found = [EntityRef.parse(rows.text(row, "sk")) for row in table.query(rows.buyer_pk(customer))]
    guest_of = customer.external_id.removeprefix("order:")
    if guest_of != customer.external_id:
        found.append(ref(Kind.ORDER, customer.connection, guest_of))
    return list(dict.fromkeys(found))


def erase_orders(table: Table, objects: Objects, customer: EntityRef, now: datetime) -> None:
    """Blank the orders of an erased customer and what followed them, where they are not yet."""
    load = Loader(table, objects)
    for order in orders_of(table, customer):
        request = load.view(order).request
        if request and request.customer != customer:
            _forget_contact(table, objects, request.customer, now)
        _erase(table, objects, order, Part.REQUEST, now)
        for child in load.view(order).children:
            _erase(table, objects, child.ref, Part.RECORD, now)


def erase_document(table: Table, objects: Objects, document: EntityRef, now: datetime) -> None:
    """Blank a document that came after its order was erased, where it is not yet."""
    _erase(table, objects, document, Part.RECORD, now)


def _forget_contact(table: Table, objects: Objects, buyer: EntityRef, now: datetime) -> None:
    """The order was for a business: the business stays, and whoever ordered for it does not."""
    sk = rows.part_sk(Part.RECORD)
    stored = table.get(str(buyer), sk)
    found = rows.stored_part(stored, buyer, objects).body if stored else None
    if stored is None or not isinstance(found, Customer) or found.company is None:
        return
    body = without_person(found)
    row = rows.part_row(
        body,
        version=rows.text(stored, "version"),
        connection=rows.text(stored, "connection"),
        observed_at=now,
        objects=objects,
    )
    when = Equals("fingerprint", rows.text(stored, "fingerprint"))
    wanted = rows.token(str(buyer), sk, body.fingerprint())
    table.transact(
        [
            Write(str(buyer), sk, set=row, replace=True, when=when),
            rows.want(buyer, rows.ASSESS, wanted, now),
        ]
    )


def _erase(table: Table, objects: Objects, entity: EntityRef, part: Part, now: datetime) -> None:
    sk = rows.part_sk(part)
    for _ in range(TRIES):
        stored = table.get(str(entity), sk)
        if stored is None or stored.get(ERASED):
            return
        try:
            table.transact(_blanked(stored, entity, part, objects, now))
        except ConditionFailedError:
            continue
        return
    raise ConditionFailedError([None], [0])


def _blanked(
    stored: Row, entity: EntityRef, part: Part, objects: Objects, now: datetime
) -> list[Write]:
    sk = rows.part_sk(part)
    body = rows.stored_part(stored, entity, objects).body
    row = {name: value for name, value in stored.items() if name not in {"pk", "sk"}}
    if body:
        row = rows.part_row(
            scrub(body),
            version=rows.text(stored, "version"),
            connection=rows.text(stored, "connection"),
            observed_at=now,
            objects=objects,
        )
    when = Equals("fingerprint", rows.text(stored, "fingerprint"))
    wanted = rows.token(str(entity), sk, ERASED, to_text(now))
    return [
        Write(str(entity), sk, set=row | {ERASED: True}, replace=True, when=when),
        rows.want(entity, rows.ASSESS, wanted, now),
    ]
