"""A bridge deployed to the emulator, with sandboxes, driven as its users and vendors would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import httpx

from cli import secrets
from cli.stack import Stack, open_stack
from fizzbridge.model.entity import EntityRef, Kind, ref
from fizzbridge.runtime import rows
from fizzbridge.settings import load_bridge_file
from infra.local.demo.cases import CASES
from infra.local.demo.vendors import Erp, Shop
from infra.local.state import ADMINISTRATOR
from tests.kit import shops, targets, trade
from tests.kit.emulator import free_port
from tests.kit.source import SECRET

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "infra/local/demo"
# Only a stack that is stuck waits so long; a busy machine's cold starts take their time.
PATIENCE_S = 150.0

# What the local stack waits for is short here: a killed worker's lease must end within a test.
TIMING = """
[timing]
webhook_timeout = 10
pull_timeout = 12
target_timeout = 12
call_timeout = 3
lease = 13
merge_deadline = 5
resync_after = 2
visibility = 14
probe_after = 1
probe_at_most = 4
poll_overlap = 5

[alarms]
held_orders = 1
held_value = 1
"""


@dataclass(frozen=True)
class SaleLine:
    """A line of an order as the ERP holds it; rates in percent."""

    product: str
    quantity: int
    net: Decimal
    rates: tuple[Decimal, ...]


@dataclass(frozen=True)
class Details:
    """An order as the ERP holds it, with its lines."""

    untaxed: Decimal
    tax: Decimal
    total: Decimal
    lines: list[SaleLine]


class Books(Erp):
    """The ERP as its clerks look at it."""

    def details(self, origin: str) -> list[Details]:
        """The orders that carry our reference, line by line."""
        amounts = ["amount_untaxed", "amount_tax", "amount_total"]
        rates = {
            tax["id"]: Decimal(str(tax["amount"]))
            for tax in self._read("account.tax", [], ["amount"])
        }
        found = self._read("sale.order", [["origin", "=", origin]], amounts)
        return [
            Details(
                untaxed=_money(row["amount_untaxed"]),
                tax=_money(row["amount_tax"]),
                total=_money(row["amount_total"]),
                lines=[
                    SaleLine(
                        product=line["product_id"][1].partition("]")[0].removeprefix("["),
                        quantity=int(line["product_uom_qty"]),
                        net=_money(line["price_subtotal"]),
                        rates=tuple(rates[tax] for tax in line["tax_ids"]),
                    )
                    for line in self._read(
                        "sale.order.line",
                        [["order_id", "=", row["id"]]],
                        ["product_id", "product_uom_qty", "price_subtotal", "tax_ids"],
                    )
                    if line["product_uom_qty"]
                ],
            )
            for row in found
        ]


def _money(value: float) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


class Deployed:
    """The stack, driven as its users and vendors would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bridge_file = folder / "bridge.toml"
        names = ("4601", "4602", "4603", *shops.FACTS, *targets.PORTS.values())
        self.ports = {port: free_port() for port in names}
        self.routes: list[dict[str, Any]] | None = None
        self.stack: Stack
        self.shop: Shop
        self.shop_eu: Shop
        self.counters: dict[str, shops.Counter] = {}
        self.erp: Books

    @property
    def sandboxes(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports.values()]

    def close(self) -> None:
        for shop in (self.shop, self.shop_eu, *self.counters.values()):
            shop.close()
        self.erp.close()

    def up(self, change: Callable[[str], str] = lambda text: text) -> None:
        """Deploy the demo's bridge and a second shop, and with ``change`` made to it."""
        text = trade.bridge((DEMO / "bridge.demo.toml").read_text(), self.ports)
        before, _, after = text.partition("[timing]")
        text = before + TIMING + after[after.index("\n[[local") :]
        text = re.sub(r"\b460[123]\b", lambda usual: str(self.ports[usual[0]]), text)
        files = trade.seeds((DEMO / "shopify.seed.json").read_text())
        files["catalogue.csv"] = trade.catalogue((DEMO / "catalogue.csv").read_text())
        files["schemes.toml"] = trade.SCHEMES
        for name, content in files.items():
            (self.folder / name).write_text(content)
        self.bridge_file.write_text(change(text))
        done = self.command("up", "--bridge", str(self.bridge_file))
        assert done.returncode == 0, done.stdout + done.stderr
        if hasattr(self, "shop"):
            self.close()
        self.stack = open_stack(None)
        bridge = load_bridge_file(self.bridge_file, ROOT)
        self.shop = Shop(bridge.connection("shop-uk").base_url)
        self.shop_eu = Shop(bridge.connection("shop-eu").base_url)
        self.counters = {slug: shops.Counter(slug, self.ports[slug]) for slug in shops.FACTS}
        seeds = [
            json.loads((DEMO / f"{name}.seed.json").read_text()) for name in ("shopify", "odoo")
        ]
        self.secret = seeds[0]["client_secrets"][0]
        self.shop_token = next(iter(seeds[0]["access_tokens"]))
        self.erp = Books(bridge.connection("erp").base_url, next(iter(seeds[1]["api_keys"])))
        self._introduce(*seeds)

    def _introduce(self, shop: dict[str, Any], erp: dict[str, Any]) -> None:
        key, user = next(iter(erp["api_keys"].items()))
        secrets.set_values(
            self.stack,
            "shop-uk",
            {"active": self.secret, "access_token": next(iter(shop["access_tokens"]))},
        )
        euro = {"active": trade.EU_SECRET, "access_token": trade.EU_TOKEN}
        secrets.set_values(self.stack, "shop-eu", euro)
        for name, values in (shops.SECRETS | targets.SECRETS).items():
            secrets.set_values(self.stack, name, values)
        signed_in = {"api_key": key, "login": user["login"], "active": SECRET}
        secrets.set_values(self.stack, "erp", signed_in)
        self.shop.send_webhooks_to(self.webhook_url)
        self.shop_eu.send_webhooks_to(self.webhook_url.replace("shop-uk", "shop-eu"))
        for slug, counter in self.counters.items():
            counter.send_webhooks_to(self.webhook_url.replace("shop-uk", shops.CONNECTIONS[slug]))
        for one in (self.shop, self.shop_eu, *self.counters.values()):
            one.switch("auto")

    @property
    def webhook_url(self) -> str:
        return f"{self.stack.local['api']}/webhooks/shop-uk"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        paths = [str(ROOT / part) for part in ("layers/common/python", "functions", "")]
        return subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "infra.local", *words],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=False,
        )

    # -- what vendors and people do ------------------------------------------------------------

    def place(self, sku: str | None = None, **draft: Any) -> tuple[EntityRef, dict[str, Any]]:
        lines = [{"sku": sku or demo_sku(), "quantity": 2, "price": "12.00"}]
        shown = self.shop.place({"lines": lines, **address(), **draft})
        return ref(Kind.ORDER, "shop-uk", shown["id"]), shown

    def post(
        self, body: bytes, topic: str = "orders/create", secret: str = "", **headers: str
    ) -> httpx.Response:
        """Send a delivery as the shop would, signed unless told otherwise."""
        key = (secret or self.secret).encode()
        signed = base64.b64encode(hmac.digest(key, body, hashlib.sha256)).decode()
        usual = {
            "content-type": "application/json",
            "x-shopify-topic": topic,
            "x-shopify-hmac-sha256": signed,
            "x-shopify-event-id": "e-1",
            "x-shopify-triggered-at": "2026-11-20T10:00:00Z",
        }
        return httpx.post(
            self.webhook_url, content=body, headers=usual | headers, timeout=30, trust_env=False
        )

    def misbehave(self, platform: str, **fault: Any) -> None:
        url = self.stack.local["sandboxes"][platform]
        httpx.post(f"{url}/_sandbox/faults", json=[fault], trust_env=False).raise_for_status()

    def fired(self, platform: str) -> int:
        url = self.stack.local["sandboxes"][platform]
        armed = httpx.get(f"{url}/_sandbox/faults", trust_env=False).json()
        return sum(fault["fired"] for fault in armed)

    def sales(self, order: EntityRef) -> list[Any]:
        return self.erp.sales(order.key)

    def logged(self, function: str) -> list[dict[str, Any]]:
        """Every line a function has logged that is JSON."""
        pages = self.client("logs").get_paginator("filter_log_events")
        group = f"/aws/lambda/fizzbridge-local-{function}"
        texts = [
            event["message"]
            for page in pages.paginate(logGroupName=group)
            for event in page["events"]
        ]
        return [json.loads(text) for text in texts if text.startswith("{")]

    # -- what the schedule does ------------------------------------------------------------------

    def client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.stack.local["endpoint"],
            region_name=self.stack.local["region"],
            aws_access_key_id=ADMINISTRATOR["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ADMINISTRATOR["AWS_SECRET_ACCESS_KEY"],
        )

    def start_anew(self, function: str) -> None:
        """A change of the configuration ends a function's processes."""
        client = self.client("lambda")
        given = client.get_function_configuration(FunctionName=function)["Environment"]
        client.update_function_configuration(FunctionName=function, Environment=given)

    def sweep(self) -> None:
        # Waited for: sweeps that pile up would slow down what they are to hurry.
        self.client("lambda").invoke(FunctionName=self.stack.core["SweepFunction"])

    def watch(self) -> None:
        self.client("lambda").invoke(FunctionName=self.stack.core["WatchFunction"])

    def poll(self, connection: str = "shop-uk", stream: str = "orders") -> None:
        queue = self.stack.connections[connection]["PullQueueUrl"]
        body = json.dumps({"type": "poll", "stream": stream})
        self.stack.sqs.send_message(QueueUrl=queue, MessageBody=body)

    # -- what must come true ---------------------------------------------------------------------

    def link(self, order: EntityRef, name: str = "erp") -> dict[str, Any]:
        return self.stack.table.get(str(order), rows.link_sk(name)) or {}

    def await_link(self, order: EntityRef, status: str, **also: Any) -> dict[str, Any]:
        def there() -> bool:
            link = self.link(order)
            return link.get("status") == status and all(
                link.get(name) == value for name, value in also.items()
            )

        def complaint() -> str:
            holds = [row["sk"] for row in self.stack.table.query(str(order), "HOLD#")]
            return f"{order} is {self.link(order)}, not {status}; {holds}"

        self.await_(there, complaint, sweep=True)
        return self.link(order)

    def await_(
        self,
        condition: Callable[[], object],
        complaint: Callable[[], str],
        *,
        sweep: bool = False,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Wait until something is true, and do what a schedule would do meanwhile."""
        tick = self.sweep if sweep else meanwhile
        start = ticked = time.monotonic()
        if not sweep:
            tick()
        while not condition():
            now = time.monotonic()
            assert now - start < PATIENCE_S, complaint()
            if now - ticked > 3:
                tick()
                ticked = now
            time.sleep(0.1)


def demo_sku() -> str:
    return str(CASES[0].draft["lines"][0]["sku"])


def address() -> dict[str, Any]:
    where = {"first_name": "Ada", "last_name": "Quill", "address1": "1 Quay", "city": "Leeds"}
    full = where | {"zip": "LS1 1AA", "country_code": "GB", "country": "United Kingdom"}
    return {"shipping_address": full, "billing_address": full, "email": "ada@shop.example"}
