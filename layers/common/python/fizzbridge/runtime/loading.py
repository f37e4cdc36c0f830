"""Read an entity as it stands."""

from __future__ import annotations

from dataclasses import replace

from fizzbridge.model.entity import EntityRef, Kind, Part
from fizzbridge.runtime import rows
from fizzbridge.runtime.view import StoredPart, View
from fizzbridge.state.objects import Objects
from fizzbridge.state.table import Row, Table


class Loader:
    """Reads views, links and holds of entities."""

    def __init__(self, table: Table, objects: Objects) -> None:
        self._table = table
        self._objects = objects

    def view(self, ref: EntityRef) -> View:
        """The latest state of an entity with its child documents."""
        children = tuple(View(child, self._parts(child)) for child in self._children(ref))
        return View(ref, self._parts(ref), children)

    def with_parent(self, ref: EntityRef) -> View:
        """The same, and the order where the entity is a document of one."""
        view = self.view(ref)
        record = view.parts.get(Part.RECORD)
        order = getattr(record.body, "order", None) if record else None
        return replace(view, parent=self.order(order)) if isinstance(order, EntityRef) else view

    def order(self, name: EntityRef) -> View:
        """An order by the name its document gives it: ours, or that of the ERP that holds it."""
        return self.view(rows.ours(self._table, name) or name)

    def links(self, ref: EntityRef) -> dict[str, Row]:
        """Every link of an entity by connection; ours to ourselves left out."""
        found = self._table.query(str(ref), "LINK#")
        by_name = {rows.text(row, "sk").removeprefix("LINK#"): row for row in found}
        by_name.pop(rows.ASSESS, None)
        return by_name

    def holds(self, ref: EntityRef) -> dict[str, Row]:
        """Every hold an entity ever had, by sort key; an open one has a cause."""
        return {rows.text(row, "sk"): row for row in self._table.query(str(ref), "HOLD#")}

    def open_holds(self, ref: EntityRef) -> dict[str, Row]:
        """Holds not released yet, by sort key."""
        return {sk: row for sk, row in self.holds(ref).items() if "cause" in row}

    def _parts(self, ref: EntityRef) -> dict[Part, StoredPart]:
        return {
            Part(rows.text(row, "sk").removeprefix("PART#")): rows.stored_part(
                row, ref, self._objects
            )
            for row in self._table.query(str(ref), "PART#")
        }

    def _children(self, ref: EntityRef) -> list[EntityRef]:
        if ref.kind is not Kind.ORDER:
            return []
        found = self._table.query(str(ref), "CHILD#")
        listed = (rows.text(row, "sk") for row in found if not row.get("has_moved"))
        return [EntityRef.parse(sk.removeprefix("CHILD#")) for sk in listed]
