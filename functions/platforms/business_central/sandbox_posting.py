"""What posting does: shipments, invoices, credit memos, stock movements and applied payments."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from platforms.business_central.sandbox_documents import SOLD, Documents, lines_name, whole
from platforms.business_central.sandbox_fields import ENTITIES
from platforms.business_central.sandbox_store import Store
from platforms.business_central.sandbox_sums import total
from platforms.business_central.sandbox_values import Row, cents, is_blank, refusal, unmet

SHIPMENTS, INVOICES, CREDITS = "102001", "103001", "104001"
ISSUED = {"Open", "Paid", "Canceled", "Corrective"}
NOTHING = Decimal(0)
Amounts = Mapping[str, Decimal]
"""Quantities by line id."""


class Posting:
    """Turns drafts into entries.

    Args:
        documents: the drafts.
        seed: how the company is set up.
    """

    def __init__(self, documents: Documents, seed: Row) -> None:
        self.documents = documents
        self.store: Store = documents.store
        self.masters = documents.masters
        self.seed = seed

    # -- orders ------------------------------------------------------------------------------------

    def ship_and_invoice(self, order: Row) -> Row:
        """Post what the lines say is to ship and to invoice; gives the invoice."""
        lines = self.sold("salesOrders", order)
        ship = {line["id"]: line["shipQuantity"] for line in lines}
        invoice = {line["id"]: line["invoiceQuantity"] for line in lines}
        return self.post_order(order, ship, invoice)[1] or {}

    def post_order(
        self, order: Row, ship: Amounts, invoice: Amounts
    ) -> tuple[Row | None, Row | None]:
        """Post an order in part or whole; one that has nothing left is gone afterwards."""
        if not any(ship.values()) and not any(invoice.values()):
            raise refusal("There is nothing to post.")
        customer = self.store.get("customers", order["customerId"])
        self._allowed(
            order, customer, is_shipped=any(ship.values()), is_billed=any(invoice.values())
        )
        lines = self.sold("salesOrders", order)
        if any(not line["quantity"] for line in lines):
            raise refusal(
                "One or more document lines with a value in the No. field have no quantity."
            )
        self._complete(order, lines, ship)
        if order["status"] == "Draft" and self.seed["posting_releases"]:
            self.store.change("salesOrders", order["id"], status="Open")
        shipment = self._ship(order, lines, ship) if any(ship.values()) else None
        billed = self._bill(order, lines, invoice) if any(invoice.values()) else None
        for line in lines:
            self._moved(line, ship.get(line["id"], NOTHING), invoice.get(line["id"], NOTHING))
        if all(self._is_done(line) for line in self.sold("salesOrders", order)):
            self.store.drop("salesOrders", order["id"])
        else:
            self.documents.total("salesOrders", order["id"])
        return shipment, billed

    def sold(self, name: str, document: Row) -> list[Row]:
        """The lines that are goods or money."""
        lines = self.documents.lines(name, document["id"])
        return [line for line in lines if line["lineType"] in SOLD]

    def _allowed(self, document: Row, customer: Row, *, is_shipped: bool, is_billed: bool) -> None:
        blocked = customer["blocked"]
        if blocked == "All" or (blocked == "Ship" and is_shipped):
            raise refusal(f"You cannot ship when Customer {customer['number']} is blocked.")
        if blocked == "Invoice" and is_billed:
            raise refusal(f"You cannot invoice when Customer {customer['number']} is blocked.")
        first, last = self.seed["posting_from"], self.seed["posting_to"]
        day = document["postingDate"]
        if (first and day < first) or (last and day > last):
            raise unmet("Posting Date is not within your range of allowed posting dates.")

    def _complete(self, order: Row, lines: Sequence[Row], ship: Amounts) -> None:
        left = [line["quantity"] - line["shippedQuantity"] for line in lines]
        now = [ship.get(line["id"], NOTHING) for line in lines]
        if not order["partialShipping"] and any(now) and left != now:
            text = (
                "This order must be shipped complete: Shipping Advice is Complete in Sales Header"
            )
            raise refusal(f"{text} {order['number']}.")

    def _is_done(self, line: Row) -> bool:
        return bool(line["quantity"] == line["shippedQuantity"] == line["invoicedQuantity"])

    def _ship(self, order: Row, lines: Sequence[Row], amounts: Amounts) -> Row:
        kept = ENTITIES["salesShipments"].fields
        header = {key: value for key, value in order.items() if key in kept} | {"id": ""}
        header |= {"number": self.store.next(SHIPMENTS), "orderNumber": order["number"]}
        header |= {"invoiceDate": order["orderDate"], "dueDate": order["postingDate"]}
        for field, name in (
            ("paymentTerms", "paymentTerms"),
            ("shipmentMethod", "shipmentMethods"),
        ):
            found = self.store.rows[name].get(order[f"{field}Id"])
            header[f"{field}Code"] = found["code"] if found else ""
        shipment = self.store.add("salesShipments", header)
        fields = ENTITIES["salesShipmentLines"].fields
        for line in self.documents.lines("salesOrders", order["id"]):
            quantity = amounts.get(line["id"], NOTHING)
            if line["lineType"] in SOLD and not quantity:
                continue
            values = {key: value for key, value in line.items() if key in fields}
            own = {"id": "", "documentId": shipment["id"], "documentNo": shipment["number"]}
            self.store.add("salesShipmentLines", values | own | {"quantity": quantity})
        for line in lines:
            self._stock(line, -amounts.get(line["id"], NOTHING), "Sales Shipment", shipment)
        return shipment

    def _stock(self, line: Row, quantity: Decimal, kind: str, document: Row) -> None:
        """Move an item line's goods, in base units."""
        if line["lineType"] != "Item" or not quantity:
            return
        item = self.store.get("items", line["itemId"])
        if item["blocked"]:
            raise unmet(f"Blocked must be equal to 'No' in Item: No.={item['number']}.")
        if item["type"] != "Inventory":
            return
        if self.seed["location_mandatory"] and is_blank(line["locationId"]):
            raise unmet(f"Location Code must have a value in Sales Line: No.={item['number']}.")
        moved = quantity * self.masters.units(item, line["unitOfMeasureCode"])
        left = self.store.stock_at(item, line["locationId"]) + moved
        if self.seed["prevent_negative_inventory"] and left < 0:
            text = f"You have insufficient quantity of Item {item['number']} on inventory."
            raise refusal(text)
        facts = {"documentNumber": document["number"], "documentType": kind}
        facts |= {"sourceType": "Customer", "sourceNumber": document["customerNumber"]}
        facts |= {"salesAmountActual": line["netAmount"] if kind != "Sales Shipment" else NOTHING}
        self.store.move(item, moved, "Sale", _location=line["locationId"], **facts)

    def _moved(self, line: Row, shipped: Decimal, billed: Decimal) -> None:
        shipped += line["shippedQuantity"]
        billed += line["invoicedQuantity"]
        left = line["quantity"] - shipped
        values = {"shippedQuantity": shipped, "invoicedQuantity": billed, "shipQuantity": left}
        values["invoiceQuantity"] = line["quantity"] - billed
        self.store.change("salesOrderLines", line["id"], **values)

    def _bill(self, order: Row, lines: Sequence[Row], amounts: Amounts) -> Row:
        discount, wanted = NOTHING, []
        for line in lines:
            quantity = amounts.get(line["id"], NOTHING)
            if quantity:
                share = line["invoiceDiscountAllocation"] * quantity / line["quantity"]
                discount += cents(share)
                part = cents(line["discountAmount"] * quantity / line["quantity"])
                wanted.append(line | {"quantity": quantity, "discountAmount": part})
        comments = [
            line
            for line in self.documents.lines("salesOrders", order["id"])
            if line["lineType"] == "Comment"
        ]
        values = {"orderId": order["id"], "orderNumber": order["number"]}
        values |= {"invoiceDate": order["orderDate"], "discountAmount": discount}
        terms = self.documents.due(order["orderDate"], order)
        return self._issue(
            "salesInvoices", order, [*wanted, *comments], values | {"dueDate": terms}
        )

    def _issue(self, name: str, source: Row, lines: Sequence[Row], values: Row) -> Row:
        """A posted document with lines like others."""
        fields = ENTITIES[name].fields
        header = {key: value for key, value in source.items() if key in fields}
        series = INVOICES if name == "salesInvoices" else CREDITS
        header |= {"id": str(uuid.uuid4()), "number": self.store.next(series)} | values
        header["status"] = values.get("status", "Open")
        row = self.store.add(name, header)
        kept = ENTITIES[lines_name(name)].fields
        for line in sorted(lines, key=lambda one: one["sequence"]):
            copy = {key: value for key, value in line.items() if key in kept}
            copy |= {"id": "", "documentId": row["id"]}
            self.store.add(lines_name(name), copy)
        self._owed(name, row["id"])
        return self.store.get(name, row["id"])

    def _owed(self, name: str, id_: str) -> None:
        row = self.store.get(name, id_)
        lines = self.sold(name, row)
        sums = total(lines, row["discountAmount"], includes_tax=row["pricesIncludeTax"])
        for line, values in zip(lines, sums, strict=True):
            self.store.bump(lines_name(name), line["id"], **values)
        sum_ = whole(sums)
        owed = sum_["totalAmountIncludingTax"] if row["status"] in ("Open", "Paid") else NOTHING
        field = "remainingAmount" if name == "salesInvoices" else "_remaining"
        status = row["status"] if owed or row["status"] != "Open" else "Paid"
        self.store.bump(name, id_, **sum_, **{field: owed}, status=status)
        self.balance(row["customerId"])

    # -- invoices and credit memos -----------------------------------------------------------------

    def post(self, name: str, row: Row) -> Row:
        """Post a draft; its number is another one then, and so may be its id."""
        if row["status"] in ISSUED:
            raise refusal("The action can be applied to a draft only.")
        customer = self.store.get("customers", row["customerId"])
        is_invoice = name == "salesInvoices"
        self._allowed(row, customer, is_shipped=is_invoice, is_billed=is_invoice)
        lines = self.documents.lines(name, row["id"])
        sold = [line for line in lines if line["lineType"] in SOLD]
        if not sold or not any(line["quantity"] for line in sold):
            raise refusal("There is nothing to post.")
        if row["totalAmountIncludingTax"] < 0:
            raise refusal("The total amount for the document must not be negative.")
        values = {"status": "Open"}
        self.store.drop(name, row["id"])
        if self.seed["posted_keeps_id"]:
            values["id"] = row["id"]
        posted = self._issue(name, row, lines, values)
        kind = "Sales Invoice" if is_invoice else "Sales Credit Memo"
        for line in self.sold(name, posted):
            self._stock(line, -line["quantity"] if is_invoice else line["quantity"], kind, posted)
        if not is_invoice and not is_blank(posted["invoiceId"]):
            self._apply_credit(posted)
        return self.store.get(name, posted["id"])

    def _apply_credit(self, memo: Row) -> None:
        invoice = self.store.get("salesInvoices", memo["invoiceId"])
        part = min(invoice["remainingAmount"], memo["_remaining"])
        if part <= 0:
            return
        self.settle(invoice, part)
        left = memo["_remaining"] - part
        status = "Open" if left else "Paid"
        self.store.change("salesCreditMemos", memo["id"], _remaining=left, status=status)
        self.balance(memo["customerId"])

    def settle(self, invoice: Row, amount: Decimal) -> None:
        """Take an amount off what is owed."""
        left = invoice["remainingAmount"] - amount
        status = "Open" if left else "Paid"
        self.store.change("salesInvoices", invoice["id"], remainingAmount=left, status=status)

    def cancel(self, name: str, row: Row) -> Row:
        """Undo a posted document with its opposite; gives the opposite."""
        if row["status"] not in ISSUED:
            raise refusal("The action can be applied to a posted document only.")
        if row["status"] in ("Canceled", "Corrective"):
            raise refusal("The document cannot be canceled because it is already canceled.")
        owed = row["remainingAmount"] if name == "salesInvoices" else row["_remaining"]
        if owed != row["totalAmountIncludingTax"]:
            text = "You cannot cancel this document because it is fully or partially paid or"
            raise refusal(f"{text} applied.")
        other = "salesCreditMemos" if name == "salesInvoices" else "salesInvoices"
        values = {"status": "Corrective", "postingDate": self.store.today()}
        if other == "salesCreditMemos":
            values |= {"invoiceId": row["id"], "invoiceNumber": row["number"]}
            values["creditMemoDate"] = self.store.today()
        made = self._issue(other, row, self.documents.lines(name, row["id"]), values)
        sign = 1 if other == "salesCreditMemos" else -1
        kind = "Sales Credit Memo" if sign > 0 else "Sales Invoice"
        for line in self.sold(other, made):
            self._stock(line, sign * line["quantity"], kind, made)
        field = "remainingAmount" if name == "salesInvoices" else "_remaining"
        self.store.change(name, row["id"], **{field: NOTHING}, status="Canceled")
        self.balance(row["customerId"])
        return made

    def correct(self, invoice: Row) -> Row:
        """A draft credit memo with everything an unpaid invoice has."""
        if invoice["status"] not in ISSUED:
            raise refusal("The action can be applied to a posted invoice only.")
        if invoice["remainingAmount"] != invoice["totalAmountIncludingTax"]:
            raise refusal("The invoice is paid or partially paid: the credit memo cannot be made.")
        values = {
            "customerId": invoice["customerId"],
            "invoiceId": invoice["id"],
            "discountAmount": invoice["discountAmount"],
            "pricesIncludeTax": invoice["pricesIncludeTax"],
            "currencyCode": invoice["currencyCode"],
            "salesCreditMemoLines": self.copies(
                self.documents.lines("salesInvoices", invoice["id"])
            ),
        }
        return self.documents.create("salesCreditMemos", values)

    def copies(self, lines: Sequence[Row]) -> list[Row]:
        """Lines as a new document would be sent them."""
        money = ("quantity", "unitPrice", "discountPercent", "unitOfMeasureCode", "taxCode")
        found = []
        for line in lines:
            copy = {key: line[key] for key in ("lineType", "description", "locationId")}
            if line["lineType"] in SOLD:
                copy |= {key: line[key] for key in (*money, "lineObjectNumber", "itemVariantId")}
            found.append(copy)
        return found

    # -- money -------------------------------------------------------------------------------------

    def balance(self, customer_id: str) -> None:
        """What a customer owes; working it out changes nothing about the customer."""
        invoices = self.store.find("salesInvoices", customerId=customer_id)
        memos = self.store.find("salesCreditMemos", customerId=customer_id)
        owed = sum((row["remainingAmount"] for row in invoices), NOTHING)
        owed -= sum((row.get("_remaining", NOTHING) for row in memos), NOTHING)
        customer = self.store.get("customers", customer_id)
        owed -= customer.get("_on_account", NOTHING)
        self.store.quiet("customers", customer_id, balanceDue=owed)
        sold = [row for row in invoices if row["status"] in ISSUED]
        sales = sum((row["totalAmountExcludingTax"] for row in sold), NOTHING)
        values = {"balance": owed, "totalSalesExcludingTax": sales}
        self.store.quiet("customerFinancialDetails", customer_id, **values)

    def receive(self, customer: Row, amount: Decimal, invoice: Row | None) -> None:
        """Money from a customer; what no invoice takes stays on account."""
        if invoice:
            if invoice["customerId"] != customer["id"]:
                raise unmet("Account No. must be the customer of the invoice that is applied to.")
            part = min(amount, invoice["remainingAmount"])
            self.settle(invoice, part)
            amount -= part
        on_account = self.store.get("customers", customer["id"]).get("_on_account", NOTHING)
        self.store.quiet("customers", customer["id"], _on_account=on_account + amount)
        self.balance(customer["id"])

    def pay_out(self, memo: Row, amount: Decimal) -> None:
        """Money back to a customer, out of a credit memo."""
        left = memo["_remaining"] - amount
        if amount <= 0 or left < 0:
            raise refusal("The amount applied must be above 0 and no more than what remains.")
        status = "Open" if left else "Paid"
        self.store.change("salesCreditMemos", memo["id"], _remaining=left, status=status)
        self.balance(memo["customerId"])

    def financial(self, row: Row) -> Row:
        """A customer's figures as they are read: more is overdue each day, and nothing changed."""
        invoices = self.store.find("salesInvoices", customerId=row["id"])
        late = [one for one in invoices if one["dueDate"] < self.store.today()]
        customer = self.store.get("customers", row["id"])
        return row | {
            "overdueAmount": sum((one["remainingAmount"] for one in late), NOTHING),
            "lastModifiedDateTime": customer["lastModifiedDateTime"],
        }

    def payable(self, number: str) -> Row | None:
        """The posted invoice a payment names; one that is closed takes no more."""
        if not number:
            return None
        found = self.store.one("salesInvoices", number=number)
        if found is None or found["status"] not in ISSUED:
            raise refusal(f"There is no Cust. Ledger Entry within the filter: {number}.")
        if found["status"] != "Open":
            raise refusal(f"The invoice {number} is closed and cannot be applied to.")
        return found
