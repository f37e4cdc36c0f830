"""Writes of the NetSuite sandbox: add, update, upsert and delete of one record, whole or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from platforms.netsuite_soap.sandbox_books import APPLYING, Books
from platforms.netsuite_soap.sandbox_documents import SOURCES, Documents, user_error
from platforms.netsuite_soap.sandbox_lines import Lines, needed
from platforms.netsuite_soap.sandbox_masters import Masters
from platforms.netsuite_soap.sandbox_merge import forbidden, merged
from platforms.netsuite_soap.sandbox_money import Money
from platforms.netsuite_soap.sandbox_store import ITEMS, TRANSACTIONS, Store, pointers
from platforms.netsuite_soap.sandbox_types import KINDS, Draft, RefusalError, Row, utc

LEVELS = {"body": "custbody", "column": "custcol", "entity": "custentity", "item": "custitem"}


@dataclass
class Wishes:
    """What a request's preferences ask for."""

    warnings_are_errors: bool = False
    ignores_read_only: bool = False
    runs_scripts: bool = True
    denied: frozenset[str] = frozenset()


@dataclass
class Outcome:
    """What became of one record: its ids as far as they are known, and what there is to say."""

    kind: str
    internal_id: str = ""
    external_id: str = ""
    details: list[tuple[str, str, str]] = field(default_factory=list)
    has_failed: bool = False
    after_submit_failed: bool = False


