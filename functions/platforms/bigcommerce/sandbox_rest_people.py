"""Customers of the sandbox store over REST, and the companies of B2B Edition."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from platforms.bigcommerce.sandbox_calls import Call, Calls
from platforms.bigcommerce.sandbox_people import People
from platforms.bigcommerce.sandbox_query import later, marked
from platforms.bigcommerce.sandbox_rest_orders import Rows
from platforms.bigcommerce.sandbox_shapes import GoneError, Json, RefusedError

PEOPLE, ORDERS = "store_v2_customers", "store_v2_orders"
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
    """Handlers of customers, address books, attribute values and companies."""

    @property
    def people(self) -> People:
        """Who buys."""
        return self.store.people

    def rows(self) -> Rows:
        """Version, method, path, right and handler of each."""
        company, company_order = "/companies/{id:int}", "/orders/{id:int}"
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
            ("b2b", "GET", "/orders", ORDERS, self._company_orders),
            ("b2b", "GET", company_order, ORDERS, self._company_order),
            ("b2b", "PUT", company_order, ORDERS, self._write_company_order),
            ("b2b", "GET", company_order + "/products", ORDERS, self._company_lines),
            ("b2b", "PUT", "/customers/{id:int}/orders/b2b", ORDERS, self._assign),
            ("b2b", "GET", "/companies", PEOPLE, self._companies),
            ("b2b", "GET", company, PEOPLE, self._company),
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

    # -- companies ---------------------------------------------------------------------------------

    def _company_order(self, call: Call) -> Response:
        order = self.store.orders.get(call.number())
        if order is None:
            raise GoneError("Order Does Not Exist.")
        shown = self.people.company_order(order)
        return call.shown([shown] if call.seed["b2b_data_is_list"] else shown)

    def _write_company_order(self, call: Call) -> Response:
        order = self.store.orders.get(call.number())
        if order is None:
            raise GoneError("Not Found Error")
        shown = self.people.write_company_order(order, call.body)
        self.accepted["b2b_orders.update"] += 1
        return call.shown([shown] if call.seed["b2b_data_is_list"] else shown)

    def _company_lines(self, call: Call) -> Response:
        order = self.store.orders.get(call.number())
        if order is None:
            raise GoneError("The order does not exist.")
        self.people.company_order(order)
        names = "id product_id variant_id name sku quantity".split()
        return call.shown([{name: line[name] for name in names} for line in order.lines])

    def _company_orders(self, call: Call) -> Response:
        rows = [
            self.people.company_order(self.store.orders[number])
            for number in self.people.company_orders
        ]
        return self._company_page(call, rows, {"companyId", "bcOrderId"})

    def _companies(self, call: Call) -> Response:
        rows = list(self.people.companies.values())
        return self._company_page(call, rows, {"companyStatus", "companyName"})

    def _company_page(self, call: Call, rows: list[Json], names: set[str]) -> Response:
        """Pages here count by rows, and times are Unix seconds."""
        query = call.request.query_params
        bounds = {"minModified", "maxModified", "minCreated", "maxCreated"}
        paging = {"limit", "offset", "sortBy", "orderBy", "showExtra", "isIncludeExtraFields"}
        if unknown := set(query) - names - bounds - paging:
            raise RefusedError(f"unknown: {', '.join(sorted(unknown))}", status=400)
        if not all(query.get(name, "0").isdecimal() for name in bounds | {"limit", "offset"}):
            raise RefusedError("limit, offset and bounds in time are whole numbers", status=400)
        for name in names & set(query):
            rows = [row for row in rows if str(row[name]) == query[name]]
        for name in bounds & set(query):
            at, bound = f"{name[3:].lower().replace('modified', 'updated')}", int(query[name])
            at = {"updated": "updatedAt", "created": "createdAt"}[at]
            sign = 1 if name.startswith("min") else -1
            rows = [row for row in rows if sign * row[at] > sign * bound]
        key = "createdAt" if query.get("sortBy") == "createdAt" else "updatedAt"
        rows.sort(key=lambda row: row[key], reverse=query.get("orderBy", "DESC") == "DESC")
        limit, start = int(query.get("limit", 10)), int(query.get("offset", 0))
        pages = {"totalCount": len(rows), "limit": limit, "offset": start}
        meta = {"message": "SUCCESS", "pagination": pages}
        return JSONResponse({"code": 200, "data": rows[start : start + limit], "meta": meta})

    def _company(self, call: Call) -> Response:
        return call.shown(self.people.company(call.number()))

    def _assign(self, call: Call) -> Response:
        """Hand the orders a customer placed before over to the company."""
        if call.number() not in self.people.company_of:
            raise GoneError("User does not exist or action not supported")
        heads = [one.head for one in self.store.orders.values()]
        mine = [head for head in heads if head["customer_id"] == call.number()]
        for head in mine:
            self.people.link_order(head)
        return call.shown({"total": len(mine)})
