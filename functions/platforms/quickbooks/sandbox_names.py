"""Customers and items of the QuickBooks sandbox, and what the seed opens the books with."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from platforms.quickbooks.sandbox_store import PEOPLE, Store, merged
from platforms.quickbooks.sandbox_wire import QboError, Row, broken, cleaned, missing, plain

FORBIDDEN = re.compile(r"[:\t\n\r]")
NAME_PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
STOCKED = ("QtyOnHand", "InvStartDate", "AssetAccountRef", "ExpenseAccountRef", "IncomeAccountRef")


class Names:
    """Writes the name lists, whose records are never deleted."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def save(self, kind: str, given: Row, id_: str = "") -> Row:
        """Create, or update where the body has an id."""
        old = self.store.locked(kind, given) if given.get("Id") and not id_ else None
        both = merged(kind, old, given)
        build = self._customer if kind == "Customer" else self._item
        row = build(both, old)
        return self.store.put(kind, old, row) if old else self.store.add(kind, row, id_)

    def _name(self, kinds: tuple[str, ...], field: str, name: str, old: Row | None) -> str:
        text = name.strip()
        if FORBIDDEN.search(text):
            detail = f"{field} must not hold a colon, a tab or a new line"
            raise QboError("2080", detail, element=field)
        for kind in kinds:
            for row in self.store.rows[kind].values():
                if row[field].casefold() == text.casefold() and row is not old:
                    detail = f"The name supplied already exists. : Another {kind.lower()} is "
                    raise QboError("6240", f"{detail}already using this name.", element=field)
        return text

    def _customer(self, given: Row, old: Row | None) -> Row:
        parts = " ".join(given[part].strip() for part in NAME_PARTS if given.get(part))
        name = given.get("DisplayName") or given.get("CompanyName") or parts
        if not name.strip():
            text = "At least one of the name elements is required: "
            raise QboError("2020", f"{text}DisplayName, {', '.join(NAME_PARTS)}")
        name = self._name(PEOPLE, "DisplayName", name, old)
        row = {key: value for key, value in given.items() if key not in ("Id", "SyncToken")}
        for part in (*NAME_PARTS, "CompanyName"):
            if row.get(part):
                row[part] = row[part].strip()
        self.store.references(given, row)
        self.store.addresses(given, row)
        mail = (given.get("PrimaryEmailAddr") or {}).get("Address")
        if mail is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", mail):
            detail = "Email Address does not conform to the syntax rules of RFC 822."
            raise QboError("2080", detail, element="PrimaryEmailAddr")
        currency = (given.get("CurrencyRef") or {}).get("value") or self.store.seed["currency"]
        row["CurrencyRef"] = None
        if self.store.rate_of(currency) is not None:
            row["CurrencyRef"] = {"value": currency}
            before = (old or {}).get("CurrencyRef", row["CurrencyRef"])
            if before["value"] != currency:
                raise broken("The currency of a customer cannot be changed.")
        defaults = {
            "Taxable": True,
            "Active": True,
            "PreferredDeliveryMethod": "None",
            "PrintOnCheckName": row.get("CompanyName") or name,
        }
        fixed = {"DisplayName": name, "FullyQualifiedName": name}
        return defaults | row | fixed | {"Job": False, "BillWithParent": False}

    def _item(self, given: Row, old: Row | None) -> Row:
        if not (given.get("Name") or "").strip():
            raise missing("Name")
        name = self._name(("Item",), "Name", given["Name"], old)
        kind = given.get("Type", "Service")
        if old and old["Type"] != kind and old["Type"] == "Inventory":
            raise broken("An inventory item cannot become an item of another type.")
        row = {key: value for key, value in given.items() if key not in ("Id", "SyncToken")}
        if kind == "Inventory":
            self._check_stocked(given, old)
        elif given.get("TrackQtyOnHand"):
            raise broken("Only an item of the type Inventory has a quantity on hand.")
        else:
            row |= dict.fromkeys(("QtyOnHand", "InvStartDate"))
        self.store.reference(given, "IncomeAccountRef", needed=True)
        self.store.references(given, row)
        for number in ("UnitPrice", "PurchaseCost", "QtyOnHand"):
            if row.get(number) is not None:
                row[number] = plain(row[number])
        defaults = {"UnitPrice": Decimal(0), "PurchaseCost": Decimal(0), "Taxable": True}
        fixed = {"Name": name, "FullyQualifiedName": name, "Type": kind}
        return defaults | {"Active": True, "TrackQtyOnHand": kind == "Inventory"} | row | fixed

    def _check_stocked(self, given: Row, old: Row | None) -> None:
        if not given.get("TrackQtyOnHand"):
            raise missing("TrackQtyOnHand")
        for name in STOCKED:
            if given.get(name) is None:
                raise missing(name)
        if old and Decimal(given["QtyOnHand"]) != old["QtyOnHand"]:
            raise broken("The quantity on hand is changed by an inventory adjustment only.")


