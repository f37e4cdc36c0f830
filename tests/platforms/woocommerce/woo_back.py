"""A house whose shop is a sandbox store, with our adapters before it and its own people in it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.documents import (
    Refund,
    RefundedLine,
    SettlementStatus,
    Shipment,
    ShipmentState,
    ShippedLine,
)
from fizzbridge.model.entity import EntityRef, Kind, ref
from platforms.woocommerce.sandbox import make
from tests.kit.house import ITEMS
from tests.kit.shop_back import ShopBack

URL = "https://store.example"
ADA = {"first_name": "Ada", "last_name": "Quill", "city": "Leeds", "country": "GB"}
SIGNING = "sandboxwebhooksecret0123456789ab"
SHOP = {"base_url": URL}
PRODUCTS = [
    {"sku": "COLA330", "name": "Cola", "price": "0.80", "stock": 480, "id": 51},
    {"sku": "COLA330-CASE", "name": "Cola, a case", "price": "15.00", "stock": 1, "id": 52},
    {"sku": "LEMON1L", "name": "Lemon", "price": "2.00", "id": 53},
    {"sku": "TONIC", "name": "Tonic", "id": 60},
    {"sku": "TONIC-6", "name": "Tonic - 6", "price": "7.99", "id": 61, "parent_id": 60, "stock": 1},
    {
        "sku": "TONIC-12",
        "name": "Tonic - 12",
        "price": "9.0",
        "id": 62,
        "parent_id": 60,
        "stock": 1,
    },
]
CATALOGUE = [*ITEMS, *(CatalogueItem(sku=one, name=one) for one in ("TONIC-6", "TONIC-12"))]


class Store(ShopBack):
    """A store in front of its adapters."""

    def __init__(
        self,
        settings: dict[str, Any] | None = None,
        items: Sequence[CatalogueItem] = CATALOGUE,
        **seed: Any,
    ) -> None:
        sandbox = make({"products": PRODUCTS, "webhook_uri": "https://hooks.example/shop"} | seed)
        api = {"consumer_key": "ck_sandbox", "consumer_secret": "cs_sandbox"}
        shop = SHOP | {"settings": settings or {}}
        super().__init__("woocommerce", sandbox, shop, api, SIGNING, items=items)

    def read(self, path: str) -> Any:
        """What the shop says of itself."""
        return self.client.get(f"/wp-json/wc/v3/{path}").data

    def shelf(self, name: str, *ids: int) -> list[Any]:
        """One field of products."""
        return [self.read(f"products/{one}")[name] for one in ids]

    def done(self, name: str) -> int:
        """How often the shop did something."""
        return int(self.sandbox.accepted[name])

    def speak(self, settings: dict[str, Any]) -> None:
        """Somebody changes the connection's settings, and deploys."""
        first, *others = self.bridge.connections
        changed = (first.model_copy(update={"settings": settings}), *others)
        self.bridge = self.bridge.model_copy(update={"connections": changed})
        self.employ(self.adapter)

    def put(self, path: str, **values: Any) -> None:
        """Somebody in the shop changes something."""
        self.client.request("PUT", f"/wp-json/wc/v3/{path}", json=values, writes=True)

    def buy(self, *lines: tuple[str, int], **draft: Any) -> EntityRef:
        """A buyer orders, and the shop says so."""
        asked = {"lines": [{"sku": sku, "quantity": n} for sku, n in lines], "billing": ADA}
        order = self.sandbox.store.place(asked | draft)
        self.hear()
        self.settle()
        return self.ordered(order["id"])

    def kept(self, order: EntityRef) -> Any:
        """What the shop says of an order."""
        return self.read(f"orders/{order.external_id}")

    def notes_of(self, order: EntityRef) -> list[Any]:
        """Everything written at an order."""
        found: list[Any] = self.read(f"orders/{order.external_id}/notes")
        return found

    def parcels(self, order: EntityRef, settings: dict[str, Any]) -> list[str]:
        """The tracking numbers the shop has of an order."""
        way = settings.get("tracking")
        if way == "shipment_tracking":
            path = f"/wp-json/wc-shipment-tracking/v3/orders/{order.external_id}/shipment-trackings"
            return [one["tracking_number"] for one in self.client.get(path).data]
        if way == "fulfillments":
            told = self.read(f"orders/{order.external_id}/fulfillments")
            rows = [row for one in told for row in one["meta_data"]]
            return [row["value"] for row in rows if row["key"] == "_tracking_number"]
        return [
            next(word for word in note.split() if word.startswith("JD") or word[0] == "[")
            for note in self.written(order)
        ]

    def _line(self, order: EntityRef, place: int) -> str:
        kept = self.kept(order)
        lines = kept["line_items"] + kept["shipping_lines"]
        return str(lines[place]["id"]) if place < len(lines) else "999"

    def ship(self, order: EntityRef, *parts: tuple[int, int], **more: Any) -> EntityRef:
        """The ERP says that so much of these lines has left."""
        shipment = ref(Kind.SHIPMENT, "erp", more.pop("number", "s1"))
        lines = tuple(
            ShippedLine(order_line_id=self._line(order, place), quantity=quantity)
            for place, quantity in parts
        )
        url = "https://dhl.example/JD?a=1&b=2" if "carrier" in more else ""
        rest = {"lines": lines, "state": ShipmentState.DISPATCHED, "tracking_url": url} | more
        body = Shipment(
            order=order, number=shipment.external_id, dispatched_at=self.clock(), **rest
        )
        return self.told_by_erp(shipment, body, order)

    def refund(
        self,
        order: EntityRef,
        amount: str,
        *parts: tuple[int, int, str, str],
        restock: bool = True,
        status: SettlementStatus = SettlementStatus.SETTLED,
    ) -> EntityRef:
        """The ERP says that money was given back."""
        refund = ref(Kind.REFUND, "erp", "r1")
        lines = tuple(
            RefundedLine(
                order_line_id=self._line(order, place),
                quantity=quantity,
                amount=Decimal(net),
                tax=Decimal(tax),
                is_restocked=restock,
            )
            for place, quantity, net, tax in parts
        )
        body = Refund(
            order=order,
            amount=Decimal(amount),
            currency=self.kept(order)["currency"],
            at=self.clock(),
            status=status,
            lines=lines,
            reason="Damaged",
        )
        return self.told_by_erp(refund, body, order)

    def told_by_erp(self, entity: EntityRef, body: Any, order: EntityRef) -> EntityRef:
        """The ERP says something of an order it holds."""
        self.told(entity, body, parent=order)
        return entity

    def children(self, order: EntityRef, kind: Kind) -> list[str]:
        """The documents of an order that the house knows."""
        found = self.rows.query(str(order), f"CHILD#{kind}")
        return [str(row["sk"]).removeprefix("CHILD#") for row in found]

    def written(self, order: EntityRef) -> list[str]:
        """What is written at an order that is not the shop's own word."""
        told = self.read(f"orders/{order.external_id}/notes")
        return [one["note"] for one in told if not one["note"].startswith("Order status")]

    def fields(self, order: EntityRef) -> dict[str, str]:
        """Our fields at an order."""
        told = self.kept(order)["meta_data"]
        return {one["key"]: one["value"] for one in told if "fizzbridge" in one["key"]}

    def heard_of(self) -> None:
        """Take in what the shop tells of what we did, until all rests."""
        while self.hear():
            self.settle()
