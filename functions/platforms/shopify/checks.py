"""What a shop must have before anything goes there, and what it sells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from fizzbridge.errors import ConfigurationError
from fizzbridge.runtime.target import Finding, ItemThere, Situation
from platforms.shopify.telling import ShopClient, Write, number

_SHOP = "{ shop { name currencyCode taxesIncluded } location { id } }"
_LISTED = """
query($after: String) {{
  {what}(first: 100, after: $after) {{
    nodes {{ {shown} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""


def findings(client: ShopClient, situation: Situation) -> Iterator[Finding]:
    """Everything looked at, in the order it would be put right."""
    found = client.ask(_SHOP)
    told = found["shop"]
    tax = "with tax" if told["taxesIncluded"] else "without tax"
    shown = f"{told['name']}: prices in {told['currencyCode']}, {tax}"
    yield Finding("shop", is_good=True, message=shown)
    yield from _rights(client)
    listed = situation.maps.listed
    primary = number((found["location"] or {"id": ""})["id"])
    yield from _locations(client, listed("location"), primary)
    yield from _price_lists(client, listed("pricelist"))


def items(client: ShopClient) -> Iterator[ItemThere]:
    """Every variant that has a SKU."""
    for node in _all(client, "productVariants", "sku barcode displayName"):
        if node["sku"]:
            yield ItemThere(node["sku"], node["barcode"] or "", node["displayName"])


def _rights(client: ShopClient) -> Iterator[Finding]:
    """Asked for by writing to what there is not, which changes nothing."""
    nothing = {"id": ("ID!", "gid://shopify/Fulfillment/0")}
    item, place = "gid://shopify/InventoryItem/0", "gid://shopify/Location/0"
    plain = "userErrors { message }"
    writes = {
        "write_inventory": Write(
            "inventoryActivate",
            {"inventoryItemId": ("ID!", item), "locationId": ("ID!", place)},
            errors=plain,
            key=str(uuid4()),
        ),
        "write_products": Write(
            "productUpdate",
            {"product": ("ProductUpdateInput", {"id": "gid://shopify/Product/0"})},
            errors=plain,
        ),
        "write_orders": Write(
            "tagsAdd",
            {"id": ("ID!", "gid://shopify/Order/0"), "tags": ("[String!]!", ["fizzbridge"])},
            errors=plain,
        ),
        "write_merchant_managed_fulfillment_orders": Write(
            "fulfillmentCancel", nothing, errors=plain
        ),
    }
    for scope, write in writes.items():
        try:
            client.tell(write)
        except ConfigurationError:
            told = f"give the app the scope {scope}, and install it anew"
            yield Finding(f"right to {write.name}", is_good=False, message=told)
        else:
            yield Finding(f"right to {write.name}", is_good=True, message=scope)


def _locations(client: ShopClient, mapped: Mapping[str, str], primary: str) -> Iterator[Finding]:
    there = {number(one["id"]): one["name"] for one in _all(client, "locations", "id name")}
    if not mapped:
        told = f"all stock is shown at {there.get(primary, 'none')}, the primary location"
        yield Finding("location", is_good=primary in there, message=told)
        return
    for name, owners in sorted(mapped.items()):
        if number(name) in there:
            told = f"{there[number(name)]} shows the stock of {owners}"
        else:
            known = ", ".join(f"{title} is {one}" for one, title in there.items())
            told = f"the shop has no such location: {known}"
        yield Finding(f"location {name}", is_good=number(name) in there, message=told)


def _price_lists(client: ShopClient, mapped: Mapping[str, str]) -> Iterator[Finding]:
    if not mapped:
        return
    there = {
        number(one["id"]): f"{one['name']} in {one['currency']}"
        for one in _all(client, "priceLists", "id name currency")
    }
    for name, owners in sorted(mapped.items()):
        if number(name) in there:
            told = f"{there[number(name)]} has the prices of {owners}"
        else:
            known = ", ".join(f"{title} is {one}" for one, title in there.items())
            told = f"the shop has no such price list: {known or 'it has none'}"
        yield Finding(f"price list {name}", is_good=number(name) in there, message=told)


def _all(client: ShopClient, what: str, shown: str) -> Iterator[Any]:
    after = None
    while True:
        found = client.ask(_LISTED.format(what=what, shown=shown), after=after)[what]
        yield from found["nodes"]
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]
