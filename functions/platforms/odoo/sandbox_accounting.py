"""The rules of the books: invoices, credit notes, their lines, and what is matched with what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from platforms.odoo.sandbox_catalog import Partners
from platforms.odoo.sandbox_records import CLASSES, COMPUTED, DEFAULTS, Records
from platforms.odoo.sandbox_store import OdooError, Row, later
from platforms.odoo.sandbox_taxes import Reckoning, count, exact

SALES = {"out_invoice": "out_refund", "out_refund": "entry"}
"""The document types of sales, and what reverses each."""
FROZEN = {"partner_id", "currency_id", "journal_id", "invoice_date", "date", "move_type"}
CALM = "sandbox_calm"
TEXTS = ("line_section", "line_subsection", "line_note")
DEFAULTS.update(
    {
        "account.move": {"move_type": "entry", "state": "draft", "auto_post": "no"},
        "account.move.line": {"display_type": "product", "sequence": 10, "quantity": 1.0},
    }
)


class Entries(Records):
    """``account.move``: invoices and credit notes, and the entries behind payments."""

    def complete(self, values: Row) -> None:
        """Default the journal, the currency, the dates and where the goods go."""
        super().complete(values)
        wanted = {"entry": "general"}.get(values["move_type"], "sale")
        if values["move_type"] not in ("entry", *SALES):
            raise OdooError("UserError", "No journal could be found for this type of document.")
        journals = self.txn.rows("account.journal")
        first = next(row["id"] for row in journals if row["type"] == wanted)
        values.setdefault("journal_id", first)
        company = next(self.txn.rows("res.company"))
        values.setdefault("currency_id", company["currency_id"])
        values.setdefault("date", values.get("invoice_date") or self.txn.today)
        partner = values.get("partner_id")
        if partner and values["move_type"] in SALES:
            address = self.of(Partners, "res.partner").address(partner, "delivery")
            values.setdefault("partner_shipping_id", address)
            term = self.on("res.partner").row(partner).get("property_payment_term_id", False)
            values.setdefault("invoice_payment_term_id", term)

    def lines(self, id_: int, *kinds: str) -> list[Row]:
        """The lines of some kinds, or all."""
        rows = self.txn.where("account.move.line", "move_id", id_)
        return [row for row in rows if not kinds or row["display_type"] in kinds]

    def before_update(self, row: Row, values: Row) -> None:
        """A posted document keeps what its entry rests on."""
        changed = {name for name in FROZEN & values.keys() if values[name] != row.get(name)}
        if row["state"] == "posted" and changed:
            raise OdooError("UserError", _frozen(self, row))
        if values.get("invoice_date"):
            values.setdefault("date", values["invoice_date"])

    def before_unlink(self, row: Row) -> None:
        """What has a number stays."""
        if row["state"] == "posted":
            text = "You can't delete a posted journal item. Don't play games with your accounting"
            raise OdooError("UserError", f"{text} records; reset the journal entry to draft first.")

    def drop(self, id_: int) -> None:
        """Delete a document; the orders on it are to be invoiced again."""
        sold = self.sold(id_)
        super().drop(id_)
        self.on("sale.order.line").changed(sold)

    def sold(self, id_: int) -> list[int]:
        """The order lines a document bills."""
        lines = {line for row in self.lines(id_) for line in row.get("sale_line_ids", ())}
        return sorted(line for line in lines if self.txn.get("sale.order.line", line))

    def change_children(self, id_: int, children: dict[str, list[Any]]) -> None:
        """Reckon once, after all lines: those the vendor makes come last."""
        context = self.context | {CALM: True}
        calm = Records(self.txn, self.user, self.model, (), context)
        calm.change_children(id_, children)

    def changed(self, ids: Iterable[int]) -> None:
        """Recompute amounts, the lines behind them, and what is due; tell the orders."""
        for id_ in ids:
            row = self.row(id_)
            if row["move_type"] in SALES and row["state"] == "draft":
                self.reckon(row)
            self.txn.change(self.model, id_, self.due(self.row(id_)))
            payments = [m["origin_payment_id"] for m in self.matched(id_) if is_payment(m)]
            self.on("account.payment").changed(payments)
            self.on("sale.order.line").changed(self.sold(id_))

    def reckon(self, row: Row) -> None:
        """The amounts of a draft, and its tax and receivable lines."""
        reckoning = Reckoning(self, row["currency_id"], next(self.txn.rows("res.company"))["id"])
        sold = self.lines(row["id"], "product")
        parts = [reckoning.line(line, line["quantity"]) for line in sold]
        credits = row["move_type"] == "out_invoice"
        for line, part in zip(sold, parts, strict=True):
            subtotal, total = part.shown(reckoning.cent)
            amounts = {"price_subtotal": subtotal, "price_total": total}
            self.txn.put("account.move.line", line["id"], amounts | _booked(subtotal, not credits))
        totals = reckoning.totals(parts)
        values = totals.values()
        self.txn.change(self.model, row["id"], values)
        wanted: dict[tuple[str, Any], float] = {
            ("tax", tax): float(amount) for tax, amount in totals.taxes.items()
        }
        if sold:
            wanted["payment_term", False] = values["amount_total"]
        for line in self.lines(row["id"], "tax", "payment_term"):
            if (line["display_type"], line["tax_line_id"]) not in wanted:
                self.txn.changes["account.move.line", line["id"]] = None
        for (kind, tax), amount in wanted.items():
            self.book(row, kind, tax, amount, credits if kind == "payment_term" else not credits)

    def book(self, row: Row, kind: str, tax: Any, amount: float, debits: bool) -> int:
        """Add or change a line the vendor makes by itself."""
        accounts = {"tax": "liability_current", "payment_term": "asset_receivable"}
        values = {
            "display_type": kind,
            "tax_line_id": tax,
            "account_id": self.account(accounts.get(kind, "asset_cash")),
            "quantity": 0.0,
            **_booked(amount, debits),
        }
        for line in self.lines(row["id"], kind):
            if line.get("tax_line_id", False) == tax:
                self.txn.put("account.move.line", line["id"], values)
                return int(line["id"])
        id_ = next(self.txn.store.numbers["account.move.line"])
        stamps = {"id": id_, "move_id": row["id"], "sequence": 10}
        self.txn.put("account.move.line", id_, values | stamps | self.txn.born)
        return id_

    def account(self, kind: str) -> int:
        """The first account of a type."""
        rows = self.txn.rows("account.account")
        return next(int(row["id"]) for row in rows if row["account_type"] == kind)

    # What is due.

    def claim(self, id_: int) -> Row | None:
        """The line that is paid: on the receivable account."""
        receivable = self.account("asset_receivable")
        return next((r for r in self.lines(id_) if r.get("account_id") == receivable), None)

    def matched(self, id_: int) -> list[Row]:
        """The documents and payment entries matched with a document."""
        claim = self.claim(id_)
        others = _partners_of(self, claim["id"]) if claim else []
        return [self.row(self.on("account.move.line").row(line)["move_id"]) for line in others]

    def due(self, row: Row) -> Row:
        """The rest and what it means."""
        claim = self.claim(row["id"])
        if row["move_type"] not in SALES:
            lines = self.lines(row["id"])
            total = count(sum(line.get("debit", 0.0) for line in lines))
            return {"amount_total": total, "amount_residual": 0.0, "payment_state": "not_paid"}
        rest = abs(residual(self, claim)) if claim else 0.0
        state = self.payment_state(row, rest) if row["state"] == "posted" else "not_paid"
        return {"amount_residual": rest, "payment_state": state}

    def payment_state(self, row: Row, rest: float) -> str:
        """Paid at once in community; where the accounting app is, when the bank shows it."""
        others = self.matched(row["id"])
        if rest:
            return "blocked" if row.get("blocked") else "partial" if others else "not_paid"
        payments = [
            self.on("account.payment").row(other["origin_payment_id"])
            for other in others
            if is_payment(other)
        ]
        if not payments and others and row["move_type"] == "out_invoice":
            return "reversed"
        seen = all(payment.get("is_matched") for payment in payments)
        return "paid" if seen or "accountant" not in self.txn.store.modules else "in_payment"

    # The vendor's methods.

    def action_post(self) -> bool:
        """Post drafts: number, date, and match a credit note with its unpaid invoice."""
        for id_ in self.ids:
            row = self.row(id_)
            self.check_postable(row)
            self.turn(id_, self.posting(row))
            reversed_ = self.txn.get(self.model, row.get("reversed_entry_id"))
            if reversed_ and reversed_["state"] == "posted":
                claims = [self.claim(id_), self.claim(reversed_["id"])]
                match(self, [claim["id"] for claim in claims if claim])
        self.counted("action_post")
        return False

    def check_postable(self, row: Row) -> None:
        """Refuse what cannot be posted."""
        problem = ""
        if row["state"] != "draft":
            problem = f"The entry {row.get('name')} (id {row['id']}) must be in draft."
        elif row["auto_post"] != "no" and row["date"] > self.txn.today:
            problem = f"This move is configured to be auto-posted on {row['date']}"
        elif not self.lines(row["id"]):
            problem = "Even magicians can't post nothing!"
        elif row["move_type"] in SALES and not row.get("partner_id"):
            problem = "The field 'Customer' is required, please complete it to validate."
        elif row["amount_total"] < 0:
            problem = "You cannot validate a document with a negative total amount."
        if problem:
            raise OdooError("UserError", problem)

    def posting(self, row: Row) -> Row:
        """What a document gets when it is posted."""
        date = row.get("invoice_date") or (row["date"] if row["move_type"] == "entry" else "")
        date = date or self.txn.today
        term = self.txn.get("account.payment.term", row.get("invoice_payment_term_id")) or {}
        code = self.on("account.journal").row(row["journal_id"])["code"]
        refunds = "R" if row["move_type"] == "out_refund" else ""
        name = row.get("name") or self.number(f"{refunds}{code}", date)
        values = {"state": "posted", "name": name, "date": date, "auto_post": "no"}
        if row["move_type"] in SALES:
            due = row.get("invoice_date_due") or later(date, term.get("days", 0))
            values |= {"invoice_date": date, "invoice_date_due": max(due, date)}
        if row["move_type"] == "out_invoice":
            values["payment_reference"] = row.get("payment_reference") or name
        return values

    def number(self, prefix: str, date: str) -> str:
        """The next number of a series, by year."""
        series = f"{prefix}/{date[:4]}"
        return f"{series}/{next(self.txn.store.series[series]):05}"

    def button_draft(self) -> None:
        """Back to a draft; what is paid must be set free first."""
        self.back("draft", "button_draft")

    def button_cancel(self) -> None:
        """Cancel; what is paid must be set free first."""
        self.back("cancel", "button_cancel")

    def back(self, state: str, method: str) -> None:
        """Leave the books."""
        for id_ in self.ids:
            if self.matched(id_):
                raise OdooError("UserError", "You cannot do this on a reconciled entry.")
            self.turn(id_, {"state": state, "auto_post": "no"})
        self.counted(method)

    def turn(self, id_: int, values: Row) -> None:
        """Change a document and all that depends on it."""
        self.row(id_)
        self.txn.change(self.model, id_, values)
        self.changed([id_])


class Items(Records):
    """``account.move.line``: what is billed, and the lines the vendor makes for it."""

    def complete(self, values: Row) -> None:
        """Default what follows from the product; texts bill nothing."""
        super().complete(values)
        if values.get("move_id"):
            _check_open(self, values["move_id"])
        if values["display_type"] in TEXTS:
            values["quantity"] = 0.0
        product = self.txn.get("product.product", values.get("product_id"))
        if product:
            values.setdefault("name", self.on("product.product").label(product["id"]))
            values.setdefault("product_uom_id", product["uom_id"])
            values.setdefault("tax_ids", list(product.get("taxes_id", ())))
            values.setdefault("price_unit", product.get("list_price", 0.0))
        values.setdefault("price_unit", 0.0)
        entries = self.of(Entries, "account.move")
        values.setdefault("account_id", entries.account("income"))

    def split(self, vals: Row, row: Row) -> tuple[Row, Row]:
        """Quantities and discounts are cut as on orders."""
        values, children = super().split(vals, row)
        for name in ("quantity", "discount"):
            if name in values:
                values[name] = count(values[name])
        return values, children

    def before_update(self, row: Row, values: Row) -> None:
        """Posted lines stay."""
        if values:
            _check_open(self, row["move_id"])

    def before_unlink(self, row: Row) -> None:
        """Posted lines stay."""
        _check_open(self, row["move_id"])

    def drop(self, id_: int) -> None:
        """Delete a line, and reckon the rest anew."""
        row = self.row(id_)
        super().drop(id_)
        for partial in list(self.txn.rows("account.partial.reconcile")):
            if id_ in (partial["debit_move_id"], partial["credit_move_id"]):
                self.txn.changes["account.partial.reconcile", partial["id"]] = None
        if self.txn.get("account.move", row["move_id"]):
            self.changed_moves([row["move_id"]])
        self.on("sale.order.line").changed(row.get("sale_line_ids", ()))

    def changed(self, ids: Iterable[int]) -> None:
        """Reckon the documents."""
        self.changed_moves(self.row(id_)["move_id"] for id_ in ids)

    def changed_moves(self, ids: Iterable[int]) -> None:
        """Reckon these documents, unless that comes later."""
        if not self.context.get(CALM):
            self.on("account.move").changed(dict.fromkeys(ids))

    def reconcile(self) -> bool:
        """Match posted claims and payments with each other."""
        for id_ in self.ids:
            move = self.on("account.move").row(self.row(id_)["move_id"])
            account = self.txn.get("account.account", self.row(id_).get("account_id")) or {}
            if move["state"] != "posted":
                raise OdooError("UserError", "You can only reconcile posted entries.")
            if not account.get("reconcile"):
                text = "is not configured to allow reconciliation"
                raise OdooError("UserError", f"Account {account.get('name')} {text}.")
        match(self, self.ids)
        self.counted("reconcile")
        return True

    def remove_move_reconcile(self) -> bool:
        """Set free what lines are matched with."""
        for id_ in self.ids:
            unmatch(self, self.row(id_))
        self.counted("remove_move_reconcile")
        return True


def match(records: Records, ids: Iterable[int]) -> None:
    """Match open debits with open credits, the first with the first, as far as they go."""
    lines = [records.on("account.move.line").row(id_) for id_ in ids]
    for debit in [line for line in lines if line.get("balance", 0.0) > 0]:
        for credit in [line for line in lines if line.get("balance", 0.0) < 0]:
            amount = min(residual(records, debit), -residual(records, credit))
            if amount > 0:
                keys = {"debit_move_id": debit["id"], "credit_move_id": credit["id"]}
                records.on("account.partial.reconcile").insert(keys | {"amount": amount})
                touch(records, keys.values())
    records.on("account.move").changed(dict.fromkeys(line["move_id"] for line in lines))
    # A payment's state follows all its invoices: once more, when each of them is up to date.
    records.on("account.move").changed(dict.fromkeys(line["move_id"] for line in lines))


def unmatch(records: Records, claim: Row) -> None:
    """Set free what was matched with a line."""
    touched = {claim["move_id"]: None}
    for row in list(records.txn.rows("account.partial.reconcile")):
        ends = (row["debit_move_id"], row["credit_move_id"])
        if claim["id"] in ends:
            records.txn.changes["account.partial.reconcile", row["id"]] = None
            touch(records, ends)
            other = ends[0] if ends[1] == claim["id"] else ends[1]
            touched[records.on("account.move.line").row(other)["move_id"]] = None
    records.on("account.move").changed(touched)


def touch(records: Records, lines: Iterable[int]) -> None:
    """What is left of lines is stored in them, so each is as new as its last match."""
    for id_ in lines:
        records.txn.put("account.move.line", id_, records.txn.stamp)


def residual(records: Records, line: Row) -> float:
    """What of a line is not matched; negative for a credit."""
    rest = exact(line.get("balance", 0.0))
    for row in records.txn.rows("account.partial.reconcile"):
        if row["debit_move_id"] == line["id"]:
            rest -= exact(row["amount"])
        elif row["credit_move_id"] == line["id"]:
            rest += exact(row["amount"])
    return float(rest)


def is_payment(row: Row) -> bool:
    """Whether an entry is that of a payment."""
    return bool(row.get("origin_payment_id"))


def _partners_of(records: Records, line: int) -> list[int]:
    found = []
    for row in records.txn.rows("account.partial.reconcile"):
        ends = (row["debit_move_id"], row["credit_move_id"])
        if line in ends:
            found.append(ends[0] if ends[1] == line else ends[1])
    return found


def _booked(amount: float, debits: bool) -> Row:
    balance = amount if debits else -amount
    sides = {"debit": max(balance, 0.0), "credit": max(-balance, 0.0)}
    return sides | {"balance": balance + 0.0}


def _check_open(items: Records, move: int) -> None:
    row = items.on("account.move").row(move)
    if row["state"] == "posted":
        raise OdooError("UserError", _frozen(items, row))


def _frozen(records: Records, row: Row) -> str:
    label = records.on("account.move").label(row["id"])
    return f"You cannot do this modification on a posted journal entry ({label})."


def _move_name(_: Records, row: Row) -> str:
    draft = {"out_invoice": "Draft Invoice", "out_refund": "Draft Credit Note"}
    name = row.get("name") or f"{draft.get(row['move_type'], 'Draft Entry')} (* {row['id']})"
    return f"{name} ({row['ref']})" if row.get("ref") else str(name)


def _billed(entries: Records, row: Row) -> list[int]:
    lines = entries.of(Entries, "account.move").lines(row["id"], "product", *TEXTS)
    return [line["id"] for line in sorted(lines, key=lambda line: (line["sequence"], line["id"]))]


def _payments(entries: Records, row: Row) -> list[int]:
    payments = entries.on("account.payment")
    matched = entries.of(Entries, "account.move").matched(row["id"])
    rows = [payments.row(move["origin_payment_id"]) for move in matched if is_payment(move)]
    payments.sort(rows, "date desc, name desc, id desc")
    return [payment["id"] for payment in rows]


def _status_in_payment(_: Records, row: Row) -> str:
    return str(row["payment_state"] if row["state"] == "posted" else row["state"])


def _of_entry(name: str) -> Callable[[Records, Row], Any]:
    def value(lines: Records, row: Row) -> Any:
        entries = lines.on("account.move")
        return entries.value(entries.row(row["move_id"]), name)

    return value


def _twins(entries: Records, row: Row) -> list[int]:
    names = ("ref", "move_type", "partner_id")
    return [
        other["id"]
        for other in entries.txn.rows("account.move")
        if row.get("ref")
        and other["id"] != row["id"]
        and all(other.get(name) == row.get(name) for name in names)
    ]


def company(records: Records, _: Row) -> int:
    """The one company there is."""
    return int(next(records.txn.rows("res.company"))["id"])


COMPUTED.update(
    {
        ("account.move", "display_name"): _move_name,
        ("account.move", "invoice_line_ids"): _billed,
        ("account.move", "matched_payment_ids"): _payments,
        ("account.move", "status_in_payment"): _status_in_payment,
        ("account.move", "duplicated_ref_ids"): _twins,
        ("account.move", "company_id"): company,
        ("account.move", "commercial_partner_id"): lambda entries, row: (
            entries.on("res.partner").value(
                entries.on("res.partner").row(row["partner_id"]), "commercial_partner_id"
            )
            if row.get("partner_id")
            else False
        ),
        ("account.account", "display_name"): lambda _, row: f"{row['code']} {row['name']}",
        ("account.move.line", "move_name"): _of_entry("name"),
        ("account.move.line", "move_type"): _of_entry("move_type"),
        ("account.move.line", "parent_state"): _of_entry("state"),
        ("account.move.line", "date"): _of_entry("date"),
        ("account.move.line", "partner_id"): _of_entry("partner_id"),
        ("account.move.line", "currency_id"): _of_entry("currency_id"),
        ("account.move.line", "payment_id"): _of_entry("origin_payment_id"),
        ("account.move.line", "amount_residual"): lambda lines, row: (
            residual(lines, row) if row["display_type"] == "payment_term" else 0.0
        ),
        ("account.move.line", "reconciled"): lambda lines, row: (
            row["display_type"] == "payment_term" and not residual(lines, row)
        ),
        ("account.move.line", "account_type"): lambda lines, row: (
            lines.txn.get("account.account", row.get("account_id")) or {}
        ).get("account_type", False),
    }
)
CLASSES.update({"account.move": Entries, "account.move.line": Items})
