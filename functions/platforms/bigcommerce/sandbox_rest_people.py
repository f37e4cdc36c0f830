"""Customers of the sandbox store over REST."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_calls import Call, Calls
from platforms.bigcommerce.sandbox_people import People
from platforms.bigcommerce.sandbox_query import later, marked
from platforms.bigcommerce.sandbox_rest_orders import Rows
from platforms.bigcommerce.sandbox_shapes import Json, RefusedError

PEOPLE = "store_v2_customers"
DATES = "date_created date_modified".split()
PEOPLE_FILTERS = (
    marked("id", "int", "in")
    | marked("company", "text", "in")
    | marked("customer_group_id", "int", "in")
    | marked("email", "text", "in")
    | marked("phone", "text", "in")
    | marked("name", "text", "in like", lambda row: f"{row['first_name']} {row['last_name']}")
    | later("date_created")
    | later("date_modified")
)
PEOPLE_INCLUDES = set("addresses storecredit attributes formfields".split())
ADDRESS_FILTERS = (
    marked("id", "int", "in")
    | marked("customer_id", "int", "in")
    | marked("company", "text", "in")
    | marked("name", "text", "in", lambda row: f"{row['first_name']} {row['last_name']}")
)
VALUE_FILTERS = marked("customer_id", "int", "in") | marked("attribute_id", "int", "in")


class PeopleCalls(Calls):
    """Handlers of customers, address books and attribute values."""

    @property
    def people(self) -> People:
        """Who buys."""
        return self.store.people

    def rows(self) -> Rows:
        """Version, method, path, right and handler of each."""
        return [
            ("v3", "GET", "/customers", PEOPLE, self._customers),
            ("v3", "POST", "/customers", PEOPLE, self._add_customers),
            ("v3", "PUT", "/customers", PEOPLE, self._change_customers),
            ("v3", "DELETE", "/customers", PEOPLE, self._delete_customers),
            ("v3", "GET", "/customers/addresses", PEOPLE, self._addresses),
            ("v3", "POST", "/customers/addresses", PEOPLE, self._add_addresses),
            ("v3", "PUT", "/customers/addresses", PEOPLE, self._change_addresses),
            ("v3", "DELETE", "/customers/addresses", PEOPLE, self._delete_addresses),
            ("v3", "GET", "/customers/attribute-values", PEOPLE, self._values),
            ("v3", "PUT", "/customers/attribute-values", PEOPLE, self._write_values),
        ]

    # -- customers ---------------------------------------------------------------------------------

    def _customers(self, call: Call) -> Response:
        asked = call.asked(PEOPLE_FILTERS, "include sort after before")
        rows = asked.rows(list(self.people.customers.values()))
        parts = {one for one in asked.query.get("include", "").split(",") if one}
        if parts - PEOPLE_INCLUDES:
            raise RefusedError("include is invalid", "include")
        rows = asked.sort(rows, ["id", "last_name", *DATES], "id:desc")
        return call.listed(asked, [self._person(row, parts) for row in rows], has_cursor=True)

    def _person(self, row: Json, parts: set[str]) -> Json:
        number, shown = row["id"], dict(row)
        if "addresses" in parts:
            book = self.people.addresses.values()
            shown["addresses"] = [one for one in book if one["customer_id"] == number]
        if "attributes" in parts:
            values = self.people.attributes.values()
            shown["attributes"] = [one for one in values if one["customer_id"] == number]
        if "storecredit" in parts:
            shown["store_credit_amounts"] = [{"amount": 0}]
        if "formfields" in parts:
            shown["form_fields"] = []
        return shown

    def _add_customers(self, call: Call) -> Response:
        given = call.batch(10)
        # One wrong row refuses them all.
        for place, row in enumerate(given):
            self.people.check_new(row, given[:place])
        rows = [self.people.add(row) for row in given]
        self.accepted["customers"] += len(rows)
        return JSONResponse({"data": rows, "meta": {}})

    def _change_customers(self, call: Call) -> Response:
        given = call.batch(10)
        for row in given:
            self.people.check_change(row.get("id") if isinstance(row, dict) else None, row)
        rows = [self.people.change(row["id"], row) for row in given]
        self.accepted["customers.update"] += len(rows)
        return JSONResponse({"data": rows, "meta": {}})

    def _delete_customers(self, call: Call) -> Response:
        for number in self._ids(call):
            if number in self.people.customers:
                self.people.delete(number)
        self.accepted["customers.delete"] += 1
        return Response(status_code=204)

    def _ids(self, call: Call) -> list[int]:
        asked = call.asked(marked("id", "int", "in"))
        if not asked.query.get("id:in"):
            raise RefusedError("id:in is missing", "id:in")
        asked.rows([])
        return [int(one) for one in asked.query["id:in"].split(",")]

    def _addresses(self, call: Call) -> Response:
        asked = call.asked(ADDRESS_FILTERS, "include")
        return call.listed(asked, asked.rows(list(self.people.addresses.values())))

    def _add_addresses(self, call: Call) -> Response:
        rows = [self.people.add_address(row) for row in call.batch(10)]
        return JSONResponse({"data": rows, "meta": {}})

    def _change_addresses(self, call: Call) -> Response:
        rows = [self.people.change_address(row) for row in call.batch(10)]
        return JSONResponse({"data": rows, "meta": {}})

    def _delete_addresses(self, call: Call) -> Response:
        for number in self._ids(call):
            self.people.delete_address(number)
        return Response(status_code=204)

    def _values(self, call: Call) -> Response:
        asked = call.asked(VALUE_FILTERS)
        return call.listed(asked, asked.rows(list(self.people.attributes.values())))

    def _write_values(self, call: Call) -> Response:
        rows = [self.people.set_attribute(row) for row in call.batch(10)]
        self.accepted["attribute_values"] += len(rows)
        return JSONResponse({"data": rows, "meta": {}})