def open_books(store: Store) -> None:
    """Put in what the seed has: settings first, because the names refer to them."""
    with store.opening(store.seed["opened_at"]):
        _settings(store)
        _taxes(store)
        names = Names(store)
        for kind, key in (("Customer", "customers"), ("Item", "items")):
            for draft in store.seed[key]:
                names.save(kind, cleaned(kind, _decimals(draft)), draft.get("Id", ""))


def _settings(store: Store) -> None:
    for one in store.seed["accounts"]:
        row = _named(one, is_nested=True) | {
            "AccountType": one["type"],
            "CurrentBalance": Decimal(0),
        }
        store.add("Account", row | {"SubAccount": False}, one["id"])
    for one in store.seed["payment_methods"]:
        kind = one.get("type", "NON_CREDIT_CARD")
        store.add("PaymentMethod", _named(one) | {"Type": kind}, one["id"])
    for one in store.seed["terms"]:
        days = {"Type": "STANDARD", "DueDays": one["days"]}
        store.add("Term", _named(one) | days, one["id"])
    for kind, key in (("Class", "classes"), ("Department", "departments")):
        for one in store.seed[key]:
            store.add(kind, _named(one, is_nested=True), one["id"])
    for kind, key in (("Vendor", "vendors"), ("Employee", "employees")):
        for name in store.seed[key]:
            store.add(kind, {"DisplayName": name, "Active": True})
    for code in store.seed["currencies"]:
        store.add("CompanyCurrency", {"Code": code, "Name": code, "Active": True})
    seed = store.seed
    info = {"CompanyName": seed["company"]["name"], "LegalName": seed["company"]["name"]}
    info |= {"Country": seed["company"]["country"], "SupportedLanguages": "en"}
    store.add("CompanyInfo", info, "1")
    forms = {"CustomTxnNumbers": seed["custom_txn_numbers"], "AllowDiscount": True}
    forms |= {"AllowShipping": seed["allows_shipping"], "AllowEstimates": True}
    currency = {"MultiCurrencyEnabled": seed["multicurrency"]}
    preferences: Row = {
        "SalesFormsPrefs": forms,
        "CurrencyPrefs": currency | {"HomeCurrency": {"value": seed["currency"]}},
        "TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": store.is_us},
        "AccountingInfoPrefs": {"BookCloseDate": seed["closed_until"]},
        "ProductAndServicesPrefs": {"ForSales": True, "QuantityOnHand": True},
        "OtherPrefs": {"NameValue": []},
    }
    if not seed["closed_until"]:
        preferences["AccountingInfoPrefs"] = {}
    store.add("Preferences", preferences, "1")


def _taxes(store: Store) -> None:
    """The codes a company of that country has; a rate is in as many codes as name it."""
    agency = store.add("TaxAgency", {"DisplayName": "Tax office", "TaxTrackedOnSales": True}, "1")
    codes = store.seed["tax_codes"]
    if store.is_us:
        rate = {"id": "1", "name": "Automated", "rate": store.seed["automated_tax_rate"]}
        codes = [
            {"id": "TAX", "name": "TAX", "rates": [rate]},
            {"id": "NON", "name": "NON", "rates": [], "taxable": False},
        ]
    for code in codes:
        details = []
        for order, rate in enumerate(code["rates"]):
            known = store.rows["TaxRate"].get(rate["id"])
            row = _named(rate) | {"RateValue": Decimal(str(rate["rate"]))}
            row |= {"AgencyRef": {"value": agency["Id"]}, "SpecialTaxType": "NONE"}
            known = known or store.add("TaxRate", row, rate["id"])
            ref = {"value": known["Id"], "name": known["Name"]}
            detail = {"TaxRateRef": ref, "TaxTypeApplicable": "TaxOnAmount"}
            details.append(detail | {"TaxOrder": order})
        row = _named(code) | {"Description": code["name"], "TaxGroup": True}
        row |= {"Taxable": code.get("taxable", True), "Hidden": False}
        row |= {"SalesTaxRateList": {"TaxRateDetail": details}}
        row |= {"PurchaseTaxRateList": {"TaxRateDetail": []}}
        store.add("TaxCode", row, code["id"])


def _named(one: Row, *, is_nested: bool = False) -> Row:
    name = one["name"]
    row = {"Name": name, "Active": one.get("active", True)}
    return row | {"FullyQualifiedName": name} if is_nested else row


def _decimals(value: Any) -> Any:
    """A seed's numbers, which its JSON may have made floats."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: _decimals(one) for name, one in value.items()}
    return [_decimals(one) for one in value] if isinstance(value, list) else value
