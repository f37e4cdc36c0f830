"""What apps write of the sandbox shop's prices and products."""

import pytest

from tests.platforms.shopify.app_shop import READS, WRITES, done, refused, store
from tests.platforms.shopify.sandbox_shop import ask, code, control, told, topics

PRICE = """mutation($p: ID!, $v: [ProductVariantsBulkInput!]!, $some: Boolean) {
  productVariantsBulkUpdate(productId: $p, variants: $v, allowPartialUpdates: $some) {
    product { id } productVariants { id price compareAtPrice sku }
    userErrors { field message code } } }"""
PRODUCT = """mutation($p: ProductUpdateInput!) { productUpdate(product: $p) {
  product { id status title tags } userErrors { field message } } }"""
COLA_VARIANT, TONIC_VARIANT = "gid://shopify/ProductVariant/1", "gid://shopify/ProductVariant/3"


def price(sandbox, *rows, product=2, some=False, token="good"):  # noqa: S107 - no secret
    given = {"p": f"gid://shopify/Product/{product}", "v": list(rows), "some": some}
    return ask(sandbox, PRICE, given, token)


def test_a_price_is_set_with_two_decimals_and_told():
    sandbox = store()
    rows = {"id": COLA_VARIANT, "price": "14.5", "compareAtPrice": "16"}
    payload = done(price(sandbox, rows))
    assert payload["productVariants"] == [
        {"id": COLA_VARIANT, "price": "14.50", "compareAtPrice": "16.00", "sku": "COLA-24"}
    ]
    assert topics(sandbox) == ["products/update"]
    sent = told(sandbox, "products/update")[0]["variants"][0]
    assert (sent["price"], sent["compare_at_price"]) == ("14.50", "16.00")
    done(price(sandbox, {"id": COLA_VARIANT, "price": "14.50"}))
    assert topics(sandbox) == ["products/update"]
    none = done(price(sandbox, {"id": COLA_VARIANT, "compareAtPrice": None}))
    assert none["productVariants"][0]["compareAtPrice"] is None
    assert sandbox.accepted["price_update"] == 3


def test_a_sku_is_changed_through_its_item():
    sandbox = store()
    payload = done(price(sandbox, {"id": COLA_VARIANT, "inventoryItem": {"sku": "C-24"}}))
    assert payload["productVariants"][0]["sku"] == "C-24"
    assert topics(sandbox) == ["inventory_items/update", "products/update"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": COLA_VARIANT, "price": "-1"}, ("GREATER_THAN_OR_EQUAL_TO", "price")),
        ({"id": COLA_VARIANT, "compareAtPrice": "1e18"}, ("INVALID_INPUT", "compareAtPrice")),
        ({"id": COLA_VARIANT, "price": None}, ("BLANK", "price")),
        ({"id": TONIC_VARIANT, "price": "1"}, ("PRODUCT_VARIANT_DOES_NOT_EXIST", "id")),
        ({"price": "1"}, ("PRODUCT_VARIANT_ID_MISSING", "id")),
    ],
)
def test_one_wrong_price_stops_all_unless_some_will_do(row, expected):
    sandbox = store()
    good = {"id": COLA_VARIANT, "price": "15.00"}
    assert [(c, field[-1]) for c, field in refused(price(sandbox, good, row))] == [expected]
    assert (topics(sandbox), sandbox.accepted["price_update"]) == ([], 0)
    alone = price(sandbox, row, some=True)
    assert [c for c, _ in refused(alone)] == [expected[0]]
    assert sandbox.accepted["price_update"] == 0


def test_what_is_right_is_kept_when_some_will_do():
    product = {"title": "Ale", "options": ["Pack"], "variants": [
        {"sku": "A", "option1": "24", "price": "9.00"}, {"sku": "B", "option1": "1", "price": "1"},
    ]}  # fmt: skip
    sandbox = store(products=[product])
    made = next(one for one in sandbox.desk.catalogue.products.values() if len(one.variants) == 2)
    first, second = (f"gid://shopify/ProductVariant/{one.id}" for one in made.variants)
    rows = [{"id": first, "price": "9.99"}, {"id": second, "price": "-1.00"}]
    answer = price(sandbox, *rows, product=made.id, some=True)
    payload = answer["data"]["productVariantsBulkUpdate"]
    assert refused(answer) == [("GREATER_THAN_OR_EQUAL_TO", ["variants", "1", "price"])]
    assert [one["price"] for one in payload["productVariants"]] == ["9.99", "1.00"]
    assert sandbox.accepted["price_update"] == 1


