"""The rules of stock: places, quants, counts, and the moves that reserve and take goods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from platforms.odoo.sandbox_catalog import Units
from platforms.odoo.sandbox_domain import Conditions
from platforms.odoo.sandbox_records import CLASSES, COMPUTED, DEFAULTS, Records
from platforms.odoo.sandbox_store import OdooError, Row, is_list, listed
from platforms.odoo.sandbox_taxes import count

CLOSED = ("done", "cancel")
DEFAULTS.update(
    {
        "stock.move": {"sequence": 10, "state": "draft", "picked": False, "to_refund": False},
        "stock.quant": {"quantity": 0.0, "reserved_quantity": 0.0, "inventory_quantity_set": False},
    }
)
CONFLICT: Row = {
    "name": "Conflict in Inventory Adjustment",
    "type": "ir.actions.act_window",
    "view_mode": "form",
    "views": [[False, "form"]],
    "res_model": "stock.inventory.conflict",
    "target": "new",
}


class Locations(Records):
    """``stock.location``: a tree of places, named by their path."""

    def complete(self, values: Row) -> None:
        """Write the path down."""
        super().complete(values)
        above = self.label(values.get("location_id"))
        values["complete_name"] = f"{above}/{values['name']}" if above else values["name"]

    def below(self, ids: Any) -> set[int]:
        """The places and everything in them; what there is not holds nothing."""
        known = [id_ for id_ in listed(ids) if self.txn.get(self.model, id_)]
        return Conditions(self).descendants(known) if known else set()

    def lost(self) -> int:
        """Where counted differences come from and go to."""
        rows = self.txn.rows(self.model)
        return next(int(row["id"]) for row in rows if row["usage"] == "inventory")


class Quants(Records):
    """``stock.quant``: how much of a product, and lot, is in a place; there may be several."""

    def split(self, vals: Row, row: Row) -> tuple[Row, Row]:
        """The vendor lets ``quantity`` itself be written, which falsifies the stock."""
        values, children = super().split(vals, row)
        if "quantity" in vals:
            values["quantity"] = self.converted("quantity", vals["quantity"])
        return values, children

    @property
    def is_counting(self) -> bool:
        """Whether the caller is in the vendor's inventory mode."""
        return bool(self.context.get("inventory_mode"))

    def create(self, vals_list: Any) -> list[int]:
        """In inventory mode find the place's quant and count it; else always add one."""
        self.check_access("create")
        ids = []
        for vals in vals_list if is_list(vals_list) else [vals_list]:
            found = self.at(vals.get("product_id"), vals.get("location_id"), vals.get("lot_id"))
            if self.is_counting and found:
                ids.append(int(found[0]["id"]))
            else:
                kept = {k: v for k, v in vals.items() if not k.startswith("inventory_quantity")}
                # Only to refuse what no such field takes.
                self.split(vals, {})
                ids.append(self.insert(kept))
            self.count_(ids[-1], vals)
        self.txn.counts["stock.quant/create"] += len(ids)
        return ids

    def update(self, id_: int, vals: Row) -> None:
        """Change a quant; counted quantities go their own way."""
        names = ("inventory_quantity", "inventory_quantity_auto_apply")
        rest = {key: value for key, value in vals.items() if key not in names}
        super().update(id_, rest)
        self.count_(id_, vals)

    def count_(self, id_: int, vals: Row) -> None:
        """Note a count, or apply it at once: that only in inventory mode, else it is lost."""
        if "inventory_quantity_auto_apply" in vals and self.is_counting:
            name = "inventory_quantity_auto_apply"
            self.adjust(id_, count(self.converted(name, vals[name])))
        elif "inventory_quantity" in vals:
            counted = count(self.converted("inventory_quantity", vals["inventory_quantity"]))
            difference = count(counted - self.row(id_)["quantity"])
            noted = {"inventory_quantity": counted, "inventory_quantity_set": True}
            self.txn.change(self.model, id_, noted | {"inventory_diff_quantity": difference})

    def action_apply_inventory(self) -> Row | None:
        """Apply the counts; a second time there is no count left, which counts as nothing there."""
        moved = [id_ for id_ in self.ids if self.value(self.row(id_), "is_outdated")]
        if moved:
            fix = {"default_quant_ids": list(self.ids), "default_quant_to_fix_ids": moved}
            return CONFLICT | {"context": fix}
        for id_ in self.ids:
            self.adjust(id_, self.row(id_).get("inventory_quantity", 0.0))
        self.counted("action_apply_inventory")
        return None

    def adjust(self, id_: int, counted: float) -> None:
        """Set a quant to what was counted, with a move from or to the place of losses."""
        row = self.row(id_)
        off, lost = count(counted - row["quantity"]), self.of(Locations, "stock.location").lost()
        here, there = (row["location_id"], lost) if off < 0 else (lost, row["location_id"])
        if off:
            move = self.on("stock.move").insert(
                {
                    "product_id": row["product_id"],
                    "product_uom_qty": abs(off),
                    "location_id": here,
                    "location_dest_id": there,
                    "is_inventory": True,
                    "picked": True,
                }
            )
            self.txn.put("stock.move", move, {"state": "done"})
            self.shift(row["product_id"], lost, row.get("lot_id"), -off)
        cleared = {"inventory_quantity": 0.0, "inventory_quantity_set": False}
        self.txn.change(
            self.model, id_, cleared | {"quantity": counted, "inventory_diff_quantity": 0.0}
        )
        self.of(MoveLines, "stock.move.line").unreserve_surplus(row)

    def at(self, product: Any, location: Any, lot: Any) -> list[Row]:
        """The quants of a product and lot in a place."""
        wanted = (product, location, lot or False)
        return [
            row
            for row in self.txn.where(self.model, "product_id", product)
            if (row["product_id"], row["location_id"], row.get("lot_id") or False) == wanted
        ]

    def first(self, product: int, location: int, lot: Any) -> Row:
        """The first quant of a place, made if there is none."""
        found = self.at(product, location, lot)
        if found:
            return found[0]
        keys = {"product_id": product, "location_id": location, "lot_id": lot or False}
        return self.row(self.insert(keys))

    def shift(self, product: int, location: int, lot: Any, off: float) -> None:
        """Add to the quantity in a place, below zero too."""
        row = self.first(product, location, lot)
        self.txn.change(self.model, row["id"], {"quantity": count(row["quantity"] + off)})

    def reserve(self, product: int, location: int, lot: Any, off: float) -> None:
        """Add to what is reserved in a place, more than there is too, or give it free again."""
        rows = self.at(product, location, lot) or [self.first(product, location, lot)]
        if off > 0:
            rows = [max(rows, key=lambda row: row["quantity"] - row["reserved_quantity"])]
        for row in rows:
            part = off if off > 0 else max(off, -row["reserved_quantity"])
            kept = count(row["reserved_quantity"] + part)
            self.txn.change(self.model, row["id"], {"reserved_quantity": kept})
            off = count(off - part)


