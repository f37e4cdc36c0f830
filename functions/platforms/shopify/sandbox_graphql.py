"""How the sandbox answers GraphQL: schema subset, query cost, pages, search and API shapes.

A query costs 1 point for each object and ``1 + ceil(sqrt(first))`` times the node for a connection,
which agrees with costs seen in published answers; a mutation costs 10.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
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

from platforms.shopify.sandbox_orders import Json, Order, gid, total

PAGE_LIMIT = 250
MUTATION_COST = 10
SCOPES: dict[tuple[str, str], set[str]] = {
    ("QueryRoot", "order"): {"read_orders"},
    ("QueryRoot", "orders"): {"read_orders"},
    ("Order", "customer"): {"read_customers"},
    ("Order", "paymentTerms"): {"read_payment_terms"},
    ("Fulfillment", "location"): {"read_locations"},
    ("PurchasingCompany", "company"): {"read_companies", "read_customers"},
    ("PurchasingCompany", "location"): {"read_companies", "read_customers"},
    ("LineItem", "variant"): {"read_products"},
    ("LineItem", "product"): {"read_products"},
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
}
FULFILLMENT = {
    None: "UNFULFILLED",
    "partial": "PARTIALLY_FULFILLED",
    "fulfilled": "FULFILLED",
    "restocked": "RESTOCKED",
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
SEARCH_TERM = re.compile(r"(\w+):(>=|<=|>|<)?('[^']*'|\"[^\"]*\"|[^\s'\"]+)(?:\s+(?:AND\s+)?|$)")
MOMENTS = {"updated_at", "created_at", "processed_at"}
TEXTS = {"name", "source_identifier", "po_number"}


def refusal(message: str, code: str, **extensions: Any) -> GraphQLError:
    """A top-level error in the vendor's shape."""
    return GraphQLError(message, extensions={"code": code} | extensions)


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
    return build_schema(Path(__file__).with_name("sandbox_schema.graphql").read_text())


def scalar(kind: str, value: Any) -> Any:
    """A value of the webhook shape as the API writes it."""
    writers: dict[str, Callable[[Any], str]] = {
        "DateTime": utc,
        "Decimal": _decimal,
        "UnsignedInt64": str,
    }
    write = writers.get(kind)
    return write(value) if write else value


def zulu(moment: datetime) -> str:
    """A moment as the API writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc(stamp: str) -> str:
    """A webhook's time stamp as the API writes it."""
    return zulu(datetime.fromisoformat(stamp))


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


