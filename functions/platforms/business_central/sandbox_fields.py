"""The entities of API v2.0 this sandbox knows: their methods, parts, links and bound actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from platforms.business_central.sandbox_shapes import (
    ACCOUNT,
    BALANCED,
    CODED,
    COMPANY,
    CONTACT,
    CREDIT,
    CURRENCY,
    CUSTOMER,
    FINANCIAL,
    INFORMATION,
    INVOICE,
    ITEM,
    JOURNAL,
    JOURNAL_LINE,
    LEDGER,
    LINE,
    LOCATION,
    ORDER,
    PAYMENT,
    PAYMENT_JOURNAL,
    POSTING_GROUP,
    PRODUCT_GROUP,
    RATE,
    SHIPMENT,
    SHIPMENT_LINE,
    STAMP,
    SUBSCRIPTION,
    TAXED,
    TERM,
    UNIT,
    VARIANT,
    Field,
    fields,
)

READ, KEPT, ALL = {"GET"}, {"GET", "PATCH"}, {"GET", "POST", "PATCH", "DELETE"}


@dataclass(frozen=True)
class Entity:
    """One entity set.

    Attributes:
        parts: records that belong to one of these, by the name they are expanded with.
        links: single records a field leads to.
        parent: the set this belongs to and the field with its id.
        actions: bound actions.
        keeps_ids: whether a caller may choose the id of a new record.
    """

    name: str
    set: str
    fields: dict[str, Field]
    methods: frozenset[str]
    parts: dict[str, str] = field(default_factory=dict)
    links: dict[str, tuple[str, str]] = field(default_factory=dict)
    parent: tuple[str, str] | None = None
    actions: frozenset[str] = frozenset()
    keeps_ids: bool = True


TO_CUSTOMER = {"customer": ("customers", "customerId")}
TO_MONEY = {
    "currency": ("currencies", "currencyId"),
    "paymentTerm": ("paymentTerms", "paymentTermsId"),
    "shipmentMethod": ("shipmentMethods", "shipmentMethodId"),
}
TO_GOODS = {
    "item": ("items", "itemId"),
    "account": ("accounts", "accountId"),
    "unitOfMeasure": ("unitsOfMeasure", "unitOfMeasureId"),
    "itemVariant": ("itemVariants", "itemVariantId"),
    "location": ("locations", "locationId"),
}
SENT = {"cancel", "cancelAndSend", "post", "postAndSend", "send"}


def _entity(name: str, set_: str, text: str, methods: set[str] = ALL, **more: Any) -> Entity:
    return Entity(name, set_, fields(text), frozenset(methods), **more)


def _document(name: str, text: str, actions: set[str], **links: tuple[str, str]) -> Entity:
    parts, every = {f"{name}Lines": f"{name}Lines"}, TO_CUSTOMER | TO_MONEY | links
    acts = frozenset(actions)
    return _entity(name, f"{name}s", text, parts=parts, links=every, actions=acts, keeps_ids=False)


def _lines(name: str, text: str, methods: set[str] = ALL) -> Entity:
    document = name.removesuffix("Line")
    links = {document: (f"{document}s", "documentId")} | (TO_GOODS if methods != READ else {})
    parent = (f"{document}s", "documentId")
    return _entity(name, f"{name}s", text, methods, parent=parent, links=links, keeps_ids=False)


MOVED = "\nshippedQuantity decimal!\ninvoicedQuantity decimal!\n"
MOVED += "invoiceQuantity decimal\nshipQuantity decimal"
ENTITIES = {
    one.set: one
    for one in (
        _entity("company", "companies", COMPANY, READ),
        _entity("companyInformation", "companyInformation", INFORMATION, KEPT),
        _entity(
            "customer",
            "customers",
            CUSTOMER,
            parts={"customerFinancialDetails": "customerFinancialDetails"},
            links=TO_MONEY | {"paymentMethod": ("paymentMethods", "paymentMethodId")},
        ),
        _entity(
            "customerFinancialDetail",
            "customerFinancialDetails",
            FINANCIAL,
            READ,
            parent=("customers", "id"),
        ),
        _entity("contact", "contacts", CONTACT),
        _entity(
            "item",
            "items",
            ITEM,
            parts={"itemVariants": "itemVariants"},
            links={
                "itemCategory": ("itemCategories", "itemCategoryId"),
                "unitOfMeasure": ("unitsOfMeasure", "baseUnitOfMeasureId"),
            },
        ),
        _entity("itemVariant", "itemVariants", VARIANT, parent=("items", "itemId")),
        _entity("itemCategory", "itemCategories", CODED.replace("code:10", "code:20")),
        _entity("itemLedgerEntry", "itemLedgerEntries", LEDGER, READ),
        _entity("unitOfMeasure", "unitsOfMeasure", UNIT),
        _entity("currency", "currencies", CURRENCY),
        _entity("currencyExchangeRate", "currencyExchangeRates", RATE, READ),
        _entity("paymentTerm", "paymentTerms", TERM),
        _entity("paymentMethod", "paymentMethods", CODED),
        _entity("shipmentMethod", "shipmentMethods", CODED),
        _entity("taxGroup", "taxGroups", TAXED),
        _entity("taxArea", "taxAreas", TAXED),
        _entity("location", "locations", f"{LOCATION}\nwebsite text:80{STAMP}"),
        _entity("account", "accounts", ACCOUNT),
        _entity("countryRegion", "countriesRegions", f"{CODED}\naddressFormat text:30"),
        _entity("customerReturnReason", "customerReturnReasons", CODED),
        _entity("generalProductPostingGroup", "generalProductPostingGroups", PRODUCT_GROUP, READ),
        _entity("inventoryPostingGroup", "inventoryPostingGroups", POSTING_GROUP, READ),
        _entity(
            "journal",
            "journals",
            JOURNAL + BALANCED,
            parts={"journalLines": "journalLines"},
            actions=frozenset({"post"}),
        ),
        _entity("journalLine", "journalLines", JOURNAL_LINE, parent=("journals", "journalId")),
        _entity(
            "customerPaymentJournal",
            "customerPaymentJournals",
            PAYMENT_JOURNAL,
            parts={"customerPayments": "customerPayments"},
        ),
        _entity(
            "customerPayment",
            "customerPayments",
            PAYMENT,
            parent=("customerPaymentJournals", "journalId"),
            links=TO_CUSTOMER,
        ),
        _document("salesOrder", ORDER, {"shipAndInvoice"}),
        _lines("salesOrderLine", LINE + MOVED),
        _document("salesInvoice", INVOICE, SENT | {"makeCorrectiveCreditMemo"}),
        _lines("salesInvoiceLine", LINE),
        _document(
            "salesCreditMemo",
            CREDIT,
            SENT,
            customerReturnReason=("customerReturnReasons", "customerReturnReasonId"),
        ),
        _lines("salesCreditMemoLine", LINE),
        _entity(
            "salesShipment",
            "salesShipments",
            SHIPMENT,
            READ,
            parts={"salesShipmentLines": "salesShipmentLines"},
            links=TO_CUSTOMER,
        ),
        _lines("salesShipmentLine", SHIPMENT_LINE, READ),
        _entity("subscription", "subscriptions", SUBSCRIPTION),
    )
}
DOCUMENTS = ("salesOrders", "salesInvoices", "salesCreditMemos")
WEBHOOKS = (
    "accounts companyInformation countriesRegions currencies customerPaymentJournals customers"
    " dimensions employees generalLedgerEntries itemCategories items journals paymentMethods"
    " paymentTerms purchaseInvoices salesCreditMemos salesInvoices salesOrders salesQuotes"
    " shipmentMethods unitsOfMeasure vendors"
).split()
"""What can be subscribed to; shipments and stock movements are not among it."""
