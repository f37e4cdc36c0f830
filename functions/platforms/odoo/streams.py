"""What Odoo is polled for, and what hints name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fizzbridge.http.client import VendorClient
from fizzbridge.model.entity import Kind
from fizzbridge.observation import Told
from fizzbridge.settings import Connection
from platforms.odoo import accounts, gather, goods, money, stock, wire, wire_goods, wire_money


@dataclass(frozen=True)
class Listed:
    """Records that are listed, or read one by one.

    Attributes:
        what: the word of hints.
        record: what is read.
        tell: what they tell.
        domain: which of them.
        changed: what shows a change of one: its own time, or that of what belongs to it.
        gone: what it is that is gone with a record, and how its key goes on after the id.
    """

    what: str
    record: type[wire.Told]
    tell: Callable[[VendorClient, gather.Rows, Connection], Iterable[Told]]
    domain: Sequence[Any] = ()
    changed: Sequence[str] = ("write_date",)
    gone: Sequence[tuple[Kind, str]] = ()


STREAMS = {
    "orders": Listed(
        "order",
        wire.Progress,
        gather.orders,
        # Whether an invoice of it is issued shows in its own time only.
        changed=["write_date", "order_line.invoice_lines.move_id.write_date"],
        gone=[(Kind.ORDER, "")],
    ),
    "shipments": Listed(
        "shipment",
        wire.Picking,
        gather.pickings,
        [
            ["sale_id", "!=", False],
            "|",
            ["picking_type_code", "=", "outgoing"],
            ["return_id", "!=", False],
        ],
        # People put a lot or a quantity right afterwards: that moves the line's time only.
        ["write_date", "move_ids.write_date", "move_line_ids.write_date"],
        [(Kind.SHIPMENT, "")],
    ),
    "invoices": Listed(
        "invoice",
        wire.Bill,
        gather.bills,
        [["move_type", "in", ["out_invoice", "out_refund"]]],
        gone=[(Kind.INVOICE, "")],
    ),
    "payments": Listed(
        "payment",
        wire_money.Moved,
        money.payments,
        [["partner_type", "=", "customer"]],
        # What it settles shows in the lines of its entry.
        ["write_date", "move_id.line_ids.write_date"],
        [(Kind.PAYMENT, ""), (Kind.REFUND, "")],
    ),
    "products": Listed(
        "product",
        wire_goods.Ware,
        goods.products,
        gone=[(Kind.PRODUCT, ""), (Kind.PRICE, goods.STANDING)],
    ),
    "prices": Listed(
        "price",
        wire_goods.Rule,
        goods.prices,
        changed=[
            "write_date",
            "pricelist_id.write_date",
            "product_id.write_date",
            "product_tmpl_id.write_date",
        ],
        gone=[(Kind.PRICE, "")],
    ),
    # In every place: what left a stock is somewhere else now, and nothing may be left behind.
    "stock": Listed(
        "quant", wire_goods.Moving, stock.levels, changed=["write_date", "lot_id.write_date"]
    ),
    "receipts": Listed("move", wire_goods.Coming, stock.levels, stock.FROM_SUPPLIERS),
    "customers": Listed(
        "customer",
        wire_money.PartnerOf,
        accounts.customers,
        [["commercial_partner_id.is_company", "=", True]],
        gone=[(Kind.CUSTOMER, "")],
    ),
    # What is owed moves no time of who owes it.
    "credit": Listed(
        "debt",
        wire_money.Owed,
        accounts.customers,
        [
            ["commercial_partner_id.is_company", "=", True],
            ["line_ids.account_type", "=", "asset_receivable"],
        ],
    ),
}
NAMED = {listed.what: listed for listed in STREAMS.values()}
NAMED["return"] = Listed("return", wire.Picking, gather.pickings, gone=[(Kind.RETURN, "")])