class Moves(Records):
    """``stock.move``: so much of a product from a place to another; counts in the stock unit."""

    def complete(self, values: Row) -> None:
        """Take the unit from the product and the places from the picking."""
        super().complete(values)
        product = self.txn.get("product.product", values.get("product_id"))
        picking = self.txn.get("stock.picking", values.get("picking_id"))
        if product:
            values.setdefault("product_uom", product["uom_id"])
        for name in ("location_id", "location_dest_id") if picking else ():
            values.setdefault(name, (picking or {})[name])
        values.setdefault("date", self.txn.now)

    def update(self, id_: int, vals: Row) -> None:
        """Change a move; its quantity is that of its lines."""
        rest = {key: value for key, value in vals.items() if key != "quantity"}
        if "quantity" in vals and self.row(id_)["state"] in CLOSED:
            raise OdooError("UserError", "You cannot change the quantity of a closed move.")
        super().update(id_, rest)
        if "quantity" in vals:
            self.fill(id_, count(self.converted("quantity", vals["quantity"])))
        self.changed([id_])

    def changed(self, ids: Iterable[int]) -> None:
        """Tell the state by what is reserved, and tell the picking."""
        for id_ in ids:
            row = self.row(id_)
            if row["state"] in ("draft", *CLOSED):
                continue
            taken, wanted = self.taken(id_), row["product_uom_qty"]
            part = "partially_available" if taken else "confirmed"
            self.txn.change(self.model, id_, {"state": "assigned" if taken >= wanted else part})
            if row.get("picking_id"):
                self.on("stock.picking").changed([row["picking_id"]])

    def lines(self, id_: int) -> list[Row]:
        """The move's lines."""
        return self.txn.where("stock.move.line", "move_id", id_)

    def taken(self, id_: int) -> float:
        """What its lines hold together."""
        return count(sum(line.get("quantity", 0.0) for line in self.lines(id_)))

    def is_stored(self, row: Row) -> bool:
        """Whether the product's stock is kept."""
        return bool(self.on("product.product").row(row["product_id"]).get("is_storable"))

    def assign(self, id_: int) -> None:
        """Reserve what is missing, as far as it is there; what is not kept in stock is there."""
        row = self.row(id_)
        missing = count(row["product_uom_qty"] - self.taken(id_))
        if row["state"] in CLOSED or missing <= 0:
            return
        if row["state"] == "draft":
            self.txn.change(self.model, id_, {"state": "confirmed"})
        usage = self.on("stock.location").row(row["location_id"])["usage"]
        if usage != "internal" or not self.is_stored(row):
            self.add_line(row, missing)
        else:
            self.assign_from_quants(row, missing)
        self.changed([id_])

    def assign_from_quants(self, row: Row, missing: float) -> None:
        """Reserve the oldest quants in the place and below."""
        places = self.of(Locations, "stock.location").below([row["location_id"]])
        free: dict[tuple[int, Any], float] = defaultdict(float)
        for quant in self.txn.where("stock.quant", "product_id", row["product_id"]):
            if quant["location_id"] in places:
                place = (quant["location_id"], quant.get("lot_id") or False)
                free[place] += quant["quantity"] - quant["reserved_quantity"]
        for (location, lot), quantity in free.items():
            part = min(missing, count(quantity))
            if part > 0:
                self.add_line(row, part, location, lot)
                missing = count(missing - part)

    def add_line(self, row: Row, quantity: float, location: int = 0, lot: Any = False) -> None:
        """Add to the move's line of a place and lot, or add that line."""
        location = location or int(row["location_id"])
        lines = self.of(MoveLines, "stock.move.line")
        for line in self.lines(row["id"]):
            if (line["location_id"], line.get("lot_id") or False) == (location, lot or False):
                lines.update(line["id"], {"quantity": count(line["quantity"] + quantity)})
                return
        keys = {"move_id": row["id"], "location_id": location, "lot_id": lot or False}
        lines.insert(keys | {"quantity": quantity})

    def fill(self, id_: int, wanted: float) -> None:
        """Bring the lines to a quantity: from what is free first, then whatever is there."""
        row, lines = self.row(id_), self.of(MoveLines, "stock.move.line")
        if row["state"] == "draft":
            self.txn.change(self.model, id_, {"state": "confirmed"})
        missing = count(wanted - self.taken(id_))
        if missing > 0 and self.is_stored(row):
            self.assign_from_quants(row, missing)
            missing = count(wanted - self.taken(id_))
        if missing > 0:
            first = next(iter(self.lines(id_)), {})
            self.add_line(row, missing, first.get("location_id", 0), first.get("lot_id"))
        for line in reversed(self.lines(id_)):
            part = min(line["quantity"], -missing)
            if part > 0:
                lines.update(line["id"], {"quantity": count(line["quantity"] - part)})
                missing = count(missing + part)

    def release(self, id_: int) -> None:
        """Give free what is reserved."""
        for line in self.lines(id_):
            self.of(MoveLines, "stock.move.line").drop(line["id"])
        self.changed([id_])

    def finish(self, id_: int) -> None:
        """Carry the move out: its lines leave the one place and are in the other."""
        row, quants = self.row(id_), self.of(Quants, "stock.quant")
        lines = self.of(MoveLines, "stock.move.line")
        for line in self.lines(id_):
            if not line["quantity"]:
                lines.drop(line["id"])
                continue
            lines.hold(line, -1)
            product, lot = row["product_id"], line.get("lot_id")
            if self.is_stored(row):
                quants.shift(product, line["location_id"], lot, -line["quantity"])
                quants.shift(product, row["location_dest_id"], lot, line["quantity"])
            self.txn.change("stock.move.line", line["id"], {"date": self.txn.now})
        done = {"state": "done", "picked": True, "date": self.txn.now}
        self.txn.change(self.model, id_, done)


