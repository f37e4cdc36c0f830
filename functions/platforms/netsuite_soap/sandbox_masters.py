"""Customers, contacts and items of the NetSuite sandbox."""

from __future__ import annotations

from decimal import Decimal

from platforms.netsuite_soap.sandbox_documents import address_text, missing, user_error
from platforms.netsuite_soap.sandbox_lines import needed
from platforms.netsuite_soap.sandbox_store import ITEMS, Store
from platforms.netsuite_soap.sandbox_types import RefusalError, Row


class Masters:
    """Completes and checks one customer, contact or item."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def customer(self, row: Row, old: Row | None) -> None:
        """A customer: a company or a person, of one subsidiary, under a number of its own."""
        row.setdefault("isPerson", False)
        names = ("firstName", "lastName") if row["isPerson"] else ("companyName",)
        for name in names:
            if not row.get(name):
                raise missing(name)
        if "subsidiary" not in row:
            raise missing("subsidiary")
        if old and row["subsidiary"] != old["subsidiary"]:
            raise user_error("The subsidiary of a customer with a currency cannot be changed.")
        subsidiary = self.store.need("subsidiary", row["subsidiary"]["id"])
        row.setdefault("currency", dict(subsidiary["currency"]))
        if not row.get("entityId"):
            row["entityId"] = self.store.next_number("customer")
        self.one_of_a_name(row, old)
        row["altName"] = " ".join(str(row[name]) for name in names)
        self.mail(row)
        self.addresses(row)
        for one in row.get("currencyList", []):
            if "currency" not in one:
                raise missing("currency")
        stays = {"isInactive": False, "taxable": True, "creditHoldOverride": "_auto"}
        stays |= {"emailPreference": "_default", "shipComplete": False, "webLead": "No"}
        stays |= {"stage": "_customer", "isBudgetApproved": False}
        for name, value in stays.items():
            row.setdefault(name, value)

    def one_of_a_name(self, row: Row, old: Row | None) -> None:
        """A customer's number belongs to it alone."""
        for other in self.store.all("customer"):
            if other["entityId"].lower() == row["entityId"].lower() and other is not old:
                text = "A customer record with this ID already exists."
                text += " You must enter a unique customer ID for each record you create."
                raise RefusalError("UNIQUE_CUST_ID_REQD", text)

    def mail(self, row: Row) -> None:
        """An address of e-mail has at least its form."""
        given = row.get("email")
        if given and ("@" not in given or " " in given):
            raise RefusalError("USER_ERROR", f"Invalid email address: {given}")

    def addresses(self, row: Row) -> None:
        """The address book: one default each, a label, and the text as it is printed."""
        book = row.get("addressbookList", [])
        for entry in book:
            address = entry.get("addressbookAddress")
            if not address:
                raise missing("addressbookAddress")
            address.setdefault("country", self.home(row))
            address.setdefault("override", False)
            address["addrText"] = address_text(address)
            entry.setdefault("internalId", self.store.next_id())
            entry.setdefault("label", address.get("addr1", ""))
            entry.setdefault("isResidential", False)
        for flag in ("defaultShipping", "defaultBilling"):
            chosen = [entry for entry in book if entry.get(flag)]
            for entry in book:
                # The last one that claims to be the default is it.
                entry[flag] = bool(chosen) and entry is chosen[-1]
        texts = [e["addressbookAddress"]["addrText"] for e in book if e["defaultBilling"]]
        row["defaultAddress"] = texts[0] if texts else ""

    def home(self, row: Row) -> str:
        """The country of the customer's subsidiary."""
        subsidiary = self.store.get("subsidiary", row.get("subsidiary", {}).get("id", ""))
        return str((subsidiary or {}).get("country", "_unitedStates"))

    def contact(self, row: Row, old: Row | None) -> None:
        """A person at a customer."""
        whole = " ".join(filter(None, (row.get("firstName"), row.get("lastName"))))
        if not row.get("entityId"):
            if not whole:
                raise missing("entityId")
            row["entityId"] = whole
        twin = [
            other
            for other in self.store.all("contact")
            if other["entityId"] == row["entityId"]
            and other.get("company") == row.get("company")
            and other is not old
        ]
        if twin:
            text = "A contact record with this name already exists."
            raise RefusalError("CONTACT_ALREADY_EXISTS", text)
        row.setdefault("subsidiary", self.of_company(row))
        self.mail(row)
        self.addresses(row)
        row.setdefault("isInactive", False)
        row.setdefault("isPrivate", False)
        row.setdefault("globalSubscriptionStatus", "_softOptOut")

    def of_company(self, row: Row) -> Row:
        """The subsidiary of a contact's customer."""
        company = self.store.get("customer", row.get("company", {}).get("id", ""))
        found = company["subsidiary"] if company else {"id": self.first("subsidiaries")}
        return dict(found)

    def first(self, key: str) -> str:
        """The id of the first of a list of the seed."""
        return str(self.store.seed[key][0]["internalId"])

    def item(self, row: Row, old: Row | None) -> None:
        """An item: a name nobody else has, prices per sale unit."""
        if not row.get("itemId"):
            raise needed("ItemId")
        for other in self.store.all(*ITEMS):
            if other["itemId"] == row["itemId"] and other is not old:
                text = "Uniqueness error - there is already an item with that name."
                raise RefusalError("DUP_ITEM", text)
        row.setdefault("isInactive", False)
        if "unitsType" in row:
            base = self.store.need("unitsType", row["unitsType"]["id"])["uomList"][0]
            row.setdefault("saleUnit", {"id": base["internalId"]})
        for entry in row.get("pricingMatrix", []):
            entry.setdefault("currency", {"id": self.first("currencies")})
            entry.setdefault("priceLevel", {"id": self.first("price_levels")})
            for price in entry.setdefault("priceList", []):
                price.setdefault("quantity", Decimal())
                if "value" not in price:
                    raise missing("value")