class Writes:
    """Writes to one store, and counts what was committed."""

    def __init__(self, store: Store, books: Books, accepted: Counter[str]) -> None:
        self.store = store
        self.books = books
        self.accepted = accepted
        lines = Lines(store, books)
        self.documents = Documents(store, books, lines)
        money = Money(store, books, self.documents)
        masters = Masters(store)
        self.savers: dict[str, Callable[[Row, Row | None], None]] = {
            "salesOrder": self.documents.sales_order,
            "invoice": self.documents.bill,
            "cashSale": self.documents.bill,
            "cashRefund": self.documents.cash_refund,
            "itemFulfillment": self.documents.fulfillment,
            "returnAuthorization": self.documents.return_authorization,
            "inventoryAdjustment": self.documents.adjustment,
            "customerPayment": money.payment,
            "customerDeposit": money.deposit,
            "creditMemo": money.credit_memo,
            "customerRefund": money.refund,
            "customer": masters.customer,
            "contact": masters.contact,
        }
        for kind in ITEMS:
            if kind in KINDS:
                self.savers[kind] = masters.item

    # One record of a request.

    def write(self, operation: str, draft: Draft, wishes: Wishes) -> Outcome:
        """Do one add, update or upsert; a refusal is an outcome too."""
        outcome = Outcome(draft.kind, draft.internal_id, draft.external_id)
        try:
            old = self.target(operation, draft)
            name = "add" if old is None else "update"
            self.permit(draft.kind, name, wishes)
            self.scripted(draft.kind, operation, "before", wishes, outcome)
            row = self.prepare(draft, old, wishes)
            if "_warning" in row:
                outcome.details.append(("WARN", "WARNING", row.pop("_warning")))
            self.scripted(draft.kind, operation, "warn", wishes, outcome)
            self.heed(outcome, wishes)
            self.commit(row, old, runs_scripts=wishes.runs_scripts)
            outcome.internal_id = row["internalId"]
            outcome.external_id = row.get("externalId") or ""
            self.scripted(draft.kind, operation, "after", wishes, outcome)
        except RefusalError as refused:
            outcome.has_failed = True
            outcome.details.append((refused.kind, refused.code, refused.message))
        return outcome

    def heed(self, outcome: Outcome, wishes: Wishes) -> None:
        """A warning is an error where the request wants it so."""
        if outcome.details and wishes.warnings_are_errors:
            _, code, message = outcome.details.pop()
            raise RefusalError(code, message)

    def target(self, operation: str, draft: Draft) -> Row | None:
        """The stored record a draft is for; none if it is to be made."""
        kind, number, key = draft.kind, draft.internal_id, draft.external_id
        if kind not in self.savers:
            raise RefusalError("INVALID_RCRD_TYPE", f"{kind} cannot be written here.")
        if operation == "add":
            if number:
                raise user_error("An internalId cannot be given to a new record.")
            return None
        if operation == "upsert":
            if number or not key:
                text = "The specified key is invalid."
                raise RefusalError("INVALID_KEY_OR_REF", text)
            return self.store.keyed((kind,), key)
        found = self.store.get(kind, number) if number else self.store.keyed((kind,), key)
        if found is None or not (number or key):
            raise RefusalError("RCRD_DSNT_EXIST", "That record does not exist.")
        return found

    def permit(self, kind: str, act: str, wishes: Wishes) -> None:
        """Whether the role may do this to a kind."""
        if f"{kind}.{act}" in wishes.denied or f"{kind}.*" in wishes.denied:
            text = f"Permission Violation: You need a higher level of the '{kind}' permission to"
            text += " access this page. Please contact your account administrator."
            raise RefusalError("INSUFFICIENT_PERMISSION", text)

    def scripted(
        self, kind: str, operation: str, phase: str, wishes: Wishes, outcome: Outcome
    ) -> None:
        """The customer's own scripts and workflows, which may refuse, warn or fail too late."""
        refusals = []
        for script in self.store.scripts:
            fits = script.get("record", kind) == kind and script.get("phase", "before") == phase
            fits = fits and script.get("operation", operation) == operation
            if not fits or not script.get("times", 1) or not wishes.runs_scripts:
                continue
            script["times"] = script.get("times", 1) - 1
            code, message = script.get("code", "USER_ERROR"), script.get("message", "Not now.")
            if phase == "before":
                refusals.append(RefusalError(code, message))
                continue
            if phase == "after":
                outcome.after_submit_failed = True
            outcome.details.append(("WARN" if phase == "warn" else "ERROR", code, message))
        # Several may refuse one record, and the vendor passes on what each of them says.
        for refused in refusals[:-1]:
            outcome.details.append((refused.kind, refused.code, refused.message))
        if refusals:
            raise refusals[-1]

    def prepare(self, draft: Draft, old: Row | None, wishes: Wishes) -> Row:
        """The record as it will be, complete and checked."""
        kind = draft.kind
        hidden = set(self.store.seed["hidden_fields"].get(kind, ()))
        if hidden & draft.values.keys():
            raise forbidden(min(hidden & draft.values.keys()))
        base = old if old is not None else self.base(draft)
        row = merged(base, draft, ignores_read_only=wishes.ignores_read_only)
        row["_kind"] = kind
        if draft.external_id:
            row["externalId"] = draft.external_id
        self.store.claim(row)
        self.customs(row, kind)
        self.store.resolved(row, frozenset(pointers(base)))
        self.savers[kind](row, old)
        for name in self.store.seed["required_fields"].get(kind, ()):
            if row.get(name) in (None, "", []):
                raise needed(name)
        return row

    def base(self, draft: Draft) -> Row:
        """What a new record starts from: its source, where it is made from another."""
        ref = draft.values.get("createdFrom")
        if ref is None or draft.kind not in SOURCES:
            return {"_kind": draft.kind}
        source = self.store.point(ref, "createdFrom", must_be_active=False)
        row = self.documents.initial(draft.kind, source)
        row.pop("tranDate", None)
        return row

    def customs(self, row: Row, kind: str) -> None:
        """Custom fields must be the account's, on this kind of record, and of their type."""
        level = "body" if kind in TRANSACTIONS else "item" if kind in ITEMS else "entity"
        self.custom(row, LEVELS[level])
        for name in ("itemList", "inventoryList"):
            for line in row.get(name, []):
                self.custom(line, LEVELS["column"])

    def custom(self, row: Row, prefix: str) -> None:
        """The custom fields of one row."""
        for script_id, one in row.get("customFieldList", {}).items():
            known = self.store.custom.get(script_id)
            if known is None or known["type"] != one["type"] or not script_id.startswith(prefix):
                raise forbidden(script_id)

    # Keeping.

    def commit(
        self, row: Row, old: Row | None, *, is_counted: bool = True, runs_scripts: bool = True
    ) -> None:
        """Keep a record, move the stock it moves, and say what was done, if it was done by us."""
        kind = row["_kind"]
        before, held = self.documents.effect(old), self.held(kind)
        was_open = old is not None and kind == "salesOrder" and self.is_open(old)
        touched = [*self.touched(old), *self.touched(row)]
        self.store.put(row, *touched, is_scripted=runs_scripts)
        self.move(before, self.documents.effect(row))
        self.books.stamp(held)
        name = kind.lower()
        if not is_counted:
            return
        if old is None:
            self.accepted[f"{name} created"] += 1
        elif was_open and not self.is_open(row):
            self.accepted[f"{name} cancelled"] += 1
        else:
            self.accepted[f"{name} updated"] += 1

    def held(self, kind: str) -> dict[tuple[str, str], Decimal] | None:
        """What orders hold now, if a record of this kind may change it."""
        return self.books.commitments() if kind in ("salesOrder", "itemFulfillment") else None

    def is_open(self, order: Row) -> bool:
        """Whether an order is neither closed nor cancelled."""
        return self.books.order_status(order) not in ("_closed", "_cancelled")

    def move(
        self, before: dict[tuple[str, str], Decimal], now: dict[tuple[str, str], Decimal]
    ) -> None:
        """Change the stock by the difference a record makes."""
        for place in before.keys() | now.keys():
            change = now.get(place, Decimal()) - before.get(place, Decimal())
            if change:
                self.store.move(*place, change)

    def touched(self, row: Row | None) -> list[tuple[str, str]]:
        """The records that are seen as changed when one is: its source, and what it pays."""
        found: list[tuple[str, str]] = []
        if row is None:
            return found
        refs = [row.get(name) for name in ("createdFrom", "salesOrder")]
        ids = [ref["id"] for ref in refs if ref]
        for name in APPLYING.get(row["_kind"], ()):
            ids += [str(one["doc"]) for one in row.get(name, [])]
        for number in ids:
            found += [(kind, number) for kind in TRANSACTIONS if self.store.get(kind, number)]
        return found

    # Deleting.

    def delete(self, kind: str, number: str, key: str, wishes: Wishes) -> Outcome:
        """Delete one record nothing hangs on."""
        outcome = Outcome(kind, number, key)
        try:
            draft = Draft(kind, number, key)
            row = self.target("delete", draft)
            self.permit(kind, "delete", wishes)
            self.scripted(kind, "delete", "before", wishes, outcome)
            if row is not None:
                self.discard(row)
                self.accepted[f"{kind.lower()} deleted"] += 1
                outcome.internal_id = row["internalId"]
        except RefusalError as refused:
            outcome.has_failed = True
            outcome.details.append((refused.kind, refused.code, refused.message))
        return outcome

    def discard(self, row: Row) -> None:
        """Take a record out, and its stock back."""
        kind, number = row["_kind"], row["internalId"]
        if self.is_used(kind, number):
            text = "This record cannot be deleted because it has dependent records."
            raise user_error(text)
        touched, held = self.touched(row), self.held(kind)
        self.move(self.documents.effect(row), {})
        self.store.drop(kind, number)
        self.books.stamp(held)
        for other in touched:
            self.store.need(*other)["lastModifiedDate"] = utc(self.store.clock())

    def is_used(self, kind: str, number: str) -> bool:
        """Whether other records refer to one."""
        if kind in TRANSACTIONS:
            deposits = self.store.all("customerDeposit")
            return (
                bool(self.books.following(number, *TRANSACTIONS))
                or any(True for _ in self.books.applications(number))
                or any(row.get("salesOrder") == {"id": number} for row in deposits)
            )
        names = {"customer": ("entity", "customer")}.get(kind, ("item",))
        rows = self.store.all(*TRANSACTIONS)
        return any(_mentions(row, names, {"id": number}) for row in rows)


def _mentions(row: Any, names: tuple[str, ...], ref: Row) -> bool:
    if isinstance(row, list):
        return any(_mentions(one, names, ref) for one in row)
    if not isinstance(row, dict):
        return False
    return any(
        (name in names and value == ref) or _mentions(value, names, ref)
        for name, value in row.items()
    )
