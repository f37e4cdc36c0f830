"""A sandbox tenant with a clock, and somebody who asks it."""

from __future__ import annotations

from platforms.sfcc.sandbox import make
from tests.kit.stand import Stand

HOOK = "https://bridge.example/webhooks/sfcc/fizz"
ORG = "f_ecom_zzfz_001"
TENANT = "SALESFORCE_COMMERCE_API:zzfz_001"
CLIENT = ("fizz-sandbox-client", "fizz-sandbox-secret")
ALL = f"{TENANT} sfcc.orders sfcc.inventory.availability sfcc.customerlists sfcc.products"
ORDERS = f"/checkout/orders/v1/organizations/{ORG}/orders"
STOCK = f"/inventory/availability/v1/organizations/{ORG}/availability-records/search"
CUSTOMERS = f"/customer/customers/v1/organizations/{ORG}"
PRODUCTS = [
    {"sku": "COLA330-C24", "name": "Corner Cola 330 ml, case of 24", "price": "14.40"},
    {"sku": "TONIC200-P4", "name": "Quill Tonic 200 ml, 4 bottles", "price": "3.75", "stock": 40},
]
ADA = {
    "first_name": "Ada",
    "last_name": "Quill",
    "address_1": "4 Fountain Row",
    "city": "Portland",
    "state": "OR",
    "postcode": "97201",
    "country": "US",
    "phone": "+1 503 555 0117",
    "email": "ada@quill.example",
}
TRADER = {
    "email": "buying@cornerpop.example",
    "first_name": "Ida",
    "last_name": "Cask",
    "company": "Corner Pop Ltd",
    "phone": "+1 503 555 0142",
}


class Shop(Stand):
    """A tenant, its time, and who looks at it."""

    def __init__(self, **seed) -> None:
        super().__init__(make({"products": PRODUCTS} | seed), "https://fizz.example")

    def token(self, scope: str = ALL) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        answer = self.http.post("/dwsso/oauth2/access_token", data=form, auth=CLIENT)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def login(self, scope: str = ALL) -> Shop:
        self.http.headers["Authorization"] = f"Bearer {self.token(scope)}"
        return self

    def place(self, quantity=1, **draft):
        lines = [{"sku": "COLA330-C24", "quantity": quantity}]
        return self.store.place({"lines": lines, "billing": ADA} | draft)

    def orders(self, **query):
        answer = self.http.get(ORDERS, params={"siteId": "FizzUS"} | query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def numbers(self, **query) -> list[str]:
        return [order["orderNo"] for order in self.orders(**query)["data"]]