def test_unknown_products_are_refused():
    answer = price(store(), {"id": COLA_VARIANT, "price": "1"}, product=99)
    assert refused(answer) == [("PRODUCT_DOES_NOT_EXIST", ["productId"])]
    gone = {"p": {"id": "gid://shopify/Product/99", "status": "DRAFT"}}
    assert refused(ask(store(), PRODUCT, gone)) == [(None, ["id"])]
    blank = {"p": {"id": "gid://shopify/Product/2", "title": " "}}
    assert refused(ask(store(), PRODUCT, blank)) == [(None, ["title"])]


@pytest.mark.parametrize("status", ["ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED"])
def test_a_product_s_status_is_set(status):
    sandbox = store()
    given = {"id": "gid://shopify/Product/2", "status": status}
    assert done(ask(sandbox, PRODUCT, {"p": given}))["product"]["status"] == status
    sent = [one["status"] for one in told(sandbox, "products/update")]
    assert sent == ([] if status == "ACTIVE" else [status.lower()])
    assert sandbox.accepted["product_update"] == 1


def test_tags_are_parted_kept_once_and_sorted():
    sandbox = store()
    tags = [" mixer ", "Cola,zero", "MIXER", "ale"]
    given = {"id": "gid://shopify/Product/2", "tags": tags}
    product = done(ask(sandbox, PRODUCT, {"p": given}))["product"]
    assert product["tags"] == ["ale", "Cola", "mixer", "zero"]
    assert told(sandbox, "products/update")[0]["tags"] == "ale, Cola, mixer, zero"


TRADE = {
    "id": 501,
    "name": "Trade",
    "currency": "GBP",
    "adjustment": "10",
    "prices": {"COLA-24": {"price": "11", "breaks": {"10": "10.50"}}},
    "catalog": {"title": "Trade prices", "locations": ["ACC-9"]},
}
LIST = "gid://shopify/PriceList/501"
LISTS = """{ priceLists(first: 9) { nodes { id name currency fixedPricesCount
  parent { adjustment { type value } } catalog { id title status
    ... on CompanyLocationCatalog { companyLocations(first: 9) { nodes { externalId } } } }
  prices(first: 9) { nodes { originType price { amount currencyCode } compareAtPrice { amount }
    variant { sku } quantityPriceBreaks(first: 9) { nodes { id minimumQuantity
      price { amount } } } } }
  quantityRules(first: 9, originType: FIXED) { nodes { minimum maximum increment isDefault
    productVariant { sku } } } } } }"""
ADD = """mutation($l: ID!, $p: [PriceListPriceInput!]!) {
  priceListFixedPricesAdd(priceListId: $l, prices: $p) { prices { price { amount } originType }
    userErrors { field message code } } }"""
UPDATE = """mutation($l: ID!, $p: [PriceListPriceInput!]!, $d: [ID!]!) {
  priceListFixedPricesUpdate(priceListId: $l, pricesToAdd: $p, variantIdsToDelete: $d) {
    priceList { fixedPricesCount } pricesAdded { price { amount } } deletedFixedPriceVariantIds
    userErrors { field message code } } }"""
DELETE = """mutation($l: ID!, $d: [ID!]!) {
  priceListFixedPricesDelete(priceListId: $l, variantIds: $d) { deletedFixedPriceVariantIds
    userErrors { field message code } } }"""
BREAKS = """mutation($l: ID!, $i: QuantityPricingByVariantUpdateInput!) {
  quantityPricingByVariantUpdate(priceListId: $l, input: $i) { productVariants { id }
    userErrors { field message code } } }"""


def trade(**more):
    return store(price_lists=[TRADE | more], access_tokens={"good": [*READS, *WRITES]})


def listed(sandbox):
    (one,) = ask(sandbox, LISTS)["data"]["priceLists"]["nodes"]
    return one


def prices(sandbox):
    return {
        one["variant"]["sku"]: (one["originType"], one["price"]["amount"])
        for one in listed(sandbox)["prices"]["nodes"]
    }


def breaks(sandbox):
    return {
        one["variant"]["sku"]: {
            step["minimumQuantity"]: step["price"]["amount"]
            for step in one["quantityPriceBreaks"]["nodes"]
        }
        for one in listed(sandbox)["prices"]["nodes"]
        if one["quantityPriceBreaks"]["nodes"]
    }


