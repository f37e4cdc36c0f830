"""How the sandbox answers GraphQL: schema subset, scopes, query cost and the shapes of values.

A query costs 1 point for each object and ``1 + ceil(sqrt(first))`` times the node for a connection,
which agrees with costs seen in published answers; a mutation costs 10.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    is_leaf_type,
    value_from_ast_untyped,
)

from platforms.shopify.sandbox_money import Json
from platforms.shopify.sandbox_orders import gid
from platforms.shopify.sandbox_search import refusal, utc

MUTATION_COST = 10
COMPANIES = {"read_companies", "read_customers"}
SHIPPED_BY_US = {"read_merchant_managed_fulfillment_orders"}
SHIPPING_BY_US = {"write_merchant_managed_fulfillment_orders"}
SCOPES: dict[tuple[str, str], set[str]] = {
    ("QueryRoot", "order"): {"read_orders"},
    ("QueryRoot", "orders"): {"read_orders"},
    ("Order", "customer"): {"read_customers"},
    ("Order", "paymentTerms"): {"read_payment_terms"},
    ("Fulfillment", "location"): {"read_locations"},
    ("PurchasingCompany", "company"): COMPANIES,
    ("PurchasingCompany", "location"): COMPANIES,
    ("LineItem", "variant"): {"read_products"},
    ("LineItem", "product"): {"read_products"},
    ("QueryRoot", "customer"): {"read_customers"},
    ("QueryRoot", "customers"): {"read_customers"},
    ("Customer", "companyContactProfiles"): COMPANIES,
    ("CompanyContact", "customer"): {"read_customers"},
    ("QueryRoot", "company"): COMPANIES,
    ("QueryRoot", "companies"): COMPANIES,
    ("QueryRoot", "companyLocation"): COMPANIES,
    ("QueryRoot", "companyLocations"): COMPANIES,
    ("QueryRoot", "return"): {"read_returns"},
    ("Order", "returns"): {"read_returns"},
    ("Refund", "return"): {"read_returns"},
    ("Return", "order"): {"read_orders"},
    ("QueryRoot", "product"): {"read_products"},
    ("QueryRoot", "products"): {"read_products"},
    ("QueryRoot", "productVariant"): {"read_products"},
    ("QueryRoot", "productVariants"): {"read_products"},
    ("InventoryItem", "variants"): {"read_products"},
    ("QueryRoot", "inventoryItem"): {"read_inventory"},
    ("QueryRoot", "inventoryItems"): {"read_inventory"},
    ("QueryRoot", "inventoryLevel"): {"read_inventory"},
    ("ProductVariant", "inventoryItem"): {"read_inventory"},
    ("InventoryLevel", "location"): {"read_locations"},
    ("QueryRoot", "location"): {"read_locations"},
    ("QueryRoot", "locations"): {"read_locations"},
    ("QueryRoot", "fulfillment"): {"read_orders"},
    ("QueryRoot", "fulfillmentOrder"): SHIPPED_BY_US,
    ("Order", "fulfillmentOrders"): SHIPPED_BY_US,
    ("FulfillmentOrder", "order"): {"read_orders"},
    ("Fulfillment", "order"): {"read_orders"},
    ("FulfillmentOrderAssignedLocation", "location"): {"read_locations"},
    ("FulfillmentOrderLineItem", "variant"): {"read_products"},
    ("QueryRoot", "catalogs"): {"read_products"},
    ("QueryRoot", "priceList"): {"read_products"},
    ("QueryRoot", "priceLists"): {"read_products"},
    ("CompanyLocation", "catalogs"): {"read_products"},
    ("CompanyLocationCatalog", "companyLocations"): COMPANIES,
    ("Mutation", "priceListFixedPricesAdd"): {"write_products"},
    ("Mutation", "priceListFixedPricesDelete"): {"write_products"},
    ("Mutation", "priceListFixedPricesUpdate"): {"write_products"},
    ("Mutation", "productUpdate"): {"write_products"},
    ("Mutation", "productVariantsBulkUpdate"): {"write_products"},
    ("Mutation", "quantityPricingByVariantUpdate"): {"write_products"},
    ("RefundLineItem", "location"): {"read_locations"},
    ("Mutation", "orderCancel"): {"write_orders"},
    ("Mutation", "orderMarkAsPaid"): {"write_orders"},
    ("Mutation", "orderUpdate"): {"write_orders"},
    ("Mutation", "refundCreate"): {"write_orders"},
    ("Mutation", "fulfillmentCancel"): SHIPPING_BY_US,
    ("Mutation", "fulfillmentCreate"): SHIPPING_BY_US,
    ("Mutation", "fulfillmentTrackingInfoUpdate"): SHIPPING_BY_US,
    ("Mutation", "inventoryActivate"): {"write_inventory"},
    ("Mutation", "inventorySetQuantities"): {"write_inventory"},
}
FIELDS = {
    ("Order", "currencyCode"): "currency",
    ("Order", "presentmentCurrencyCode"): "presentment_currency",
    ("Order", "customAttributes"): "note_attributes",
    ("Attribute", "key"): "name",
    ("LineItem", "customAttributes"): "properties",
    ("LineItem", "isGiftCard"): "gift_card",
    ("LineItem", "unfulfilledQuantity"): "fulfillable_quantity",
    ("LineItem", "originalUnitPriceSet"): "price_set",
    ("ShippingLine", "originalPriceSet"): "price_set",
    ("DiscountAllocation", "allocatedAmountSet"): "amount_set",
    ("MailingAddress", "countryCodeV2"): "country_code",
    ("OrderCancelPayload", "orderCancelUserErrors"): "user_errors",
}
ERROR_CODES = (
    (r"^Cannot query field", "undefinedField"),
    (r"^Unknown argument", "argumentNotAccepted"),
    (r"^Unknown fragment|^Unknown type", "undefinedType"),
    (r"^Variable '\$\w+' (of|got|has)", "INVALID_VARIABLE"),
    (r"^Variable", "variableMismatch"),
    (r"^Argument .* is required|^Field .* argument .* is required", "missingRequiredArguments"),
    (r"^Field .* of type .* must have a selection", "selectionMismatch"),
    (r"^Syntax Error", "PARSE_ERROR"),
)


class Cost:
    """The points of one operation: as requested without an answer, as used with one."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Json) -> None:
        self.schema = schema
        self.fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self.operation = next(
            one for one in document.definitions if isinstance(one, OperationDefinitionNode)
        )
        defaults = {
            one.variable.name.value: value_from_ast_untyped(one.default_value)
            for one in self.operation.variable_definitions or ()
            if one.default_value
        }
        self.variables = defaults | variables

    def points(self, data: Any = None) -> int:
        """The cost of the whole operation."""
        if self.operation.operation is OperationType.MUTATION:
            return MUTATION_COST * len(self.operation.selection_set.selections)
        root = self.schema.query_type
        return self._selection(self.operation.selection_set, root, data)

    def _selection(self, selections: SelectionSetNode | None, parent: Any, data: Any) -> int:
        chosen = selections.selections if selections else ()
        return sum(self._one(one, parent, data) for one in chosen)

    def _one(self, one: SelectionNode, parent: Any, data: Any) -> int:
        if isinstance(one, FieldNode):
            return self._field(one, parent, data)
        fragment: Any = one
        if isinstance(one, FragmentSpreadNode):
            fragment = self.fragments[one.name.value]
        condition = fragment.type_condition
        kind = self.schema.type_map[condition.name.value] if condition else parent
        return self._selection(fragment.selection_set, kind, data)

    def _field(self, one: FieldNode, parent: Any, data: Any) -> int:
        definition = getattr(parent, "fields", {}).get(one.name.value)
        kind = get_named_type(definition.type) if definition else None
        if kind is None or is_leaf_type(kind) or kind.name == "PageInfo":
            return 0
        name = (one.alias or one.name).value
        below = data.get(name) if isinstance(data, Mapping) else data
        if data is not None and below is None:
            return 0
        if not kind.name.endswith("Connection"):
            items = below[0] if isinstance(below, list) and below else below
            return 1 + self._selection(one.selection_set, kind, items)
        count = self._first(one)
        if isinstance(below, Mapping):
            count = max((len(v) for v in below.values() if isinstance(v, list)), default=0)
        return 1 + math.ceil(math.sqrt(count)) * max(1, self._node(one, kind))

    def _node(self, one: FieldNode, kind: Any) -> int:
        # ``edges`` counts as an object above its node, ``nodes`` is the node: take the node alone.
        points = 0
        for inner in one.selection_set.selections if one.selection_set else ():
            if isinstance(inner, FieldNode) and inner.name.value == "edges":
                edge = get_named_type(kind.fields["edges"].type)
                points += self._selection(inner.selection_set, edge, None)
            elif isinstance(inner, FieldNode):
                points += self._field(inner, kind, None)
        return points

    def _first(self, one: FieldNode) -> int:
        for argument in one.arguments or ():
            if argument.name.value == "first":
                first = value_from_ast_untyped(argument.value, self.variables)
                return max(first, 0) if isinstance(first, int) else 0
        return 0


