"""A wholesaler whose shop sends real signed webhooks into the whole runtime, in one process.

The shop is Shopify's sandbox, the receiver the webhook function's own, the rest of the house as in
``tests.kit.house``; what people see is asked of the command line.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli.main import app
from cli.stack import Stack
from fizzbridge.manifest import load_registry
from fizzbridge.model.assessment import RecordAssessment
from fizzbridge.model.base import Frozen
from fizzbridge.model.catalogue import CatalogueItem, LotStock, Material, Product, StockLevel
from fizzbridge.model.customer import Customer
from fizzbridge.model.documents import Shipment, ShipmentState, ShippedLine
from fizzbridge.model.entity import EntityRef, Kind, Part, ref
from fizzbridge.model.order import OrderAssessment, OrderProcessing
from fizzbridge.model.party import Contact
from fizzbridge.model.scheme import Scheme
from fizzbridge.model.states import OrderState
from fizzbridge.observability import Metrics
from fizzbridge.observation import Seen
from fizzbridge.queues import MemoryQueue
from fizzbridge.runtime.loading import Loader
from fizzbridge.runtime.observe import Circumstances
from fizzbridge.runtime.wiring import Ports
from fizzbridge.secrets import SecretStore
from fizzbridge.settings import FunctionSettings
from fizzbridge.webhook.receive import Receiver
from platforms.shopify.sandbox_desk import OrderDesk
from platforms.shopify.webhook import ShopifyWebhook
from tests.kit.house import BRIDGE, SECOND, House

ROOT = Path(__file__).resolve().parents[2]
SECRET = "signed with this"

CAN = {
    "units_per_case": 24,
    "cases_per_layer": 9,
    "layers_per_pallet": 12,
    "volume_ml": Decimal(330),
    "material": Material.ALUMINIUM,
    "is_refillable": False,
    "sugar_g_per_100ml": Decimal("10.6"),
    "has_added_sugar": True,
    "milk_percent": Decimal(0),
    "abv_percent": Decimal(0),
}
ITEMS = [
    CatalogueItem(sku="COLA330", name="Cola 330 ml", case_sku="COLA330-C24", **CAN),
    CatalogueItem(
        sku="TONIC1500",
        name="Tonic 1.5 l",
        case_sku="TONIC1500-C6",
        **CAN | {"units_per_case": 6, "volume_ml": Decimal(1500), "material": Material.PET},
    ),
    CatalogueItem(
        sku="LEMON1000",
        name="Lemon 1.0 l",
        case_sku="LEMON1000-CRATE",
        container="bottle-1l",
        crate="crate-12",
        **CAN
        | {"units_per_case": 12, "volume_ml": Decimal(1000), "material": Material.GLASS}
        | {"is_refillable": True},
    ),
]
VARIANTS = [
    {"sku": "COLA330", "title": "Cola 330 ml", "price": "0.65"},
    {"sku": "COLA330-C24", "title": "Cola, case of 24", "price": "9.60"},
    {"sku": "TONIC1500-C6", "title": "Tonic, case of 6", "price": "4.50"},
    {"sku": "LEMON1000-CRATE", "title": "Lemon, crate of 12", "price": "6.49"},
]
COUNTRIES = {"GB": "United Kingdom", "IE": "Ireland", "DE": "Germany", "US": "United States"}


class Wholesaler(House):
    """A house with a shop that speaks for itself, an ERP that is told by hand, and a console."""

    def __init__(
        self,
        *,
        currency: str = "EUR",
        tax_rate: float = 0.23,
        schemes: Sequence[Scheme] = (),
        items: Sequence[CatalogueItem] = ITEMS,
        **more: Any,
    ) -> None:
        company = {"name": "B", "country": "IE", "currency": currency, "time_zone": "Europe/Dublin"}
        shop, erp = BRIDGE["connections"]
        erp = erp | {"roles": [*erp["roles"], "customer", "product", "price", "stock", "shipment"]}
        erp |= {"settings": {"warehouse": "WH"}}
        shop = shop | {"roles": [*shop["roles"], "return"]}
        long_ago = {"start_at": datetime(2025, 1, 1, tzinfo=UTC)}
        bridge = {"company": company, "connections": [shop | long_ago, erp | long_ago]}
        super().__init__(items=items, schemes=schemes, **bridge | more)
        seed = {
            "shop": "b.myshopify.com",
            "currency": currency,
            "tax_rate": tax_rate,
            "variants": VARIANTS,
        }
        self.desk = OrderDesk(seed, self.clock, self.webhook)
        settings = FunctionSettings(
            stage="test",
            table="t",
            bucket="b",
            bus="b",
            connection="shop",
            pull_queue="pull",
            signing_secret="signing",
        )
        secrets = SecretStore({"signing": json.dumps({"active": SECRET})}.__getitem__, self.clock)
        ports = Ports(settings, self.bridge, self.rows, self.objects, MemoryQueue(), secrets)
        metrics = Metrics(write=lambda _: None, clock=lambda: 0.0)
        self.receiver = Receiver(ShopifyWebhook(), ports, metrics, self.clock)
        self.answers: list[int] = []

    def webhook(self, topic: str, subject: int, body: Any, at: datetime | None = None) -> None:
        raw = json.dumps(body)
        proof = base64.b64encode(hmac.digest(SECRET.encode(), raw.encode(), hashlib.sha256))
        event = {
            "version": "2.0",
            "rawPath": "/webhooks/shop",
            "rawQueryString": "",
            "headers": {
                "content-type": "application/json",
                "x-shopify-topic": topic,
                "x-shopify-triggered-at": (at or self.clock()).isoformat(),
                "x-shopify-event-id": f"{topic}-{subject}-{len(raw)}",
                "x-shopify-hmac-sha256": proof.decode(),
            },
            "requestContext": {"http": {"method": "POST", "path": "/webhooks/shop"}},
            "body": raw,
            "isBase64Encoded": False,
        }
        self.answers.append(self.receiver.receive(event)["statusCode"])

    # -- what the world does -----------------------------------------------------------------------

    def order(
        self, sku: str = "COLA330-C24", quantity: int = 10, country: str = "IE", **draft: Any
    ) -> EntityRef:
        """A company orders on terms; its webhooks come in and everything is worked off."""
        address = {"address1": "1 Quay", "city": "Anywhere", "zip": "1", "company": "Bar Ltd"}
        address |= {"country_code": country, "country": COUNTRIES[country], "first_name": "Bo"}
        address |= {"last_name": "Ode"} | draft.pop("address", {})
        made = self.desk.place(
            {
                "lines": [{"sku": sku, "quantity": quantity}],
                "customer": {"first_name": "Bo", "last_name": "Ode", "email": "bo@bar.example"},
                "company": {"id": 7001, "location_id": 8001},
                "payment_terms": {"name": "Net 30", "due_in_days": 30},
                "shipping_address": address,
                "billing_address": address,
            }
            | draft
        )
        self.settle()
        return ref(Kind.ORDER, "shop", made.id)

    def told(
        self,
        entity: EntityRef,
        body: Frozen,
        parent: EntityRef | None = None,
        part: Part = Part.RECORD,
    ) -> None:
        """The ERP says something."""
        seen = Seen(entity, body, self.clock(), part, parent=parent)
        how = Circumstances(self.clock(), is_authoritative=True)
        self.observer.observe(entity.connection, seen, SECOND, how)
        self.clock.advance(1)
        self.settle()

    def account(self, **facts: Any) -> EntityRef:
        """The ERP knows the company as one of its accounts."""
        account = ref(Kind.CUSTOMER, "erp", "4711")
        self.map("account", "7001", account.key)
        self.told(account, Customer(contact=Contact(name="Bar Ltd"), **facts))
        return account

    def map(self, sort: str, value: str, mapped: str) -> None:
        """A person maps a code of the shop."""
        self.fizzbridge("map", "set", "shop", sort, value, mapped)
        self.settle()

    def stock(self, sku: str, on_hand: int, location: str = "WH", **more: Any) -> EntityRef:
        """The ERP says how much of an item is there."""
        product = ref(Kind.PRODUCT, "erp", sku)
        self.told(product, Product(sku=sku, name=sku))
        level = ref(Kind.STOCK_LEVEL, "erp", f"{sku}@{location}")
        body = StockLevel(
            product=product,
            location=location,
            on_hand=on_hand,
            **{"as_of": self.clock()} | more,
        )
        self.told(level, body)
        return level

    def process(self, order: EntityRef, state: OrderState = OrderState.CONFIRMED) -> None:
        """The ERP says how far it is with an order it holds."""
        theirs = ref(Kind.ORDER, "erp", self.link(order)["external_id"])
        body = OrderProcessing(number="S1", state=state, changed_at=self.clock())
        self.told(theirs, body, part=Part.PROCESSING)

    def ship(self, order: EntityRef, quantity: int, lot: str = "") -> None:
        """The warehouse sends what there is of the order's first line."""
        line = self.assessed(order).lines[0].id
        body = Shipment(
            order=order,
            number=f"S-{order.external_id}",
            state=ShipmentState.DISPATCHED,
            lines=(ShippedLine(order_line_id=line, sku="COLA330", quantity=quantity, lot=lot),),
            dispatched_at=self.clock(),
        )
        self.told(ref(Kind.SHIPMENT, "erp", f"S-{order.external_id}"), body, order)

    # -- what people see ---------------------------------------------------------------------------

    def assessed(self, order: EntityRef) -> OrderAssessment:
        found = Loader(self.rows, self.objects).view(order).assessment
        assert found is not None
        return found

    def records(self, entity: EntityRef) -> RecordAssessment:
        found = Loader(self.rows, self.objects).view(entity).parts[Part.ASSESSMENT].body
        assert isinstance(found, RecordAssessment)
        return found

    def fizzbridge(self, *words: str) -> Any:
        """Run the command against this house, and read its answer."""
        done = CliRunner().invoke(app, ["--json", *words], obj=lambda stage: self._stack)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def explain(self, order: EntityRef, rule: str) -> list[dict[str, str]]:
        """The steps of one rule, as ``fizzbridge explain`` tells them."""
        told = self.fizzbridge("explain", order.key)
        return [step for step in told["steps"] if step["rule"] == rule]

    @property
    def _stack(self) -> Stack:
        return Stack(
            stage="test",
            core={},
            connections={"shop": {"Platform": "shopify"}, "erp": {"Platform": "odoo"}},
            table=self.rows,
            objects=self.objects,
            sqs=None,  # type: ignore[arg-type]  # no command used here sends a message
            secrets=None,  # type: ignore[arg-type]  # or reads a secret
            sts=_Caller(),  # type: ignore[arg-type]
            manifests=load_registry(ROOT),
        )


class _Caller:
    """Somebody who is logged in."""

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": "arn:aws:iam::000000000000:user/ann"}


def lot(name: str, best_before: str, quantity: int) -> LotStock:
    day = datetime.fromisoformat(best_before).replace(tzinfo=UTC).date()
    return LotStock(lot=name, best_before=day, quantity=quantity)
