"""A drinks wholesaler's books in the Xero sandbox, and an app that asks them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import httpx

from platforms.xero.sandbox import XeroSandbox, make
from tests.kit.stand import Stand

API = "/api.xro/2.0"
CORNER = "7d2f0c1e-54a1-4c57-9a59-4a3b8f1f0a01"
QUAY = "0c3a9a64-6c0f-4f0e-8a37-52f7f6b1b0d2"
KEY = "sandbox-webhook-key"
ITEMS = [
    {
        "Code": "COLA330-C24",
        "Name": "Cola 24 x 330 ml",
        "Description": "Cola, case of 24 cans",
        "SalesDetails": {"UnitPrice": "12.5", "AccountCode": "200", "TaxType": "OUTPUT2"},
    },
    {
        "Code": "KEG30",
        "Name": "Ginger beer keg 30 l",
        "InventoryAssetAccountCode": "630",
        "PurchaseDetails": {"COGSAccountCode": "310"},
        "SalesDetails": {"UnitPrice": "80", "AccountCode": "200", "TaxType": "OUTPUT2"},
    },
]
PUB = {"ContactNumber": "shop:881", "Name": "The Full Glass", "EmailAddress": "bar@glass.example"}


class Xero(Stand):
    """The sandbox with two organisations, and the app's calls to the first."""

    def __init__(self, **seed: Any) -> None:
        organisation = {"items": ITEMS, "contacts": [PUB]} | seed.pop("organisation", {})
        tenants = [{"tenantId": CORNER}, {"tenantId": QUAY, "name": "Quay Drinks Ltd"}]
        uri = "https://hooks.example.com/xero"
        facts = {"tenants": tenants, "organisation": organisation, "webhook_uri": uri} | seed
        super().__init__(make(facts), "https://api.xero.example")
        self.refresh_token = "sandbox-refresh-token"
        # The sandbox was made by its own clock: from here on all times are the stand's.
        self.sandbox.reset()
        self.access = self.refreshed()["access_token"]
        self.sandbox.accepted.clear()

    # Tokens.

    def token(self, app: str = "SANDBOX-WEB-APP:sandbox-client-secret", **form: str) -> Any:
        """One call of the token endpoint."""
        basic = {"Authorization": f"Basic {b64encode(app.encode()).decode()}"} if app else {}
        return self.http.post("/connect/token", data=form, headers=basic)

    def refreshed(self) -> dict[str, Any]:
        """A new pair of tokens, kept."""
        asked = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        answer = self.token(**asked)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        self.refresh_token, self.access = body["refresh_token"], body["access_token"]
        return body

    # Calls.

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """One call; ``tenant``, ``key`` and ``headers`` apart, what more is given is the query."""
        headers = {
            "Authorization": f"Bearer {self.access}",
            "Xero-tenant-id": more.pop("tenant", CORNER),
            "Accept": "application/json",
        }
        if "key" in more:
            headers["Idempotency-Key"] = more.pop("key")
        headers |= more.pop("headers", {})
        headers = {name: value for name, value in headers.items() if value is not None}
        sent = {} if body is None else {"json": body}
        return self.http.request(method, API + path, headers=headers, params=more, **sent)

    def get(self, path: str, **more: Any) -> dict[str, Any]:
        """A read that must succeed."""
        answer = self.call("GET", path, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def write(self, method: str, path: str, *elements: Any, **more: Any) -> Any:
        """A write that must succeed: its first element."""
        wrapper = path.strip("/").split("/")[-1 if path.endswith(("History", "Allocations")) else 0]
        wrapper = "HistoryRecords" if wrapper == "History" else wrapper
        answer = self.call(method, path, {wrapper: list(elements)}, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()[wrapper][0]

    def refusal(self, method: str, path: str, *elements: Any, **more: Any) -> list[str]:
        """A write that must fail by the vendor's rules: its messages."""
        wrapper = path.strip("/").split("/")[-1 if path.endswith("Allocations") else 0]
        answer = self.call(method, path, {wrapper: list(elements)}, **more)
        assert answer.status_code == 400, answer.text
        body = answer.json()
        assert (body["ErrorNumber"], body["Type"]) == (10, "ValidationException")
        return [one["Message"] for row in body["Elements"] for one in row["ValidationErrors"]]

    # What the tests sell.

    def contact(self, **fields: Any) -> Any:
        """A customer."""
        return self.write("POST", "/Contacts", PUB | fields)

    def invoice(self, **fields: Any) -> Any:
        """An approved invoice of two cases: 25.00 and 5.00 VAT."""
        return self.write("PUT", "/Invoices", draft(**fields))

    def pay(self, invoice: Any, amount: float, **fields: Any) -> Any:
        """A payment of it."""
        given = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}}
        day = {"Date": "2026-11-21", "Amount": amount}
        query = {name: fields.pop(name) for name in ("key",) if name in fields}
        return self.write("PUT", "/Payments", given | day | fields, **query)

    def credit_note(self, **fields: Any) -> Any:
        """An approved credit note of one case: 12.50 and 2.50 VAT."""
        given = draft(Type="ACCRECCREDIT", LineItems=[line(Quantity=1)])
        del given["DueDate"]
        return self.write("PUT", "/CreditNotes", given | fields)

    def act(self, path: str, body: Any = None, status: int = 200) -> Any:
        """Somebody does something in the books."""
        answer = self.http.post(f"/_sandbox/{path}", json=body or {})
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def accepted(self) -> dict[str, int]:
        """What was done through the API."""
        return dict(self.sandbox.accepted)

    def events(self) -> list[dict[str, Any]]:
        """Every event that was told."""
        return [event for body in self.bodies() for event in body["events"]]


def line(**fields: Any) -> dict[str, Any]:
    """A line of two cases."""
    given = {"ItemCode": "COLA330-C24", "Description": "Cola", "Quantity": 2, "UnitAmount": 12.5}
    return given | {"AccountCode": "200", "TaxType": "OUTPUT2"} | fields


def draft(**fields: Any) -> dict[str, Any]:
    """The element of an approved invoice."""
    given = {"Type": "ACCREC", "Status": "AUTHORISED", "Contact": {"ContactNumber": "shop:881"}}
    days = {"Date": "2026-11-20", "DueDate": "2026-12-20"}
    return given | days | {"LineAmountTypes": "Exclusive", "LineItems": [line()]} | fields


__all__ = ["API", "CORNER", "KEY", "PUB", "QUAY", "Xero", "XeroSandbox", "draft", "line"]
