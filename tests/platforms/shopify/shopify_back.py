"""A small shop that is told what the ERP knows, and the house beside it."""

from __future__ import annotations

from typing import Any

import httpx

from fizzbridge.model.catalogue import CatalogueItem
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.runtime.loading import Loader
from platforms.shopify.sandbox import ShopifySandbox, make
from tests.kit.shop_back import ShopBack
from tests.kit.source import SECRET, TOKEN

BASE = "https://fizz-depot.myshopify.com"
DEPOT, QUAY = 71_000_000_011, 71_000_000_022
READS = [
    "read_orders",
    "read_customers",
    "read_products",
    "read_payment_terms",
    "read_companies",
    "read_fulfillments",
    "read_returns",
    "read_inventory",
    "read_locations",
]
WRITES = [
    "write_inventory",
    "write_products",
    "write_orders",
    "write_merchant_managed_fulfillment_orders",
]
ITEMS = [
    CatalogueItem(sku="COLA-24", name="Cola"),
    CatalogueItem(sku="TONIC-12", name="Tonic"),
    CatalogueItem(sku="O'HARA", name="Stout"),
]
VARIANTS = [
    {
        "sku": "COLA-24",
        "title": "Cola",
        "price": "13.20",
        "variant_id": 1,
        "product_id": 2,
        "inventory_item_id": 11,
        "stock": 40,
    },
    {
        "sku": "TONIC-12",
        "title": "Tonic",
        "price": "9.40",
        "variant_id": 3,
        "product_id": 4,
        "inventory_item_id": 12,
        "stock": 7,
    },
    {
        "sku": "O'HARA",
        "title": "Stout",
        "price": "20.00",
        "variant_id": 5,
        "product_id": 6,
        "inventory_item_id": 13,
        "stock": 0,
    },
]
COLA = {"sku": "COLA-24", "quantity": 6}
TONIC = {"sku": "TONIC-12", "quantity": 4}


class Back(ShopBack):
    """The house with a shop of Shopify's."""

    sandbox: ShopifySandbox

    def __init__(
        self, settings: Any = None, seed: Any = None, roles: Any = None, **more: Any
    ) -> None:
        sandbox = make(
            {
                "shop": "fizz-depot.myshopify.com",
                "access_tokens": {TOKEN: [*READS, *WRITES]},
                "client_secrets": [SECRET],
                "webhook_uri": "https://hooks.example/shopify",
                "webhook_topics": "all",
                "tax_rate": "0.2",
                "variants": VARIANTS,
                "locations": [{"id": QUAY, "name": "Quay store"}],
            }
            | (seed or {})
        )
        shop = {"base_url": BASE, "settings": settings or {}}
        shop |= {"roles": roles} if roles else {}
        super().__init__(
            "shopify",
            sandbox,
            shop,
            {"access_token": TOKEN},
            SECRET,
            **{"items": ITEMS, **more},
        )

    def ask(self, query: str, **variables: Any) -> Any:
        """A question somebody else asks the shop."""
        request = httpx.Request(
            "POST",
            f"{BASE}/admin/api/2026-10/graphql.json",
            headers={"X-Shopify-Access-Token": TOKEN},
            json={"query": query, "variables": variables},
        )
        answer = self.transport.handle_request(request).json()
        self.transport.requests.pop()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    # -- what is ordered ---------------------------------------------------------------------------

    def order(self, *lines: Any, **draft: Any) -> EntityRef:
        """Somebody orders; the shop tells of it."""
        made = self.sandbox.place_order({"lines": lines or [COLA, TONIC]} | draft)
        self.hear()
        self.settle()
        self.accepted.clear()
        return self.ordered(str(made["id"]))

    def line(self, order: EntityRef, sku: str) -> str:
        """The id of an order's line."""
        request = Loader(self.rows, self.objects).view(order).request
        assert request
        (found,) = (line.id for line in request.lines if line.sku == sku)
        return found

    def ship(
        self,
        order: EntityRef,
        number: str = "W1",
        state: ShipmentState = ShipmentState.DISPATCHED,
        **more: Any,
    ) -> EntityRef:
        """The ERP says that goods have left: by code and number, all of them where none is said."""
        lines = more.pop("lines", {"COLA-24": 6, "TONIC-12": 4})
        settles = more.pop("settles", True)
        shipment = ref(Kind.SHIPMENT, "erp", number)
        self.told(
            shipment,
            Shipment(
                order=order,
                number=number,
                state=state,
                lines=tuple(
                    ShippedLine(order_line_id=self.line(order, sku), sku=sku, quantity=quantity)
                    for sku, quantity in lines.items()
                ),
                **more,
            ),
            parent=order,
        )
        if settles:
            self.settle()
        return shipment

    # -- what came of it ---------------------------------------------------------------------------

    @property
    def accepted(self) -> Any:
        """What the shop has done, counted."""
        return self.sandbox.accepted

    def available(self, item: int = 11, place: int = DEPOT) -> int | None:
        """What is offered at a location; None where nothing is stocked."""
        found = self.ask(
            """query($i: ID!, $l: ID!) { inventoryItem(id: $i) {
              inventoryLevel(locationId: $l) {
                quantities(names: ["available"]) { quantity } } } }""",
            i=f"gid://shopify/InventoryItem/{item}",
            l=f"gid://shopify/Location/{place}",
        )["inventoryItem"]["inventoryLevel"]
        return found["quantities"][0]["quantity"] if found else None

    def fulfilments(self, order: EntityRef) -> list[tuple[str, dict[str, int], str | None]]:
        """State, lines and first tracking number of what was fulfilled."""
        found = self.ask(
            """query($i: ID!) { order(id: $i) { fulfillments(first: 9) { status
              trackingInfo(first: 1) { number }
              fulfillmentLineItems(first: 9) { nodes { quantity lineItem { sku } } } } } }""",
            i=f"gid://shopify/Order/{order.external_id}",
        )["order"]["fulfillments"]
        return [
            (
                one["status"],
                {
                    line["lineItem"]["sku"]: line["quantity"]
                    for line in one["fulfillmentLineItems"]["nodes"]
                },
                next((tracking["number"] for tracking in one["trackingInfo"]), None),
            )
            for one in found
        ]
