"""The sandbox's products, variants and stock."""

import json

import pytest

from platforms.shopify.sandbox import sign
from platforms.shopify.sandbox_hooks import TOPICS
from platforms.shopify.sandbox_orders import RefusedError
from tests.platforms.shopify.sandbox_shop import (
    SAMPLES,
    SCHEMAS,
    SCOPES,
    ask,
    code,
    control,
    missing_fields,
    needs_vendor_files,
    paths,
    shop,
    subscribe,
    told,
    topics,
)

DEPOT, QUAY = 71_000_000_011, 71_000_000_022
MORE = [*SCOPES, "read_inventory", "read_locations", "read_returns", "read_fulfillments"]
GINGER = {
    "title": "Ginger Ale",
    "tags": ["mixer", "ginger"],
    "body_html": "<p>Dry &amp; spicy</p>",
    "options": ["Pack"],
    "variants": [
        {
            "sku": "GINGER-24",
            "option1": "24 x 330 ml",
            "price": "15.6",
            "compare_at_price": "17.00",
            "barcode": "5012345678900",
            "stock": 40,
            "cost": "9.10",
            "weight": 8.6,
        },
        {"sku": "GINGER-1", "option1": "330 ml", "price": "0.85", "stock": {str(QUAY): 12}},
    ],
}


def store(**seed):
    given = {
        "webhook_topics": "all",
        "access_tokens": {"good": MORE, "none": []},
        "locations": [{"id": QUAY, "name": "Quay store"}],
    }
    return shop(**given | seed)


def made(sandbox, draft=GINGER):
    answer = control(sandbox, "/products", draft)
    assert answer.status_code == 201, answer.text
    return answer.json()["product"]


def act(sandbox, things, key, action, **given):
    answer = control(sandbox, f"/{things}/{key}/{action}", given)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_product_is_told_with_its_items_and_where_they_are():
    sandbox = store()
    product = made(sandbox)
    assert topics(sandbox) == [
        "products/create",
        *["inventory_items/create", "inventory_levels/connect"] * 2,
    ]
    for delivery in sandbox.deliveries:
        assert delivery.headers["X-Shopify-Hmac-Sha256"] == sign("new-secret", delivery.body)
    case, can = product["variants"]
    assert (case["price"], case["compare_at_price"], can["compare_at_price"]) == (
        "15.60",
        "17.00",
        None,
    )
    assert (case["inventory_quantity"], can["inventory_quantity"]) == (40, 12)
    assert product["tags"] == "mixer, ginger"
    assert product["options"][0]["values"] == ["24 x 330 ml", "330 ml"]
    first, second = told(sandbox, "inventory_levels/connect")
    assert (first["location_id"], second["location_id"]) == (DEPOT, QUAY)
    assert first["inventory_item_id"] == case["inventory_item_id"]
    gid = first["admin_graphql_api_id"]
    assert gid.endswith(f"?inventory_item_id={case['inventory_item_id']}")


def test_prices_status_and_texts_change_in_one_update():
    sandbox = store()
    product = made(sandbox)
    sandbox.clock.later(seconds=5)
    before = len(sandbox.deliveries)
    body = act(
        sandbox,
        "products",
        product["id"],
        "update",
        price={"GINGER-24": "16.20"},
        compare_at_price={"GINGER-24": None},
        status="draft",
        title="Ginger Ale, dry",
    )["product"]
    assert topics(sandbox)[before:] == ["products/update"]
    case, can = body["variants"]
    assert (case["price"], case["compare_at_price"], can["price"]) == ("16.20", None, "0.85")
    assert body["updated_at"] == case["updated_at"] == "2026-11-20T09:30:05+00:00"
    assert can["updated_at"] == product["updated_at"]
    assert [one["admin_graphql_api_id"] for one in body["variant_gids"]] == [
        case["admin_graphql_api_id"],
        can["admin_graphql_api_id"],
    ]
    assert body["variant_gids"][0]["updated_at"] == "2026-11-20T09:30:05.000Z"
    assert (body["status"], body["title"]) == ("draft", "Ginger Ale, dry")


