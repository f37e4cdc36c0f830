"""A small drinks company in the QuickBooks sandbox, and an app connected to it."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import httpx

from platforms.quickbooks.sandbox import make
from tests.kit.stand import Stand

REALM = "9130350000000001"
BASE = f"https://books.example/v3/company/{REALM}/"
CUSTOMER, OTHER, COLA, TONIC, WATER, REFUND = "58", "59", "19", "20", "21", "22"
VAT, ZERO = "2", "4"
CLIENT = "sandbox-client:sandbox-secret"
TOKENS = "https://oauth.example/oauth2/v1/tokens/bearer"
HOOK = "https://hooks.example/books"
SEED: dict[str, Any] = {
    "customers": [
        {
            "Id": CUSTOMER,
            "DisplayName": "Corner Pop Ltd",
            "CompanyName": "Corner Pop Ltd",
            "GivenName": "Ada",
            "FamilyName": "Quill",
            "PrimaryEmailAddr": {"Address": "ap@cornerpop.example"},
            "BillAddr": {"Line1": "8 Fizz Lane", "City": "Leeds", "PostalCode": "LS1 1AA"},
        },
        {"Id": OTHER, "DisplayName": "Web customer"},
    ],
    "items": [
        {
            "Id": COLA,
            "Name": "Cola 330 ml, 24 cans",
            "Sku": "COLA330-C24",
            "Type": "NonInventory",
            "IncomeAccountRef": {"value": "79"},
            "UnitPrice": 12.5,
        },
        {
            "Id": TONIC,
            "Name": "Tonic, 12 bottles",
            "Sku": "TONIC-12",
            "Type": "Inventory",
            "TrackQtyOnHand": True,
            "QtyOnHand": 40,
            "InvStartDate": "2026-01-01",
            "IncomeAccountRef": {"value": "79"},
            "AssetAccountRef": {"value": "81"},
            "ExpenseAccountRef": {"value": "80"},
            "UnitPrice": 9.4,
        },
        {
            "Id": WATER,
            "Name": "Spring water",
            "Sku": "WATER-6",
            "Type": "NonInventory",
            "IncomeAccountRef": {"value": "79"},
            "Active": False,
        },
        {"Id": REFUND, "Name": "Refund adjustment", "IncomeAccountRef": {"value": "79"}},
    ],
}


class Books(Stand):
    """The company, and calls of its API."""

    def __init__(self, **seed: Any) -> None:
        headers = {"Accept": "application/json", "Authorization": "Bearer AT-sandbox"}
        super().__init__(make(SEED | seed), BASE, headers=headers)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        content = {} if body is None else {"json": body}
        return self.http.request(method, path, params={"minorversion": "75"} | query, **content)

    def post(self, kind: str, body: Any, **query: Any) -> dict[str, Any]:
        """A write that is taken: the record."""
        answer = self.call("POST", kind.lower(), body, **query)
        assert answer.status_code == 200, answer.text
        return decimals(answer)[kind]

    def get(self, kind: str, id_: str) -> dict[str, Any]:
        answer = self.call("GET", f"{kind.lower()}/{id_}")
        assert answer.status_code == 200, answer.text
        return decimals(answer)[kind]

    def query(self, text: str) -> dict[str, Any]:
        answer = self.call("GET", "query", query=text)
        assert answer.status_code == 200, answer.text
        return decimals(answer)["QueryResponse"]

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Every record of a kind, by query."""
        return self.query(" ".join(("select * from", kind))).get(kind, [])

    def error(self, answer: httpx.Response) -> str:
        """The code of a refusal, whose body is as documented."""
        assert answer.status_code >= 400, answer.text
        body = answer.json()
        assert set(body) == {"Fault", "time"}
        (error,) = body["Fault"]["Error"]
        assert set(error) == {"Message", "Detail", "code", "element"}
        return str(error["code"])

    def refused(self, kind: str, body: Any, **query: Any) -> str:
        before = dict(self.sandbox.accepted)
        code = self.error(self.call("POST", kind.lower(), body, **query))
        assert dict(self.sandbox.accepted) == before
        return code

    def token(self, refresh: str = "RT1-sandbox", client: str = CLIENT) -> httpx.Response:
        """Ask for the next tokens."""
        basic = base64.b64encode(client.encode()).decode()
        return self.http.post(
            TOKENS,
            data={"grant_type": "refresh_token", "refresh_token": refresh},
            headers={"Authorization": f"Basic {basic}"},
        )

    def control(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, f"https://books.example/_sandbox/{path}", json=body)


def decimals(answer: httpx.Response) -> Any:
    """JSON with numbers as written."""
    return json.loads(answer.text, parse_float=Decimal)


def sale(amount: float = 25.0, *, item: str = COLA, code: str = VAT, **detail: Any) -> dict:
    """A sale line."""
    named = {"ItemRef": {"value": item}} | detail
    if code:
        named["TaxCodeRef"] = {"value": code}
    return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": named}


def off(amount: float) -> dict:
    """A discount of the whole form."""
    detail = {"PercentBased": False}
    return {"Amount": amount, "DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}


def form(*lines: dict, **more: Any) -> dict:
    """A sales form of the customer."""
    made = list(lines) or [sale(25.0, Qty=2, UnitPrice=12.5)]
    return {"CustomerRef": {"value": CUSTOMER}, "Line": made} | more


def paying(id_: str, amount: float, total: float | None = None, kind: str = "Invoice") -> dict:
    """A payment for one transaction."""
    link = {"TxnId": id_, "TxnType": kind}
    line = {"Amount": amount, "LinkedTxn": [link]}
    total = amount if total is None else total
    return {"CustomerRef": {"value": CUSTOMER}, "TotalAmt": total, "Line": [line]}


def last(row: dict, **more: Any) -> dict:
    """Id and lock of a record as it was last seen."""
    return {"Id": row["Id"], "SyncToken": row["SyncToken"]} | more
