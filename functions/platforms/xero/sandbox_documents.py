"""Invoices, bills and credit notes of the Xero sandbox: states, numbers, edits, looks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from platforms.xero.sandbox_lines import ZERO, Sheet, make_line, sums
from platforms.xero.sandbox_records import ARCHIVED, How, Records, units
from platforms.xero.sandbox_wire import GUID, InvalidError, Json, new_id

MOVES = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
}
"""What each state may become by a write; what is missing can become nothing."""
STARTS = ("DRAFT", "SUBMITTED", "AUTHORISED")
KINDS = {"Invoice": ("ACCREC", "ACCPAY"), "CreditNote": ("ACCRECCREDIT", "ACCPAYCREDIT")}
PLAIN = ("Reference", "Url", "BrandingThemeID", "ExpectedPaymentDate", "PlannedPaymentDate")
FROZEN = ("_contact", "Date", "CurrencyCode", "LineAmountTypes", "LineItems", "Type")
"""What payments and credits on a document forbid to change."""
OF_LINE = (
    "Description Quantity UnitAmount ItemCode AccountCode TaxType DiscountRate DiscountAmount"
    " Tracking"
).split()
UNCHANGEABLE = "not of valid status for modification"
APPLIED = "as it has a payment or credit note allocated to it."


class Documents(Records):
    """What is sold and credited."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._numbers: dict[str, Iterator[int]] = {
            "Invoice": itertools.count(1),
            "CreditNote": itertools.count(1),
        }

    def document_named(self, kind: str, name: str) -> Json | None:
        """A document by its id or number."""
        if GUID.match(name):
            found = self.documents.get(name.lower())
            return found if found and found["_kind"] == kind else None
        return next((one for one in self.all_of(kind) if one[f"{kind}Number"] == name), None)

    def all_of(self, kind: str) -> list[Json]:
        """The documents of a kind, oldest first."""
        return [one for one in self.documents.values() if one["_kind"] == kind]

    # Writes.

    def write_document(self, kind: str, given: Json, how: How, wrong: list[str]) -> Json:
        """Make a document or change one."""
        found = self._document_meant(kind, given, how, wrong)
        status = str(given.get("Status") or (found["Status"] if found else "DRAFT"))
        if found:
            self._check_move(kind, found, status)
            if status in ("VOIDED", "DELETED"):
                return self.end_document(found, status, how)
        elif status not in STARTS:
            wrong.append(f"A new {kind} cannot have the status {status}")
        after = self._after(kind, found, given, how, wrong)
        after["Status"] = status
        contact = self._contact_of(found, given, wrong)
        self._check(kind, after, given, wrong)
        if found and self.applied(found):
            after["_contact"] = contact["ContactID"] if contact else ""
            if any(after[name] != found[name] for name in FROZEN):
                wrong.append(f"This document cannot be edited {APPLIED}")
        if wrong:
            raise InvalidError(*wrong)
        after["_contact"] = (contact or self._new_contact(given, how))["ContactID"]
        if not after[f"{kind}Number"] and after["Type"] in ("ACCREC", "ACCRECCREDIT"):
            after[f"{kind}Number"] = self._next_number(kind)
        document = found if found is not None else after
        document.update(after)
        self.documents[document["_id"]] = document
        self._wrote(document, "Edited" if found else "Created", how)
        return document

    def _wrote(self, document: Json, what: str, how: How) -> None:
        self.settle(document)
        kind = document["_kind"]
        if document["Status"] not in ("DRAFT", "DELETED"):
            self.contacts[document["_contact"]]["_kinds"].add(document["Type"])
        self.changed(kind.upper(), document, document["_id"], what)
        self.note(document["_id"], what, f"{document['Status']} {document['Total']}", how.app)
        ends = {"VOIDED": "voided", "DELETED": "deleted"}
        done = ends.get(document["Status"], "created" if what == "Created" else "updated")
        self.counted[f"{kind.lower()} {done}"] += 1

    def end_document(self, document: Json, status: str, how: How) -> Json:
        """Void or delete; what is applied to it stands in the way."""
        if self.applied(document):
            raise InvalidError(f"This document cannot be voided {APPLIED}")
        document["Status"] = status
        self._wrote(document, "Voided" if status == "VOIDED" else "Deleted", how)
        return document

    def settle(self, document: Json) -> None:
        """Nothing left to pay makes an approved document paid, and back."""
        if document["Status"] in ("AUTHORISED", "PAID"):
            document["Status"] = "AUTHORISED" if self.open_amount(document) > 0 else "PAID"

    def _check_move(self, kind: str, found: Json, status: str) -> None:
        name = {"CreditNote": "Credit note"}.get(kind, kind)
        if status == "VOIDED" and self.applied(found):
            raise InvalidError(f"This document cannot be voided {APPLIED}")
        if status not in MOVES.get(found["Status"], set()):
            raise InvalidError(f"{name} {UNCHANGEABLE}")

    def _document_meant(self, kind: str, given: Json, how: How, wrong: list[str]) -> Json | None:
        if how.id:
            return self.documents[how.id]
        own, number = given.get(f"{kind}ID"), given.get(f"{kind}Number")
        if how.creates:
            if own and self.document_named(kind, own):
                wrong.append(f"A {kind} with the specified {kind}ID already exists")
            return None
        if own:
            found = self.document_named(kind, own)
            if found is None:
                raise InvalidError(f"An existing {kind} with the specified {kind}ID was not found")
            return found
        if number and given.get("Type") == KINDS[kind][0]:
            return next(self._numbered(kind, number, ""), None)
        return None

    def _numbered(self, kind: str, number: str, but: str) -> Iterator[Json]:
        free = self.tenant["number_reuse"]
        for one in self.all_of(kind):
            is_rival = one["Type"] == KINDS[kind][0] and one["_id"] != but
            same = one[f"{kind}Number"].casefold() == number.casefold()
            if is_rival and same and one["Status"] not in free:
                yield one

    def _next_number(self, kind: str) -> str:
        prefix = self.tenant["number_prefix"][kind]
        while True:
            number = f"{prefix}{next(self._numbers[kind]):04d}"
            if not any(self._numbered(kind, number, "")):
                return number

    def _contact_of(self, found: Json | None, given: Json, wrong: list[str]) -> Json | None:
        """The contact a document goes to; None is one that is made with it."""
        if "Contact" not in given:
            if found:
                return self.contacts[found["_contact"]]
            wrong.append("A Contact must be specified for this type of transaction")
            return None
        try:
            contact = self.contact_named(given["Contact"])
        except InvalidError as error:
            wrong.extend(error.messages)
            return None
        if contact is None and not given["Contact"].get("Name"):
            wrong.append("The contact with the specified ContactNumber could not be found")
        if contact and contact["ContactStatus"] == "ARCHIVED":
            wrong.append(ARCHIVED)
        return contact

    def _new_contact(self, given: Json, how: How) -> Json:
        return self.write_contact(given["Contact"], How(creates=True, app=how.app), [])

    def _after(
        self, kind: str, found: Json | None, given: Json, how: How, wrong: list[str]
    ) -> Json:
        """The document with what was given; nothing is kept yet."""
        own = found["_id"] if found else new_id()
        after: Json = (
            dict(found)
            if found
            else {
                "_id": own,
                "_kind": kind,
                "_app": how.app,
                "_applied": [],
                "Reference": "",
            }
        )
        after.setdefault(f"{kind}ID", own)
        after["Type"] = given.get("Type", after.get("Type", ""))
        if after["Type"] not in KINDS[kind]:
            wrong.append(f"The document type must be one of {', '.join(KINDS[kind])}")
        number = f"{kind}Number"
        after[number] = given.get(number, after.get(number, ""))
        after["Date"] = given.get("Date", after.get("Date", self.clock().date()))
        for name in ("DueDate", *PLAIN):
            if name in given:
                after[name] = given[name]
        after["SentToContact"] = given.get("SentToContact", after.get("SentToContact", False))
        types = str(given.get("LineAmountTypes") or after.get("LineAmountTypes") or "Exclusive")
        is_new_way = found is None or types != found["LineAmountTypes"]
        after["LineAmountTypes"] = types
        self._money(after, given, wrong)
        if "LineItems" in given or is_new_way:
            lines = given["LineItems"] if "LineItems" in given else after.get("LineItems") or []
            after["LineItems"] = self._lines(found, lines, self._sheet(after, given, how), wrong)
        return after | sums(after["LineItems"], types)

    def _money(self, after: Json, given: Json, wrong: list[str]) -> None:
        base = self.tenant["base_currency"]
        code = str(given.get("CurrencyCode", after.get("CurrencyCode", base))).upper()
        if code not in self.tenant["currencies"]:
            wrong.append(f"Organisation is not subscribed to currency {code}")
        rate = given.get("CurrencyRate", after.get("CurrencyRate"))
        if rate is None or after.get("CurrencyCode", code) != code:
            rate = given.get("CurrencyRate") or Decimal(self.tenant["rates"].get(code, "1"))
        after["CurrencyCode"] = code
        after["CurrencyRate"] = Decimal(1) if code == base else round(Decimal(rate), 6)

    def _sheet(self, after: Json, given: Json, how: How) -> Sheet:
        is_sale = after["Type"] in ("ACCREC", "ACCRECCREDIT")
        return Sheet(
            accounts={one["Code"]: one for one in self.accounts if one["Status"] == "ACTIVE"},
            taxes={code: one for code, one in self.taxes.items() if one["Status"] == "ACTIVE"},
            items={one["Code"]: one for one in self.items.values()},
            tracking=self.tracking,
            types=after["LineAmountTypes"],
            places=how.places,
            is_draft=given.get("Status", after.get("Status", "DRAFT")) == "DRAFT",
            has_discounts=after["Type"] == "ACCREC",
            is_sale=is_sale,
        )

    def _lines(
        self, found: Json | None, given: list[Json], sheet: Sheet, wrong: list[str]
    ) -> list[Json]:
        """The new lines: those not given again are dropped, those given by id alone stay."""
        old = {line["LineItemID"]: line for line in (found or {}).get("LineItems", [])}
        same_way = bool(found) and found is not None and found["LineAmountTypes"] == sheet.types
        made = []
        for one in given:
            number = one.get("LineItemID")
            if number not in old:
                if number and found:
                    wrong.append(f"The LineItemID {number} does not exist on this document")
                made.append(make_line({**one, "LineItemID": None}, sheet, wrong))
            elif set(one) == {"LineItemID"} and same_way:
                made.append(old[number])
            else:
                kept = {key: old[number][key] for key in OF_LINE if key in old[number]}
                asked = {key: value for key, value in one.items() if not key.startswith("_")}
                if one is old[number]:
                    # The document changes from net to gross or back: the tax is reckoned anew.
                    asked = {"LineItemID": number}
                made.append(make_line(kept | asked, sheet, wrong))
        return made

    def _check(self, kind: str, after: Json, given: Json, wrong: list[str]) -> None:
        number = after[f"{kind}Number"]
        is_ours = after["Type"] == KINDS[kind][0] and number
        if is_ours and any(self._numbered(kind, number, after["_id"])):
            what = "Invoice #" if kind == "Invoice" else "Credit note #"
            wrong.append(f"{what} must be unique.")
        if after["Status"] != "DRAFT":
            if not after["LineItems"]:
                wrong.append("One or more line items must be specified")
            if kind == "Invoice" and "DueDate" not in after:
                wrong.append("The DueDate must be specified for an approved invoice")
        if after["Total"] < ZERO:
            wrong.append("The document total cannot be negative")
        if after["SentToContact"] and after["Status"] in ("DRAFT", "SUBMITTED"):
            wrong.append("Only AUTHORISED invoices may have SentToContact updated.")
        if "Url" in given and not given["Url"].startswith(("http://", "https://")):
            wrong.append("Url must be a valid absolute address")
        self.check_open(after["Date"], wrong)

    # Reads.

    def show_document(self, document: Json, detail: str = "full", places: int = 2) -> Json:
        """A document: ``full``, a ``line`` of a page, or a ``row`` of a list without pages."""
        kind = document["_kind"]
        row = {name: value for name, value in document.items() if not name.startswith("_")}
        how = "full" if detail == "full" else "brief"
        row["Contact"] = self.show_contact(self.contacts[document["_contact"]], how)
        lines = document["LineItems"] if detail in ("full", "line") else []
        row["LineItems"] = [show_line(line, places) for line in lines]
        row["HasAttachments"] = False
        if kind != "Overpayment":
            row["HasErrors"] = False
        if not document["TotalDiscount"]:
            del row["TotalDiscount"]
        for name in ("Date", "DueDate"):
            if name in document:
                row[f"{name}String"] = f"{document[name]:%Y-%m-%dT00:00:00}"
        row["UpdatedDateUTCString"] = f"{document['UpdatedDateUTC']:%Y-%m-%dT%H:%M:%SZ}"
        applied = self.applied(document)
        if document["Status"] == "PAID":
            row["FullyPaidOnDate"] = max((one["Date"] for one in applied), default=document["Date"])
        return row | (self._invoice(document) if kind == "Invoice" else self._credit(document))

    def _invoice(self, document: Json) -> Json:
        paid = self._payments(document)
        credits: dict[str, list[Json]] = {"CreditNote": [], "Overpayment": []}
        given = ZERO
        for one in self.applied(document):
            if "AllocationID" in one:
                source = self.documents[one["_from"]]
                credits[source["_kind"]].append(self._applied_credit(source, one))
                given += one["Amount"]
        return {
            "Payments": paid,
            "CreditNotes": credits["CreditNote"],
            "Prepayments": [],
            "Overpayments": credits["Overpayment"],
            "AmountDue": self.open_amount(document),
            "AmountPaid": sum((one["Amount"] for one in paid), ZERO),
            "AmountCredited": given,
            "IsDiscounted": bool(document["TotalDiscount"]),
            "InvoiceAddresses": [],
        }

    def _applied_credit(self, source: Json, allocation: Json) -> Json:
        kind = source["_kind"]
        row = {f"{kind}ID": source["_id"], "ID": source["_id"]}
        if kind == "CreditNote":
            row |= {"CreditNoteNumber": source["CreditNoteNumber"], "HasErrors": False}
        day = {"Date": allocation["Date"], "DateString": f"{allocation['Date']:%Y-%m-%dT00:00:00}"}
        row |= {"AppliedAmount": allocation["Amount"], **day}
        return row | {"LineItems": [], "Total": source["Total"]}

    def _payments(self, document: Json) -> list[Json]:
        rows = []
        for one in self.applied(document):
            if "PaymentID" in one:
                row = {name: one[name] for name in ("PaymentID", "Date", "Amount", "CurrencyRate")}
                if one["Reference"]:
                    row["Reference"] = one["Reference"]
                rows.append(row | {"HasAccount": False, "HasValidationErrors": False})
        return rows

    def _credit(self, document: Json) -> Json:
        allocations = []
        for one in self.applied(document):
            if "AllocationID" in one:
                to = self.documents[one["_to"]]
                invoice = {"InvoiceID": to["_id"], "InvoiceNumber": to["InvoiceNumber"]}
                row = {name: one[name] for name in ("AllocationID", "Amount", "Date")}
                allocations.append(row | {"Invoice": invoice, "ValidationErrors": []})
        return {
            "ID": document["_id"],
            "RemainingCredit": self.open_amount(document),
            "AppliedAmount": document["Total"] - self.open_amount(document),
            "Allocations": allocations,
            "Payments": self._payments(document),
        }


def show_line(line: Json, places: int) -> Json:
    """A line, with its price in the decimals asked for."""
    row = {name: value for name, value in line.items() if not name.startswith("_")}
    return row | {"UnitAmount": units(line["UnitAmount"], places), "ValidationErrors": []}
