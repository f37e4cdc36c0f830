"""Bulk or retail: the first rule that matches wins, and its name is kept with the order."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from fizzbridge.model.customer import Customer
from fizzbridge.model.order import OrderClass, OrderRequest
from fizzbridge.settings import Limits
from fizzbridge.trade.packs import Counted


def classify(
    request: OrderRequest, customer: Customer | None, counted: Iterable[Counted], limits: Limits
) -> tuple[OrderClass, str]:
    """The class of an order and the rule that gave it.

    Args:
        request: the order as the shop has it.
        customer: the account, where it is known.
        counted: the lines that were found in the catalogue.
        limits: the company's own thresholds.
    """
    if customer and customer.fixed_class:
        return customer.fixed_class, "fixed on the account"
    if request.company:
        return OrderClass.BULK, f"ordered for company {request.company.id}"
    if request.payment_terms:
        return OrderClass.BULK, f"payment terms: {request.payment_terms}"
    if customer and customer.tax_number:
        return OrderClass.BULK, "the account has a tax number"
    lines = list(counted)
    cases = sum((line.case_equivalents for line in lines), Decimal(0))
    if cases >= limits.bulk_case_equivalents:
        return OrderClass.BULK, f"{cases.normalize():f} case-equivalents"
    if limits.bulk_line_layer:
        for line in lines:
            if line.is_layer_or_more:
                return OrderClass.BULK, f"line {line.line_id} is a layer or more"
    return OrderClass.RETAIL, "no rule for bulk matched"
