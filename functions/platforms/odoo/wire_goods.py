"""Odoo's shapes of what is sold, what it costs and how much is there, as it is read (19.0)."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from platforms.odoo.wire import Many2one, MaybeMoment, Moment, Name, Text, Told


class Ware(Told):
    """``product.product``: a variant; ``lst_price`` is its template's price and its own extras."""

    model: ClassVar[str] = "product.product"
    default_code: Text
    name: Text
    barcode: Text
    active: bool
    sale_ok: bool
    is_storable: bool
    lst_price: Decimal
    taxes_id: tuple[int, ...]
    product_tmpl_id: Many2one
    write_date: Moment


class Pricelist(Told):
    """``product.pricelist``; what it is displayed as has its currency added."""

    model: ClassVar[str] = "product.pricelist"
    name: str
    active: bool


class Rule(Told):
    """``product.pricelist.item``: a row of a price list, for a variant, a product or many."""

    model: ClassVar[str] = "product.pricelist.item"
    pricelist_id: Many2one
    currency_id: Name
    applied_on: str
    compute_price: str
    product_id: Many2one
    product_tmpl_id: Many2one
    fixed_price: Decimal
    min_quantity: Decimal
    date_start: MaybeMoment
    date_end: MaybeMoment
    write_date: Moment


class Quant(Told):
    """``stock.quant``: goods in a place, by lot; of one place there may be several."""

    model: ClassVar[str] = "stock.quant"
    product_id: Many2one
    location_id: Many2one
    lot_id: Many2one
    quantity: Decimal
    reserved_quantity: Decimal


class Moving(Told):
    """``stock.quant``, as to whose stock it is part of."""

    model: ClassVar[str] = "stock.quant"
    product_id: Many2one


class Coming(Moving):
    """``stock.move``, as to whose stock it adds to."""

    model: ClassVar[str] = "stock.move"


class Awaited(Told):
    """``stock.move`` from a supplier that is not there yet."""

    model: ClassVar[str] = "stock.move"
    product_id: Many2one
    location_id: Many2one = Field(alias="location_dest_id")
    unit_id: Many2one = Field(alias="product_uom")
    count: Decimal = Field(alias="product_uom_qty")
    date: Moment


class Stocked(Told):
    """``product.product``, as to how its stock is counted."""

    model: ClassVar[str] = "product.product"
    default_code: Text
    uom_id: Many2one


class Warehouse(Told):
    """``stock.warehouse``, by its short name."""

    model: ClassVar[str] = "stock.warehouse"
    code: str


class Location(Told):
    """``stock.location``: a place, in a warehouse or in none."""

    model: ClassVar[str] = "stock.location"
    warehouse_id: Many2one
