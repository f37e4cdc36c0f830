"""The rules of money that moves: payments, the wizard that registers them, and reversals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from platforms.odoo.sandbox_accounting import SALES, TEXTS, Entries, company, match, unmatch
from platforms.odoo.sandbox_records import CLASSES, COMPUTED, DEFAULTS, Records
from platforms.odoo.sandbox_store import OdooError, Row, listed
from platforms.odoo.sandbox_taxes import exact

DEFAULTS.update(
    {
        "account.payment": {
            "state": "draft",
            "payment_type": "inbound",
            "partner_type": "customer",
            "amount": 0.0,
        },
        "account.payment.register": {"group_payment": False},
    }
)
COPIED = """product_id name quantity product_uom_id price_unit discount display_type sequence
is_downpayment""".split()
POSTED = ("in_process", "paid")


class Payments(Records):
    """``account.payment``: money in or out, with an entry of its own once it is posted."""

    def complete(self, values: Row) -> None:
        """Default the bank, the currency and the day."""
        super().complete(values)
        values.setdefault("journal_id", bank(self))
        values.setdefault("currency_id", next(self.txn.rows("res.company"))["currency_id"])
        values.setdefault("date", self.txn.today)

    def check(self, row: Row) -> None:
        """No negative money."""
        super().check(row)
        if row["amount"] < 0:
            text = "The operation cannot be completed: The payment amount cannot be negative."
            raise OdooError("ValidationError", text)

    def before_update(self, row: Row, values: Row) -> None:
        """What is posted keeps its figures."""
        if row["state"] in POSTED and values.keys() - {"memo"}:
            raise OdooError("UserError", "You cannot modify a posted payment.")

    def before_unlink(self, row: Row) -> None:
        """What is posted stays."""
        if row["state"] in POSTED:
            raise OdooError("UserError", "You cannot delete a posted payment.")

    def drop(self, id_: int) -> None:
        """Delete a payment and its entry."""
        entry = self.row(id_).get("move_id")
        self.free(id_)
        super().drop(id_)
        if entry:
            self.on("account.move").drop(entry)

    def changed(self, ids: Iterable[int]) -> None:
        """A payment is through when all its invoices are paid, or when the bank showed it."""
        for id_ in ids:
            row = self.row(id_)
            if row["state"] in POSTED:
                invoices = [self.on("account.move").row(i) for i in self.invoices(row)]
                states = {invoice["payment_state"] for invoice in invoices}
                through = row.get("is_matched") or states == {"paid"}
                self.txn.change(self.model, id_, {"state": "paid" if through else "in_process"})

    def invoices(self, row: Row) -> list[int]:
        """What a payment is matched with."""
        if not row.get("move_id"):
            return []
        entries = self.of(Entries, "account.move")
        return sorted(move["id"] for move in entries.matched(row["move_id"]))

    # The vendor's methods.

    def action_post(self) -> None:
        """Post drafts, each with an entry in the bank's journal."""
        for id_ in self.ids:
            row = self.row(id_)
            if row["state"] != "draft":
                raise OdooError("UserError", "Only a draft payment can be posted.")
            entry = self.entry(row)
            values = {"state": "in_process", "name": entry["name"], "move_id": entry["id"]}
            self.txn.change(self.model, id_, values)
        self.counted("action_post")

    def entry(self, row: Row) -> Row:
        """The posted entry of a payment: the bank on one side, the customer on the other."""
        entries = self.of(Entries, "account.move")
        names = ("partner_id", "currency_id", "journal_id", "date")
        values = {name: row.get(name, False) for name in names} | {"ref": row.get("memo", False)}
        id_ = row.get("move_id") or entries.insert({"move_type": "entry", **values})
        code = self.on("account.journal").row(row["journal_id"])["code"]
        name = row.get("name") or entries.number(f"P{code}", row["date"])
        own = {"state": "posted", "name": name, "origin_payment_id": row["id"]}
        self.txn.change("account.move", id_, values | own)
        entry, incoming = entries.row(id_), row["payment_type"] == "inbound"
        entries.book(entry, "product", False, row["amount"], incoming)
        entries.book(entry, "payment_term", False, row["amount"], not incoming)
        entries.changed([id_])
        return entries.row(id_)

    def free(self, id_: int) -> None:
        """Set free what the payment paid."""
        entry = self.row(id_).get("move_id")
        claim = self.of(Entries, "account.move").claim(entry) if entry else None
        if claim:
            unmatch(self, claim)

    def back(self, state: str, entry_state: str, method: str) -> None:
        """Take payments out of the books."""
        for id_ in self.ids:
            self.free(id_)
            row = self.row(id_)
            if row.get("move_id"):
                self.txn.change("account.move", row["move_id"], {"state": entry_state})
            self.txn.change(self.model, id_, {"state": state, "is_matched": False})
        self.counted(method)

    def action_draft(self) -> None:
        """Back to a draft; the invoices are due again."""
        self.back("draft", "draft", "action_draft")

    def action_cancel(self) -> None:
        """Cancel; the invoices are due again."""
        self.back("canceled", "cancel", "action_cancel")