def gbp(amount, code="GBP"):
    return {"amount": amount, "currencyCode": code}


def fixed(variant=COLA_VARIANT, amount="12.345", code="GBP", **more):
    return {"variantId": variant, "price": gbp(amount, code)} | more


def test_price_lists_show_fixed_and_relative_prices_and_who_has_them():
    sandbox = trade()
    draft = {"name": "Quill & Co", "locations": [{"name": "Leeds", "external_id": "ACC-9"}]}
    control(sandbox, "/companies", draft)
    one = listed(sandbox)
    assert (one["id"], one["fixedPricesCount"]) == (LIST, 1)
    assert one["parent"]["adjustment"] == {"type": "PERCENTAGE_DECREASE", "value": 10.0}
    assert one["catalog"]["status"] == "ACTIVE"
    assert one["catalog"]["companyLocations"]["nodes"] == [{"externalId": "ACC-9"}]
    assert prices(sandbox) == {
        "COLA-24": ("FIXED", "11.0"),
        "TONIC-12": ("RELATIVE", "8.51"),
        'O\'HARA "X"': ("RELATIVE", "18.0"),
    }
    query = """{ catalogs(first: 9, type: COMPANY_LOCATION) { nodes { title priceList { id } } }
      companyLocations(first: 1) { nodes { catalogs(first: 2) { nodes { priceList { name } } } } }
    }"""
    data = ask(sandbox, query)["data"]
    assert data["catalogs"]["nodes"] == [{"title": "Trade prices", "priceList": {"id": LIST}}]
    (place,) = data["companyLocations"]["nodes"]
    assert place["catalogs"]["nodes"] == [{"priceList": {"name": "Trade"}}]


def test_one_variant_s_price_in_a_list():
    query = """query($i: ID!) { priceList(id: $i) {
      prices(first: 2, query: "variant_id:3") { nodes { variant { sku } } } } }"""
    nodes = ask(trade(), query, {"i": LIST})["data"]["priceList"]["prices"]["nodes"]
    assert nodes == [{"variant": {"sku": "TONIC-12"}}]


def test_fixed_prices_are_added_replaced_and_deleted():
    sandbox = trade()
    given = {"l": LIST, "p": [fixed(), fixed(TONIC_VARIANT, "8", compareAtPrice=gbp("9.45"))]}
    shown = done(ask(sandbox, ADD, given))["prices"]
    assert [one["price"]["amount"] for one in shown] == ["12.35", "8.0"]
    assert prices(sandbox)["TONIC-12"] == ("FIXED", "8.0")
    assert breaks(sandbox) == {"COLA-24": {10: "10.5"}}
    gone = {"l": LIST, "p": [fixed(amount="12")], "d": [TONIC_VARIANT]}
    payload = done(ask(sandbox, UPDATE, gone))
    assert payload["priceList"] == {"fixedPricesCount": 1}
    assert payload["deletedFixedPriceVariantIds"] == [TONIC_VARIANT]
    assert prices(sandbox)["TONIC-12"] == ("RELATIVE", "8.51")
    done(ask(sandbox, DELETE, {"l": LIST, "d": [COLA_VARIANT]}))
    assert (prices(sandbox)["COLA-24"], breaks(sandbox)) == (("RELATIVE", "11.88"), {})
    assert topics(sandbox) == []
    assert dict(sandbox.accepted) == {
        "price_list_add": 1,
        "price_list_update": 1,
        "price_list_delete": 1,
    }


@pytest.mark.parametrize(
    ("query", "given", "expected"),
    [
        (ADD, {"p": [fixed(code="EUR")]}, "PRICE_LIST_CURRENCY_MISMATCH"),
        (ADD, {"p": [fixed("gid://shopify/ProductVariant/9")]}, "VARIANT_NOT_FOUND"),
        (ADD, {"p": [fixed()], "l": "gid://shopify/PriceList/9"}, "PRICE_LIST_NOT_FOUND"),
        (DELETE, {"d": [COLA_VARIANT, TONIC_VARIANT]}, "PRICE_NOT_FIXED"),
        (DELETE, {"d": ["gid://shopify/ProductVariant/9"]}, "VARIANT_NOT_FOUND"),
        (UPDATE, {"d": [TONIC_VARIANT], "p": [fixed()]}, "PRICE_NOT_FIXED"),
    ],
)
def test_wrong_fixed_prices_change_nothing(query, given, expected):
    sandbox = trade()
    before = prices(sandbox)
    assert [c for c, _ in refused(ask(sandbox, query, {"l": LIST} | given))] == [expected]
    assert (prices(sandbox), sum(sandbox.accepted.values())) == (before, 0)


