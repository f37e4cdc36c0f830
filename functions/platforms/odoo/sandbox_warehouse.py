"""What people do with goods beside selling them: receive, relocate, scrap; and the scheduler."""

from __future__ import annotations

from collections import defaultdict

from platforms.odoo.sandbox_acts import Acts, Made, WrongDraftError, money
from platforms.odoo.sandbox_stock import Locations, MoveLines, Quants
from platforms.odoo.sandbox_store import Row
from platforms.odoo.sandbox_taxes import count
from platforms.odoo.sandbox_transfers import Pickings

SUMMED = ("quantity", "reserved_quantity")


class Warehouse:
    """The acts of one transaction.

    Args:
        acts: the other acts of it.
    """

    def __init__(self, acts: Acts) -> None:
        self.acts = acts
        self.txn = acts.txn
        self.quants = acts.root.of(Quants, "stock.quant")

    def receive(self, id_: int, draft: Row) -> Made:
        """Goods come in from a vendor; with ``receive`` false they are only expected."""
        kind = next(row for row in self.txn.rows("stock.picking.type") if row["code"] == "incoming")
        place = self.acts.place(draft.get("location"))
        picking = self.acts.on("stock.picking").insert(
            {"picking_type_id": kind["id"], "location_dest_id": place}
        )
        quantity = money(draft["quantity"])
        move = {"picking_id": picking, "product_id": id_, "product_uom_qty": quantity}
        self.acts.on("stock.move").insert(move)
        self.acts.root.of(Pickings, "stock.picking", [picking]).action_confirm()
        if not draft.get("receive", True):
            return "stock.picking", picking
        row = self.acts.on("product.product").row(id_)
        line = {"sku": row["default_code"], "quantity": quantity}
        line |= {"lot": draft["lot"]} if draft.get("lot") else {}
        return self.acts.ship(picking, {"lines": [line]})

    def relocate(self, id_: int, draft: Row) -> Made:
        """Put goods somewhere else, without a transfer."""
        source, target = self.acts.place(draft.get("from")), self.acts.place(draft["to"])
        return self.moved(id_, draft, source, target)

    def scrap(self, id_: int, draft: Row) -> Made:
        """Throw goods away."""
        lost = self.acts.root.of(Locations, "stock.location").lost()
        return self.moved(id_, draft, self.acts.place(draft.get("location")), lost)

    def moved(self, product: int, draft: Row, source: int, target: int) -> Made:
        """A move that is done at once; what was reserved of these goods is free again."""
        quantity, lot = money(draft["quantity"]), self.acts.lot(product, draft)
        if quantity <= 0:
            raise WrongDraftError("quantity is above nothing")
        move = {"product_id": product, "product_uom_qty": quantity, "is_inventory": True}
        move |= {"location_id": source, "location_dest_id": target, "picked": True}
        made = self.acts.on("stock.move").insert(move)
        self.txn.put("stock.move", made, {"state": "done"})
        self.quants.shift(product, source, lot, -quantity)
        self.quants.shift(product, target, lot, quantity)
        left = self.quants.first(product, source, lot)
        self.acts.root.of(MoveLines, "stock.move.line").unreserve_surplus(left)
        return "stock.quant", int(self.quants.first(product, target, lot)["id"])

    def tidy(self, id_: int, _: Row) -> Made:
        """The nightly scheduler: one quant per place and lot, and none where nothing is left.

        It merges below the records, so that no ``write_date`` moves and no rule hears of it.
        """
        rows, places = self.txn.store.rows["stock.quant"], defaultdict(list)
        for row in self.txn.where("stock.quant", "product_id", id_):
            places[row["location_id"], row.get("lot_id") or False].append(row)
        for quants in places.values():
            kept = quants[0]
            sums = {name: count(sum(one[name] for one in quants)) for name in SUMMED}
            for row in quants:
                del rows[row["id"]]
            if any(sums.values()) or kept.get("inventory_quantity_set"):
                rows[kept["id"]] = kept | sums
        return "product.product", id_
