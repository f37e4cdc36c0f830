"""Sales forms and payments of the QuickBooks sandbox: what each may become, and what it moves."""

from __future__ import annotations

from decimal import Decimal

from platforms.quickbooks.sandbox_lines import (
    NOTHING,
    Lines,
    Sum,
    as_home,
    shelf_sign,
    voided,
)
from platforms.quickbooks.sandbox_store import Store, days_after, merged
from platforms.quickbooks.sandbox_wire import QboError, Row, broken, cents, missing

HOLDING = ("Bank", "Other Current Asset")
LINKS = {"Invoice": "Balance", "CreditMemo": "RemainingCredit"}
NO_ONLINE = dict.fromkeys(
    "AllowIPNPayment AllowOnlinePayment AllowOnlineCreditCardPayment AllowOnlineACHPayment".split(),
    False,
)


class Sales:
    """Writes invoices, sales receipts, credit memos, refund receipts and estimates."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def save(self, kind: str, given: Row) -> Row:
        """Create, or update where the body has an id."""
        old = self.store.locked(kind, given) if given.get("Id") else None
        form = merged(kind, old, given)
        if form.get("Line") is None:
            raise missing("Line")
        form["TxnDate"] = form.get("TxnDate") or self.store.today()
        self.store.check_open(form["TxnDate"], (old or form)["TxnDate"])
        row = self._head(kind, form, old)
        made = Lines(self.store, form).calculated()
        if made.total < 0:
            raise broken("You must enter a transaction amount that is 0 or greater.")
        rate = self._currency(form, row)
        home = as_home(made.total, rate)
        row |= {"Line": made.lines, "TxnTaxDetail": made.detail, "TotalAmt": made.total}
        row |= {"HomeTotalAmt": home}
        row |= self._open(kind, made.total, old, rate)
        saved = self.store.put(kind, old, row) if old else self.store.add(kind, row)
        self._move_stock(kind, old, made)
        if kind == "Invoice" and old is None:
            self._close_estimates(saved, form.get("LinkedTxn") or [])
        return self.store.rows[kind][saved["Id"]]

    def _head(self, kind: str, form: Row, old: Row | None) -> Row:
        store = self.store
        dropped = ("Id", "SyncToken", "Line", "TxnTaxDetail", "LinkedTxn", "CustomField")
        row = {name: value for name, value in form.items() if name not in dropped}
        is_needed = kind not in ("SalesReceipt", "RefundReceipt")
        is_needed = is_needed or store.seed["receipt_needs_customer"]
        store.reference(form, "CustomerRef", needed=is_needed)
        store.references(form, row)
        store.addresses(form, row)
        customer = store.meant("Customer", row.get("CustomerRef"))
        for name in ("BillAddr", "ShipAddr"):
            if name not in row and name in customer:
                row[name] = customer[name]
        row["DocNumber"] = self._number(kind, form, old)
        row["CustomField"] = self._custom(form.get("CustomField") or [])
        row["LinkedTxn"] = (old or {}).get("LinkedTxn", [])
        if store.is_us:
            row["GlobalTaxCalculation"] = None
        else:
            row["GlobalTaxCalculation"] = form.get("GlobalTaxCalculation", "TaxExcluded")
        after = form.get("ApplyTaxAfterDiscount", False)
        defaults = {"PrintStatus": "NeedToPrint", "EmailStatus": "NotSet"}
        return defaults | row | {"ApplyTaxAfterDiscount": after} | self._kind(kind, form, row)

    def _kind(self, kind: str, form: Row, row: Row) -> Row:
        """What only one kind of form has."""
        if kind == "Invoice":
            term = self.store.meant("Term", row.get("SalesTermRef"))
            due = form.get("DueDate") or days_after(form["TxnDate"], term.get("DueDays", 0))
            return {"DueDate": due, "Deposit": NOTHING} | NO_ONLINE
        if kind == "RefundReceipt":
            self.store.reference(form, "DepositToAccountRef", needed=True)
        if kind in ("SalesReceipt", "RefundReceipt"):
            account = row.get("DepositToAccountRef") or self.store.account("undeposited")
            if self.store.rows["Account"][account["value"]]["AccountType"] not in HOLDING:
                raise broken("The account must be a bank account or one for undeposited funds.")
            return {"DepositToAccountRef": account, "Balance": NOTHING}
        return {"TxnStatus": form.get("TxnStatus", "Pending")} if kind == "Estimate" else {}

    def _number(self, kind: str, form: Row, old: Row | None) -> str | None:
        if not self.store.seed["custom_txn_numbers"]:
            return str(old["DocNumber"]) if old else self.store.next_number()
        number: str | None = form.get("DocNumber")
        if number and self.store.seed["warns_duplicate_numbers"]:
            for row in self.store.rows[kind].values():
                if row.get("DocNumber") == number and row is not old:
                    text = "Duplicate Document Number Error : You must specify a different number."
                    detail = f"{text} This number has already been used. DocNumber={number}"
                    raise QboError("6140", detail, element="DocNumber")
        return number

    def _custom(self, given: list[Row]) -> list[Row]:
        values = {one.get("DefinitionId"): one.get("StringValue") for one in given}
        known = self.store.seed["custom_fields"]
        if unknown := values.keys() - {one["id"] for one in known}:
            raise QboError("2500", f"Invalid Reference Id : CustomField {unknown}")
        shown = []
        for one in known:
            entry = {"DefinitionId": one["id"], "Name": one["name"], "Type": "StringType"}
            if values.get(one["id"]) is not None:
                entry["StringValue"] = values[one["id"]]
            shown.append(entry)
        return shown

    def _currency(self, form: Row, row: Row) -> Decimal | None:
        customer = self.store.meant("Customer", row.get("CustomerRef"))
        home = str(self.store.seed["currency"])
        own = str((customer.get("CurrencyRef") or {}).get("value", home))
        wanted = str((form.get("CurrencyRef") or {}).get("value", own))
        rate = self.store.rate_of(wanted)
        if wanted != own:
            raise broken("The currency of the transaction is not that of the customer.")
        row["CurrencyRef"] = None if rate is None else {"value": wanted}
        rate = rate and form.get("ExchangeRate", rate)
        row["ExchangeRate"] = rate
        return rate

    def _open(self, kind: str, total: Decimal, old: Row | None, rate: Decimal | None) -> Row:
        """What is still open after what was paid or used before."""
        left = LINKS.get(kind)
        if left is None:
            return {}
        used = old["TotalAmt"] - old[left] if old else NOTHING
        if used > total:
            raise broken("The amount cannot be less than what is already applied to it.")
        if kind == "Invoice":
            return {"Balance": total - used, "HomeBalance": as_home(total - used, rate)}
        return {"Balance": total - used, "RemainingCredit": total - used}

    def _move_stock(self, kind: str, old: Row | None, made: Sum) -> None:
        sign = shelf_sign(kind)
        moves = {item: sign * quantity for item, quantity in made.sold.items()}
        if old:
            for item, quantity in _quantities(old["Line"]).items():
                moves[item] = moves.get(item, Decimal(0)) - sign * quantity
        rows = self.store.rows["Item"]
        for item, quantity in moves.items():
            if rows[item]["Type"] == "Inventory":
                # A sale changes what is on hand, and is no change of the item.
                rows[item] = rows[item] | {"QtyOnHand": rows[item]["QtyOnHand"] + quantity}

    def _close_estimates(self, invoice: Row, links: list[Row]) -> None:
        for link in links:
            if link.get("TxnType") != "Estimate":
                raise broken("An invoice is linked to estimates only; payments link themselves.")
            estimate = self.store.get("Estimate", link.get("TxnId"))
            if estimate["TxnStatus"] == "Closed":
                raise broken("The estimate is already closed.")
            if estimate["CustomerRef"]["value"] != invoice["CustomerRef"]["value"]:
                raise broken("The estimate is of another customer.")
            back = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
            closed = {"TxnStatus": "Closed", "LinkedTxn": [*estimate["LinkedTxn"], back]}
            self.store.put("Estimate", estimate, estimate | closed)
            known = {"TxnId": estimate["Id"], "TxnType": "Estimate"}
            row = self.store.rows["Invoice"][invoice["Id"]]
            linked = {"LinkedTxn": [*row["LinkedTxn"], known]}
            self.store.rows["Invoice"][invoice["Id"]] = row | linked

    def void(self, kind: str, given: Row) -> Row:
        """Bring every amount to nothing and say so in the note."""
        row = self.store.locked(kind, given)
        self._check_free(row, "void")
        if is_voided(row):
            raise broken("The transaction is already voided.")
        amounts = ("TotalAmt", "Balance", "HomeTotalAmt", "HomeBalance")
        zero: Row = {name: NOTHING for name in amounts if name in row}
        self._move_stock(kind, row, Sum())
        changed = zero | {"Line": voided(row["Line"]), "TxnTaxDetail": {"TotalTax": NOTHING}}
        changed["PrivateNote"] = void_note(row)
        return self.store.put(kind, row, row | changed, "Void")

    def delete(self, kind: str, given: Row) -> Row:
        """Remove the form."""
        row = self.store.locked(kind, given)
        self._check_free(row, "delete")
        self._move_stock(kind, row, Sum())
        return self.store.drop(kind, row)

    def _check_free(self, row: Row, what: str) -> None:
        self.store.check_open(row["TxnDate"])
        if any(link["TxnType"] == "Payment" for link in row["LinkedTxn"]):
            raise broken(f"You cannot {what} a transaction that a payment is applied to.")


class Payments:
    """Writes payments, which take from invoices and credit memos what is open."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def save(self, kind: str, given: Row) -> Row:
        """Create, or update where the body has an id."""
        store = self.store
        old = store.locked(kind, given) if given.get("Id") else None
        both = merged(kind, old, given)
        both["TxnDate"] = both.get("TxnDate") or store.today()
        store.check_open(both["TxnDate"], (old or both)["TxnDate"])
        if both.get("TotalAmt") is None:
            raise missing("TotalAmt")
        row = {name: value for name, value in both.items() if name not in ("Id", "SyncToken")}
        customer = store.reference(both, "CustomerRef", needed=True) or {}
        store.references(both, row)
        row["DepositToAccountRef"] = row.get("DepositToAccountRef") or store.account("undeposited")
        row["TotalAmt"] = cents(both["TotalAmt"])
        if row["TotalAmt"] < 0:
            raise broken("You must enter a transaction amount that is 0 or greater.")
        own = store.rows["Customer"][customer["value"]].get("CurrencyRef")
        row["CurrencyRef"] = own
        row["ExchangeRate"] = None if own is None else store.rate_of(own["value"])
        row |= {"ProcessPayment": False, "LinkedTxn": []}
        self._unlink(old)
        lines = [self._line(place, one, customer) for place, one in enumerate(both.get("Line", []))]
        applied = sum((_signed(one) for one in lines), NOTHING)
        if applied < 0 or applied > row["TotalAmt"]:
            raise broken("The amount applied is not covered by the payment.")
        row |= {"Line": lines, "UnappliedAmt": row["TotalAmt"] - applied}
        saved = store.put(kind, old, row) if old else store.add(kind, row)
        self._link(saved)
        return saved

    def _line(self, place: int, line: Row, customer: Row) -> Row:
        links = line.get("LinkedTxn") or []
        if len(links) != 1:
            raise missing("Line.LinkedTxn")
        if line.get("Amount") is None:
            raise missing("Line.Amount")
        link, amount = links[0], cents(line["Amount"])
        kind = str(link.get("TxnType"))
        if kind not in LINKS:
            raise QboError("2170", f"Invalid Enumeration : {kind}", element="TxnType")
        target = self.store.get(kind, link.get("TxnId"))
        if target["CustomerRef"]["value"] != customer["value"]:
            raise broken(f"The {kind} {target['Id']} is of another customer.")
        if amount <= 0 or amount > target[LINKS[kind]]:
            raise broken("The amount applied is more than what is open on the transaction.")
        # A second line on the same transaction finds what the first has left.
        self._open(kind, target["Id"], -amount)
        known = {"TxnId": target["Id"], "TxnType": kind}
        return {"Id": str(place + 1), "Amount": amount, "LinkedTxn": [known]}

    def _open(self, kind: str, id_: str, change: Decimal, links: list[Row] | None = None) -> None:
        row = self.store.rows[kind][id_]
        left = row[LINKS[kind]] + change
        changed = {"Balance": left}
        if "RemainingCredit" in row:
            changed["RemainingCredit"] = left
        if "HomeBalance" in row:
            changed["HomeBalance"] = cents(left * row["ExchangeRate"])
        new = row | changed | ({} if links is None else {"LinkedTxn": links})
        self.store.put(kind, row, new)

    def _link(self, payment: Row) -> None:
        for line in payment["Line"]:
            link = line["LinkedTxn"][0]
            row = self.store.rows[link["TxnType"]][link["TxnId"]]
            mine = {"TxnId": payment["Id"], "TxnType": "Payment"}
            if mine not in row["LinkedTxn"]:
                self._open(link["TxnType"], row["Id"], NOTHING, [*row["LinkedTxn"], mine])

    def _unlink(self, payment: Row | None) -> None:
        for line in payment["Line"] if payment else []:
            link = line["LinkedTxn"][0]
            row = self.store.rows[link["TxnType"]][link["TxnId"]]
            mine = {"TxnId": (payment or {})["Id"], "TxnType": "Payment"}
            others = [one for one in row["LinkedTxn"] if one != mine]
            self._open(link["TxnType"], row["Id"], line["Amount"], others)

    def void(self, kind: str, given: Row) -> Row:
        """Give back what it paid; its amounts and lines go."""
        row = self.store.locked(kind, given)
        self.store.check_open(row["TxnDate"])
        if is_voided(row):
            raise broken("The transaction is already voided.")
        self._unlink(row)
        changed = {"TotalAmt": NOTHING, "UnappliedAmt": NOTHING, "Line": []}
        return self.store.put(kind, row, row | changed | {"PrivateNote": void_note(row)}, "Void")

    def delete(self, kind: str, given: Row) -> Row:
        """Remove the payment; what it paid is open again."""
        row = self.store.locked(kind, given)
        self.store.check_open(row["TxnDate"])
        self._unlink(row)
        return self.store.drop(kind, row)


def is_voided(row: Row) -> bool:
    """Whether nothing is left of a transaction but its note."""
    return not row["TotalAmt"] and str(row.get("PrivateNote", "")).startswith("Voided")


def void_note(row: Row) -> str:
    """The word goes before what the note said."""
    note = row.get("PrivateNote")
    return f"Voided - {note}"[:4000] if note else "Voided"


def _signed(line: Row) -> Decimal:
    amount: Decimal = line["Amount"]
    return amount if line["LinkedTxn"][0]["TxnType"] == "Invoice" else -amount


def _quantities(lines: list[Row]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in lines:
        for item, quantity in _quantities(line.get("GroupLineDetail", {}).get("Line", [])).items():
            found[item] = found.get(item, Decimal(0)) + quantity
        detail = line.get("SalesItemLineDetail")
        if detail and detail["ItemRef"]["value"] != "SHIPPING_ITEM_ID":
            item = detail["ItemRef"]["value"]
            found[item] = found.get(item, Decimal(0)) + detail.get("Qty", Decimal(1))
    return found