def test_a_variant_s_sku_is_its_item_s_too():
    sandbox = store()
    product = made(sandbox)
    before = len(sandbox.deliveries)
    changes = {"GINGER-24": {"sku": "GINGER-C24", "cost": "9.55"}}
    act(sandbox, "products", product["id"], "update", variants=changes)
    assert topics(sandbox)[before:] == ["inventory_items/update", "products/update"]
    (item,) = told(sandbox, "inventory_items/update")
    assert (item["sku"], item["cost"]) == ("GINGER-C24", "9.55")
    (body,) = told(sandbox, "products/update")
    assert body["variants"][0]["sku"] == "GINGER-C24"


def test_variants_come_and_go_but_never_all():
    sandbox = store()
    product = made(sandbox)
    before = len(sandbox.deliveries)
    added = [{"sku": "GINGER-6", "option1": "6 x 330 ml", "price": "4.50"}]
    body = act(sandbox, "products", product["id"], "update", add=added, remove=["GINGER-1"])
    assert [one["sku"] for one in body["product"]["variants"]] == ["GINGER-24", "GINGER-6"]
    assert topics(sandbox)[before:] == [
        "inventory_items/delete",
        "inventory_items/create",
        "inventory_levels/connect",
        "products/update",
    ]
    path = f"/products/{product['id']}/update"
    assert control(sandbox, path, {"remove": ["GINGER-24", "GINGER-6"]}).status_code == 422
    act(sandbox, "products", product["id"], "delete")
    assert told(sandbox, "products/delete") == [{"id": product["id"]}]
    assert len(told(sandbox, "inventory_items/delete")) == 3


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"title": "A", "variants": []},
        {"title": "A", "colour": "red"},
        {"title": "A", "status": "sold"},
        {"title": "A", "variants": [{"sku": "A", "prize": "1.00"}]},
        {"title": "A", "variants": [{"sku": "A", "inventory_policy": "maybe"}]},
    ],
)
def test_products_that_make_no_sense_are_refused(draft):
    sandbox = store()
    assert control(sandbox, "/products", draft).status_code == 422
    assert topics(sandbox) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "sold"},
        {"price": {"NONE": "1.00"}},
        {"variants": {"GINGER-24": {"stock": 3}}},
        {"variants": {"GINGER-24": {"prize": 3}}},
        {"remove": ["NONE"]},
        {"colour": "red"},
        {"price": {"GINGER-24": "cheap"}},
        {"add": [{"sku": "A", "price": "cheap"}]},
        {"stock": {"GINGER-24": "many"}},
    ],
)
def test_a_refused_update_of_a_product_leaves_it_as_it_was(changes):
    sandbox = store()
    product = made(sandbox)
    sent = len(sandbox.deliveries)
    path = f"/products/{product['id']}/update"
    assert control(sandbox, path, changes | {"title": "Other"}).status_code == 422
    assert sandbox.desk.catalogue.get(product["id"]).told() == product
    assert len(sandbox.deliveries) == sent


def test_after_a_hundred_variants_only_ids_are_told():
    sandbox = store()
    variants = [{"sku": f"MIX-{n}", "option1": str(n), "price": "1.00"} for n in range(103)]
    body = made(sandbox, {"title": "Mixed case", "options": ["Mix"], "variants": variants})
    assert (len(body["variants"]), len(body["variant_gids"])) == (100, 103)
    query = "query($id: ID!) { product(id: $id) { variants(first: 250) { nodes { sku } } } }"
    shown = ask(sandbox, query, {"id": body["admin_graphql_api_id"]})["data"]["product"]
    assert [one["sku"] for one in shown["variants"]["nodes"]] == [v["sku"] for v in variants]


def test_stock_is_told_by_level_then_variant_then_product():
    sandbox = store()
    made(sandbox)
    before = len(sandbox.deliveries)
    act(sandbox, "variants", "GINGER-24", "stock", available=0)
    assert topics(sandbox)[before:] == [
        "inventory_levels/update",
        "variants/out_of_stock",
        "products/update",
    ]
    (level,) = told(sandbox, "inventory_levels/update")
    assert (level["available"], level["location_id"]) == (0, DEPOT)
    (variant,) = told(sandbox, "variants/out_of_stock")
    assert (variant["sku"], variant["inventory_quantity"]) == ("GINGER-24", 0)
    assert "inventory_item_id" not in variant
    act(sandbox, "variants", "GINGER-24", "stock", available=-2)
    assert told(sandbox, "inventory_levels/update")[-1]["available"] == -2
    assert topics(sandbox)[-1] == "products/update"
    act(sandbox, "variants", "GINGER-24", "stock", available=7)
    assert len(told(sandbox, "variants/in_stock")) == 1
    sent = len(sandbox.deliveries)
    act(sandbox, "variants", "GINGER-24", "stock", available=7)
    assert len(sandbox.deliveries) == sent


