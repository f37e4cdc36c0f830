"""The rules of deliveries and returns: pickings, their backorders and their wizards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from platforms.odoo.sandbox_catalog import Units
from platforms.odoo.sandbox_records import CLASSES, COMPUTED, DEFAULTS, Records
from platforms.odoo.sandbox_stock import CLOSED, Moves
from platforms.odoo.sandbox_store import OdooError, Row
from platforms.odoo.sandbox_taxes import count

DEFAULTS.update(
    {
        "stock.picking": {"state": "draft", "priority": "0"},
        "stock.return.picking.line": {"quantity": 0.0, "to_refund": True},
    }
)
BACKORDER: Row = {
    "name": "Create Backorder?",
    "type": "ir.actions.act_window",
    "view_mode": "form",
    "res_model": "stock.backorder.confirmation",
    "views": [[933, "form"]],
    "view_id": 933,
    "target": "new",
}
SPLIT = """product_id product_uom location_id location_dest_id sale_line_id origin
origin_returned_move_id to_refund picking_id""".split()
"""What the move of a rest has from the move it was split off."""
SHARED = """picking_type_id sale_id partner_id origin scheduled_date priority location_id
location_dest_id return_id""".split()
"""What a backorder has from the picking before it."""
NO_QUANTITY = (
    "Transfer trouble alert! Nothing of this transfer is reserved, and nothing was counted."
)
NO_LOT = "You need to supply a Lot/Serial number for product:\n"


class Pickings(Records):
    """``stock.picking``: a transfer; its state follows its moves."""

    def complete(self, values: Row) -> None:
        """Number it, and take its places from its type."""
        super().complete(values)
        kind = self.on("stock.picking.type").row(values["picking_type_id"])
        values.setdefault("location_id", kind["default_location_src_id"])
        values.setdefault("location_dest_id", kind["default_location_dest_id"])
        values.setdefault("scheduled_date", self.txn.now)
        warehouse = self.on("stock.warehouse").row(kind["warehouse_id"])
        prefix = f"{warehouse['code']}/{kind['sequence_code']}"
        values["name"] = f"{prefix}/{next(self.txn.store.series[prefix]):05}"

    def moves(self, id_: int) -> list[Row]:
        """The picking's moves."""
        return self.txn.where("stock.move", "picking_id", id_)

    def changed(self, ids: Iterable[int]) -> None:
        """Tell the state by the moves, and tell the order."""
        for id_ in ids:
            row, states = self.row(id_), {move["state"] for move in self.moves(id_)}
            if not states or row["state"] in CLOSED:
                continue
            state = "confirmed"
            if states <= set(CLOSED):
                state = "done" if "done" in states else "cancel"
            elif states & {"assigned", "partially_available"}:
                state = "assigned"
            elif states <= {"draft", *CLOSED}:
                state = "draft"
            self.turn(row, {"state": state})

    def turn(self, row: Row, values: Row) -> None:
        """Change a picking, and tell the order what came of it."""
        if self.txn.change(self.model, row["id"], values) and row.get("sale_id"):
            self.on("sale.order").changed([row["sale_id"]])

    def before_unlink(self, row: Row) -> None:
        """What was carried out stays."""
        if row["state"] == "done":
            raise OdooError("UserError", "You can not delete done transfers.")

    # The vendor's methods.

    def action_confirm(self) -> bool:
        """Open drafts."""
        return self.each("action_confirm", lambda moves, id_: moves.assign(id_))

    def action_assign(self) -> bool:
        """Reserve what is there by now."""
        return self.each("action_assign", lambda moves, id_: moves.assign(id_))

    def do_unreserve(self) -> bool:
        """Give free what is reserved."""
        return self.each("do_unreserve", lambda moves, id_: moves.release(id_))

    def each(self, method: str, act: Any) -> bool:
        """Do something with all open moves."""
        for id_ in self.ids:
            self.row(id_)
            for move in self.moves(id_):
                if move["state"] not in CLOSED:
                    act(self.of(Moves, "stock.move"), move["id"])
        self.counted(method)
        return True

    def action_cancel(self) -> bool:
        """Cancel; what was carried out cannot be."""
        if any(self.row(id_)["state"] == "done" for id_ in self.ids):
            text = "You cannot cancel a stock move that has been set to 'Done'. Create a return"
            raise OdooError("UserError", f"{text} in order to reverse the moves which took place.")
        for id_ in self.ids:
            self.cancel_moves(self.moves(id_))
            self.turn(self.row(id_), {"state": "cancel"})
        self.counted("action_cancel")
        return True

    def cancel_moves(self, moves: Iterable[Row]) -> None:
        """Cancel open moves and give their goods free."""
        for move in moves:
            if move["state"] not in CLOSED:
                self.of(Moves, "stock.move").release(move["id"])
                self.txn.change("stock.move", move["id"], {"state": "cancel"})

    def button_validate(self) -> bool | Row:
        """Carry out what is picked, or else all that is reserved; ask what becomes of the rest."""
        open_ = [id_ for id_ in self.ids if self.row(id_)["state"] != "done"]
        short = [id_ for id_ in open_ if self.checked(id_)]
        if short and not self.context.get("skip_backorder"):
            return BACKORDER | {
                "context": {
                    "button_validate_picking_ids": list(self.ids),
                    "default_show_transfers": len(self.ids) > 1,
                    "default_pick_ids": [[4, id_] for id_ in short],
                }
            }
        drops = self.context.get("picking_ids_not_to_backorder") or ()
        for id_ in open_:
            self.carry_out(id_, id_ in drops)
        self.txn.counts[f"{self.model}/button_validate"] += len(open_)
        return True

    def leaving(self, id_: int) -> list[Row]:
        """The moves that will be carried out: the picked ones, or all if none is."""
        moves = [move for move in self.moves(id_) if move["state"] not in CLOSED]
        return [move for move in moves if move.get("picked")] or moves

    def checked(self, id_: int) -> bool:
        """Refuse what cannot leave; tell whether something of it would stay behind."""
        moves, leaving = self.of(Moves, "stock.move"), self.leaving(id_)
        taken = {move["id"]: moves.taken(move["id"]) for move in leaving}
        if self.row(id_)["state"] == "cancel" or not sum(taken.values()):
            raise OdooError("UserError", NO_QUANTITY)
        for move in leaving:
            product = self.on("product.product").row(move["product_id"])
            lines = [line for line in moves.lines(move["id"]) if line["quantity"]]
            if product["tracking"] != "none" and not all(line.get("lot_id") for line in lines):
                label = self.on("product.product").label(product["id"])
                raise OdooError("UserError", NO_LOT + label)
        open_ = [move for move in self.moves(id_) if move["state"] not in CLOSED]
        return any(taken.get(move["id"], 0.0) < move["product_uom_qty"] for move in open_)

    def carry_out(self, id_: int, drops: bool) -> None:
        """Let goods go; the rest waits in a picking of its own, or is dropped."""
        row, moves = self.row(id_), self.of(Moves, "stock.move")
        leaving, stays = self.leaving(id_), list[int]()
        going = {move["id"] for move in leaving if moves.taken(move["id"])}
        for move in self.moves(id_):
            if move["state"] in CLOSED:
                continue
            if move["id"] not in going:
                stays.append(move["id"])
                continue
            taken = moves.taken(move["id"])
            rest = count(move["product_uom_qty"] - taken)
            if rest > 0:
                stays.append(self.split_off(move, rest))
                self.txn.change("stock.move", move["id"], {"product_uom_qty": taken})
            moves.finish(move["id"])
        if drops:
            self.cancel_moves([moves.row(stay) for stay in stays])
        self.txn.change(self.model, id_, {"state": "done", "date_done": self.txn.now})
        if stays and not drops:
            self.back_order(row, stays)
        self.tell_order(row)

    def split_off(self, move: Row, rest: float) -> int:
        """A move for what is left of one."""
        values = {name: move.get(name, False) for name in SPLIT}
        id_ = self.on("stock.move").insert(values | {"product_uom_qty": rest})
        self.txn.change("stock.move", id_, {"state": "confirmed"})
        return id_

    def back_order(self, row: Row, stays: Iterable[int]) -> None:
        """A picking for moves that stay behind; their goods are reserved again."""
        values = {name: row[name] for name in SHARED if row.get(name)}
        id_ = self.insert(values | {"backorder_id": row["id"]})
        for stay in stays:
            self.txn.change("stock.move", stay, {"picking_id": id_, "picked": False})
            for line in self.of(Moves, "stock.move").lines(stay):
                self.txn.change("stock.move.line", line["id"], {"picking_id": id_})
            self.of(Moves, "stock.move").assign(stay)
        self.changed([id_])

    def tell_order(self, row: Row) -> None:
        """What was delivered or came back counts in the order."""
        lines = [move.get("sale_line_id") for move in self.moves(row["id"])]
        self.on("sale.order.line").changed(sorted({line for line in lines if line}))


