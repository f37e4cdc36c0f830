"""A small shop whose app may write, and what came of its mutations."""

from tests.platforms.shopify.sandbox_shop import SCOPES, shop

DEPOT, QUAY = 71_000_000_011, 71_000_000_022
READS = [*SCOPES, "read_inventory", "read_locations", "read_fulfillments"]
WRITES = [
    "write_inventory",
    "write_products",
    "write_orders",
    "write_merchant_managed_fulfillment_orders",
]
VARIANTS = [
    {"sku": "COLA-24", "title": "Cola", "price": "13.20", "variant_id": 1, "product_id": 2,
     "inventory_item_id": 11, "stock": 40},
    {"sku": "TONIC-12", "title": "Tonic", "price": "9.45", "variant_id": 3, "product_id": 4,
     "inventory_item_id": 12, "stock": 7},
    {"sku": "O'HARA \"X\"", "title": "Stout", "price": "20.00", "variant_id": 5, "product_id": 6,
     "inventory_item_id": 13},
]  # fmt: skip
COLA, TONIC = ("gid://shopify/InventoryItem/11", "gid://shopify/InventoryItem/12")
ORDER = {
    "lines": [{"sku": "COLA-24", "quantity": 6}, {"sku": "TONIC-12", "quantity": 2}],
    "customer": {"email": "ines@mail.example", "first_name": "Ines", "last_name": "Calloway"},
}


def place(number=DEPOT):
    return f"gid://shopify/Location/{number}"


def store(**seed):
    given = {
        "webhook_topics": "all",
        "access_tokens": {"good": [*READS, *WRITES], "reader": READS},
        "locations": [{"id": QUAY, "name": "Quay store"}],
        "variants": VARIANTS,
    }
    return shop(**given | seed)


def done(answer):
    """The payload of a mutation that went through."""
    assert "errors" not in answer, answer["errors"]
    (payload,) = answer["data"].values()
    assert _errors(payload) == [], _errors(payload)
    return payload


def refused(answer):
    """Code and path of each user error."""
    assert "errors" not in answer, answer["errors"]
    (payload,) = answer["data"].values()
    return [(one.get("code"), one["field"]) for one in _errors(payload)]


def problem(answer):
    """The text of the first user error."""
    (payload,) = answer["data"].values()
    return _errors(payload)[0]["message"]


def _errors(payload):
    return payload.get("userErrors", payload.get("orderCancelUserErrors"))