def connection(rows: Iterable[tuple[Any, int, Any]], args: Json) -> Json:
    """One page of rows (sort value, id, node), which a cursor may start after."""
    first, backwards = args.get("first"), args.get("reverse", False)
    if first is None:
        raise refusal("you must provide one of first or last", "BAD_REQUEST")
    if not 0 < first <= PAGE_LIMIT:
        message = f"first must be between 1 and {PAGE_LIMIT}, not {first}"
        raise refusal(message, "BAD_REQUEST")
    ordered = sorted(rows, key=lambda row: row[:2], reverse=backwards)
    rest = ordered
    if args.get("after"):
        last = _cursor_position(args["after"])
        rest = [row for row in ordered if (row[:2] < last if backwards else row[:2] > last)]
    page = rest[:first]
    edges = [{"cursor": _cursor(value, number), "node": node} for value, number, node in page]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "page_info": {
            "has_next_page": len(rest) > len(page),
            "has_previous_page": len(ordered) > len(rest),
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _cursor(value: Any, number: int) -> str:
    text = json.dumps({"last_id": number, "last_value": value})
    return base64.b64encode(text.encode()).decode()


def _cursor_position(cursor: str) -> tuple[Any, int]:
    try:
        position = json.loads(base64.b64decode(cursor, validate=True))
        return position["last_value"], position["last_id"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise refusal("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def index_entry(order: Order, seen_until: datetime) -> Json | None:
    """What the search index holds of an order, which is behind the order itself."""
    known = [updated for at, updated in order.indexed if at <= seen_until]
    if not known:
        return None
    return {
        "updated_at": utc(known[-1]),
        "created_at": utc(order.created_at),
        "processed_at": utc(order.processed_at),
        "id": order.id,
        "name": order.name,
        "po_number": order.facts["po_number"] or "",
        "source_identifier": order.facts["source_identifier"] or "",
    }


def search_terms(query: str) -> list[tuple[str, str, str]]:
    """Field, operator and value of each term of a search query."""
    terms, position = [], 0
    text = query.strip()
    while position < len(text):
        match = SEARCH_TERM.match(text, position)
        if match is None or match[1] not in MOMENTS | TEXTS:
            raise refusal(f"search not supported here: {text[position:]}", "BAD_REQUEST")
        terms.append((match[1], match[2] or "", match[3]))
        position = match.end()
    return terms


def matches(entry: Json, field: str, operator: str, value: str) -> bool:
    """Whether an entry of the search index fits one term."""
    bare = value.strip("'\"")
    if field in MOMENTS:
        have, want = entry[field], utc(bare)
        results = {
            "": have == want,
            ">=": have >= want,
            "<=": have <= want,
            ">": have > want,
            "<": have < want,
        }
        return bool(results[operator])
    have, want = entry[field].casefold(), bare.casefold()
    if value != bare:
        return bool(have == want or have.lstrip("#") == want)
    # Without quotes the vendor compares words, so that ``PO-77`` also finds ``PO-78``.
    return bool(set(re.findall(r"\w+", have)) & set(re.findall(r"\w+", want)))


def order_node(order: Order) -> Json:
    """The order for the GraphQL part: the webhook body and what only the API tells."""
    body, bag = order.body(), order.currencies.bag
    applications: list[Json] = []
    for index, given in enumerate(order.applications):
        worth = {"__typename": "MoneyV2", "amount": given["value"]}
        coded = given["type"] == "discount_code"
        name = "DiscountCodeApplication" if coded else "ManualDiscountApplication"
        money = worth | {"currency_code": order.currencies.shop}
        applications.append(
            given
            | {
                "__typename": name,
                "id": index,
                "index": index,
                "value": money,
            }
        )
    lines = {line["id"]: line for line in body["line_items"]}
    for own, line in zip(order.lines, body["line_items"], strict=True):
        _complete_line(line, applications)
        line["original_total_set"] = bag(order.worth(own, own.quantity)[0])
        line["total_discount_set"] = bag(order.worth(own, own.quantity)[1])
    transactions = {one.id: order.transaction_body(one) for one in order.transactions}
    for one in order.transactions:
        more = {"amount_set": bag(one.amount), "total_unsettled_set": bag(order.unsettled(one))}
        parent = transactions.get(one.parent) if one.parent else None
        transactions[one.id] |= more | {"parent_transaction": parent}
    refunds = [_refund_node(order, one, lines, transactions) for one in order.refunds]
    codes = [one["code"] for one in body["discount_codes"]]
    return body | {
        "customer": _customer_node(order.customer),
        "discount_applications": applications,
        "discount_code": codes[0] if codes else None,
        "discount_codes": codes,
        "display_financial_status": order.financial_status,
        "display_fulfillment_status": FULFILLMENT[order.fulfillment_status],
        "edited": order.edited,
        "email": body["email"] or None,
        "fulfillments": [one.node(lines) for one in order.fulfillments],
        "fully_paid": not order.outstanding,
        "original_total_price_set": bag(order.original_price),
        "payment_terms": _terms_node(order),
        "purchasing_entity": _purchaser(order),
        "refunds": refunds,
        "tags": [tag for tag in body["tags"].split(", ") if tag],
        "total_outstanding_set": bag(order.outstanding),
        "total_received_set": bag(order.received),
        "total_refunded_set": bag(order.moved("refund")),
        "refund_discrepancy_set": bag(order.excess_refunded),
        "total_tip_received_set": bag(order.ordered()["tips"]),
        "transactions": list(transactions.values()),
        "unpaid": not order.received,
    }


def _complete_line(line: Json, applications: list[Json]) -> None:
    if line["variant_id"]:
        line["variant"] = {"id": line["variant_id"], "sku": line["sku"]}
        line["product"] = {"id": line["product_id"], "title": line["title"]}
    for one in line["discount_allocations"]:
        one["discount_application"] = applications[one["discount_application_index"]]


def _refund_node(
    order: Order, refund: Json, lines: dict[int, Json], transactions: dict[int, Json]
) -> Json:
    moved = [transactions[one["id"]] for one in refund["transactions"]]
    money = total(t.amount for t in order.transactions if t.id in {m["id"] for m in moved})
    items = [
        one
        | {
            "line_item": lines[one["line_item_id"]],
            "price_set": lines[one["line_item_id"]]["price_set"],
            "restocked": one["restock_type"] != "no_restock",
        }
        for one in refund["refund_line_items"]
    ]
    more = {"refund_line_items": items, "transactions": moved}
    return refund | more | {"total_refunded_set": order.currencies.bag(money)}


def _customer_node(customer: Json | None) -> Json | None:
    if customer is None:
        return None
    names = filter(None, (customer["first_name"], customer["last_name"]))
    email, phone = customer["email"], customer["phone"]
    return customer | {
        "__typename": "Customer",
        "display_name": " ".join(names) or email or "",
        "default_email_address": email and {"email_address": email},
        "default_phone_number": phone and {"phone_number": phone},
    }


def _terms_node(order: Order) -> Json | None:
    terms = order.payment_terms
    if terms is None:
        return None
    due = terms["payment_schedules"][0]
    code = order.currencies.shop
    schedule = due | {
        "balance_due": {"amount": due["balance_due"], "currency_code": code},
        "total_balance": {"amount": due["total_balance"], "currency_code": code},
        "due": False,
    }
    return terms | {"payment_schedules": [schedule], "due": False, "overdue": False}


def _purchaser(order: Order) -> Json | None:
    company = order.company
    if company is None:
        return _customer_node(order.customer)
    contact = company.get("contact_id")
    return {
        "__typename": "PurchasingCompany",
        "company": {
            "id": company["id"],
            "name": company.get("name", f"Company {company['id']}"),
            "external_id": company.get("external_id"),
        },
        "location": {
            "id": company["location_id"],
            "name": company.get("location_name", "Main"),
            "external_id": company.get("location_external_id"),
        },
        "contact": {"id": contact} if contact else None,
    }