def test_a_second_place_may_be_connected_and_given_up():
    sandbox = store()
    made(sandbox)
    act(sandbox, "variants", "GINGER-24", "connect", location_id=QUAY, available=6)
    body = told(sandbox, "inventory_levels/connect")[-1]
    assert (body["location_id"], body["available"]) == (QUAY, 6)
    act(sandbox, "variants", "GINGER-24", "stock", available=9, location=QUAY)
    assert told(sandbox, "inventory_levels/update")[-1]["location_id"] == QUAY
    again = {"location_id": QUAY}
    assert control(sandbox, "/variants/GINGER-24/connect", again).status_code == 422
    act(sandbox, "variants", "GINGER-24", "disconnect", location_id=QUAY)
    thin = told(sandbox, "inventory_levels/disconnect")
    assert thin == [{"inventory_item_id": body["inventory_item_id"], "location_id": QUAY}]
    for given in ({"location_id": QUAY}, {"location_id": DEPOT}, {"location_id": 5}):
        assert control(sandbox, "/variants/GINGER-24/disconnect", given).status_code == 422


PLACES = """query($id: ID!, $all: Boolean, $place: ID!) { inventoryItem(id: $id) {
  locationsCount { count }
  inventoryLevels(first: 5, includeInactive: $all) { nodes { id isActive canDeactivate updatedAt
    location { id } quantities(names: ["available"]) { quantity } } }
  inventoryLevel(locationId: $place, includeInactive: $all) { isActive } } }"""


def places(sandbox, everywhere=None):
    item = sandbox.desk.catalogue.found("GINGER-24").item.facts["admin_graphql_api_id"]
    given = {"id": item, "place": f"gid://shopify/Location/{QUAY}"}
    if everywhere is not None:
        given["all"] = everywhere
    answer = ask(sandbox, PLACES, given)
    assert "errors" not in answer, answer
    return answer["data"]["inventoryItem"]


def test_a_place_given_up_is_shown_to_who_asks_for_inactive_ones():
    sandbox = store()
    made(sandbox)
    act(sandbox, "variants", "GINGER-24", "connect", location_id=QUAY, available=6)
    assert [one["canDeactivate"] for one in places(sandbox)["inventoryLevels"]["nodes"]] == [
        True,
        True,
    ]
    sandbox.clock.later(minutes=5)
    act(sandbox, "variants", "GINGER-24", "disconnect", location_id=QUAY)
    for shown in (places(sandbox), places(sandbox, everywhere=False)):
        (left,) = shown["inventoryLevels"]["nodes"]
        assert (left["isActive"], left["canDeactivate"]) == (True, False)
        assert (shown["inventoryLevel"], shown["locationsCount"]) == (None, {"count": 1})
    shown = places(sandbox, everywhere=True)
    first, gone = shown["inventoryLevels"]["nodes"]
    assert first == left
    assert (gone["isActive"], gone["canDeactivate"]) == (False, False)
    assert gone["location"] == {"id": f"gid://shopify/Location/{QUAY}"}
    assert (gone["quantities"], gone["updatedAt"]) == ([{"quantity": 6}], "2026-11-20T09:35:00Z")
    assert shown["inventoryLevel"] == {"isActive": False}
    assert sandbox.desk.catalogue.found("GINGER-24").item.available() == 40
    refused = {"location": QUAY, "available": 3}
    assert control(sandbox, "/variants/GINGER-24/stock", refused).status_code == 422


@pytest.mark.parametrize(("given", "expected"), [({}, 6), ({"available": 2}, 2)])
def test_a_place_taken_up_again_is_the_one_it_was(given, expected):
    sandbox = store()
    made(sandbox)
    act(sandbox, "variants", "GINGER-24", "connect", location_id=QUAY, available=6)
    before = places(sandbox)["inventoryLevels"]["nodes"][1]["id"]
    act(sandbox, "variants", "GINGER-24", "disconnect", location_id=QUAY)
    act(sandbox, "variants", "GINGER-24", "connect", location_id=QUAY, **given)
    again = places(sandbox)["inventoryLevels"]["nodes"][1]
    assert (again["id"], again["isActive"]) == (before, True)
    assert again["quantities"] == [{"quantity": expected}]
    body = told(sandbox, "inventory_levels/connect")[-1]
    assert (body["admin_graphql_api_id"], body["available"]) == (before, expected)