NOTHING = {
    key: []
    for key in (
        "pricesToAdd",
        "pricesToDeleteByVariantId",
        "quantityPriceBreaksToAdd",
        "quantityPriceBreaksToDelete",
        "quantityRulesToAdd",
        "quantityRulesToDeleteByVariantId",
    )
}


def step(minimum, amount="9", variant=COLA_VARIANT, code="GBP"):
    return {"minimumQuantity": minimum, "price": gbp(amount, code), "variantId": variant}


def rule(minimum, maximum=None, increment=1, variant=COLA_VARIANT):
    given = {"minimum": minimum, "maximum": maximum, "increment": increment}
    return given | {"variantId": variant}


def pricing(sandbox, **given):
    return ask(sandbox, BREAKS, {"l": LIST, "i": NOTHING | given})


def test_prices_breaks_and_rules_come_and_go_in_one_call():
    sandbox = trade()
    payload = done(
        pricing(
            sandbox,
            pricesToAdd=[fixed(TONIC_VARIANT, "8.00")],
            quantityPriceBreaksToDeleteByVariantId=[COLA_VARIANT],
            quantityPriceBreaksToAdd=[step(12, "10.1"), step(24, "9.999"), step(6, "7.5",
                                                                               TONIC_VARIANT)],
            quantityRulesToAdd=[rule(6, 60, 6, TONIC_VARIANT)],
        )
    )  # fmt: skip
    assert {one["id"] for one in payload["productVariants"]} == {COLA_VARIANT, TONIC_VARIANT}
    assert breaks(sandbox) == {"COLA-24": {12: "10.1", 24: "10.0"}, "TONIC-12": {6: "7.5"}}
    assert listed(sandbox)["quantityRules"]["nodes"] == [
        {
            "minimum": 6,
            "maximum": 60,
            "increment": 6,
            "isDefault": False,
            "productVariant": {"sku": "TONIC-12"},
        }
    ]
    (cola,) = (p for p in listed(sandbox)["prices"]["nodes"] if p["variant"]["sku"] == "COLA-24")
    first = cola["quantityPriceBreaks"]["nodes"][0]["id"]
    done(pricing(sandbox, quantityPriceBreaksToDelete=[first]))
    assert breaks(sandbox)["COLA-24"] == {24: "10.0"}
    done(pricing(sandbox, quantityPriceBreaksToAdd=[step(24, "9.5")]))
    assert breaks(sandbox)["COLA-24"] == {24: "9.5"}
    done(pricing(sandbox, quantityRulesToDeleteByVariantId=[TONIC_VARIANT]))
    assert listed(sandbox)["quantityRules"]["nodes"] == []
    assert sandbox.accepted["quantity_pricing_update"] == 4


