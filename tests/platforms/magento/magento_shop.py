"""A sandbox shop with a clock, and somebody who asks it with a signed call."""

from __future__ import annotations

import itertools
from urllib.parse import quote

import httpx

from platforms.magento.sandbox import make
from platforms.magento.sandbox_oauth import base_string, enc, signature
from tests.kit.stand import Stand

URL = "https://fizz-shop.example"
HOOK = "https://bridge.example/webhooks/magento/fizz"
PRODUCTS = [
    {"sku": "COLA330-C24", "name": "Corner Cola 330 ml, case of 24", "price": "13.20"},
    {"sku": "TONIC200-P4", "name": "Quill Tonic 200 ml, 4 bottles", "price": "3.75", "stock": 40},
    {"sku": "SODA-CHOICE", "name": "Soda, any size", "type": "configurable"},
    {
        "sku": "MIXED-BOX",
        "name": "A box of your own",
        "type": "bundle",
        "children": [{"sku": "COLA330-C24", "quantity": 2}, {"sku": "TONIC200-P4", "quantity": 1}],
    },
    {
        "sku": "PARTY-BOX",
        "name": "Party box",
        "type": "bundle",
        "price": "30.00",
        "is_dynamic": False,
        "children": [{"sku": "COLA330-C24", "quantity": 2}, {"sku": "TONIC200-P4", "quantity": 1}],
    },
]
ADA = {
    "first_name": "Ada",
    "last_name": "Quill",
    "address_1": "4 Fountain Row",
    "city": "Leeds",
    "postcode": "LS1 1AA",
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
EMPTY = "searchCriteria="
NONCES = itertools.count()


def lines(**quantities: int) -> list[dict]:
    """Lines of a draft by the short name of a product."""
    names = {"cola": "COLA330-C24", "tonic": "TONIC200-P4", "mixed": "MIXED-BOX"}
    names |= {"party": "PARTY-BOX"}
    return [{"sku": names[name], "quantity": number} for name, number in quantities.items()]


def criteria(*filters: tuple[str, object, str], **more: object) -> str:
    """A query: each filter is a group of its own."""
    parts = []
    for place, (field, value, condition) in enumerate(filters):
        head = f"searchCriteria[filter_groups][{place}][filters][0]"
        parts += [(f"{head}[field]", field), (f"{head}[value]", value)]
        parts += [(f"{head}[condition_type]", condition)]
    for place, sort in enumerate(more.pop("sort", ())):
        name, _, direction = sort.partition(" ")
        head = f"searchCriteria[sortOrders][{place}]"
        parts += [(f"{head}[field]", name), (f"{head}[direction]", direction or "ASC")]
    fields = more.pop("fields", None)
    parts += [(f"searchCriteria[{name}]", value) for name, value in more.items()]
    parts = parts or [("searchCriteria", "")]
    parts += [("fields", fields)] if fields else []
    encoded = (f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in parts)
    return "&".join(encoded)


class Signed(httpx.Auth):
    """OAuth 1.0a as the sheet has it; a test may spoil any part."""

    def __init__(self, shop: Shop, **spoiled: str | None) -> None:
        self.shop = shop
        self.spoiled = spoiled

    def auth_flow(self, request):
        own = {
            "oauth_consumer_key": "ck_sandbox",
            "oauth_token": "at_sandbox",
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_timestamp": str(int(self.shop.now.timestamp())),
            "oauth_nonce": f"nonce{next(NONCES)}",
            "oauth_version": "1.0",
        } | self.spoiled
        own = {name: value for name, value in own.items() if value is not None}
        query = list(httpx.QueryParams(request.url.query.decode()).multi_items())
        url = str(request.url).partition("?")[0]
        signed = [(name, value) for name, value in own.items() if name != "oauth_signature"]
        base = base_string(request.method, url, query + signed)
        own.setdefault("oauth_signature", signature(base, "cs_sandbox", "ats_sandbox"))
        told = ",".join(f'{name}="{enc(value)}"' for name, value in own.items())
        request.headers["Authorization"] = f"OAuth {told}"
        yield request


class Shop(Stand):
    """A shop, its time, and who looks at it."""

    def __init__(self, **seed) -> None:
        sandbox = make({"products": PRODUCTS} | seed)
        super().__init__(sandbox, URL, headers={"Accept": "application/json"})
        self.auth = Signed(self)

    def call(self, path: str, **more) -> httpx.Response:
        """Any read, with what the vendor answered."""
        return self.http.get(f"/rest/all/V1/{path}", auth=more.pop("auth", self.auth), **more)

    def get(self, path: str):
        answer = self.call(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def list(self, path: str, *filters, **more) -> dict:
        return self.get(f"{path}?{criteria(*filters, **more)}")

    def items(self, path: str, *filters, **more) -> list[dict]:
        return self.list(path, *filters, **more)["items"]

    def ids(self, *filters, **more) -> list[int]:
        return [order["entity_id"] for order in self.items("orders", *filters, **more)]

    def place(self, quantity: int = 1, **draft) -> dict:
        return self.store.place({"lines": lines(cola=quantity), "billing": ADA} | draft)

    def order(self, number: int) -> dict:
        return self.get(f"orders/{number}")

    def document(self, kind: str) -> dict:
        """The newest invoice, shipment or credit memo."""
        return self.items(kind, sort=["entity_id DESC"])[0]

    def control(self, path: str, **body) -> httpx.Response:
        return self.http.post(f"/_sandbox/{path}", json=body)
