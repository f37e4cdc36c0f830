"""Sales orders, invoices and credit memos with their lines, until they are posted."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from platforms.business_central.sandbox_masters import Masters
from platforms.business_central.sandbox_shapes import ZERO
from platforms.business_central.sandbox_store import Store
from platforms.business_central.sandbox_sums import discounted, total
from platforms.business_central.sandbox_values import (
    ApiError,
    Row,
    fine,
    is_blank,
    no_relation,
    refusal,
    unmet,
)

NAMES = {"salesOrders": "order", "salesInvoices": "invoice", "salesCreditMemos": "credit memo"}
SERIES = {"salesOrders": "101001", "salesInvoices": "10201", "salesCreditMemos": "10401"}
DATES = {
    "salesOrders": ("orderDate", "postingDate"),
    "salesInvoices": ("invoiceDate", "postingDate"),
    "salesCreditMemos": ("creditMemoDate", "postingDate"),
}
PLACE = {
    "AddressLine1": "addressLine1",
    "AddressLine2": "addressLine2",
    "City": "city",
    "Country": "country",
    "State": "state",
    "PostCode": "postalCode",
}
MOVING = {"shipQuantity", "invoiceQuantity"}
"""What may change in the lines of a released order."""
TIED = {"customerId", "customerNumber", "currencyId", "currencyCode", "pricesIncludeTax"}
SOLD = {"Item", "Account"}
MASTERS = {"Resource": "Resource", "Fixed Asset": "Fixed Asset", "Charge": "Item Charge"}


def lines_name(name: str) -> str:
    """The set of a document's lines."""
    return f"{name.removesuffix('s')}Lines"


