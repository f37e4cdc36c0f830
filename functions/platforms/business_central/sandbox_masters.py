"""Master data: what a company starts with, and how customers, items and the rest are written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from platforms.business_central.sandbox_fields import DOCUMENTS, ENTITIES
from platforms.business_central.sandbox_shapes import ZERO
from platforms.business_central.sandbox_store import Store
from platforms.business_central.sandbox_values import (
    ApiError,
    Row,
    fine,
    is_blank,
    no_relation,
    read,
    refusal,
    unmet,
)

SERIES = {"customers": "C00010", "items": "1000", "contacts": "CT000001"}
KEYED = {"customers", "items", "contacts", "accounts"}
"""What has a number; everything else has a code."""
SEEDED = (
    "countriesRegions currencies unitsOfMeasure taxGroups taxAreas paymentTerms paymentMethods"
    " shipmentMethods locations itemCategories customerReturnReasons accounts"
    " generalProductPostingGroups inventoryPostingGroups journals customerPaymentJournals"
    " customers items itemVariants contacts"
).split()
SEED: Row = {
    "countriesRegions": [
        {"code": code, "displayName": name}
        for code, name in (
            ("GB", "Great Britain"),
            ("IE", "Ireland"),
            ("FR", "France"),
            ("DE", "Germany"),
            ("NL", "Netherlands"),
            ("US", "United States"),
        )
    ],
    "currencies": [
        {"code": "EUR", "displayName": "Euro", "symbol": "€", "rate": "1.15"},
        {"code": "USD", "displayName": "US dollar", "symbol": "$", "rate": "1.25"},
    ],
    "unitsOfMeasure": [
        {"code": "PCS", "displayName": "Piece", "internationalStandardCode": "EA"},
        {"code": "CASE", "displayName": "Case", "internationalStandardCode": "CS"},
        {"code": "KEG", "displayName": "Keg", "internationalStandardCode": "KG"},
    ],
    "taxGroups": [
        {"code": "STANDARD", "displayName": "Standard rate", "rate": "20"},
        {"code": "REDUCED", "displayName": "Reduced rate", "rate": "5"},
        {"code": "ZERO", "displayName": "Zero rate", "rate": "0"},
    ],
    "taxAreas": [
        {"code": "DOMESTIC", "displayName": "Domestic"},
        {"code": "EXPORT", "displayName": "Outside the country", "is_exempt": True},
    ],
    "paymentTerms": [
        {"code": "30 DAYS", "displayName": "Net 30 days", "dueDateCalculation": "30D"},
        {"code": "COD", "displayName": "Cash on delivery", "dueDateCalculation": "0D"},
    ],
    "paymentMethods": [
        {"code": "BANK", "displayName": "Bank transfer"},
        {"code": "CARD", "displayName": "Card"},
    ],
    "shipmentMethods": [{"code": "DDP", "displayName": "Delivered"}],
    "locations": [],
    "itemCategories": [{"code": "SOFT", "displayName": "Soft drinks"}],
    "customerReturnReasons": [{"code": "DAMAGED", "displayName": "Damaged in transit"}],
    "accounts": [
        {"number": "10100", "displayName": "Bank", "category": "Assets"},
        {"number": "40400", "displayName": "Delivery income", "category": "Income"},
        {"number": "40500", "displayName": "Deposits", "category": "Income", "tax": "ZERO"},
    ],
    "generalProductPostingGroups": [{"code": "RETAIL", "description": "Goods for resale"}],
    "inventoryPostingGroups": [{"code": "RESALE", "description": "Goods for resale"}],
    "journals": [{"code": "DEFAULT", "displayName": "Default journal"}],
    "customerPaymentJournals": [{"code": "PAYMENT", "displayName": "Customer payments"}],
    "customers": [],
    "items": [],
    "itemVariants": [],
    "contacts": [],
}
OWN = {"rate", "is_exempt", "tax", "units", "stock"}
"""Seed keys that are no fields of the entity."""


class Masters:
    """Everything that is not a document.

    Args:
        store: where it is kept.
        seed: what the company starts with.
    """

    def __init__(self, store: Store, seed: Row) -> None:
        self.store = store
        self.seed = seed

    # -- seeding -----------------------------------------------------------------------------------

    def fill(self) -> None:
        """Put the seed's records in."""
        store, company = self.store, self.seed["company"]
        store.local = company.get("currencyCode", "GBP")
        now = {
            "systemCreatedAt": "2026-01-05T09:00:00Z",
            "systemModifiedAt": "2026-01-05T09:00:00Z",
        }
        about = {"systemVersion": "28.1.7043.0", "timestamp": 41207, "systemCreatedBy": ZERO}
        named = {"name": company["name"], "displayName": company.get("displayName", "")}
        store.add("companies", {"id": company["id"]} | now | about | named)
        facts = {"displayName": named["displayName"] or company["name"], "country": "GB"}
        facts |= {"currencyCode": store.local, "currentFiscalYearStartDate": "2026-01-01"}
        store.add("companyInformation", facts)
        for name in SEEDED:
            for row in self.seed[name]:
                self._seed(name, dict(row))

    def _seed(self, name: str, given: Row) -> None:
        entity, own = ENTITIES[name], {f"_{key}": given[key] for key in OWN if key in given}
        if unknown := given.keys() - entity.fields.keys() - OWN:
            raise ValueError(f"unknown in the seed's {name}: {', '.join(sorted(unknown))}")
        values = {
            key: read(entity.fields[key], Decimal(value) if _is_number(entity, key) else value)
            for key, value in given.items()
            if key in entity.fields
        }
        stock = Decimal(str(own.pop("_stock", 0)))
        values |= {key: _decimals(value) for key, value in own.items()}
        row = self.create(name, values | self._defaults(name, values), is_seed=True)
        if stock:
            self.store.move(row, stock, "Positive Adjmt.", documentNumber="START")

    def _defaults(self, name: str, values: Row) -> Row:
        if name == "taxGroups" or name == "taxAreas":
            return {"taxType": "Sales Tax" if self.seed["uses_sales_tax"] else "VAT"}
        if name == "accounts":
            return {"directPosting": True, "subCategory": ""}
        if name == "items":
            return {
                "baseUnitOfMeasureCode": values.get("baseUnitOfMeasureCode", "PCS"),
                "taxGroupCode": values.get("taxGroupCode", "STANDARD"),
                "generalProductPostingGroupCode": "RETAIL",
                "inventoryPostingGroupCode": "RESALE",
            }
        if name == "currencies":
            return {"amountDecimalPlaces": "2:2", "amountRoundingPrecision": Decimal("0.01")}
        return {}

    # -- writing -----------------------------------------------------------------------------------

    def create(self, name: str, values: Row, *, is_seed: bool = False) -> Row:
        """A new record of a set."""
        self.store.check(name, values)
        self._number(name, values)
        if name == "items":
            self._new_item(values)
        if name == "itemVariants":
            self._new_variant(values)
        if name == "customers":
            self._completed(values, values)
        if name in ("journals", "customerPaymentJournals"):
            self._balanced(values)
            values["templateDisplayName"] = "GENERAL"
            if name == "customerPaymentJournals":
                del values["templateDisplayName"]
        row = self.store.add(name, values)
        if name == "currencies" and is_seed:
            self._rate(row)
        if name == "customers":
            number = {"id": row["id"], "number": row["number"]}
            self.store.add("customerFinancialDetails", number)
        return row

    def change(self, name: str, row: Row, values: Row) -> Row:
        """New values for a record."""
        self.store.check(name, values)
        key = "number" if name in KEYED else "code"
        if values.get(key, row.get(key)) != row.get(key):
            self._unique(name, key, values[key])
            self._unused(name, row, "rename")
        if name == "items":
            self._change_item(row, values)
        if name == "customers":
            self._completed(values, row | values)
        if name in ("journals", "customerPaymentJournals"):
            self._balanced(values)
        return self.store.change(name, row["id"], **values)

    def remove(self, name: str, row: Row) -> None:
        """Delete a record nothing refers to."""
        self._unused(name, row, "delete")
        self.store.drop(name, row["id"])

    def _number(self, name: str, values: Row) -> None:
        key = "number" if name in KEYED else "code"
        if key not in ENTITIES[name].fields or name == "itemVariants":
            return
        if not values.get(key):
            if name not in SERIES:
                text = f"Field '{key}' must not be blank or empty."
                raise ApiError("BadRequest_RequiredParamNotProvided", text)
            values[key] = self.store.next(SERIES[name])
        self._unique(name, key, values[key])

    def _unique(self, name: str, key: str, value: str) -> None:
        if self.store.one(name, **{key: value}):
            entity = ENTITIES[name].name
            text = f"The {entity} already exists. Identification fields and values: "
            raise ApiError("Internal_EntityWithSameKeyExists", f"{text}No.='{value}'")

    def _new_item(self, values: Row) -> None:
        # Stock is set by changing an item, never by making one.
        if "inventory" in values:
            raise refusal("Inventory cannot be changed during on insert.")
        if not values.get("baseUnitOfMeasureCode"):
            values["baseUnitOfMeasureCode"] = "PCS"
            self.store.check("items", values)
        values.setdefault("_units", {})
        _not_negative(values)

    def _change_item(self, row: Row, values: Row) -> None:
        _not_negative(values)
        base = values.get("baseUnitOfMeasureCode", row["baseUnitOfMeasureCode"])
        moved = self.store.one("itemLedgerEntries", itemNumber=row["number"])
        if base != row["baseUnitOfMeasureCode"] and moved:
            text = "You cannot change Base Unit of Measure because there are one or more ledger"
            raise refusal(f"{text} entries for this item.")
        if "inventory" not in values:
            return
        if row["type"] != "Inventory":
            raise unmet(f"Type must be equal to 'Inventory' in Item: No.={row['number']}.")
        self.adjust(row, values.pop("inventory") - row["inventory"])

    def adjust(self, row: Row, difference: Decimal, location: str = ZERO) -> None:
        """Post what an item has more or less than before, as of today."""
        if self.seed["location_mandatory"] and location == ZERO:
            raise unmet("Location Code must have a value in Item Journal Line.")
        if not difference:
            return
        kind = "Positive Adjmt." if difference > 0 else "Negative Adjmt."
        self.store.move(row, difference, kind, documentNumber="ADJUST", _location=location)

    def _new_variant(self, values: Row) -> None:
        item = self.store.rows["items"].get(values.get("itemId", ""))
        if item is None:
            item = self.store.one("items", number=values.get("itemNumber", ""))
        if item is None:
            raise no_relation("Item No.", "Item Variant", values.get("itemNumber", ""), "Item")
        values |= {"itemId": item["id"], "itemNumber": item["number"]}

    def _completed(self, values: Row, whole: Row) -> None:
        area = self.store.rows["taxAreas"].get(whole.get("taxAreaId", ZERO))
        values["taxAreaDisplayName"] = area["displayName"] if area else ""
        if "currencyCode" not in whole:
            values |= {"currencyId": ZERO, "currencyCode": self.store.local}
        if sales := values.get("salespersonCode"):
            self.salesperson(sales, "Customer")

    def salesperson(self, code: str, table: str) -> None:
        """A code of somebody who sells."""
        if code and code not in self.seed["salespeople"]:
            raise no_relation("Salesperson Code", table, code, "Salesperson/Purchaser")

    def _balanced(self, values: Row) -> None:
        id_ = values.get("balancingAccountId")
        if id_ is None:
            return
        account = None if id_ == ZERO else self.store.rows["accounts"].get(id_)
        if account is None and id_ != ZERO:
            raise refusal('The "balancingAccountId" does not match to an Account.')
        values["balancingAccountNumber"] = account["number"] if account else ""

    def _rate(self, row: Row) -> None:
        rate = {"exchangeRateAmount": row.get("_rate", Decimal(1)), "currencyCode": row["code"]}
        rate |= {"relationalExchangeRateAmount": Decimal(1), "startingDate": "2026-01-01"}
        self.store.add("currencyExchangeRates", rate)

    def _unused(self, name: str, row: Row, verb: str) -> None:
        """Refuse where documents or entries still name the record."""
        label = f"You cannot {verb} {ENTITIES[name].name} {row.get('number') or row.get('code')}"
        if name == "customers":
            for document in (*DOCUMENTS, "salesShipments"):
                if self.store.one(document, customerId=row["id"]):
                    kind = ENTITIES[document].name
                    raise refusal(f"{label} because there is at least one {kind} for it.")
        if name == "items":
            entries = self.store.one("itemLedgerEntries", itemNumber=row["number"])
            lines = [self.store.one(f"{one[:-1]}Lines", itemId=row["id"]) for one in DOCUMENTS]
            if entries or any(lines):
                raise refusal(f"{label} because there are entries or documents that include it.")

    # -- reading -----------------------------------------------------------------------------------

    def rate(self, tax_code: str, customer: Row) -> Decimal:
        """The tax on a group for a customer, in percent."""
        area = self.store.rows["taxAreas"].get(customer["taxAreaId"]) or {}
        is_free = self.seed["uses_sales_tax"] and not customer["taxLiable"]
        if not tax_code or area.get("_is_exempt") or is_free:
            return Decimal(0)
        group = self.store.one("taxGroups", code=tax_code)
        if group is None:
            raise no_relation("Tax Code", "Sales Line", tax_code, "Tax Group")
        return Decimal(group.get("_rate", 0))

    def units(self, item: Row, code: str) -> Decimal:
        """How many base units one unit of that code holds; the factors are nowhere to be read."""
        if code == item["baseUnitOfMeasureCode"]:
            return Decimal(1)
        if code not in item["_units"]:
            table = "Item Unit of Measure"
            raise no_relation("Unit of Measure Code", "Sales Line", code, table)
        return Decimal(item["_units"][code])

    def exchange(self, code: str) -> Decimal:
        """How much of a currency one of the local is worth."""
        row = self.store.one("currencies", code=code)
        return Decimal(row.get("_rate", 1)) if row and code != self.store.local else Decimal(1)

    def customer(self, values: Row, kind: str) -> Row:
        """The customer a document names, by id, number or both."""
        id_, number = values.get("customerId"), values.get("customerNumber")
        if is_blank(id_) and is_blank(number):
            raise refusal('A "customerNumber" or a "customerId" must be provided.')
        found = self.store.rows["customers"].get(str(id_))
        if is_blank(id_):
            found = self.store.one("customers", number=number)
        if found is None:
            raise refusal("The sell-to customer cannot be found.")
        if number and number != found["number"]:
            raise refusal("The sell-to customer values do not match to a specific Customer.")
        refused = {"salesOrders": ("All", "Invoice", "Ship"), "salesInvoices": ("All", "Invoice")}
        if found["blocked"] in refused.get(kind, ("All",)):
            text = "You cannot create this type of document when Customer"
            raise refusal(f"{text} {found['number']} is blocked with type {found['blocked']}")
        return found


def _not_negative(values: Row) -> None:
    for name in ("unitPrice", "unitCost"):
        if values.get(name, 0) < 0:
            raise unmet(f"The value of {name} must be greater than or equal to 0.")


def _is_number(entity: Any, key: str) -> bool:
    field = entity.fields.get(key)
    return field is not None and field.kind == "decimal"


def _decimals(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {key: fine(Decimal(str(one))) for key, one in value.items()}
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return value
