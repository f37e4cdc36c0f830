"""Journals: payments of customers, lines of the general journal, and what posting them does."""

from __future__ import annotations

from decimal import Decimal

from platforms.business_central.sandbox_fields import ENTITIES
from platforms.business_central.sandbox_posting import ISSUED, Posting
from platforms.business_central.sandbox_shapes import ZERO
from platforms.business_central.sandbox_values import ApiError, Row, cents, is_blank, refusal, unmet

JOURNALS = {"customerPayments": "customerPaymentJournals", "journalLines": "journals"}
NUMBERS = {"customerPayments": "PY00001", "journalLines": "G00001"}
NO_BATCH = "You must specify a journal batch ID or a journal ID to get a journal line."


class Payments:
    """Lines that wait in journals.

    Args:
        posting: applies what is posted.
    """

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.store = posting.store

    def create(self, name: str, values: Row) -> Row:
        """A new line; it changes nothing until its journal is posted."""
        journal = self.store.rows[JOURNALS[name]].get(values.get("journalId", ZERO))
        if journal is None:
            raise refusal(NO_BATCH)
        taken = [row["lineNumber"] for row in self.store.find(name, journalId=journal["id"])]
        number = values.setdefault("lineNumber", max(taken, default=0) + 10000)
        if number in taken:
            text = (
                "The Gen. Journal Line already exists. Identification fields and values: Line No."
            )
            raise ApiError("Internal_EntityWithSameKeyExists", f"{text}='{number}'")
        self._complete(name, values)
        values |= {"journalId": journal["id"], "journalDisplayName": journal["code"]}
        values.setdefault("postingDate", self.store.today())
        if not values.get("documentNumber"):
            values["documentNumber"] = self.store.next(NUMBERS[name])
        return self.store.add(name, values)

    def change(self, name: str, row: Row, values: Row) -> Row:
        """New values for a line that is not posted yet."""
        whole = row | values
        self._complete(name, whole)
        return self.store.change(name, row["id"], **whole)

    def _complete(self, name: str, values: Row) -> None:
        values["amount"] = cents(values.get("amount", Decimal(0)))
        if name == "journalLines":
            self._account(values, "accountId", "accountNumber", values.get("accountType"))
            self._account(values, "balancingAccountId", "balancingAccountNumber", None)
            return
        # Money received is negative; the vendor says so in as many words.
        if values["amount"] > 0:
            raise refusal('The "amount" should be a negative number.')
        invoice = self._invoice(values)
        self._customer(values, invoice)

    def _invoice(self, values: Row) -> Row | None:
        id_, number = values.get("appliesToInvoiceId"), values.get("appliesToInvoiceNumber")
        invoices = self.store.rows["salesInvoices"]
        if not is_blank(id_):
            found = invoices.get(str(id_))
            if found is None or found["status"] not in ISSUED:
                text = "should be the ID of an Open, Paid, Corrective, or Canceled Invoice."
                raise refusal(f'The "appliesToInvoiceId" {text}')
            if number and number != found["number"]:
                raise refusal("The Applies To Invoice values do not match to the same Invoice.")
            values["appliesToInvoiceNumber"] = found["number"]
            return found
        # A number is looked up, but only posting minds when it is nobody's.
        found = self.store.one("salesInvoices", number=number) if number else None
        if found and found["status"] in ISSUED:
            values["appliesToInvoiceId"] = found["id"]
            return found
        return None

    def _customer(self, values: Row, invoice: Row | None) -> None:
        id_, number = values.get("customerId"), values.get("customerNumber")
        found = None
        if not is_blank(id_):
            found = self.store.rows["customers"].get(str(id_))
            if found is None:
                raise refusal('The "customerId" does not match to a Customer.')
            if number and number != found["number"]:
                raise refusal("The customer values do not match to a specific Customer.")
        elif number:
            found = self.store.one("customers", number=number)
            if found is None:
                raise refusal('The "customerNumber" does not match to a Customer.')
        elif invoice:
            found = self.store.get("customers", invoice["customerId"])
        if found:
            values |= {"customerId": found["id"], "customerNumber": found["number"]}
            if not values.get("description"):
                values["description"] = found["displayName"]

    def _account(self, values: Row, id_: str, number: str, kind: str | None) -> None:
        name = "customers" if kind == "Customer" else "accounts"
        if is_blank(values.get(id_)) and is_blank(values.get(number)):
            return
        found = self.store.rows[name].get(values.get(id_, ZERO))
        found = found or self.store.one(name, number=values.get(number))
        if found is None:
            raise refusal(f'The "{number}" does not match to an Account.')
        values |= {id_: found["id"], number: found["number"]}

    # -- posting -----------------------------------------------------------------------------------

    def post(self, name: str, journal: Row) -> int:
        """Post all lines of a journal, or none; gives how many there were."""
        (lines_name,) = ENTITIES[name].parts.values()
        lines = self.store.find(lines_name, journalId=journal["id"])
        if not lines:
            raise refusal("There is nothing to post.")
        if name == "journals":
            self._balances(journal, lines)
        for line in sorted(lines, key=lambda one: one["lineNumber"]):
            if name == "journals":
                self._post_line(line)
            else:
                self._post_payment(line)
            self.store.put(lines_name, line["id"], None)
        self.store.change(name, journal["id"])
        return len(lines)

    def _post_payment(self, line: Row) -> None:
        if not line["customerNumber"]:
            raise unmet("Account No. must have a value in Gen. Journal Line. It cannot be empty.")
        if not line["amount"]:
            raise unmet(
                "Amount must have a value in Gen. Journal Line. It cannot be zero or empty."
            )
        customer = self.store.get("customers", line["customerId"])
        if customer["blocked"] == "All":
            text = "You cannot post this type of document when Customer"
            raise refusal(f"{text} {customer['number']} is blocked with type All")
        invoice = self.posting.payable(line["appliesToInvoiceNumber"])
        if invoice and line["postingDate"] < invoice["postingDate"]:
            text = "You are not allowed to apply and post an entry to an entry with an earlier"
            raise refusal(f"{text} posting date.")
        self.posting.receive(customer, -line["amount"], invoice)

    def _balances(self, journal: Row, lines: list[Row]) -> None:
        alone = [line for line in lines if is_blank(line["balancingAccountNumber"])]
        off = sum((line["amount"] for line in alone), Decimal(0))
        if off and is_blank(journal["balancingAccountNumber"]):
            raise refusal(f"The lines in the journal are out of balance by {off}.")

    def _post_line(self, line: Row) -> None:
        if not line["accountNumber"]:
            raise unmet("Account No. must have a value in Gen. Journal Line. It cannot be empty.")
        if line["accountType"] == "Customer":
            customer = self.store.get("customers", line["accountId"])
            self.posting.receive(customer, -line["amount"], None)
            return
        account = self.store.get("accounts", line["accountId"])
        self.store.quiet("accounts", account["id"], netChange=account["netChange"] + line["amount"])