class MoveLines(Records):
    """``stock.move.line``: what a move takes from which place and lot, and reserves there."""

    def complete(self, values: Row) -> None:
        """Take over from the move."""
        super().complete(values)
        move = self.on("stock.move").row(values["move_id"])
        for name in ("picking_id", "product_id", "location_id", "location_dest_id"):
            values.setdefault(name, move.get(name, False))
        values.setdefault("product_uom_id", move["product_uom"])
        values.setdefault("quantity", 0.0)
        values.setdefault("date", self.txn.now)

    def insert(self, vals: Row, key: Any = None) -> int:
        """Add a line and hold its goods."""
        id_ = super().insert(vals, key)
        self.hold(self.row(id_), 1)
        return id_

    def update(self, id_: int, vals: Row) -> None:
        """Change a line of an open move; its ``picked`` is the move's."""
        row = self.row(id_)
        if self.on("stock.move").row(row["move_id"])["state"] in CLOSED:
            raise OdooError("UserError", "You cannot change the lines of a closed move.")
        self.hold(row, -1)
        super().update(id_, {key: value for key, value in vals.items() if key != "picked"})
        self.hold(self.row(id_), 1)
        if "picked" in vals:
            self.txn.change("stock.move", row["move_id"], {"picked": bool(vals["picked"])})
        self.changed([id_])

    def drop(self, id_: int) -> None:
        """Delete a line and give its goods free."""
        row = self.row(id_)
        self.hold(row, -1)
        super().drop(id_)
        self.on("stock.move").changed([row["move_id"]])

    def changed(self, ids: Iterable[int]) -> None:
        """Tell the moves."""
        for id_ in ids:
            self.on("stock.move").changed([self.row(id_)["move_id"]])

    def hold(self, line: Row, sign: int) -> None:
        """Reserve a line's goods, or give them free: those of an open move out of a stock."""
        moves = self.of(Moves, "stock.move")
        move = self.txn.get("stock.move", line["move_id"])
        if not move or move["state"] in CLOSED or not moves.is_stored(move):
            return
        if self.on("stock.location").row(line["location_id"])["usage"] == "internal":
            place = (line["product_id"], line["location_id"], line.get("lot_id"))
            self.of(Quants, "stock.quant").reserve(*place, sign * line["quantity"])

    def unreserve_surplus(self, quant: Row) -> None:
        """Take reservations back, the youngest first, until the stock covers them."""
        quants = self.of(Quants, "stock.quant")
        place = (quant["product_id"], quant["location_id"], quant.get("lot_id") or False)
        for line in reversed(list(self.txn.rows(self.model))):
            rows = quants.at(*place)
            over = count(sum(row["reserved_quantity"] - row["quantity"] for row in rows))
            here = (line["product_id"], line["location_id"], line.get("lot_id") or False)
            if here == place and over > 0 and self.value(line, "state") not in CLOSED:
                kept = count(max(line["quantity"] - over, 0))
                self.update(line["id"], {"quantity": kept})


