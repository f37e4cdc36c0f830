"""A small made-up database for the sandbox's tests and the API fixtures: ids start at 40."""

from __future__ import annotations

from typing import Any

import httpx

from platforms.odoo.sandbox import OdooSandbox, make
from tests.kit.transport import SandboxTransport

KEY = "bot-key"
SALES_ONLY_KEY = "sales-only-key"
INSERT_ONCE = {"noupdate": True, "mode": "update", "tz": "UTC"}
TAX, TAX_INCLUDED, UNIT, CASE = 40, 42, 40, 43
ELDER, DEPOSIT, DELIVERY = 40, 41, 42
PARTNER, DOCK = 40, 41
DRAFT, CONFIRMED = 40, 41


class Odoo:
    """Calls a sandbox over both transports; answers are (status, body)."""

    def __init__(self, sandbox: OdooSandbox, key: str = KEY) -> None:
        self.sandbox = sandbox
        self.transport = SandboxTransport(sandbox.app)
        self.http = httpx.Client(transport=self.transport, base_url="http://odoo.example")
        self.key = key

    def call(self, model: str, method: str, **arguments: Any) -> tuple[int, Any]:
        """One JSON-2 call."""
        headers = {"Authorization": f"bearer {self.key}"}
        answer = self.http.post(f"/json/2/{model}/{method}", json=arguments, headers=headers)
        return answer.status_code, answer.json()

    def ok(self, model: str, method: str, **arguments: Any) -> Any:
        """One JSON-2 call that must succeed."""
        status, body = self.call(model, method, **arguments)
        assert status == 200, body
        return body

    def service(self, service: str, method: str, *args: Any) -> Any:
        """One JSON-RPC call: the whole answer."""
        params = {"service": service, "method": method, "args": list(args)}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        answer = self.http.post("/jsonrpc", json=body)
        assert answer.status_code == 200
        return answer.json()

    def rpc(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """One ``execute_kw``: the whole answer."""
        head = ("main", 6, self.key, model, method)
        return self.service("object", "execute_kw", *head, list(args), kwargs)


def world(**seed: Any) -> OdooSandbox:
    """A draft order with an external id, a confirmed one, a customer with a dock, a twin SKU."""
    bot = {"login": "bot@example.com", "uid": 6, "expiration_date": "2099-01-31 00:00:00"}
    sandbox = make(
        {
            "first_id": 40,
            "api_keys": {
                KEY: {**bot, "groups": ["Contact/Creation"]},
                SALES_ONLY_KEY: {**bot, "uid": 7, "login": "sales@example.com"},
                "expired-key": {
                    **bot,
                    "uid": 8,
                    "login": "x",
                    "expiration_date": "2020-01-01 00:00:00",
                },
            },
            "partners": [
                {
                    "name": "Harbour Kiosk Ltd",
                    "is_company": True,
                    "ref": "fizz:c-301",
                    "email": "orders@harbourkiosk.example",
                    "street": "8 Pier Road",
                    "city": "Cork",
                    "zip": "T23",
                    "country": "IE",
                },
                {"name": "Gate B", "type": "delivery", "parent_id": 40, "ref": "fizz:a-301"},
            ],
            "products": [
                {
                    "default_code": "ELDER-33",
                    "name": "Elderflower 0.33 l",
                    "list_price": 1.15,
                    "barcode": "4099999000117",
                    "uoms": ["Case of 24"],
                    "unit_barcodes": {"Case of 24": "4099999000124"},
                    "is_storable": True,
                },
                {
                    "default_code": "DEP-25",
                    "name": "Deposit",
                    "list_price": 0.25,
                    "type": "service",
                },
                {"default_code": "SHIP", "name": "Delivery", "type": "service", "taxes_id": []},
                {"default_code": "TWIN-1", "name": "Twin, new label"},
                {"default_code": "TWIN-1", "name": "Twin, old label"},
                {"default_code": "OLD-1", "name": "Delisted", "active": False},
            ],
            **seed,
        }
    )
    odoo = Odoo(sandbox)
    assert order(odoo, "__fizz__.so_900", [goods(2), goods(3)])["ids"] == [DRAFT]
    lines = [
        [
            0,
            0,
            {
                "product_id": ELDER,
                "product_uom_qty": 2,
                "product_uom_id": CASE,
                "price_unit": 24.96,
                "discount": 5,
            },
        ],
        [0, 0, {"product_id": DELIVERY, "price_unit": 9.5, "tax_ids": [], "is_delivery": True}],
        [0, 0, {"display_type": "line_note", "name": "ring twice"}],
    ]
    values = {"partner_id": PARTNER, "client_order_ref": "PO 5", "order_line": lines}
    assert odoo.ok("sale.order", "create", vals_list=[values]) == [CONFIRMED]
    assert odoo.ok("sale.order", "action_confirm", ids=[CONFIRMED]) is True
    sandbox.accepted.clear()
    return sandbox


COLUMNS = [
    "id",
    "partner_id/.id",
    "origin",
    "date_order",
    "order_line/product_id/.id",
    "order_line/name",
    "order_line/product_uom_qty",
    "order_line/price_unit",
    "order_line/technical_price_unit",
    "order_line/tax_ids/.id",
]


def goods(qty: float, price: float = 1.15) -> list[Any]:
    """The line cells of a sold product."""
    return [str(ELDER), "Elderflower", str(qty), str(price), "-1", str(TAX)]


def order(
    odoo: Odoo, key: str, lines: list[list[Any]], context: Any = INSERT_ONCE, **cells: str
) -> Any:
    """Load one order under an external id: the answer's body."""
    head = {"partner": str(PARTNER), "origin": "fizz:so", "date": "2026-10-05 08:30:00"} | cells
    first = [key, head["partner"], head["origin"], head["date"]]
    data = [[*(first if number == 0 else [""] * 4), *line] for number, line in enumerate(lines)]
    return odoo.ok("sale.order", "load", fields=COLUMNS, data=data, context=context)