def test_untracked_stock_is_null_and_cannot_be_counted():
    sandbox = store()
    made(sandbox, {"title": "Deposit", "variants": [{"price": "2.40"}]})
    (level,) = told(sandbox, "inventory_levels/connect")
    assert level["available"] is None
    (body,) = told(sandbox, "products/create")
    assert (body["variants"][0]["sku"], body["variants"][0]["title"]) == (None, "Default Title")
    with pytest.raises(RefusedError):
        sandbox.desk.catalogue.set_stock(body["variants"][0]["id"], 4)


LEVELS = """query($id: ID!) { inventoryItem(id: $id) { id sku tracked requiresShipping updatedAt
  legacyResourceId unitCost { amount currencyCode } measurement { weight { unit value } }
  variants(first: 1) { nodes { id sku product { title } } }
  inventoryLevels(first: 50) { nodes { id location { id name } updatedAt
    quantities(names: ["available", "on_hand", "committed", "incoming"]) { name quantity } } } }
  }"""


def counts(sandbox, sku="GINGER-24"):
    item = sandbox.desk.catalogue.found(sku).item.facts["admin_graphql_api_id"]
    shown = ask(sandbox, LEVELS, {"id": item})["data"]["inventoryItem"]
    return [
        {one["name"]: one["quantity"] for one in level["quantities"]}
        for level in shown["inventoryLevels"]["nodes"]
    ]


def stock(available, committed):
    on_hand = available + committed
    return {"available": available, "on_hand": on_hand, "committed": committed, "incoming": 0}


def test_orders_promise_stock_and_shipments_take_it():
    sandbox = store()
    made(sandbox)
    draft = {"lines": [{"sku": "GINGER-24", "quantity": 6}], "paid": True}
    order = sandbox.place_order(draft)["id"]
    assert counts(sandbox) == [stock(34, 6)]
    assert told(sandbox, "inventory_levels/update")[-1]["available"] == 34
    sandbox.edit_order(order, {"quantities": {"GINGER-24": 8}})
    assert counts(sandbox) == [stock(32, 8)]
    levels = len(told(sandbox, "inventory_levels/update"))
    sandbox.fulfill_order(order, [{"sku": "GINGER-24", "quantity": 5}])
    assert counts(sandbox) == [stock(32, 3)]
    assert len(told(sandbox, "inventory_levels/update")) == levels
    sandbox.dispatch.cancel(order)
    assert counts(sandbox) == [stock(32, 8)]
    back = {"line": "GINGER-24", "quantity": 2, "restock_type": "cancel"}
    sandbox.refund_order(order, [back])
    assert counts(sandbox) == [stock(34, 6)]
    sandbox.refund_order(order, [back | {"quantity": 1, "restock_type": "no_restock"}])
    assert counts(sandbox) == [stock(34, 5)]
    sandbox.cancel_order(order)
    assert counts(sandbox) == [stock(39, 0)]


def test_a_refused_change_moves_no_stock():
    sandbox = store()
    made(sandbox)
    draft = {"lines": [{"sku": "GINGER-24", "quantity": 6}], "paid": True}
    order = sandbox.place_order(draft)["id"]
    line = {"line": "GINGER-24", "quantity": 2}
    with pytest.raises(RefusedError):
        sandbox.refund_order(order, [line], "5000.00")
    with pytest.raises(RefusedError):
        sandbox.fulfill_order(order, [line, {"line": "GINGER-24", "quantity": 9}])
    sandbox.update_order(order, {"note": "x"})
    assert counts(sandbox) == [stock(34, 6)]