def _of_move(name: str) -> Callable[[Records, Row], Any]:
    def value(lines: Records, row: Row) -> Any:
        moves = lines.on("stock.move")
        move = lines.txn.get("stock.move", row.get("move_id"))
        return moves.value(move, name) if move else False

    return value


def _line_lots(moves: Records, row: Row) -> list[int]:
    lines = moves.of(Moves, "stock.move").lines(row["id"])
    return list(dict.fromkeys(line["lot_id"] for line in lines if line.get("lot_id")))


def _available(_: Records, row: Row) -> float:
    return count(row["quantity"] - row["reserved_quantity"])


def _is_outdated(_: Records, row: Row) -> bool:
    counted, off = row.get("inventory_quantity", 0.0), row.get("inventory_diff_quantity", 0.0)
    return bool(row.get("inventory_quantity_set")) and count(counted - off) != row["quantity"]


def _places(products: Records) -> set[int]:
    """The places the context asks about: a location, a warehouse, or all warehouses."""
    locations, context = products.of(Locations, "stock.location"), products.context
    if context.get("location"):
        return locations.below(context["location"])
    asked = context.get("warehouse_id")
    views = [
        row["view_location_id"]
        for row in products.txn.rows("stock.warehouse")
        if not asked or row["id"] in listed(asked)
    ]
    return locations.below(views)