class Documents:
    """Drafts and how they are written.

    Args:
        store: where they are kept.
        masters: customers, items and the rest.
        seed: how the company is set up.
    """

    def __init__(self, store: Store, masters: Masters, seed: Row) -> None:
        self.store = store
        self.masters = masters
        self.seed = seed

    # -- headers -----------------------------------------------------------------------------------

    def create(self, name: str, values: Row) -> Row:
        """A new draft with the lines sent along."""
        lines = values.pop(lines_name(name), [])
        customer = self.masters.customer(values, name)
        self._check(name, values)
        self._apply_to(name, values, customer)
        if "currencyCode" not in values:
            values |= {key: customer[key] for key in ("currencyId", "currencyCode")}
        filled = self._from_customer(name, customer) | values
        filled |= {"customerId": customer["id"], "customerNumber": customer["number"]}
        filled["number"] = values.get("number") or self.store.next(SERIES[name])
        if self.store.one(name, number=filled["number"]):
            text = "The Sales Header already exists. Identification fields and values: No.='{}'"
            raise ApiError("Internal_EntityWithSameKeyExists", text.format(filled["number"]))
        for field in DATES[name]:
            filled.setdefault(field, self.store.today())
        if name != "salesOrders":
            filled.setdefault("dueDate", self.due(filled[DATES[name][0]], filled))
        filled |= {"status": "Draft", "discountAppliedBeforeTax": False}
        row = self.store.add(name, filled)
        for line in lines:
            self.add_line(name, row["id"], line)
        self.total(name, row["id"])
        return self.store.get(name, row["id"])

    def change(self, name: str, row: Row, values: Row) -> Row:
        """New values for a draft's header."""
        self._is_draft(name, row)
        moved = {key for key in TIED & values.keys() if values[key] != row[key]}
        if moved and row["status"] != "Draft":
            raise self._not_open(row)
        if moved & {"customerId", "customerNumber"}:
            self._other_customer(name, row, values)
        if "number" in values and values["number"] != row["number"]:
            raise refusal('The value for "number" cannot be modified.')
        self._check(name, values)
        customer = self.store.get("customers", str(values.get("customerId", row["customerId"])))
        self._apply_to(name, values, customer)
        old = self.masters.exchange(row["currencyCode"])
        self.store.change(name, row["id"], **values)
        factor = self.masters.exchange(str(values.get("currencyCode", row["currencyCode"]))) / old
        if factor != 1:
            for line in self.lines(name, row["id"]):
                price = fine(line["unitPrice"] * factor)
                self.store.bump(lines_name(name), line["id"], unitPrice=price)
        self.total(name, row["id"])
        return self.store.get(name, row["id"])

    def remove(self, name: str, row: Row) -> None:
        """Delete a draft; an order only while nothing of it is posted."""
        self._is_draft(name, row)
        for line in self.lines(name, row["id"]):
            if line.get("shippedQuantity") or line.get("invoicedQuantity"):
                text = "You cannot delete the order because a part of it has been posted."
                raise refusal(text)
        self.store.drop(name, row["id"])

    def _is_draft(self, name: str, row: Row) -> None:
        if name != "salesOrders" and row["status"] not in ("Draft", "In Review"):
            raise refusal(f"The {NAMES[name]} is posted and cannot be changed.")

    def _not_open(self, row: Row) -> ApiError:
        state = {"Open": "Released", "In Review": "Pending Approval"}[row["status"]]
        start = "Status must be equal to 'Open' in Sales Header: Document Type=Order, No.="
        return unmet(f"{start}{row['number']}. Current value is '{state}'.")

    def _check(self, name: str, values: Row) -> None:
        self.store.check(name, values)
        if values.get("pricesIncludeTax") and self.seed["uses_sales_tax"]:
            text = 'The "pricesIncludeTax" cannot be set to true if VAT Calculation Type is Sales'
            raise refusal(f"{text} Tax.")
        self.masters.salesperson(values.get("salesperson", ""), "Sales Header")
        for side in ("sellTo", "shipTo"):
            country = values.get(f"{side}Country")
            if country and not self.store.one("countriesRegions", code=country):
                field = "Country/Region Code"
                raise no_relation(field, "Sales Header", country, "Country/Region")
        if values.get("discountAmount", 0) < 0:
            raise unmet("Invoice Discount Amount must not be negative.")

    def _other_customer(self, name: str, row: Row, values: Row) -> None:
        lines = self.lines(name, row["id"])
        if any(line.get("shippedQuantity") or line.get("invoicedQuantity") for line in lines):
            raise refusal("You cannot change the customer because a part has been posted.")
        asked: Row = {key: values[key] for key in ("customerId", "customerNumber") if key in values}
        customer = self.masters.customer(asked, name)
        for key, value in self._from_customer(name, customer).items():
            values.setdefault(key, value)
        values |= {"customerId": customer["id"], "customerNumber": customer["number"]}

    def _from_customer(self, name: str, customer: Row) -> Row:
        values = {"customerName": customer["displayName"], "billToName": customer["displayName"]}
        values |= {"billToCustomerId": customer["id"], "billToCustomerNumber": customer["number"]}
        sides = ["sellTo", "billTo"]
        if name != "salesCreditMemos":
            sides.append("shipTo")
            values["shipToName"] = customer["displayName"]
        for side in sides:
            values |= {f"{side}{key}": customer[field] for key, field in PLACE.items()}
        for key in ("paymentTermsId", "shipmentMethodId", "phoneNumber", "email"):
            values[key] = customer[key]
        values["salesperson"] = customer["salespersonCode"]
        if name == "salesOrders":
            values["partialShipping"] = self.seed["partial_shipping"]
        return values

    def due(self, start: str, values: Row) -> str:
        """When what was billed on a day is to be paid."""
        terms = self.store.rows["paymentTerms"].get(values.get("paymentTermsId", ZERO))
        day = date.fromisoformat(start)
        text = terms["dueDateCalculation"] if terms else ""
        if text.endswith("D"):
            day += timedelta(days=int(text[:-1]))
        elif text.endswith("CM"):
            day = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return day.isoformat()

    def _apply_to(self, name: str, values: Row, customer: Row) -> None:
        """A credit memo may name the posted invoice it is for."""
        id_, number = values.get("invoiceId"), values.get("invoiceNumber")
        if name != "salesCreditMemos" or (is_blank(id_) and is_blank(number)):
            return
        invoices = self.store.rows["salesInvoices"]
        found = invoices.get(str(id_)) if not is_blank(id_) else None
        if found is None and not is_blank(number):
            found = self.store.one("salesInvoices", number=number)
        if found is None or found["status"] in ("Draft", "In Review"):
            text = "should be the ID of an Open, Paid, Corrective, or Canceled Invoice."
            raise refusal(f'The "invoiceId" {text}')
        if number and number != found["number"]:
            raise refusal("The Invoice values do not match to the same Invoice.")
        if found["customerId"] != customer["id"]:
            raise refusal("The invoice belongs to another customer.")
        values |= {"invoiceId": found["id"], "invoiceNumber": found["number"]}

    # -- lines -------------------------------------------------------------------------------------

    def lines(self, name: str, id_: str) -> list[Row]:
        """A document's lines in order."""
        found = self.store.find(lines_name(name), documentId=id_)
        return sorted(found, key=lambda line: line["sequence"])

    def add_line(self, name: str, id_: str, values: Row) -> Row:
        """A new line at the end, or where its sequence says."""
        document = self.store.get(name, id_)
        self._takes_lines(name, document)
        if "documentId" in values and values["documentId"] != document["id"]:
            raise refusal("The document ids do not match.")
        values["documentId"] = document["id"]
        taken = [line["sequence"] for line in self.lines(name, document["id"])]
        number = values.setdefault("sequence", max(taken, default=0) + 10000)
        if number in taken or number <= 0:
            text = f"The Sales Line already exists. Identification fields and values: {number}"
            raise ApiError("Internal_EntityWithSameKeyExists", text)
        self.store.check(lines_name(name), values)
        line = self._filled(name, document, values)
        row = self.store.add(lines_name(name), line)
        self.total(name, document["id"])
        return self.store.get(lines_name(name), row["id"])

    def change_line(self, name: str, row: Row, values: Row) -> Row:
        """New values for a line."""
        document = self.store.get(name, row["documentId"])
        moved = {key for key, value in values.items() if value != row[key]}
        if not (name == "salesOrders" and moved <= MOVING):
            self._takes_lines(name, document)
        if row["lineType"] == "Comment" and moved - {"description", "description2"}:
            raise refusal("Only the description of a comment can be changed.")
        if moved & {"itemId", "accountId"}:
            raise refusal('The value for "lineObjectNumber" cannot be modified.')
        self.store.check(lines_name(name), values)
        line = row | values
        if row["lineType"] == "Item":
            # The unit as it was is no new one, and keeps the price.
            units = {"unitOfMeasureId", "unitOfMeasureCode"} - moved
            sent = {key: value for key, value in values.items() if key not in units}
            self._unit(line, sent, self.store.get("items", row["itemId"]), document)
        elif row["lineType"] == "Account":
            customer = self.store.get("customers", document["customerId"])
            line["taxPercent"] = self.masters.rate(line["taxCode"], customer)
        line |= discounted(line, values) if row["lineType"] in SOLD else {}
        self._checked(line)
        if name == "salesOrders" and row["lineType"] in SOLD:
            line |= self._outstanding(line, values)
        self.store.change(lines_name(name), row["id"], **line)
        self.total(name, row["documentId"])
        return self.store.get(lines_name(name), row["id"])

    def remove_line(self, name: str, row: Row) -> None:
        """Delete a line of which nothing has been shipped."""
        self._takes_lines(name, self.store.get(name, row["documentId"]))
        if row.get("shippedQuantity") or row.get("invoicedQuantity"):
            raise unmet("Quantity Shipped must be equal to '0' in Sales Line.")
        self.store.drop(lines_name(name), row["id"])
        self.total(name, row["documentId"])

    def _takes_lines(self, name: str, document: Row) -> None:
        self._is_draft(name, document)
        if document["status"] != "Draft":
            raise self._not_open(document)

    def _filled(self, name: str, document: Row, values: Row) -> Row:
        values = dict(values)
        if not is_blank(values.get("itemId")):
            if not is_blank(values.get("accountId")):
                text = 'Both "itemId" and "accountId" are specified. Specify only one of them.'
                raise refusal(text)
            values.setdefault("lineType", "Item")
        elif not is_blank(values.get("accountId")):
            values.setdefault("lineType", "Account")
        kind = values.setdefault("lineType", "Comment")
        if kind == "Comment":
            return self._comment(values)
        if kind in MASTERS:
            number = values.get("lineObjectNumber", "")
            raise no_relation("No.", "Sales Line", number, MASTERS[kind])
        fill: Callable[[Row, Row], None] = self._item if kind == "Item" else self._account
        for field in ("quantity", "unitPrice", "discountPercent", "discountAmount"):
            values[f"_{field}"] = field in values
            values.setdefault(field, Decimal(0))
        fill(values, document)
        sent = {key: 0 for key in values if values.get(f"_{key}")}
        values = {key: value for key, value in values.items() if not key.startswith("_")}
        values |= discounted(values, sent)
        self._checked(values)
        if name == "salesOrders":
            values |= {"shippedQuantity": Decimal(0), "invoicedQuantity": Decimal(0)}
            values |= self._outstanding(values, values | {"quantity": 0})
        values.setdefault("shipmentDate", document[DATES[name][0]])
        return values

    def _comment(self, values: Row) -> Row:
        if number := values.get("lineObjectNumber"):
            raise no_relation("No.", "Sales Line", number, "Standard Text")
        if values.get("quantity") or values.get("unitPrice"):
            raise refusal("A comment has neither a quantity nor a price.")
        return values

    def _item(self, values: Row, document: Row) -> None:
        items, number = self.store.rows["items"], values.get("lineObjectNumber")
        found = items.get(values.get("itemId", ZERO)) or self.store.one("items", number=number)
        if found is None:
            raise refusal("Item does not exist.")
        if number and number != found["number"]:
            raise refusal("The item values do not match to a specific Item.")
        if found["blocked"]:
            text = f"Blocked must be equal to 'No' in Item: No.={found['number']}."
            raise unmet(f"{text} Current value is 'Yes'.")
        variant = self.store.rows["itemVariants"].get(values.get("itemVariantId", ZERO))
        if variant and variant["itemId"] != found["id"]:
            raise no_relation("Variant Code", "Sales Line", variant["code"], "Item Variant")
        values |= {"itemId": found["id"], "lineObjectNumber": found["number"]}
        if not values.get("description"):
            values["description"] = found["displayName"]
        values.setdefault("taxCode", found["taxGroupCode"])
        sent = {"unitPrice": 0} if values["_unitPrice"] else {}
        named = ("unitOfMeasureId", "unitOfMeasureCode", "taxCode")
        self._unit(values, sent | {k: values[k] for k in named if k in values}, found, document)

    def _unit(self, line: Row, sent: Row, item: Row, document: Row) -> None:
        """The unit of an item line and, where that is not given, the price of one of it."""
        id_, code = sent.get("unitOfMeasureId"), sent.get("unitOfMeasureCode")
        if not is_blank(id_) and is_blank(code):
            unit = self.store.rows["unitsOfMeasure"].get(str(id_))
            code = unit["code"] if unit else str(id_)
        code = code or line.get("unitOfMeasureCode") or item["baseUnitOfMeasureCode"]
        factor = self.masters.units(item, code)
        unit = self.store.one("unitsOfMeasure", code=code)
        line |= {"unitOfMeasureCode": code, "unitOfMeasureId": unit["id"] if unit else ZERO}
        customer = self.store.get("customers", document["customerId"])
        line["taxPercent"] = self.masters.rate(line["taxCode"], customer)
        named = not is_blank(sent.get("unitOfMeasureCode")) or not is_blank(id_)
        if "unitPrice" not in sent and (named or "id" not in line):
            line["unitPrice"] = self._list_price(line, item, document, factor)

    def _list_price(self, line: Row, item: Row, document: Row, factor: Decimal) -> Decimal:
        price: Decimal = item["unitPrice"] * factor
        price *= self.masters.exchange(document["currencyCode"])
        rate = 1 + line["taxPercent"] / 100
        if item["priceIncludesTax"] and not document["pricesIncludeTax"]:
            price /= rate
        if document["pricesIncludeTax"] and not item["priceIncludesTax"]:
            price *= rate
        return fine(price)

    def _account(self, values: Row, document: Row) -> None:
        accounts, number = self.store.rows["accounts"], values.get("lineObjectNumber")
        found = accounts.get(values.get("accountId", ZERO))
        found = found or self.store.one("accounts", number=number)
        if found is None:
            raise refusal("Account does not exist.")
        if found["blocked"] or not found["directPosting"]:
            raise unmet(f"Direct Posting must be equal to 'Yes' in G/L Account: No.={number}.")
        values |= {"accountId": found["id"], "lineObjectNumber": found["number"]}
        if not values.get("description"):
            values["description"] = found["displayName"]
        values.setdefault("taxCode", found.get("_tax", "STANDARD"))
        customer = self.store.get("customers", document["customerId"])
        values["taxPercent"] = self.masters.rate(values["taxCode"], customer)
        if code := values.get("unitOfMeasureCode"):
            unit = self.store.one("unitsOfMeasure", code=code)
            if unit is None:
                raise no_relation("Unit of Measure Code", "Sales Line", code, "Unit of Measure")
            values["unitOfMeasureId"] = unit["id"]

    def _checked(self, line: Row) -> None:
        if not 0 <= line.get("discountPercent", 0) <= 100:
            raise unmet("Line Discount % must be between 0 and 100.")
        if abs(line.get("quantity", Decimal(0))) < abs(line.get("shippedQuantity", Decimal(0))):
            raise unmet("Quantity must not be less than Quantity Shipped in Sales Line.")

    def _outstanding(self, line: Row, sent: Row) -> Row:
        """What is to ship and to invoice: all that is left, unless less is said."""
        left = line["quantity"] - line["shippedQuantity"]
        ship = line.get("shipQuantity", left)
        if "quantity" in sent and "shipQuantity" not in sent:
            ship = left
        if abs(ship) > abs(left):
            raise refusal(f"You cannot ship more than {left} units.")
        most = ship + line["shippedQuantity"] - line["invoicedQuantity"]
        invoice = line.get("invoiceQuantity", most) if "invoiceQuantity" in sent else most
        if abs(invoice) > abs(most):
            raise refusal(f"You cannot invoice more than {most} units.")
        return {"shipQuantity": ship, "invoiceQuantity": invoice}

    # -- sums --------------------------------------------------------------------------------------

    def total(self, name: str, id_: str) -> None:
        """Work the money of a document out anew."""
        row, lines = self.store.get(name, id_), self.lines(name, id_)
        sold = [line for line in lines if line["lineType"] in SOLD]
        sums = total(sold, row["discountAmount"], includes_tax=row["pricesIncludeTax"])
        for line, values in zip(sold, sums, strict=True):
            self.store.settle(lines_name(name), line["id"], values)
        self.store.settle(name, id_, whole(sums))
        if name == "salesOrders":
            goods = [line for line in sold if line["quantity"]]
            shipped = all(line["shippedQuantity"] == line["quantity"] for line in goods)
            self.store.settle(name, id_, {"fullyShipped": bool(goods) and shipped})

    def reread(self, name: str, row: Row) -> Row:
        """A document as it is read by somebody who could write it.

        The vendor spreads the discount of a draft anew each time: its version changes, and
        nothing else.
        """
        is_draft = name == "salesOrders" or row["status"] == "Draft"
        if is_draft and row["discountAmount"] and self.seed["redistributes_discounts"]:
            return self.store.bump(name, row["id"])
        return row


def whole(sums: Iterable[Row]) -> dict[str, Any]:
    """A document's totals."""
    rows = list(sums)
    net = sum((row["netAmount"] for row in rows), Decimal(0))
    tax = sum((row["netTaxAmount"] for row in rows), Decimal(0))
    gross = sum((row["netAmountIncludingTax"] for row in rows), Decimal(0))
    # With prices that hold the tax, the net is what remains of them.
    return {
        "totalAmountExcludingTax": net,
        "totalTaxAmount": tax,
        "totalAmountIncludingTax": gross,
    }
