"""The lines of NetSuite's transactions: units, price levels, amounts, taxes, and their totals."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from platforms.netsuite_soap.sandbox_books import ZERO, Books, money
from platforms.netsuite_soap.sandbox_store import ITEMS, Store
from platforms.netsuite_soap.sandbox_types import RefusalError, Row, finite

CUSTOM_PRICE = "-1"
BASE_PRICE = "1"
HUNDRED = Decimal(100)


def needed(label: str) -> RefusalError:
    """The vendor's words for a field left empty."""
    return RefusalError("USER_ERROR", f"Please enter value(s) for: {label}")


def rate_text(rate: Decimal) -> str:
    """A rate as text: two places at least, more where it has them."""
    exponent = rate.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{rate:.{places}f}"


class Lines:
    """Prices the lines of one store's transactions."""

    def __init__(self, store: Store, books: Books) -> None:
        self.store = store
        self.books = books

    def settle(self, row: Row) -> None:
        """Complete every line of a document, number the new ones and add up."""
        lines = row.get("itemList") or []
        if not lines:
            text = "You must enter at least one line item for this transaction."
            raise RefusalError("USER_ERROR", text)
        if len(lines) > self.store.seed["line_limit"]:
            text = f"A transaction has at most {self.store.seed['line_limit']} lines."
            raise RefusalError("USER_ERROR", text)
        above: Row = {}
        for line in lines:
            is_priced = "line" in line and not line.pop("_touched", False)
            if "line" not in line:
                # A number once given is never given again, whatever becomes of its line.
                row["_last_line"] = row.get("_last_line", 0) + 1
                line["line"] = row["_last_line"]
            self.complete(row, line, above, is_priced=is_priced)
            above = line
        self.total(row)

    def complete(self, row: Row, line: Row, above: Row, *, is_priced: bool) -> None:
        """One line: its item's defaults, its price, its amount, its tax."""
        if "item" not in line:
            raise needed("Item")
        item = self.store.of(ITEMS, line["item"]["id"])
        if item is None:
            text = f"Invalid item reference key {line['item']['id']}."
            raise RefusalError("INVALID_KEY_OR_REF", text)
        line.setdefault("description", str(item.get("displayName") or item["itemId"]))
        if item["_kind"] == "discountItem":
            self.discount(line, above)
        else:
            line.setdefault("quantity", Decimal(1))
            if line["quantity"] <= 0:
                raise RefusalError("USER_ERROR", "Please enter a quantity greater than zero.")
            self.unit(line, item)
            if not is_priced:
                self.price(row, line, item)
        self.tax(row, line, item)

    def unit(self, line: Row, item: Row) -> None:
        """The unit: one of the item's type, else the one it is sold in."""
        of = item.get("unitsType", {}).get("id")
        if "units" in line:
            unit = self.store.need("unit", line["units"]["id"])
            if unit["_of"] != of:
                text = f"Invalid units reference key {line['units']['id']} for item."
                raise RefusalError("INVALID_KEY_OR_REF", text)
        elif item.get("saleUnit"):
            line["units"] = dict(item["saleUnit"])

    def price(self, row: Row, line: Row, item: Row) -> None:
        """Rate and amount. A price level beats the rate given beside it, unless it is the custom.

        Like the vendor: an amount without a rate gives the rate, both stand as they are.
        """
        if "%" in line.get("rate", ""):
            raise RefusalError("USER_ERROR", "Invalid rate: a percentage is for discounts only.")
        if "price" not in line:
            line["price"] = {"id": self.level(row)}
        level = line["price"]["id"]
        is_taken_over = "orderLine" in line and "rate" in line
        if level != CUSTOM_PRICE and not is_taken_over:
            found = self.listed(row, line, item, level)
            if found is None and not {"rate", "amount"} & line.keys():
                raise RefusalError("USER_ERROR", "Please enter a value for amount.")
            if found is not None:
                line.pop("amount", None)
                line["rate"] = rate_text(found)
        self.amount(line)

    def amount(self, line: Row) -> None:
        """The amount out of the rate, or the rate out of the amount."""
        quantity: Decimal = line["quantity"]
        if "rate" in line:
            rate = decimal_rate(line["rate"])
            line["rate"] = rate_text(rate)
            line["amount"] = money(line.get("amount", quantity * rate))
        elif "amount" in line:
            line["amount"] = money(line["amount"])
            line["rate"] = rate_text((line["amount"] / quantity).quantize(Decimal("0.00000001")))
        else:
            raise RefusalError("USER_ERROR", "Please enter a value for amount.")

    def level(self, row: Row) -> str:
        """The price level of the customer."""
        customer = self.store.get("customer", row["entity"]["id"]) or {}
        return str(customer.get("priceLevel", {"id": BASE_PRICE})["id"])

    def listed(self, row: Row, line: Row, item: Row, level: str) -> Decimal | None:
        """The list price of a line's quantity: given per sale unit, asked in the line's unit."""
        currency = row["currency"]["id"]
        prices = [
            price
            for entry in item.get("pricingMatrix", [])
            if (entry["currency"]["id"], entry["priceLevel"]["id"]) == (currency, level)
            for price in entry["priceList"]
            if price.get("quantity", ZERO) <= line["quantity"]
        ]
        if not prices:
            return None
        value: Decimal = max(prices, key=lambda one: one.get("quantity", ZERO))["value"]
        sold = self.store.factor(item.get("saleUnit", {}).get("id"))
        return value * self.store.factor(line.get("units", {}).get("id")) / sold

    def discount(self, line: Row, above: Row) -> None:
        """A discount as a line: a percentage is of the line above it."""
        text = str(line.get("rate", "0"))
        line["quantity"] = ZERO
        if text.endswith("%"):
            line["amount"] = money(above.get("amount", ZERO) * decimal_rate(text[:-1]) / HUNDRED)
        elif "rate" in line:
            line["amount"] = money(decimal_rate(text))

    def tax(self, row: Row, line: Row, item: Row) -> None:
        """The tax of a line, rounded by itself: code of the line, the item, or the customer."""
        customer = self.store.get("customer", row["entity"]["id"]) or {}
        if "taxCode" not in line and not customer.get("taxExempt"):
            code = item.get("salesTaxCode") or customer.get("taxItem")
            line |= {"taxCode": dict(code)} if code else {}
        line["taxRate1"] = self.store.percent(line.get("taxCode", {}).get("id"))
        line["tax1Amt"] = money(line.get("amount", ZERO) * line["taxRate1"] / HUNDRED)
        line["grossAmt"] = line.get("amount", ZERO) + line["tax1Amt"]

    def total(self, row: Row) -> None:
        """The document's totals; shipping and a discount bear the tax of their own codes."""
        lines = row["itemList"]
        row["subTotal"] = sum((one.get("amount", ZERO) for one in lines), ZERO)
        tax = sum((one["tax1Amt"] for one in lines), ZERO)
        row["discountTotal"] = self.header_discount(row)
        if "discountItem" in row:
            item = self.store.of(ITEMS, row["discountItem"]["id"]) or {}
            rate = self.store.percent(item.get("salesTaxCode", {}).get("id"))
            tax += money(row["discountTotal"] * rate / HUNDRED)
        extra = ZERO
        for name in ("shipping", "handling"):
            cost = row.get(f"{name}Cost")
            if cost is not None:
                row[f"{name}Cost"] = money(cost)
                rate = self.store.percent(row.get(f"{name}TaxCode", {}).get("id"))
                row[f"{name}Tax1Rate"] = rate
                tax += money(cost * rate / HUNDRED)
                extra += row[f"{name}Cost"]
        row["taxTotal"] = tax
        row["total"] = row["subTotal"] + row["discountTotal"] + tax + extra

    def header_discount(self, row: Row) -> Decimal:
        """The order's discount: a percentage of the lines, or an amount; never added."""
        text = str(row.get("discountRate") or "")
        if not text:
            return ZERO
        if "discountItem" not in row:
            raise needed("Discount Item")
        if text.endswith("%"):
            return -abs(money(row["subTotal"] * decimal_rate(text[:-1]) / HUNDRED))
        return -abs(money(decimal_rate(text)))


def decimal_rate(text: str) -> Decimal:
    """The number in a rate."""
    try:
        return finite(text.strip())
    except (ValueError, InvalidOperation) as error:
        raise RefusalError("USER_ERROR", f"Invalid rate: {text}") from error