def test_the_api_says_of_goods_what_the_webhooks_say():
    sandbox = store()
    body = made(sandbox)
    query = """query($id: ID!) { product(id: $id) { id legacyResourceId title handle status vendor
      description descriptionHtml tags totalInventory tracksInventory createdAt updatedAt
      publishedAt
      options { name values } variantsCount { count }
      variants(first: 5) { nodes { id sku title price compareAtPrice barcode inventoryQuantity
        inventoryPolicy availableForSale position displayName selectedOptions { name value }
        inventoryItem { id } } } } }"""
    shown = ask(sandbox, query, {"id": body["admin_graphql_api_id"]})["data"]["product"]
    assert (shown["status"], shown["tags"]) == ("ACTIVE", ["mixer", "ginger"])
    assert (shown["totalInventory"], shown["tracksInventory"]) == (52, True)
    case, can = shown["variants"]["nodes"]
    assert (case["price"], case["compareAtPrice"], can["compareAtPrice"]) == (
        "15.60",
        "17.00",
        None,
    )
    assert case["displayName"] == "Ginger Ale - 24 x 330 ml"
    assert case["selectedOptions"] == [{"name": "Pack", "value": "24 x 330 ml"}]
    assert case["inventoryPolicy"] == "DENY"
    answer = ask(sandbox, LEVELS, {"id": case["inventoryItem"]["id"]})["data"]["inventoryItem"]
    assert answer["unitCost"] == {"amount": "9.1", "currencyCode": "GBP"}
    assert answer["measurement"]["weight"] == {"unit": "KILOGRAMS", "value": 8.6}
    assert answer["variants"]["nodes"][0]["product"] == {"title": "Ginger Ale"}
    (level,) = answer["inventoryLevels"]["nodes"]
    assert level["location"] == {"id": f"gid://shopify/Location/{DEPOT}", "name": "Main depot"}
    assert level["id"] == told(sandbox, "inventory_levels/connect")[0]["admin_graphql_api_id"]
    query = """query($id: ID!) { inventoryLevel(id: $id) { id isActive item { sku
      variants(first: 1) { nodes { sku } } } quantities(names: ["available"]) { quantity } } }"""
    one = ask(sandbox, query, {"id": level["id"]})["data"]["inventoryLevel"]
    assert one["quantities"] == [{"quantity": 40}]
    assert one["item"]["variants"]["nodes"] == [{"sku": "GINGER-24"}]


def test_a_line_of_an_order_leads_to_its_goods():
    sandbox = store()
    made(sandbox)
    order = sandbox.place_order({"lines": [{"sku": "GINGER-24"}]})
    assert order["line_items"][0]["title"] == "Ginger Ale"
    query = """query($id: ID!) { order(id: $id) { lineItems(first: 1) { nodes {
      variant { barcode } product { status } } } } }"""
    answer = ask(sandbox, query, {"id": order["admin_graphql_api_id"]})["data"]["order"]
    (line,) = answer["lineItems"]["nodes"]
    assert line == {"variant": {"barcode": "5012345678900"}, "product": {"status": "ACTIVE"}}


def found(sandbox, what, query, sort=""):
    text = f"query($q: String) {{ {what}(first: 50, query: $q{sort}) {{ nodes {{ id }} }} }}"
    answer = ask(sandbox, text, {"q": query})
    assert "errors" not in answer, answer
    return [one["id"] for one in answer["data"][what]["nodes"]]


def test_goods_are_found_by_time_and_sku():
    sandbox = store(search_lag_seconds=5)
    made(sandbox)
    since = "updated_at:>='2026-11-20T09:31:00Z'"
    assert found(sandbox, "products", "title:'Ginger Ale'") == []
    sandbox.clock.later(seconds=90)
    body = act(sandbox, "variants", "GINGER-24", "stock", available=3)["variant"]
    assert found(sandbox, "products", since) == []
    sandbox.clock.later(seconds=5)
    product = f"gid://shopify/Product/{body['product_id']}"
    assert found(sandbox, "products", since, ", sortKey: UPDATED_AT") == [product]
    assert found(sandbox, "products", "sku:'GINGER-1'") == [product]
    assert found(sandbox, "productVariants", "sku:'GINGER-24'") == [body["admin_graphql_api_id"]]
    assert len(found(sandbox, "productVariants", f"product_id:{body['product_id']}")) == 2
    assert len(found(sandbox, "inventoryItems", "sku:'GINGER-24'")) == 1
    assert found(sandbox, "inventoryItems", since) == []
    assert len(found(sandbox, "locations", "")) == 2


