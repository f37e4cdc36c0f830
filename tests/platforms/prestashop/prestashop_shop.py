"""A sandbox shop with a clock, and somebody who asks it."""

from __future__ import annotations

from xml.etree import ElementTree

import httpx

from platforms.prestashop.sandbox import KEY, make
from tests.kit.stand import Stand

HOOK = "https://bridge.example/webhooks/prestashop/fizz"
PRODUCTS = [
    {"sku": "COLA330-C24", "name": "Corner Cola 330 ml, case of 24", "price": "14.40", "id": 11},
    {"sku": "TONIC200-P4", "name": "Quill Tonic 200 ml, 4 bottles", "price": "3.75", "stock": 40},
    {
        "sku": "SYRUP",
        "name": "Dock Syrup",
        "price": "6.10",
        "combinations": [
            {"sku": "SYRUP-LEMON", "name": "Taste: Lemon", "stock": 30},
            {"sku": "SYRUP-GINGER", "name": "Taste: Ginger", "impact": "0.40", "stock": 12},
        ],
    },
]
ADA = {
    "first_name": "Ada",
    "last_name": "Quill",
    "address_1": "4 Fountain Row",
    "city": "Leeds",
    "postcode": "LS1 4AP",
    "country": "GB",
    "phone": "+44 113 496 0117",
    "email": "ada@quill.example",
}
TRADER = {
    "email": "buying@cornerpop.example",
    "first_name": "Ida",
    "last_name": "Cask",
    "company": "Corner Pop Ltd",
    "phone": "+44 113 496 0142",
}


class Shop(Stand):
    """A shop, its time, and who looks at it."""

    def __init__(self, **seed) -> None:
        sandbox = make({"products": PRODUCTS} | seed)
        super().__init__(sandbox, "https://fizz.example", auth=(KEY, ""))

    def place(self, quantity=1, **draft):
        lines = [{"sku": "COLA330-C24", "quantity": quantity}]
        return self.store.place({"lines": lines, "billing": ADA} | draft)

    def get(self, path, **query) -> httpx.Response:
        return self.http.get(f"/api/{path}", params=query)

    def xml(self, path, **query):
        """The one node inside the answer's root."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return parsed(answer.content)[0]

    def rows(self, path, **query) -> list[dict[str, str]]:
        """A list's rows by field."""
        listed = self.xml(path, **{"display": "full"} | query)
        return [texts(row) for row in listed]

    def row(self, path) -> dict[str, str]:
        return texts(self.xml(path))

    def ids(self, path, **query) -> list[int]:
        return [int(row["id"]) for row in self.rows(path, **{"display": "[id]"} | query)]

    def write(self, method, path, inner, **query) -> httpx.Response:
        body = f"<prestashop>{inner}</prestashop>"
        headers = {"Content-Type": "text/xml"}
        return self.http.request(
            method, f"/api/{path}", params=query, content=body.encode(), headers=headers
        )


def codes(answer: httpx.Response) -> list[int]:
    """The error codes of a refusal."""
    return [int(one.findtext("code")) for one in parsed(answer.content)[0]]


def parsed(text: str | bytes) -> ElementTree.Element:
    """The root of an answer."""
    return ElementTree.fromstring(text)  # noqa: S314  only our sandbox writes here


def texts(row: ElementTree.Element) -> dict[str, str]:
    """A row by field; of several languages the first."""
    return {leaf.tag: leaf.findtext("language", leaf.text) or "" for leaf in row}