class Backorders(Records):
    """``stock.backorder.confirmation``: the question what becomes of the rest."""

    def validated(self, drops: Iterable[int]) -> bool:
        """Validate what the context names; without that context nothing happens, as there."""
        wanted = self.context.get("button_validate_picking_ids") or ()
        pickings = self.of(Pickings, "stock.picking", wanted)
        more = {"skip_backorder": True, "picking_ids_not_to_backorder": list(drops)}
        pickings.context = self.context | more
        return pickings.button_validate() is True

    def process(self) -> bool:
        """With a backorder."""
        self.counted("process")
        return self.validated(())

    def process_cancel_backorder(self) -> bool:
        """Without a backorder."""
        self.counted("process_cancel_backorder")
        return self.validated(self.context.get("button_validate_picking_ids") or ())


class Returns(Records):
    """``stock.return.picking``: the wizard that brings goods back."""

    def complete(self, values: Row) -> None:
        """Start from the picking the context names."""
        super().complete(values)
        if self.context.get("active_model") == "stock.picking":
            values.setdefault("picking_id", self.context.get("active_id", False))
        picking = self.txn.get("stock.picking", values.get("picking_id"))
        if not picking or picking["state"] != "done":
            raise OdooError("UserError", "You may only return Done pickings.")

    def insert(self, vals: Row, key: Any = None) -> int:
        """Add the wizard with a line per move carried out; nothing comes back until it is asked."""
        id_ = super().insert(vals, key)
        for move in self.of(Pickings, "stock.picking").moves(self.row(id_)["picking_id"]):
            if move["state"] == "done":
                names = {"product_id": move["product_id"], "move_id": move["id"], "wizard_id": id_}
                self.on("stock.return.picking.line").insert(names)
        return id_

    def action_create_returns(self) -> Row:
        """Make the incoming picking: expected, not yet there."""
        made = [self.returned(self.row(id_)) for id_ in self.ids]
        self.counted("action_create_returns")
        return {
            "name": "Returned Picking",
            "view_mode": "form",
            "res_model": "stock.picking",
            "res_id": made[-1],
            "type": "ir.actions.act_window",
            "context": {},
        }

    def returned(self, wizard: Row) -> int:
        """The picking with what comes back."""
        lines = [
            line
            for line in self.txn.rows("stock.return.picking.line")
            if line["wizard_id"] == wizard["id"] and line["quantity"]
        ]
        if not lines:
            raise OdooError("UserError", "Please specify at least one non-zero quantity.")
        pickings = self.of(Pickings, "stock.picking")
        source = pickings.row(wizard["picking_id"])
        kind = self.on("stock.picking.type").row(source["picking_type_id"])
        ways = ("incoming", kind["warehouse_id"])
        back = next(
            row["id"]
            for row in self.txn.rows("stock.picking.type")
            if (row["code"], row["warehouse_id"]) == ways
        )
        values = {
            "picking_type_id": back,
            "origin": f"Return of {source['name']}",
            "return_id": source["id"],
            "sale_id": source.get("sale_id", False),
            "partner_id": source.get("partner_id", False),
            "location_id": source["location_dest_id"],
            "location_dest_id": source["location_id"],
        }
        id_ = pickings.insert(values)
        for line in lines:
            self.bring_back(id_, line)
        pickings.changed([id_])
        return id_

    def bring_back(self, picking: int, line: Row) -> None:
        """A move against a delivered one, with its lots."""
        moves = self.of(Moves, "stock.move")
        move = moves.row(line["move_id"])
        id_ = moves.insert(
            {
                "picking_id": picking,
                "product_id": move["product_id"],
                "product_uom_qty": line["quantity"],
                "sale_line_id": move.get("sale_line_id", False),
                "origin_returned_move_id": move["id"],
                "to_refund": bool(line.get("to_refund")),
            }
        )
        moves.assign(id_)
        lots = [row["lot_id"] for row in moves.lines(move["id"]) if row.get("lot_id")]
        if lots:
            ids = [row["id"] for row in moves.lines(id_)]
            self.txn.change("stock.move.line", ids[0], {"lot_id": lots[0]})


