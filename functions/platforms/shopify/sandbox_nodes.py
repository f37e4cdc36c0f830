"""The sandbox's orders as the API shows them: the webhook body and what only the API tells."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from platforms.shopify.sandbox_money import Json, total
from platforms.shopify.sandbox_orders import Order, gid
from platforms.shopify.sandbox_search import last_seen, utc
from platforms.shopify.sandbox_suggestions import suggestion

if TYPE_CHECKING:
    from platforms.shopify.sandbox_desk import OrderDesk

FULFILLMENT = {
    None: "UNFULFILLED",
    "partial": "PARTIALLY_FULFILLED",
    "fulfilled": "FULFILLED",
    "restocked": "RESTOCKED",
}


def index_entry(order: Order, seen_until: datetime) -> Json | None:
    """What the search index holds of an order, which is behind the order itself."""
    seen = last_seen(order.indexed, seen_until)
    if seen is None:
        return None
    return {
        "updated_at": seen,
        "created_at": utc(order.created_at),
        "processed_at": utc(order.processed_at),
        "id": order.id,
        "name": order.name,
        "po_number": order.facts["po_number"] or "",
        "source_identifier": order.facts["source_identifier"] or "",
    }


def order_node(order: Order, desk: OrderDesk) -> Json:
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
    for own, line in zip(order.lines, body["line_items"], strict=True):
        _complete_line(line, applications, desk)
        line["original_total_set"] = bag(order.worth(own, own.quantity)[0])
        line["total_discount_set"] = bag(order.worth(own, own.quantity)[1])
    lines = {line["id"]: line for line in body["line_items"]}
    transactions = {one.id: order.transaction_body(one) for one in order.transactions}
    for one in order.transactions:
        more = {"amount_set": bag(one.amount), "total_unsettled_set": bag(order.unsettled(one))}
        parent = transactions.get(one.parent) if one.parent else None
        transactions[one.id] |= more | {"parent_transaction": parent}
    refunds = [_refund_node(order, one, lines, transactions, desk) for one in order.refunds]
    codes = [one["code"] for one in body["discount_codes"]]
    return body | {
        "billing_address": _mailing(order, "billing_address", 1),
        "shipping_address": _mailing(order, "shipping_address", 2),
        "can_mark_as_paid": bool(order.outstanding) and not order.cancelled_at,
        "cancellation": {"staff_note": order.staff_note} if order.cancelled_at else None,
        "customer": desk.people.node_of(order.customer),
        "discount_applications": applications,
        "discount_code": codes[0] if codes else None,
        "discount_codes": codes,
        "display_financial_status": order.financial_status,
        "display_fulfillment_status": "ON_HOLD"
        if desk.groups.is_held(order)
        else FULFILLMENT[order.fulfillment_status],
        "edited": order.edited,
        "email": body["email"] or None,
        "fulfillable": any(line.open for line in order.lines),
        "fulfillment_orders": lambda _: [
            desk.groups.node(order, one) for one in desk.groups.of(order)
        ],
        "fulfillments": [
            one.node(lines) | {"order": lambda _: order_node(order, desk)}
            for one in order.fulfillments
        ],
        "fully_paid": not order.outstanding,
        "metafield": lambda args: desk.metafields.one(gid("Order", order.id), args),
        "metafields": lambda args: desk.metafields.some(gid("Order", order.id), args),
        "net_payment_set": bag(order.received - order.moved("refund")),
        "original_total_price_set": bag(order.original_price),
        "payment_terms": _terms_node(order),
        "purchasing_entity": desk.companies.purchaser(order),
        "refunds": refunds,
        "return_status": desk.returns.status(order),
        "returns": lambda _: [desk.returns.node(one) for one in desk.returns.of(order)],
        "tags": [tag for tag in body["tags"].split(", ") if tag],
        "suggested_refund": lambda args: suggestion(order, args),
        "total_refunded_shipping_set": bag(order.freight_back),
        "total_outstanding_set": bag(order.outstanding),
        "total_received_set": bag(order.received),
        "total_refunded_set": bag(order.moved("refund")),
        "refund_discrepancy_set": bag(order.excess_refunded),
        "total_tip_received_set": bag(order.ordered()["tips"]),
        "transactions": list(transactions.values()),
        "unpaid": not order.received,
    }


def line_nodes(order: Order, desk: OrderDesk) -> dict[int, Json]:
    """The lines of an order by id, as the API shows them."""
    return {line["id"]: line for line in order_node(order, desk)["line_items"]}


def _mailing(order: Order, key: str, n: int) -> Json | None:
    where: Json | None = order.facts[key]
    own = f"{gid('MailingAddress', order.id + n)}?model_name=Address"
    return where and where | {"admin_graphql_api_id": own}


def _complete_line(line: Json, applications: list[Json], desk: OrderDesk) -> None:
    if line["variant_id"]:
        line["variant"] = {"id": line["variant_id"], "sku": line["sku"]}
        line["product"] = {"id": line["product_id"], "title": line["title"]}
        if variant := desk.catalogue.by_id(line["variant_id"]):
            line["variant"] = lambda _: desk.catalogue.variant_node(variant)
            line["product"] = lambda _: desk.catalogue.node(variant.product)
    for one in line["discount_allocations"]:
        one["discount_application"] = applications[one["discount_application_index"]]


def _refund_node(
    order: Order,
    refund: Json,
    lines: dict[int, Json],
    transactions: dict[int, Json],
    desk: OrderDesk,
) -> Json:
    moved = [transactions[one["id"]] for one in refund["transactions"]]
    money = total(t.amount for t in order.transactions if t.id in {m["id"] for m in moved})
    items = [
        one
        | {
            "line_item": lines[one["line_item_id"]],
            "price_set": lines[one["line_item_id"]]["price_set"],
            "restocked": one["restock_type"] != "no_restock",
            "location": one["location_id"] and desk.catalogue.stock.location(one["location_id"]),
        }
        for one in refund["refund_line_items"]
    ]
    back = refund["return"]
    more = {
        "order": lambda _: order_node(order, desk),
        "order_adjustments": [one | {"reason": one["kind"]} for one in refund["order_adjustments"]],
        "refund_line_items": items,
        "refund_shipping_lines": refund["refund_shipping_lines"],
        "updated_at": refund["created_at"],
        "return": lambda _: back and desk.returns.node(desk.returns.get(back["id"])),
        "transactions": moved,
    }
    return refund | more | {"total_refunded_set": order.currencies.bag(money)}


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