def test_a_sku_used_twice_is_found_twice():
    sandbox = store()
    for title in ("Old", "New"):
        made(sandbox, {"title": title, "variants": [{"sku": "SAME", "price": "1.00"}]})
    assert len(found(sandbox, "productVariants", "sku:'SAME'")) == 2
    query = "{ inventoryItems(first: 5, query: \"sku:'SAME'\") { nodes { duplicateSkuCount } } }"
    nodes = ask(sandbox, query)["data"]["inventoryItems"]["nodes"]
    assert nodes == [{"duplicateSkuCount": 1}] * 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ products(first: 1) { nodes { colour } } }", "undefinedField"),
        ("{ products(first: 251) { nodes { id } } }", "BAD_REQUEST"),
        ("{ products { nodes { id } } }", "BAD_REQUEST"),
        ('{ products(first: 1, query: "colour:red") { nodes { id } } }', "BAD_REQUEST"),
        ('{ inventoryItems(first: 1, query: "title:x") { nodes { id } } }', "BAD_REQUEST"),
        ("{ productVariants(first: 1, sortKey: COLOUR) { nodes { id } } }", "argumentLiterals"),
        ('{ product(id: "gid://shopify/Order/1") { id } }', "argumentLiterals"),
        ('{ inventoryLevel(id: "gid://shopify/InventoryLevel/1") { id } }', "argumentLiterals"),
        ('{ inventoryItem(id: "gid://shopify/InventoryItem/1") { variant { id } } }', "undefined"),
    ],
)
def test_wrong_questions_about_goods_are_refused(query, expected):
    assert code(ask(store(), query)).startswith(expected)


def test_an_unknown_kind_of_quantity_is_refused():
    sandbox = store()
    made(sandbox)
    item = sandbox.desk.catalogue.found("GINGER-24").item.facts["admin_graphql_api_id"]
    query = """query($id: ID!) { inventoryItem(id: $id) { inventoryLevels(first: 1) {
      nodes { quantities(names: ["spilt"]) { quantity } } } } }"""
    assert code(ask(sandbox, query, {"id": item})) == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        ("{ products(first: 1) { nodes { id } } }", "read_products"),
        ('{ product(id: "gid://shopify/Product/1") { id } }', "read_products"),
        ("{ productVariants(first: 1) { nodes { id } } }", "read_products"),
        ('{ productVariant(id: "gid://shopify/ProductVariant/1") { id } }', "read_products"),
        ("{ inventoryItems(first: 1) { nodes { id } } }", "read_inventory"),
        ('{ inventoryItem(id: "gid://shopify/InventoryItem/1") { id } }', "read_inventory"),
        (
            '{ inventoryLevel(id: "gid://shopify/InventoryLevel/1?inventory_item_id=2") { id } }',
            "read_inventory",
        ),
        ("{ locations(first: 1) { nodes { id } } }", "read_locations"),
        ("{ location { id } }", "read_locations"),
    ],
)
def test_goods_are_read_with_their_scope_alone(query, scope):
    sandbox = store(access_tokens={"good": [scope], "other": ["read_orders", "read_customers"]})
    assert "errors" not in ask(sandbox, query)
    assert code(ask(sandbox, query, token="other")) == "ACCESS_DENIED"


def test_where_stock_is_takes_the_scope_of_locations():
    sandbox = store(access_tokens={"good": ["read_inventory", "read_products"]})
    made(sandbox)
    item = sandbox.desk.catalogue.found("GINGER-24").item.facts["admin_graphql_api_id"]
    assert code(ask(sandbox, LEVELS, {"id": item})) == "ACCESS_DENIED"


SCOPE_OF = {
    "CUSTOMERS": "read_customers",
    "COMPANIES": "read_companies",
    "COMPANY_LOCATIONS": "read_companies",
    "RETURNS": "read_returns",
    "PRODUCTS": "read_products",
    "VARIANTS": "read_products",
    "INVENTORY_ITEMS": "read_inventory",
    "INVENTORY_LEVELS": "read_inventory",
    "FULFILLMENTS": "read_fulfillments",
}


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_each_topic_takes_its_scope(topic):
    scope = SCOPE_OF.get(topic.rsplit("_", 1)[0], "read_orders")
    if topic.startswith(("ORDERS", "ORDER_", "REFUNDS")):
        scope = "read_orders"
    if topic.startswith("VARIANTS"):
        scope = "read_products"
    tokens = {"good": [scope], "other": ["read_draft_orders"]}
    sandbox = shop(webhook_uri=None, access_tokens=tokens)
    given = {"uri": "https://a.example/in"}
    refused = subscribe(sandbox, topic, given, token="other")
    assert refused["webhookSubscription"] is None
    assert TOPICS[topic] in refused["userErrors"][0]["message"]
    assert subscribe(sandbox, topic, given)["userErrors"] == []