class Procurement:
    """What a confirmed order asks of the warehouse: moves for its goods, more or fewer."""

    def __init__(self, records: Records) -> None:
        self.records, self.txn = records, records.txn
        self.moves = records.of(Moves, "stock.move")
        self.pickings = records.of(Pickings, "stock.picking")

    def demanded(self, line: Row) -> float:
        """What a line wants in the product's unit; services and texts want nothing."""
        product = self.txn.get("product.product", line.get("product_id"))
        if not product or product["type"] != "consu":
            return 0.0
        units = self.records.of(Units, "uom.uom")
        ratio = units.ratio(line.get("product_uom_id"), product["uom_id"])
        return count(line["product_uom_qty"] * ratio)

    def missing(self, line: Row) -> float:
        """What a line wants beyond what is on its way or was delivered and kept."""
        moved = 0.0
        for move in self.txn.where("stock.move", "sale_line_id", line["id"]):
            if move["state"] != "cancel":
                moved += -move["product_uom_qty"] if is_return(move) else move["product_uom_qty"]
        return count(self.demanded(line) - moved)

    def adjust(self, line: Row, off: float) -> None:
        """More or fewer goods for a line: in its open moves, else in an open or new picking."""
        open_ = [
            move
            for move in self.txn.where("stock.move", "sale_line_id", line["id"])
            if move["state"] not in CLOSED and not is_return(move)
        ]
        if off > 0 and not open_:
            self.add(line, off)
        for move in reversed(open_):
            if not off:
                break
            wanted = count(max(move["product_uom_qty"] + off, 0))
            off = count(off + move["product_uom_qty"] - wanted)
            self.resize(move, wanted)

    def resize(self, move: Row, wanted: float) -> None:
        """Change what a move wants; one that wants nothing is cancelled."""
        if not wanted:
            self.pickings.cancel_moves([move])
            self.pickings.changed([move["picking_id"]])
            return
        self.txn.change("stock.move", move["id"], {"product_uom_qty": wanted})
        if self.moves.taken(move["id"]) > wanted:
            self.moves.fill(move["id"], wanted)
        self.moves.assign(move["id"])
        self.moves.changed([move["id"]])

    def add(self, line: Row, wanted: float) -> None:
        """A move for a line, in the order's open picking or a new one."""
        order = self.records.on("sale.order").row(line["order_id"])
        picking = self.open_picking(order) or self.new_picking(order)
        values = {"product_id": line["product_id"], "product_uom_qty": wanted}
        links = {"picking_id": picking, "sale_line_id": line["id"], "origin": order["name"]}
        id_ = self.moves.insert(values | links)
        self.txn.change("stock.move", id_, {"state": "confirmed"})
        self.moves.assign(id_)
        self.moves.changed([id_])

    def open_picking(self, order: Row) -> int | None:
        """The order's delivery that has not left yet."""
        for row in self.txn.where("stock.picking", "sale_id", order["id"]):
            if row["state"] not in CLOSED and not row.get("return_id"):
                return int(row["id"])
        return None

    def new_picking(self, order: Row) -> int:
        """A delivery from the order's warehouse."""
        warehouse = self.records.on("stock.warehouse").row(order["warehouse_id"])
        return self.pickings.insert(
            {
                "picking_type_id": warehouse["out_type_id"],
                "sale_id": order["id"],
                "partner_id": order["partner_shipping_id"],
                "origin": order["name"],
                "scheduled_date": order.get("commitment_date") or self.txn.now,
            }
        )


