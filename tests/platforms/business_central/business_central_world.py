"""A small drinks wholesaler in Business Central, and an app that asks it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from platforms.business_central.sandbox import DEFAULTS, make
from tests.kit.stand import Stand

TENANT = DEFAULTS["tenant_id"]
COMPANY = DEFAULTS["company"]["id"]
BASE = f"/v2.0/{TENANT}/Production/api/v2.0"
C = f"{BASE}/companies({COMPANY})"
ZERO = "00000000-0000-0000-0000-000000000000"
HOOK = "https://hooks.example.com/bc/9f2c7e"
STATE = "k3y-fizz-01"
SECRET = {
    "grant_type": "client_credentials",
    "client_id": DEFAULTS["client_id"],
    "client_secret": DEFAULTS["client_secret"],
    "scope": "https://api.businesscentral.dynamics.com/.default",
}
CAFE = {
    "number": "C-2077",
    "displayName": "Pier Pavilion",
    "type": "Company",
    "addressLine1": "17 Mole Lane",
    "city": "Whitby",
    "postalCode": "YO21 3PU",
    "country": "GB",
    "email": "ada@pierpavilion.example",
    "phoneNumber": "01947 000000",
}
COLA = {
    "number": "COLA330-C24",
    "displayName": "Cola 330 ml can",
    "unitPrice": "0.4",
    "units": {"CASE": 24},
    "stock": 480,
    "itemCategoryCode": "SOFT",
}
TONIC = {"number": "TONIC-12", "displayName": "Tonic 200 ml", "unitPrice": "0.79", "stock": 60}
JUICE = {"number": "JUICE-1L", "displayName": "Juice", "unitPrice": "2", "taxGroupCode": "ZERO"}
HAUL = {"number": "HAULAGE", "displayName": "Haulage", "type": "Service", "unitPrice": "15"}


def world(**seed: Any) -> BusinessCentral:
    """One customer, four items and a depot."""
    facts: dict[str, Any] = {
        "customers": [CAFE],
        "items": [COLA, TONIC, JUICE, HAUL],
        "locations": [{"code": "MAIN", "displayName": "Main depot"}],
    }
    return BusinessCentral(make(facts | seed))


class BusinessCentral(Stand):
    """Asks with a token; what comes back has decimals in place of floats."""

    def __init__(self, sandbox: Any) -> None:
        super().__init__(sandbox, "https://api.businesscentral.example")
        self.asked: list[str] = []
        self.sandbox.hooks.shake = self.shake
        self.token = self.ask_token().json()["access_token"]

    def shake(self, uri: str) -> tuple[int, bytes]:
        """A receiver that gives every token back."""
        self.asked.append(uri)
        return 200, parse_qs(urlsplit(uri).query)["validationToken"][0].encode()

    def ask_token(self, **changes: str) -> httpx.Response:
        return self.http.post(f"/{TENANT}/oauth2/v2.0/token", data=SECRET | changes)

    def call(
        self, method: str, path: str, body: Any = None, headers: Any = None, **params: Any
    ) -> httpx.Response:
        """One request; names of query options come without their dollar."""
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en-US"}
        options = {f"${name}": value for name, value in params.items()}
        where = path if path.startswith(("/", "https://")) else f"{C}/{path}"
        extra: dict[str, Any] = {"params": options} if options else {}
        if body is not None:
            extra |= {"content": body if isinstance(body, bytes) else json.dumps(body).encode()}
            sent["Content-Type"] = "application/json"
        return self.http.request(method, where, headers=sent | (headers or {}), **extra)

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """One request that must succeed."""
        answer = self.call(method, path, body, **more)
        assert answer.status_code < 300, answer.text
        return read(answer) if answer.content else None

    def get(self, path: str, **params: Any) -> Any:
        return self.ok("GET", path, **params)

    def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path, **params)["value"]
        return found

    def post(self, path: str, body: Any = None) -> Any:
        return self.ok("POST", path, body)

    def patch(self, path: str, body: Any, etag: str = "*") -> Any:
        return self.ok("PATCH", path, body, headers={"If-Match": etag})

    def delete(self, path: str, etag: str = "*") -> None:
        self.ok("DELETE", path, headers={"If-Match": etag})

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """One request that must fail: its status and the vendor's code."""
        more.setdefault("headers", {"If-Match": "*"} if method in ("PATCH", "DELETE") else {})
        answer = self.call(method, path, body, **more)
        error = answer.json()["error"]
        assert set(error) == {"code", "message"}
        assert "CorrelationId:" in error["message"]
        return answer.status_code, error["code"]

    def act(self, path: str, draft: Any = None) -> Any:
        """People do something."""
        answer = self.http.post(f"/_sandbox/{path}", json=draft or {})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal)

    def item(self, number: str = "COLA330-C24") -> dict[str, Any]:
        return self.rows("items", filter=f"number eq '{number}'")[0]

    def customer(self, number: str = "C-2077") -> dict[str, Any]:
        return self.rows("customers", filter=f"number eq '{number}'")[0]

    def lines(self, order: Any, name: str = "salesOrders") -> list[dict[str, Any]]:
        return self.rows(f"{name}({order['id']})/{name[:-1]}Lines")

    def order(self, *lines: dict[str, Any], **values: Any) -> Any:
        """A sales order with its lines."""
        sold = list(lines) or [line()]
        head = {"customerNumber": "C-2077", "externalDocumentNumber": "WEB-3301"}
        return self.post("salesOrders", head | values | {"salesOrderLines": sold})

    def billed(self, *lines: dict[str, Any], **values: Any) -> Any:
        """A posted invoice."""
        sold = list(lines) or [line()]
        head = {"customerNumber": "C-2077", "externalDocumentNumber": "WEB-4401"}
        draft = self.post("salesInvoices", head | values | {"salesInvoiceLines": sold})
        self.post(f"salesInvoices({draft['id']})/Microsoft.NAV.post")
        wanted = f"externalDocumentNumber eq '{draft['externalDocumentNumber']}'"
        return self.rows("salesInvoices", filter=wanted)[-1]

    def journal(self) -> dict[str, Any]:
        return self.rows("customerPaymentJournals")[0]

    def subscribe(self, name: str = "salesOrders", **values: Any) -> Any:
        """A subscription of one set."""
        body = {"notificationUrl": HOOK, "clientState": STATE}
        body["resource"] = f"/api/v2.0/companies({COMPANY})/{name}"
        return self.post(f"{BASE}/subscriptions", body | values)

    def told(self) -> list[dict[str, Any]]:
        """Every notification so far."""
        return [item for body in self.bodies() for item in body["value"]]


def line(sku: str = "COLA330-C24", quantity: Any = 2, **values: Any) -> dict[str, Any]:
    """A line of an item."""
    return {"lineType": "Item", "lineObjectNumber": sku, "quantity": quantity} | values


def read(answer: httpx.Response) -> Any:
    """JSON with its numbers as they were written."""
    if "json" not in answer.headers.get("content-type", ""):
        return answer.text
    return json.loads(answer.content, parse_float=Decimal)
