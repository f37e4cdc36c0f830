"""What automation rules post, up to what is stored of it."""

import json

import pytest

from fizzbridge.model.entity import Kind
from fizzbridge.observation import Hint
from fizzbridge.webhook.reading import read
from fizzbridge.webhook.request import Delivery
from platforms.odoo.pull import OdooPull
from platforms.odoo.webhook import OdooWebhook
from tests.kit.clock import START
from tests.kit.signing import IN_PATH
from tests.kit.source import SECRET, Source, bridge, http_event
from tests.platforms.odoo.odoo_desk import BAR, COLA, Desk, cans
from tests.platforms.odoo.odoo_world import KEY

URI = f"https://bridge.example/webhooks/erp/{SECRET}"


def told(**body):
    delivery = Delivery({}, json.dumps(body).encode(), START)
    return list(read(OdooWebhook(), delivery, "erp") or ())


@pytest.mark.parametrize(
    ("chosen", "hint"),
    [
        ({"product_id": 705, "quantity": 3.0}, Hint("stock", "705")),
        ({"product_id": False}, Hint("quant", "771")),
        ({}, Hint("quant", "771")),
    ],
)
def test_stock_is_named_by_its_item_where_the_rule_says_it(chosen, hint):
    (found,) = told(_model="stock.quant", _id=771, **chosen)
    assert (found, found.of) == (hint, Kind.STOCK_LEVEL)


def test_goods_are_asked_for_where_somebody_owns_them():
    kinds = {
        model: told(_model=model, _id=1)[0].of
        for model in ("product.product", "product.pricelist.item", "sale.order", "account.payment")
    }
    assert kinds == {
        "product.product": Kind.PRODUCT,
        "product.pricelist.item": Kind.PRICE,
        "sale.order": None,
        "account.payment": None,
    }


def test_what_is_typed_in_other_models_is_not_ours():
    assert told(_model="crm.lead", _id=1) == []


class House:
    """A database whose rules post to a bridge, which reads it back."""

    def __init__(self):
        self.desk = Desk()
        self.bridge = Source(
            OdooWebhook(),
            OdooPull(),
            self.desk.transport,
            bridge("odoo", base_url="https://erp.example", settings={}),
        )
        self.bridge.secrets["api"] = json.dumps({"api_key": KEY})
        assert self.desk.control("PUT", "webhook_uri", uri=URI)[0] == 200

    def posts(self):
        """Deliver what the rules have posted; gives the models, and reads what they name."""
        posted = list(self.desk.sandbox.outbox.deliveries)
        self.desk.sandbox.outbox.clear()
        for one in posted:
            event = http_event(one.headers | {IN_PATH: one.uri.rsplit("/", 1)[1]}, one.body)
            assert self.bridge.deliver(event) == 200
        self.bridge.drain()
        return {one.topic for one in posted}


def test_whatever_happens_in_the_database_is_read_back():
    house = House()
    desk, stored = house.desk, house.bridge.parts
    order = desk.sold(cans(24, price_unit=10))
    assert house.posts() == {"sale.order", "stock.picking", "stock.quant"}
    assert set(stored()) == {
        f"Order#shop-uk/{order}/PART#processing",
        f"Shipment#shop-uk/{desk.picking(order)}/PART#record",
        f"StockLevel#shop-uk/{COLA}@WH/PART#record",
    }
    invoice = desk.posted(order)
    payment = desk.act("invoices", invoice, "pay")["id"]
    house.posts()
    assert set(stored("Invoice")) == {f"Invoice#shop-uk/{invoice}/PART#record"}
    # It is no share of several invoices: what that would have been is gone.
    assert set(stored("Payment")) == {
        f"Payment#shop-uk/{key}/PART#record" for key in (payment, f"{payment}:{invoice}")
    }
    desk.act("items", COLA, "price", price="1.30")
    desk.act("items", COLA, "price", price="0.99", pricelist="Trade")
    desk.act("customers", BAR, "edit", phone="+353 1")
    house.posts()
    assert set(stored("Price")) == {
        f"Price#shop-uk/{one}/PART#record" for one in (f"{COLA}::EACH:1", "2")
    }
    assert set(stored("Product")) == {f"Product#shop-uk/{COLA}/PART#record"}
    assert set(stored("Customer")) == {f"Customer#shop-uk/{BAR}/PART#record"}
    assert house.bridge.messages("https://sqs.test/dlq") == []