UNKNOWN = "gid://shopify/ProductVariant/9"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"pricesToAdd": [fixed(code="EUR")]}, ["PRICE_ADD_CURRENCY_MISMATCH"]),
        ({"pricesToAdd": [fixed(), fixed()]}, ["PRICE_ADD_DUPLICATE_INPUT_FOR_VARIANT"] * 2),
        ({"pricesToAdd": [fixed(UNKNOWN)]}, ["PRICE_ADD_VARIANT_NOT_FOUND"]),
        ({"pricesToDeleteByVariantId": [UNKNOWN]}, ["PRICE_DELETE_VARIANT_NOT_FOUND"]),
        ({"pricesToDeleteByVariantId": [TONIC_VARIANT]}, ["PRICE_DELETE_PRICE_NOT_FIXED"]),
        (
            {"quantityPriceBreaksToDelete": ["gid://shopify/QuantityPriceBreak/9"]},
            ["QUANTITY_PRICE_BREAK_DELETE_NOT_FOUND"],
        ),
        (
            {"quantityPriceBreaksToDeleteByVariantId": [UNKNOWN]},
            ["QUANTITY_PRICE_BREAK_DELETE_BY_VARIANT_ID_VARIANT_NOT_FOUND"],
        ),
        (
            {"quantityRulesToDeleteByVariantId": [UNKNOWN]},
            ["QUANTITY_RULE_DELETE_VARIANT_NOT_FOUND"],
        ),
        (
            {"quantityRulesToAdd": [rule(0)]},
            [
                "QUANTITY_RULE_ADD_MINIMUM_IS_LESS_THAN_ONE",
                "QUANTITY_RULE_ADD_INCREMENT_IS_GREATER_THAN_MINIMUM",
            ],
        ),
        (
            {"quantityRulesToAdd": [rule(3, increment=0)]},
            ["QUANTITY_RULE_ADD_INCREMENT_IS_LESS_THAN_ONE"],
        ),
        (
            {"quantityRulesToAdd": [rule(3, increment=2)]},
            ["QUANTITY_RULE_ADD_MINIMUM_NOT_A_MULTIPLE_OF_INCREMENT"],
        ),
        ({"quantityRulesToAdd": [rule(9, 5)]}, ["QUANTITY_RULE_ADD_MINIMUM_GREATER_THAN_MAXIMUM"]),
        (
            {"quantityRulesToAdd": [rule(6, 15, 6)]},
            ["QUANTITY_RULE_ADD_MAXIMUM_NOT_A_MULTIPLE_OF_INCREMENT"],
        ),
        (
            {"quantityPriceBreaksToAdd": [step(5, variant=TONIC_VARIANT)]},
            ["QUANTITY_PRICE_BREAK_ADD_PRICE_LIST_PRICE_NOT_FOUND"],
        ),
        (
            {"quantityPriceBreaksToAdd": [step(5, variant=UNKNOWN)]},
            ["QUANTITY_PRICE_BREAK_ADD_VARIANT_NOT_FOUND"],
        ),
        ({"quantityPriceBreaksToAdd": [step(0)]}, ["QUANTITY_PRICE_BREAK_ADD_INVALID"]),
        (
            {"quantityPriceBreaksToAdd": [step(5, code="EUR")]},
            ["QUANTITY_PRICE_BREAK_ADD_CURRENCY_MISMATCH"],
        ),
        (
            {"quantityPriceBreaksToAdd": [step(5), step(5)]},
            ["QUANTITY_PRICE_BREAK_ADD_DUPLICATE_INPUT_FOR_VARIANT_AND_MIN"] * 2,
        ),
        (
            {"quantityPriceBreaksToAdd": [step(n) for n in range(20, 30)]},
            ["QUANTITY_PRICE_BREAK_ADD_LIMIT_EXCEEDED"],
        ),
        (
            {"quantityRulesToAdd": [rule(6, 12, 6)], "quantityPriceBreaksToAdd": [step(3)]},
            ["QUANTITY_PRICE_BREAK_ADD_MIN_LOWER_THAN_QUANTITY_RULES_MIN"],
        ),
        (
            {"quantityRulesToAdd": [rule(6, 12, 6)], "quantityPriceBreaksToAdd": [step(18)]},
            ["QUANTITY_PRICE_BREAK_ADD_MIN_HIGHER_THAN_QUANTITY_RULES_MAX"],
        ),
        (
            {"quantityRulesToAdd": [rule(6, 12, 6)], "quantityPriceBreaksToAdd": [step(7)]},
            ["QUANTITY_PRICE_BREAK_ADD_MIN_NOT_A_MULTIPLE_OF_QUANTITY_RULES_INCREMENT"],
        ),
    ],
)
def test_wrong_pricing_changes_nothing(given, expected):
    sandbox = trade()
    answer = pricing(sandbox, **given)
    assert [c for c, _ in refused(answer)] == expected
    assert answer["data"]["quantityPricingByVariantUpdate"]["productVariants"] is None
    assert (breaks(sandbox), prices(sandbox)["COLA-24"]) == (
        {"COLA-24": {10: "10.5"}},
        ("FIXED", "11.0"),
    )
    assert sandbox.accepted["quantity_pricing_update"] == 0


@pytest.mark.parametrize("query", [PRICE, PRODUCT, ADD, UPDATE, DELETE, BREAKS])
def test_each_write_of_prices_needs_its_scope(query):
    sandbox = store()
    given = {"l": "x", "d": [], "i": NOTHING, "v": [], "p": []}
    given |= {PRICE: {"p": "x"}, PRODUCT: {"p": {}}}.get(query, {})
    answer = ask(sandbox, query, given, "reader")
    assert code(answer) == "ACCESS_DENIED"
    assert "`write_products`" in answer["errors"][0]["extensions"]["requiredAccess"]
    assert (list(answer["data"].values()), sandbox.accepted) == ([None], {})