@functools.cache
def schema_subset() -> GraphQLSchema:
    """The executable schema."""
    parts = sorted(Path(__file__).parent.glob("sandbox_schema*.graphql"))
    return build_schema("\n".join(part.read_text() for part in parts))


def scalar(kind: str, value: Any) -> Any:
    """A value of the webhook shape as the API writes it."""
    writers: dict[str, Callable[[Any], str]] = {
        "DateTime": utc,
        "Decimal": _decimal,
        "UnsignedInt64": str,
    }
    write = writers.get(kind)
    return write(value) if write else value


def _decimal(amount: str) -> str:
    # The API trims zeros and keeps one decimal at least, unlike the webhooks' fixed places.
    text = f"{Decimal(amount):f}"
    whole, _, places = text.partition(".")
    return f"{whole}.{places.rstrip('0') or '0'}"


def number_in(global_id: str, kind: str = "WebhookSubscription") -> int:
    """The number in a global id of that kind."""
    match = re.fullmatch(rf"gid://shopify/{kind}/(\d+)", global_id)
    if match is None:
        raise refusal(f"Invalid global id '{global_id}'", "argumentLiteralsIncompatible")
    return int(match[1])


def shown(error: GraphQLError) -> Json:
    """An error with one of the vendor's codes."""
    answer: Json = dict(error.formatted)
    if "code" not in answer.get("extensions", {}):
        codes = (code for pattern, code in ERROR_CODES if re.search(pattern, error.message))
        extra: Json = {"code": next(codes, "argumentLiteralsIncompatible")}
        if field := re.match(r"Cannot query field '(\w+)' on type '(\w+)'", error.message):
            extra |= {"typeName": field[2], "fieldName": field[1]}
            answer["message"] = f"Field '{field[1]}' doesn't exist on type '{field[2]}'"
        answer["extensions"] = extra
    return answer


def value_at(source: Json, spot: tuple[str, str]) -> Any:
    """The field's value in the webhook shape below it."""
    kind, name = spot
    if name == "id":
        return source.get("admin_graphql_api_id") or gid(kind, source["id"])
    if name == "legacyResourceId":
        return source["id"]
    key = FIELDS.get(spot) or re.sub(r"([A-Z])", r"_\1", name).lower()
    return source.get(key)
