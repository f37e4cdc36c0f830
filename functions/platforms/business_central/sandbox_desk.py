"""What people do in Business Central: ship, invoice, take money, credit, block, edit, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from platforms.business_central.sandbox_api import LINES, Api
from platforms.business_central.sandbox_documents import lines_name
from platforms.business_central.sandbox_fields import DOCUMENTS, ENTITIES
from platforms.business_central.sandbox_shapes import ZERO
from platforms.business_central.sandbox_store import shown
from platforms.business_central.sandbox_values import ApiError, Row, cents, given, is_guid, read

Act = Callable[[Row, Row], Row]
NOTHING = Decimal(0)


class NoSuchError(Exception):
    """There is no such record, or nobody can do that to one."""


class DeskError(ValueError):
    """A draft that says something nobody can do."""


class Desk:
    """People's acts; nobody counts them, and subscribers hear of them.

    Args:
        api: the records and how they are written.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self.store, self.posting = api.store, api.posting
        self.documents, self.masters = api.documents, api.masters
        orders: dict[str, Act] = {
            "ship": self.ship,
            "invoice": self.invoice,
            "post": lambda row, _: self._state("salesOrders", row, self._post_order),
            "release": lambda row, _: self._set("salesOrders", row, status="Open"),
            "submit": lambda row, _: self._set("salesOrders", row, status="In Review"),
            "reopen": lambda row, _: self._set("salesOrders", row, status="Draft"),
        }
        invoices: dict[str, Act] = {
            "pay": self.pay,
            "credit": self.credit,
            "return": self.take_back,
            "post": lambda row, _: self.posting.post("salesInvoices", row),
            "cancel": self._cancel_invoice,
        }
        self.acts: dict[str, dict[str, Act]] = {
            "salesOrders": orders,
            "salesInvoices": invoices,
            "salesCreditMemos": {
                "post": lambda row, _: self.posting.post("salesCreditMemos", row),
                "cancel": self._cancel_memo,
                "pay": self.pay_out,
            },
            "customers": {"block": self._block_customer, "pay": self._pay_on_account},
            "items": {
                "block": self._block_item,
                "stock": self.stock,
                "receive": self.receive,
                "move": self.move,
                "price": self.price,
                "units": self._units,
            },
            "customerPaymentJournals": {
                "post": lambda row, _: self._post_journal("customerPaymentJournals", row)
            },
            "journals": {"post": lambda row, _: self._post_journal("journals", row)},
        }
        for name, entity in ENTITIES.items():
            if "DELETE" in entity.methods and name != "subscriptions":
                self.acts.setdefault(name, {})["delete"] = self._deleting(name)
            if "PATCH" in entity.methods and name != "subscriptions":
                self.acts.setdefault(name, {})["edit"] = self._editing(name)
        # An order has no state of being cancelled: who cancels one deletes it.
        orders["cancel"] = self._deleting("salesOrders")

    # -- the way in --------------------------------------------------------------------------------

    def records(self, name: str) -> list[Row]:
        """All records of a set as the vendor shows them, with their parts."""
        entity = ENTITIES[name]
        if name == "subscriptions":
            return [shown(entity.fields.values(), row) for row in self.api.hooks.alive()]
        return [self.whole(name, row) for row in self.store.rows[name].values()]

    def whole(self, name: str, row: Row) -> Row:
        """One record with its parts."""
        entity = ENTITIES[name]
        found = shown(entity.fields.values(), row)
        for part, child in entity.parts.items():
            parent = ENTITIES[child].parent
            below = parent[1] if parent else "id"
            lines = self.store.find(child, **{below: row["id"]})
            if "sequence" in ENTITIES[child].fields:
                lines.sort(key=lambda line: line["sequence"])
            found[part] = [shown(ENTITIES[child].fields.values(), line) for line in lines]
        return found

    def find(self, name: str, key: str) -> Row:
        """A record by id, number or code."""
        if is_guid(key):
            row = self.store.rows[name].get(key.lower())
        else:
            row = self.store.one(name, number=key.upper()) or self.store.one(name, code=key.upper())
        if row is None:
            raise KeyError(f"no {name} {key}")
        return row

    def do(self, name: str, key: str, action: str, draft: Row) -> Row:
        """One act; gives the id and the record it made or changed.

        Raises:
            NoSuchError: there is no such record or act.
            DeskError, ApiError: the act is refused.
        """
        act = self.acts.get(name, {}).get(action)
        if act is None:
            raise NoSuchError(f"nobody can {action} {name}")
        try:
            row = self.find(name, key)
        except KeyError as error:
            raise NoSuchError(str(error)) from error
        with self.api.lock, self.store.transaction(is_quiet=True):
            made = act(row, draft)
        set_ = self._set_of(made["id"], name)
        is_left = made["id"] in self.store.rows[set_]
        shown_ = self.whole(set_, self.store.rows[set_][made["id"]]) if is_left else None
        return {"id": made["id"], "record": shown_}

    def _set_of(self, id_: str, name: str) -> str:
        if id_ in self.store.rows[name]:
            return name
        sets = ("salesShipments", "salesInvoices", "salesCreditMemos")
        return next((one for one in sets if id_ in self.store.rows[one]), name)

    # -- orders ------------------------------------------------------------------------------------

    def ship(self, row: Row, draft: Row) -> Row:
        """Post a shipment without an invoice; gives the shipment."""
        _known(draft, "lines", "carrier", "tracking", "date")
        lines = self.posting.sold("salesOrders", row)
        left = {line["id"]: line["quantity"] - line["shippedQuantity"] for line in lines}
        wanted = self._amounts(lines, draft, left)
        shipment, _ = self.posting.post_order(self._dated(row, draft), wanted, {})
        if shipment is None:
            raise DeskError("nothing is left to ship")
        # Kept, and shown nowhere: the API has no field for them.
        own = {"_carrier": draft.get("carrier", ""), "_tracking": draft.get("tracking", "")}
        return self.store.quiet("salesShipments", shipment["id"], **own)

    def invoice(self, row: Row, draft: Row) -> Row:
        """Invoice what was shipped and not yet invoiced; gives the invoice."""
        _known(draft, "lines", "date")
        lines = self.posting.sold("salesOrders", row)
        left = {line["id"]: line["shippedQuantity"] - line["invoicedQuantity"] for line in lines}
        wanted = self._amounts(lines, draft, left)
        _, made = self.posting.post_order(self._dated(row, draft), {}, wanted)
        if made is None:
            raise DeskError("nothing is left to invoice")
        return made

    def _post_order(self, row: Row) -> Row:
        return self.posting.ship_and_invoice(row)

    def _dated(self, row: Row, draft: Row) -> Row:
        if "date" not in draft:
            return row
        day = read(ENTITIES["salesOrders"].fields["postingDate"], draft["date"])
        return self.store.change("salesOrders", row["id"], postingDate=day)

    def _amounts(
        self, lines: Iterable[Row], draft: Row, left: dict[str, Decimal]
    ) -> dict[str, Decimal]:
        if "lines" not in draft:
            return left
        wanted = dict.fromkeys(left, NOTHING)
        for one in draft["lines"]:
            line = self._line(lines, one)
            quantity = _decimal(one.get("quantity", left[line["id"]]))
            if not 0 < quantity <= left[line["id"]]:
                raise DeskError(f"{quantity} of {line['lineObjectNumber']} is not possible")
            wanted[line["id"]] = quantity
        return wanted

    def _line(self, lines: Iterable[Row], one: Row) -> Row:
        _known(one, "id", "sequence", "sku", "quantity")
        names = {"id": "id", "sequence": "sequence", "sku": "lineObjectNumber"}
        for key, field in names.items():
            if key in one:
                wanted = one[key].upper() if key == "sku" else one[key]
                found = next((line for line in lines if line[field] == wanted), None)
                if found:
                    return found
        raise DeskError(f"no such line: {one}")

    def _state(self, name: str, row: Row, act: Callable[[Row], Row]) -> Row:
        return act(self.store.get(name, row["id"]))

    def _set(self, name: str, row: Row, **values: Any) -> Row:
        return self.store.change(name, row["id"], **values)

    # -- invoices and money ------------------------------------------------------------------------

    def pay(self, row: Row, draft: Row) -> Row:
        """Money for an invoice arrives and is posted; more than is owed stays on account."""
        _known(draft, "amount", "reference", "date")
        amount = cents(_decimal(draft.get("amount", row["remainingAmount"])))
        if amount <= 0:
            raise DeskError("an amount is needed")
        invoice = self.posting.payable(row["number"])
        self.posting.receive(self.store.get("customers", row["customerId"]), amount, invoice)
        return self.store.get("salesInvoices", row["id"])

    def _pay_on_account(self, row: Row, draft: Row) -> Row:
        _known(draft, "amount", "reference", "date")
        self.posting.receive(row, cents(_decimal(draft["amount"])), None)
        return row

    def pay_out(self, row: Row, draft: Row) -> Row:
        """What a credit memo is worth goes back to the customer, in part or whole."""
        _known(draft, "amount", "reference", "date")
        if row["status"] != "Open":
            raise DeskError("nothing of this credit memo is left to pay out")
        self.posting.pay_out(row, cents(_decimal(draft.get("amount", row["_remaining"]))))
        return self.store.get("salesCreditMemos", row["id"])

    def credit(self, row: Row, draft: Row) -> Row:
        """Credit an invoice in part or whole, by lines or by an amount; goods stay away."""
        _known(draft, "lines", "amount", "reference", "reason")
        if "amount" in draft:
            account: Row = {"lineType": "Account", "lineObjectNumber": "40400", "taxCode": "ZERO"}
            account |= {"quantity": Decimal(1), "unitPrice": cents(_decimal(draft["amount"]))}
            return self._memo(row, draft, [account])
        lines = self._credited(row, draft)
        for line in lines:
            # Money only: without an item nothing comes back into stock.
            if line["lineType"] == "Item":
                line |= {"lineType": "Account", "lineObjectNumber": "40400"}
                line.pop("itemVariantId")
        return self._memo(row, draft, lines)

    def take_back(self, row: Row, draft: Row) -> Row:
        """Goods come back: a posted credit memo with the items, which are in stock again."""
        _known(draft, "lines", "reference", "reason")
        return self._memo(row, draft, self._credited(row, draft))

    def _credited(self, row: Row, draft: Row) -> list[Row]:
        lines = self.posting.sold("salesInvoices", row)
        if "lines" not in draft:
            return self.posting.copies(lines)
        found = []
        for one in draft["lines"]:
            line = self._line(lines, one)
            quantity = _decimal(one.get("quantity", line["quantity"]))
            if not 0 < quantity <= line["quantity"]:
                raise DeskError(f"{quantity} of {line['lineObjectNumber']} is not possible")
            found += self.posting.copies([line | {"quantity": quantity}])
        return found

    def _memo(self, row: Row, draft: Row, lines: list[Row]) -> Row:
        values = {"customerId": row["customerId"], "invoiceId": row["id"]}
        values |= {"pricesIncludeTax": row["pricesIncludeTax"], "salesCreditMemoLines": lines}
        values["currencyCode"] = row["currencyCode"]
        values["externalDocumentNumber"] = str(draft.get("reference", "")).upper()
        if reason := draft.get("reason"):
            values["customerReturnReasonId"] = self.find("customerReturnReasons", reason)["id"]
        memo = self.documents.create("salesCreditMemos", values)
        return self.posting.post("salesCreditMemos", memo)

    def _cancel_invoice(self, row: Row, _: Row) -> Row:
        self.posting.cancel("salesInvoices", row)
        return row

    def _cancel_memo(self, row: Row, _: Row) -> Row:
        self.posting.cancel("salesCreditMemos", row)
        return row

    def _post_journal(self, name: str, row: Row) -> Row:
        self.api.payments.post(name, row)
        return row

    # -- master data -------------------------------------------------------------------------------

    def _block_customer(self, row: Row, draft: Row) -> Row:
        _known(draft, "blocked")
        field = ENTITIES["customers"].fields["blocked"]
        return self._set("customers", row, blocked=read(field, draft.get("blocked", "All")))

    def _block_item(self, row: Row, draft: Row) -> Row:
        _known(draft, "blocked")
        return self._set("items", row, blocked=bool(draft.get("blocked", True)))

    def stock(self, row: Row, draft: Row) -> Row:
        """Count an item: afterwards there is so much of it at the location, or at none."""
        _known(draft, "quantity", "location")
        place = self._place(draft.get("location"))
        difference = _decimal(draft["quantity"]) - self.store.stock_at(row, place)
        if difference:
            kind = "Positive Adjmt." if difference > 0 else "Negative Adjmt."
            self.store.move(row, difference, kind, documentNumber="COUNT", _location=place)
        return row

    def receive(self, row: Row, draft: Row) -> Row:
        """Goods come in from a vendor."""
        _known(draft, "quantity", "location")
        place, quantity = self._place(draft.get("location")), _positive(draft["quantity"])
        facts = {"documentNumber": "RECEIPT", "sourceType": "Vendor", "_location": place}
        self.store.move(row, quantity, "Purchase", **facts)
        return row

    def move(self, row: Row, draft: Row) -> Row:
        """Goods go from one location to another: two entries, and as many as before."""
        _known(draft, "quantity", "from", "to")
        quantity = _positive(draft["quantity"])
        for name, part in (("from", -quantity), ("to", quantity)):
            place = self._place(draft.get(name))
            facts = {"documentNumber": "TRANSFER", "_location": place}
            self.store.move(row, part, "Transfer", **facts)
        return row

    def _place(self, code: str | None) -> str:
        return str(self.find("locations", code)["id"]) if code else ZERO

    def price(self, row: Row, draft: Row) -> Row:
        """Another list price for one base unit."""
        _known(draft, "price")
        return self._set("items", row, unitPrice=_decimal(draft["price"]))

    def _units(self, row: Row, draft: Row) -> Row:
        factors = {code.upper(): _decimal(factor) for code, factor in draft.items()}
        return self._set("items", row, _units=row["_units"] | factors)

    def _deleting(self, name: str) -> Act:
        def act(row: Row, _: Row) -> Row:
            if name in DOCUMENTS:
                self.documents.remove(name, row)
            elif name in LINES:
                self.documents.remove_line(LINES[name], row)
            else:
                self.masters.remove(name, row)
            return row

        return act

    def _editing(self, name: str) -> Act:
        def act(row: Row, draft: Row) -> Row:
            draft = dict(draft)
            lines = draft.pop("lines", []) if name in DOCUMENTS else []
            values = given(ENTITIES[name], draft, is_new=False)
            for line in lines:
                self._edit_line(name, row, dict(line))
            if not values:
                return row
            if name in DOCUMENTS:
                return self.documents.change(name, row, values)
            if name in LINES:
                return self.documents.change_line(LINES[name], row, values)
            return self.masters.change(name, row, values)

        return act

    def _edit_line(self, name: str, row: Row, line: Row) -> None:
        entity = ENTITIES[lines_name(name)]
        if not line.keys() & {"id", "sequence", "sku"}:
            self.documents.add_line(name, row["id"], given(entity, line, is_new=True))
            return
        asked: Row = {key: line.pop(key) for key in ("id", "sequence", "sku") if key in line}
        found = self._line(self.documents.lines(name, row["id"]), asked)
        self.documents.change_line(name, found, given(entity, line, is_new=False))


def _known(draft: Row, *keys: str) -> None:
    if unknown := draft.keys() - set(keys):
        raise DeskError(f"unknown in the draft: {', '.join(sorted(unknown))}")


def _positive(value: Any) -> Decimal:
    if _decimal(value) <= 0:
        raise DeskError("a quantity is above nothing")
    return _decimal(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise DeskError(f"not a number: {value!r}")
    return Decimal(value)


REFUSALS = (ApiError, ValueError, TypeError, ArithmeticError, AttributeError, LookupError)
