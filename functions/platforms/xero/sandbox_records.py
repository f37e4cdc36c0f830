"""What the Xero sandbox keeps of one organisation but its documents: contacts, items, settings."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from platforms.xero.sandbox_lines import ZERO
from platforms.xero.sandbox_wire import CENT, GUID, PART, InvalidError, Json, cents, new_id

Tell = Callable[[str, str, str, Json | None], None]
"""One event: category, type, id, data."""

PHONES = ("DDI", "DEFAULT", "FAX", "MOBILE")
ADDRESS = ("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4")
PLACE = ("City", "Region", "PostalCode", "Country", "AttentionTo")
PHONE = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")
OF_CONTACT = (
    "ContactNumber AccountNumber ContactStatus Name FirstName LastName CompanyNumber EmailAddress"
    " BankAccountDetails TaxNumber AccountsReceivableTaxType AccountsPayableTaxType"
    " DefaultCurrency PaymentTerms SalesDefaultAccountCode PurchasesDefaultAccountCode"
    " SalesDefaultLineAmountType PurchasesDefaultLineAmountType ContactPersons"
).split()
NO_CONTACT = (
    "The Contact must contain at least 1 of the following elements to identify the contact:"
    " Name, ContactID, ContactNumber"
)
ARCHIVED = (
    "The contact with the specified contact details has been archived. The contact must be"
    " un-archived before creating new invoices or credit notes."
)


@dataclass(frozen=True)
class How:
    """How one element is written.

    Attributes:
        creates: PUT makes new ones only.
        id: the record named in the path, if one is.
        places: decimals unit prices keep.
        app: whose call it is; empty for people.
    """

    creates: bool = False
    id: str = ""
    places: int = 2
    app: str = ""


class Records:
    """Contacts, items, settings and history of one organisation.

    Args:
        tenant: the organisation's own seed.
        clock: gives the time.
        tell: sends one event.
    """

    def __init__(self, tenant: Json, clock: Callable[[], datetime], tell: Tell) -> None:
        self.tenant, self.clock, self._tell = tenant, clock, tell
        self.counted: Counter[str] = Counter()
        self.told: list[tuple[str, str, str, Json | None]] = []
        self.contacts: dict[str, Json] = {}
        self.items: dict[str, Json] = {}
        self.documents: dict[str, Json] = {}
        self.payments: dict[str, Json] = {}
        self.allocations: dict[str, Json] = {}
        self.history: dict[str, list[Json]] = {}
        self.opened = clock()
        self.taxes = {one["TaxType"]: self._tax_rate(one) for one in tenant["tax_rates"]}
        self.accounts = [self._account(one) for one in tenant["accounts"]]
        self.tracking = {
            name: {"id": new_id(), "options": {option: new_id() for option in options}}
            for name, options in tenant["tracking"].items()
        }

    # Writes happen as one: what fails is as if it had never begun.

    def save(self) -> Json:
        """All records as they are now."""
        names = ("contacts", "items", "documents", "payments", "allocations", "history")
        return copy.deepcopy({name: getattr(self, name) for name in names})

    def restore(self, saved: Json) -> None:
        """Back to what was saved."""
        for name, records in saved.items():
            setattr(self, name, records)
        self.forget()

    def forget(self) -> None:
        """Drop counts and events that are not out yet."""
        self.counted.clear()
        self.told.clear()

    def commit(self) -> Counter[str]:
        """Send the events of what was written; what it counts as."""
        counted, told = Counter(self.counted), list(self.told)
        self.forget()
        for event in told:
            self._tell(*event)
        return counted

    def changed(self, category: str, record: Json, record_id: str, what: str) -> None:
        """A record has a new time, and who listens is told."""
        record["UpdatedDateUTC"] = self.clock()
        if category:
            kind = "CREATE" if what == "Created" else "UPDATE"
            data = None
            if category == "CREDITNOTE":
                data = {"Type": record["Type"], "Status": record["Status"]}
            self.told.append((category, kind, record_id, data))

    def note(self, record_id: str, changes: str, details: str, user: str) -> Json:
        """A line of history, newest first."""
        row = {"Changes": changes, "DateUTC": self.clock(), "User": user, "Details": details}
        self.history.setdefault(record_id, []).insert(0, row)
        return row

    # Settings.

    def _tax_rate(self, given: Json) -> Json:
        rate = Decimal(given["rate"])
        part = {"Name": "VAT", "Rate": rate, "IsCompound": False, "IsNonRecoverable": False}
        return {
            "Name": given["Name"],
            "TaxType": given["TaxType"],
            "ReportTaxType": given.get("ReportTaxType", "OUTPUT"),
            "CanApplyToAssets": True,
            "CanApplyToEquity": True,
            "CanApplyToExpenses": False,
            "CanApplyToLiabilities": True,
            "CanApplyToRevenue": True,
            "DisplayTaxRate": rate,
            "EffectiveRate": rate,
            "Status": given.get("Status", "ACTIVE"),
            "TaxComponents": [part],
        }

    def _account(self, given: Json) -> Json:
        row = {
            "AccountID": new_id(),
            "Status": "ACTIVE",
            "TaxType": "NONE",
            "EnablePaymentsToAccount": False,
            "ShowInExpenseClaims": False,
            "ReportingCode": "",
            "HasAttachments": False,
            "UpdatedDateUTC": self.opened,
            "AddToWatchlist": False,
        } | given
        if row["Type"] == "BANK":
            bank = {"BankAccountNumber": "", "BankAccountType": "BANK"}
            row = bank | {"CurrencyCode": self.tenant["base_currency"]} | row
        return row

    def organisation(self) -> Json:
        """The one organisation of a tenant."""
        tenant = self.tenant
        row = {
            "Name": tenant["name"],
            "LegalName": tenant["name"],
            "PaysTax": True,
            "Version": tenant["version"],
            "OrganisationType": "COMPANY",
            "BaseCurrency": tenant["base_currency"],
            "CountryCode": tenant["country"],
            "IsDemoCompany": False,
            "OrganisationStatus": "ACTIVE",
            "RegistrationNumber": "",
            "TaxNumber": "",
            "FinancialYearEndDay": 31,
            "FinancialYearEndMonth": 3,
            "SalesTaxBasis": "ACCRUALS",
            "SalesTaxPeriod": "QUARTERLY1",
            "DefaultSalesTax": "Tax Exclusive",
            "DefaultPurchasesTax": "Tax Exclusive",
            "CreatedDateUTC": self.opened,
            "OrganisationEntityType": "COMPANY",
            "Timezone": "GMTSTANDARDTIME",
            "ShortCode": f"!{tenant['tenantId'][:5]}",
            "OrganisationID": tenant["tenantId"],
            "Edition": "BUSINESS",
            "Class": tenant["plan"],
            "Addresses": tenant["addresses"],
            "Phones": tenant["phones"],
            "ExternalLinks": [],
            "PaymentTerms": {},
        }
        if tenant["lock_date"]:
            day = date.fromisoformat(tenant["lock_date"])
            row |= {"PeriodLockDate": day, "EndOfYearLockDate": day}
        return row

    def currencies(self) -> list[Json]:
        """The currencies the organisation subscribes to."""
        return [{"Code": code, "Description": code} for code in self.tenant["currencies"]]

    def check_open(self, day: date, wrong: list[str]) -> None:
        """Nothing is dated into a closed period."""
        locked = self.tenant["lock_date"]
        if locked and day <= date.fromisoformat(locked):
            wrong.append(
                "The document date cannot be before the period lock date, currently set at"
                f" {date.fromisoformat(locked):%d %B %Y}."
            )

    # Contacts.

    def contact_named(self, given: Json) -> Json | None:
        """The contact an element means: by id, by number, by name among the active ones."""
        if given.get("ContactID"):
            found = self.contacts.get(given["ContactID"])
            if found is None:
                raise InvalidError("The contact with the specified ContactID could not be found")
            return found
        number, name = given.get("ContactNumber"), given.get("Name")
        if not number and not name:
            raise InvalidError(NO_CONTACT)
        if number:
            found = next(
                (one for one in self.contacts.values() if one["ContactNumber"] == number), None
            )
            if found or not name:
                return found
        return self._same_name(str(name), "")

    def _same_name(self, name: str, but: str) -> Json | None:
        """The active contact of a name; capitals make no difference."""
        for one in self.contacts.values():
            same = one["Name"].casefold() == name.casefold()
            if same and one["ContactStatus"] == "ACTIVE" and one["ContactID"] != but:
                return one
        return None

    def write_contact(self, given: Json, how: How, wrong: list[str]) -> Json:
        """Make a contact or change one."""
        found = self._contact_meant(given, how, wrong)
        contact: Json = found or {
            "ContactID": new_id(),
            "ContactStatus": "ACTIVE",
            **dict.fromkeys("ContactNumber AccountNumber Name FirstName LastName".split(), ""),
            **dict.fromkeys("CompanyNumber EmailAddress BankAccountDetails TaxNumber".split(), ""),
            "ContactPersons": [],
            "_kinds": set(),
            "_addresses": {kind: dict.fromkeys((*ADDRESS, *PLACE), "") for kind in _KINDS},
            "_phones": {kind: dict.fromkeys(PHONE, "") for kind in PHONES},
        }
        after = contact | {name: given[name] for name in OF_CONTACT if name in given}
        if not after["Name"]:
            wrong.append("The contact name must be specified.")
        elif after["ContactStatus"] == "ACTIVE" and self._same_name(
            after["Name"], contact["ContactID"]
        ):
            wrong.append(
                f"The contact name {after['Name']} is already assigned to another contact."
                " The contact name must be unique across all active contacts."
            )
        number = after["ContactNumber"]
        for one in self.contacts.values():
            if number and one["ContactNumber"] == number and one is not contact:
                wrong.append(f"The contact number {number} is already assigned to another contact.")
        email = after["EmailAddress"]
        if email and ("@" not in email[1:-1] or not email.isascii()):
            wrong.append("Email address must be valid.")
        if wrong:
            raise InvalidError(*wrong)
        contact.update(after)
        self._places(contact, given)
        self.contacts[contact["ContactID"]] = contact
        self._wrote_contact(contact, "Edited" if found else "Created", how)
        return contact

    def _contact_meant(self, given: Json, how: How, wrong: list[str]) -> Json | None:
        if how.id:
            return self.contacts[how.id]
        if how.creates:
            if given.get("ContactID") in self.contacts:
                wrong.append("A contact with the specified ContactID already exists")
            return None
        found = self.contact_named(given)
        number = given.get("ContactNumber")
        if found and number and not given.get("ContactID") and found["ContactNumber"] != number:
            # Found by its name alone, under another number: a clash, and no update.
            return None
        return found

    def _places(self, contact: Json, given: Json) -> None:
        """Addresses and phones take the place of those of their type."""
        for one in given.get("Addresses", []):
            kind = one.get("AddressType", "POBOX")
            contact["_addresses"][kind] = {key: one.get(key, "") for key in (*ADDRESS, *PLACE)}
        for one in given.get("Phones", []):
            kind = one.get("PhoneType", "DEFAULT")
            contact["_phones"][kind] = {key: one.get(key, "") for key in PHONE}

    def _wrote_contact(self, contact: Json, what: str, how: How) -> None:
        self.changed("CONTACT", contact, contact["ContactID"], what)
        self.note(contact["ContactID"], what, "", how.app)
        self.counted["contact created" if what == "Created" else "contact updated"] += 1

    def show_contact(self, contact: Json, detail: str = "full") -> Json:
        """A contact: ``full``, of a ``page`` or a ``list``, or ``brief`` inside a document."""
        brief = {"ContactID": contact["ContactID"], "Name": contact["Name"]}
        if detail == "brief":
            lists: Json = {"Addresses": [], "Phones": [], "ContactGroups": [], "ContactPersons": []}
            return brief | lists | {"HasValidationErrors": False}
        plain = {
            name: value
            for name, value in contact.items()
            if not name.startswith("_") and (value != "" or name in _ALWAYS)
        }
        kinds = contact["_kinds"]
        shown = PLACE if detail == "full" else PLACE[:4]
        row = plain | {
            "Addresses": [
                {"AddressType": kind}
                | {name: text for name, text in lines.items() if text or name in shown}
                for kind, lines in contact["_addresses"].items()
            ],
            "Phones": [{"PhoneType": kind} | one for kind, one in contact["_phones"].items()],
            "ContactGroups": [],
            "IsSupplier": "ACCPAY" in kinds,
            "IsCustomer": "ACCREC" in kinds,
            "SalesDefaultLineAmountType": contact.get("SalesDefaultLineAmountType", "NONE"),
            "PurchasesDefaultLineAmountType": contact.get("PurchasesDefaultLineAmountType", "NONE"),
            "HasAttachments": False,
            "HasValidationErrors": False,
        }
        if detail == "full":
            row |= {"SalesTrackingCategories": [], "PurchasesTrackingCategories": []}
        if detail != "list" and kinds & {"ACCREC", "ACCPAY"}:
            owner = contact["ContactID"]
            mine = [one for one in self.documents.values() if one["_contact"] == owner]
            row["Balances"] = {
                "AccountsReceivable": self._balance(mine, "ACCREC"),
                "AccountsPayable": self._balance(mine, "ACCPAY"),
            }
        return row

    def _balance(self, mine: list[Json], kind: str) -> Json:
        today = self.clock().date()
        due = [one for one in mine if one["Type"] == kind and one["Status"] == "AUTHORISED"]
        late = [one for one in due if one.get("DueDate") and one["DueDate"] < today]
        return {
            "Outstanding": sum((self.open_amount(one) for one in due), ZERO),
            "Overdue": sum((self.open_amount(one) for one in late), ZERO),
        }

    def open_amount(self, document: Json) -> Decimal:
        """What is still to pay on an invoice, or still to give of a credit."""
        if document["Status"] not in ("DRAFT", "SUBMITTED", "AUTHORISED", "PAID"):
            return ZERO
        applied = sum((one["Amount"] for one in self.applied(document)), ZERO)
        return Decimal(document["Total"]) - applied

    def applied(self, document: Json) -> list[Json]:
        """The payments and allocations that touch a document and are not deleted."""
        named = document["_applied"]
        paid = [self.payments[one] for one in named if one in self.payments]
        paid = [one for one in paid if one["Status"] == "AUTHORISED"]
        return paid + [self.allocations[one] for one in named if one in self.allocations]

    # Items.

    def item_named(self, name: str) -> Json | None:
        """An item by its id or code."""
        if GUID.match(name):
            return self.items.get(name.lower())
        return next((one for one in self.items.values() if one["Code"] == name), None)

    def write_item(self, given: Json, how: How, wrong: list[str]) -> Json:
        """Make an item or change one; the code is its key."""
        found = self.items[how.id] if how.id else None
        if not how.id and not how.creates:
            wanted = given.get("ItemID") or given.get("Code", "")
            found = self.item_named(wanted)
            if given.get("ItemID") and found is None:
                raise InvalidError("The item with the specified ItemID could not be found")
        item: Json = found or {
            "ItemID": new_id(),
            "Code": "",
            "Name": "",
            "Description": "",
            "PurchaseDescription": "",
            "PurchaseDetails": {},
            "SalesDetails": {},
            "IsTrackedAsInventory": False,
            "IsSold": True,
            "IsPurchased": True,
        }
        after = item | {name: given[name] for name in _OF_ITEM if name in given}
        for name in ("SalesDetails", "PurchaseDetails"):
            after[name] = self._details({**item[name], **given.get(name, {})}, how.places, wrong)
        after["Name"] = after["Name"] or after["Code"]
        is_tracked = bool(after.get("InventoryAssetAccountCode"))
        if is_tracked and not after["PurchaseDetails"].get("COGSAccountCode"):
            wrong.append("COGSAccountCode is required for a tracked inventory item")
        if found and found["IsTrackedAsInventory"] != is_tracked:
            wrong.append("The item cannot change between tracked and untracked")
        after["IsTrackedAsInventory"] = is_tracked
        if is_tracked:
            after = {"TotalCostPool": ZERO, "QuantityOnHand": ZERO} | after
        self._item_code(after, item, wrong)
        if wrong:
            raise InvalidError(*wrong)
        if not after["IsSold"]:
            after |= {"Description": "", "SalesDetails": {}}
        if not after["IsPurchased"]:
            after |= {"PurchaseDescription": "", "PurchaseDetails": {}}
        item.update(after)
        self.items[item["ItemID"]] = item
        what = "Edited" if found else "Created"
        self.changed("", item, item["ItemID"], what)
        self.note(item["ItemID"], what, "", how.app)
        self.counted["item updated" if found else "item created"] += 1
        return item

    def _item_code(self, after: Json, item: Json, wrong: list[str]) -> None:
        code = after["Code"]
        if not code:
            wrong.append("Code must be specified")
        twins = (one for one in self.items.values() if one is not item)
        if code and any(one["Code"] == code for one in twins):
            wrong.append(f"Price List Item with Code '{code}' already exists")

    def _details(self, given: Json, places: int, wrong: list[str]) -> Json:
        step = CENT if places == 2 else PART
        if "UnitPrice" in given:
            given["UnitPrice"] = given["UnitPrice"].quantize(step, ROUND_HALF_UP)
        for name in ("AccountCode", "COGSAccountCode"):
            if given.get(name) and given[name] not in self._account_codes():
                wrong.append(f"Account code '{given[name]}' is not a valid code for this document.")
        if given.get("TaxType") and given["TaxType"] not in self.taxes:
            wrong.append(f"The TaxType code '{given['TaxType']}' does not exist.")
        return given

    def _account_codes(self) -> set[str]:
        return {one["Code"] for one in self.accounts if one["Status"] == "ACTIVE"}

    def show_item(self, item: Json, places: int = 2) -> Json:
        """An item, with its prices in the decimals asked for."""
        row = {
            name: value for name, value in item.items() if value != "" and not name.startswith("_")
        }
        if item["IsTrackedAsInventory"]:
            row["QuantityOnHand"] = self.on_hand(item)
        for name in ("SalesDetails", "PurchaseDetails"):
            if "UnitPrice" in (details := row.get(name, {})):
                price = units(details["UnitPrice"], places)
                row[name] = details | {"UnitPrice": price}
        return row

    def on_hand(self, item: Json) -> Decimal:
        """What is left of a tracked item: approved sales take, bills and credits give."""
        left: Decimal = item.get("_opening", ZERO)
        for one in self.documents.values():
            if one["Status"] in ("AUTHORISED", "PAID"):
                sign = 1 if one["Type"] in ("ACCPAY", "ACCRECCREDIT") else -1
                mine = (line for line in one["LineItems"] if line.get("ItemCode") == item["Code"])
                left += sign * sum((line["Quantity"] for line in mine), ZERO)
        return left

    def drop_item(self, item: Json) -> None:
        """Delete an item nothing was sold of."""
        lines: Iterable[Any] = (
            line for one in self.documents.values() for line in one["LineItems"]
        )
        if item["IsTrackedAsInventory"] and any(
            line.get("ItemCode") == item["Code"] for line in lines
        ):
            raise InvalidError("The item cannot be deleted: transactions use it")
        del self.items[item["ItemID"]]
        self.counted["item deleted"] += 1


def units(amount: Decimal, places: int) -> Decimal:
    """A unit price in so many decimals."""
    return cents(amount) if places == 2 else amount.quantize(PART, ROUND_HALF_UP)


_KINDS = ("STREET", "POBOX")
_ALWAYS = {"Name", "FirstName", "LastName", "EmailAddress", "BankAccountDetails", "TaxNumber"}
_OF_ITEM = (
    "Code Name Description PurchaseDescription IsSold IsPurchased InventoryAssetAccountCode".split()
)