class Register(Records):
    """``account.payment.register``: pays what the context names."""

    def complete(self, values: Row) -> None:
        """Find what is due; default the rest of it, the bank and today."""
        super().complete(values)
        moves = self.asked()
        if not moves or any(move["state"] != "posted" for move in moves):
            text = "You can only register payment for posted journal entries."
            raise OdooError("UserError", text)
        due = [move for move in moves if move["amount_residual"]]
        if not due:
            text = "There's nothing left to pay for the selected journal items,"
            raise OdooError("UserError", f"{text} so no payment registration is necessary.")
        if len({move["move_type"] for move in due}) > 1:
            text = "You can't register payments for both inbound and outbound moves at once."
            raise OdooError("UserError", text)
        entries = self.of(Entries, "account.move")
        values["line_ids"] = [claim["id"] for m in due if (claim := entries.claim(m["id"]))]
        values.setdefault("amount", self.rest(due))
        values.setdefault("journal_id", bank(self))
        values.setdefault("payment_date", self.txn.today)
        values.setdefault("currency_id", due[0]["currency_id"])
        names = [move.get("payment_reference") or move["name"] for move in due]
        values.setdefault("communication", ", ".join(names))

    def asked(self) -> list[Row]:
        """The documents the context names."""
        model, ids = self.context.get("active_model"), listed(self.context.get("active_ids"))
        if model == "account.move":
            return [self.on(model).row(id_) for id_ in ids]
        if model == "account.move.line":
            moves = dict.fromkeys(self.on(model).row(id_)["move_id"] for id_ in ids)
            return [self.on("account.move").row(id_) for id_ in moves]
        text = "The register payment wizard should only be called on account.move or "
        raise OdooError("UserError", f"{text}account.move.line records.")

    def rest(self, moves: Iterable[Row]) -> float:
        """What is due in all."""
        return float(sum(exact(move["amount_residual"]) for move in moves))

    def moves(self, row: Row) -> list[Row]:
        """The documents a wizard pays."""
        lines = [self.on("account.move.line").row(id_) for id_ in row["line_ids"]]
        return [self.on("account.move").row(line["move_id"]) for line in lines]

    def action_create_payments(self) -> Row | bool:
        """Pay: each document by itself, or all with one payment; too much is taken as well."""
        made: list[int] = []
        for id_ in self.ids:
            row = self.row(id_)
            moves = self.moves(row)
            if row.get("group_payment") or len(moves) == 1:
                made.append(self.pay(row, moves, row["amount"]))
            else:
                made += [self.pay(row, [move], move["amount_residual"]) for move in moves]
        self.counted("action_create_payments")
        if self.context.get("dont_redirect_to_payments"):
            return True
        answer: Row = {
            "name": "Payments",
            "type": "ir.actions.act_window",
            "res_model": "account.payment",
            "context": {"create": False},
        }
        if len(made) == 1:
            return answer | {"view_mode": "form", "res_id": made[0]}
        return answer | {"view_mode": "list,form", "domain": [["id", "in", made]]}

    def pay(self, row: Row, moves: Sequence[Row], amount: float) -> int:
        """One posted payment, matched with what it pays."""
        payments, entries = self.of(Payments, "account.payment"), self.of(Entries, "account.move")
        id_ = payments.insert(
            {
                "amount": amount,
                "date": row["payment_date"],
                "journal_id": row["journal_id"],
                "currency_id": row["currency_id"],
                "memo": row.get("communication", False),
                "partner_id": moves[0]["partner_id"],
                "payment_type": _direction(moves[0]),
            }
        )
        self.of(Payments, "account.payment", [id_]).action_post()
        self.txn.counts["account.payment/action_post"] -= 1
        claims = [entries.claim(move["id"]) for move in moves]
        claims.append(entries.claim(payments.row(id_)["move_id"]))
        match(self, [claim["id"] for claim in claims if claim])
        self.txn.change("account.payment", id_, {"invoice_ids": [move["id"] for move in moves]})
        return id_