def test_closed_returns_may_be_heard_of_with_the_orders_scope():
    sandbox = shop(webhook_uri=None, access_tokens={"good": ["read_orders"]})
    given = {"uri": "https://a.example/in"}
    assert subscribe(sandbox, "RETURNS_CLOSE", given)["userErrors"] == []
    assert subscribe(sandbox, "RETURNS_CANCEL", given)["userErrors"] == []
    assert subscribe(sandbox, "RETURNS_REQUEST", given)["userErrors"]


def everything(sandbox):
    product = made(sandbox)
    act(sandbox, "products", product["id"], "update", variants={"GINGER-24": {"cost": "9.00"}})
    for count in (0, 4):
        act(sandbox, "variants", "GINGER-24", "stock", available=count)
    act(sandbox, "variants", "GINGER-24", "connect", location_id=QUAY)
    act(sandbox, "variants", "GINGER-24", "disconnect", location_id=QUAY)
    act(sandbox, "products", product["id"], "delete")


@needs_vendor_files
def test_goods_have_the_vendors_fields_and_no_other():
    sandbox = store()
    everything(sandbox)
    schemas = json.loads(SCHEMAS.read_text())["topics"]
    assert len(set(topics(sandbox))) == 11
    for delivery in sandbox.deliveries:
        body, schema = json.loads(delivery.body), schemas[delivery.topic]
        assert list(missing_fields(schema, body)) == [], delivery.topic
        assert body.keys() <= schema["properties"].keys(), delivery.topic


@needs_vendor_files
@pytest.mark.parametrize(
    ("sample", "topic"),
    [
        ("webhook-products-create.json", "products/create"),
        ("webhook-products-update.json", "products/update"),
        ("webhook-inventory_items-create.json", "inventory_items/create"),
        ("webhook-inventory_levels-connect.json", "inventory_levels/connect"),
        ("webhook-inventory_levels-update.json", "inventory_levels/update"),
    ],
)
def test_samples_of_goods_are_produced_field_for_field(sample, topic):
    sandbox = store()
    everything(sandbox)
    ours = told(sandbox, topic)[0]
    theirs = json.loads((SAMPLES / sample).read_text())
    assert set(paths(theirs)) - set(paths(ours)) == set()


@needs_vendor_files
@pytest.mark.parametrize(
    ("sample", "query", "beside"),
    [
        (
            "graphql-get-product.json",
            """query($product: ID!) { product(id: $product) { id title description handle
            productType vendor status totalInventory createdAt updatedAt variants(first: 10) {
            edges { node { id title sku price barcode inventoryQuantity createdAt updatedAt } } }
            } }""",
            ".product.media",
        ),
        (
            "graphql-list-products.json",
            """{ products(first: 50) { nodes { id title handle description vendor productType
            status tags createdAt updatedAt publishedAt } pageInfo { hasNextPage endCursor } } }""",
            None,
        ),
        (
            "graphql-get-inventory-item.json",
            """query($item: ID!) { inventoryItem(id: $item) { id sku tracked
            inventoryLevels(first: 50) { edges { node { id location { id name }
            quantities(names: ["available"]) { name quantity } } } } } }""",
            None,
        ),
    ],
)
def test_sample_answers_about_goods_are_given(sample, query, beside):
    sandbox = store()
    body = made(sandbox)
    item = sandbox.desk.catalogue.found("GINGER-24").item.facts["admin_graphql_api_id"]
    given = {"product": body["admin_graphql_api_id"], "item": item}
    given = {name: value for name, value in given.items() if f"${name}" in query}
    answer = ask(sandbox, query, given)
    assert "errors" not in answer, answer
    theirs = json.loads((SAMPLES / sample).read_text())["data"]
    lacking = set(paths(theirs)) - set(paths(answer["data"]))
    assert all(beside and path.startswith(beside) for path in lacking), lacking