def _stock(products: Records, row: Row) -> tuple[float, float, float, float]:
    """On hand, reserved, coming in and going out."""
    if not row.get("is_storable"):
        return 0.0, 0.0, 0.0, 0.0
    places, own = _places(products), row["id"]
    quants = products.txn.where("stock.quant", "product_id", own)
    here = [quant for quant in quants if quant["location_id"] in places]
    moves = [
        (move["product_uom_qty"], move["location_id"] in places, move["location_dest_id"] in places)
        for move in products.txn.rows("stock.move")
        if move["product_id"] == own and move["state"] not in ("draft", *CLOSED)
    ]
    return (
        count(sum(q["quantity"] for q in here)),
        count(sum(q["reserved_quantity"] for q in here)),
        count(sum(wanted for wanted, leaves, enters in moves if enters and not leaves)),
        count(sum(wanted for wanted, leaves, enters in moves if leaves and not enters)),
    )


def _free(products: Records, row: Row) -> float:
    on_hand, reserved, _, _ = _stock(products, row)
    return count(on_hand - reserved)


def _forecast(products: Records, row: Row) -> float:
    on_hand, _, incoming, outgoing = _stock(products, row)
    return count(on_hand + incoming - outgoing)


def in_unit(records: Records, quantity: float, unit: Any, into: Any) -> float:
    """A quantity of one unit in another."""
    return count(quantity * records.of(Units, "uom.uom").ratio(unit, into))


def _warehouse(locations: Records, row: Row) -> Any:
    """The warehouse a place lies in: the one whose view is above it."""
    views = {one["view_location_id"]: one["id"] for one in locations.txn.rows("stock.warehouse")}
    place: Row | None = row
    while place and place["id"] not in views:
        place = locations.txn.get("stock.location", place.get("location_id"))
    return views[place["id"]] if place else False


COMPUTED.update(
    {
        ("stock.location", "warehouse_id"): _warehouse,
        ("stock.location", "display_name"): lambda _, row: row["complete_name"],
        ("stock.quant", "available_quantity"): _available,
        ("stock.quant", "is_outdated"): _is_outdated,
        ("stock.quant", "inventory_quantity_auto_apply"): lambda _, row: row["quantity"],
        ("stock.quant", "in_date"): lambda _, row: row["create_date"],
        ("stock.quant", "product_uom_id"): lambda quants, row: quants.on("product.product").row(
            row["product_id"]
        )["uom_id"],
        ("stock.quant", "display_name"): lambda quants, row: quants.on("stock.location").label(
            row["location_id"]
        ),
        ("stock.lot", "product_qty"): lambda lots, row: count(
            sum(
                quant["quantity"]
                for quant in lots.txn.rows("stock.quant")
                if quant.get("lot_id") == row["id"]
                and lots.on("stock.location").row(quant["location_id"])["usage"] == "internal"
            )
        ),
        ("stock.move", "quantity"): lambda moves, row: (
            row["product_uom_qty"]
            if row.get("is_inventory")
            else moves.of(Moves, "stock.move").taken(row["id"])
        ),
        ("stock.move", "lot_ids"): _line_lots,
        ("stock.move", "reference"): lambda moves, row: (
            moves.on("stock.picking").label(row.get("picking_id")) or "Product Quantity Updated"
        ),
        ("stock.move", "display_name"): lambda moves, row: moves.on("product.product").label(
            row["product_id"]
        ),
        ("stock.move.line", "state"): _of_move("state"),
        ("stock.move.line", "picked"): _of_move("picked"),
        ("stock.move.line", "reference"): _of_move("reference"),
        ("stock.move.line", "display_name"): _of_move("display_name"),
        ("product.product", "qty_available"): lambda rows, row: _stock(rows, row)[0],
        ("product.product", "incoming_qty"): lambda rows, row: _stock(rows, row)[2],
        ("product.product", "outgoing_qty"): lambda rows, row: _stock(rows, row)[3],
        ("product.product", "free_qty"): _free,
        ("product.product", "virtual_available"): _forecast,
    }
)
CLASSES.update(
    {
        "stock.location": Locations,
        "stock.quant": Quants,
        "stock.move": Moves,
        "stock.move.line": MoveLines,
    }
)