class Reversals(Records):
    """``account.move.reversal``: the wizard of credit notes."""

    def complete(self, values: Row) -> None:
        """Start from what the context names."""
        super().complete(values)
        if self.context.get("active_model") == "account.move":
            values.setdefault("move_ids", listed(self.context.get("active_ids")))
        values.setdefault("date", self.txn.today)
        rows = [self.on("account.move").row(id_) for id_ in values.get("move_ids", ())]
        if any(row["state"] != "posted" for row in rows):
            text = "To reverse a journal entry, it has to be posted first."
            raise OdooError("UserError", text)

    def refund_moves(self) -> Row:
        """Make a draft credit note per invoice, with all its lines."""
        made = []
        for id_ in self.ids:
            row = self.row(id_)
            made += [self.reversed(self.on("account.move").row(m), row) for m in row["move_ids"]]
            self.txn.change(self.model, id_, {"new_move_ids": made})
        self.counted("refund_moves")
        answer: Row = {
            "name": "Reverse Moves",
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "context": {"default_move_type": "out_refund"},
        }
        if len(made) == 1:
            return answer | {"view_mode": "form", "res_id": made[0]}
        return answer | {"view_mode": "list,form", "domain": [["id", "in", made]]}

    def reversed(self, move: Row, wizard: Row) -> int:
        """The draft that takes a document back."""
        kind = SALES.get(move["move_type"], "entry")
        if kind != "out_refund":
            raise OdooError("UserError", "Only a customer invoice can be credited here.")
        reason = f", {wizard['reason']}" if wizard.get("reason") else ""
        kept = ("partner_id", "partner_shipping_id", "currency_id", "invoice_origin")
        lines = self.of(Entries, "account.move").lines(move["id"], "product", *TEXTS)
        values: Row = {name: move.get(name, False) for name in kept} | {
            "move_type": kind,
            "journal_id": wizard["journal_id"],
            "ref": f"Reversal of: {move['name']}{reason}",
            "date": wizard["date"],
            "invoice_date": wizard["date"],
            "invoice_date_due": wizard["date"],
            "reversed_entry_id": move["id"],
            "auto_post": "at_date" if wizard["date"] > self.txn.today else "no",
            "invoice_line_ids": [[0, 0, copied(line)] for line in lines],
        }
        return self.on("account.move").insert(values)


def copied(line: Row) -> Row:
    """What a copy of an invoice line takes over."""
    kept = {name: line[name] for name in COPIED if line.get(name)}
    lists = {name: list(line.get(name, ())) for name in ("tax_ids", "sale_line_ids")}
    return {"price_unit": 0.0} | kept | lists


def bank(records: Records) -> int:
    """The first bank journal."""
    rows = records.txn.rows("account.journal")
    return next(int(row["id"]) for row in rows if row["type"] == "bank")


def _direction(move: Row) -> str:
    return "outbound" if move["move_type"] == "out_refund" else "inbound"


def _payment_invoices(payments: Records, row: Row) -> list[int]:
    """What a payment is matched with, and what it was made for, matched or not any more."""
    matched = payments.of(Payments, "account.payment").invoices(row)
    return sorted({*matched, *row.get("invoice_ids", ())})


def _is_reconciled(payments: Records, row: Row) -> bool:
    claim = payments.of(Entries, "account.move").claim(row["move_id"]) if row.get("move_id") else {}
    lines = payments.on("account.move.line")
    return bool(claim and lines.value(claim, "reconciled"))


def _register_first(name: str) -> Any:
    def value(wizards: Records, row: Row) -> Any:
        moves = wizards.of(Register, "account.payment.register").moves(row)
        return _direction(moves[0]) if name == "payment_type" else moves[0][name]

    return value


def _still_due(wizards: Records, row: Row) -> float:
    register = wizards.of(Register, "account.payment.register")
    return register.rest(register.moves(row))


def _payment_name(_: Records, row: Row) -> str:
    return str(row.get("name") or "Draft Payment")


COMPUTED.update(
    {
        ("account.payment", "display_name"): _payment_name,
        ("account.payment", "company_id"): company,
        ("account.payment", "reconciled_invoice_ids"): _payment_invoices,
        ("account.payment", "reconciled_invoices_count"): lambda rows, row: len(
            _payment_invoices(rows, row)
        ),
        ("account.payment", "is_reconciled"): _is_reconciled,
        ("account.payment.register", "payment_type"): _register_first("payment_type"),
        ("account.payment.register", "partner_id"): _register_first("partner_id"),
        ("account.payment.register", "source_amount"): _still_due,
        ("account.partial.reconcile", "max_date"): lambda rows, row: max(
            rows.on("account.move.line").value(rows.on("account.move.line").row(row[name]), "date")
            for name in ("debit_move_id", "credit_move_id")
        ),
    }
)
CLASSES.update(
    {
        "account.payment": Payments,
        "account.payment.register": Register,
        "account.move.reversal": Reversals,
    }
)