def is_return(move: Row) -> bool:
    """Whether a move brings delivered goods back."""
    return bool(move.get("origin_returned_move_id"))


def _type_code(pickings: Records, row: Row) -> str:
    return str(pickings.on("stock.picking.type").row(row["picking_type_id"])["code"])


def _wizard_name(_: Records, row: Row) -> str:
    return f"stock.return.picking,{row['id']}"


def _returnable(lines: Records, row: Row) -> float:
    moves = lines.of(Moves, "stock.move")
    return moves.taken(row["move_id"]) if row.get("move_id") else 0.0


COMPUTED.update(
    {
        ("stock.picking", "picking_type_code"): _type_code,
        ("stock.picking", "company_id"): lambda rows, _: next(rows.txn.rows("res.company"))["id"],
        ("stock.picking.type", "display_name"): lambda kinds, row: (
            f"{kinds.on('stock.warehouse').label(row['warehouse_id'])}: {row['name']}"
        ),
        ("stock.return.picking", "display_name"): _wizard_name,
        ("stock.return.picking.line", "move_quantity"): _returnable,
        ("stock.return.picking.line", "uom_id"): lambda lines, row: lines.on("product.product").row(
            row["product_id"]
        )["uom_id"],
    }
)
CLASSES.update(
    {
        "stock.picking": Pickings,
        "stock.backorder.confirmation": Backorders,
        "stock.return.picking": Returns,
    }
)
