"""B2B Edition beside the sandbox store: companies, and what it alone knows of orders."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml

from platforms.bigcommerce.sandbox_shapes import RefusedError
from tests.kit.stand import START
from tests.platforms.bigcommerce.bigcommerce_shop import COLA, HOOK, HOST, Shop

SPECS = Path(__file__).parents[4] / "shared" / "platforms" / "specs" / "bigcommerce"
needs_vendor = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the vendor's specs are not on this machine"
)
BEN = {"email": "ben@corner.example", "first_name": "Ben", "last_name": "Ode"}
TRADER = BEN | {"company": "Corner Pop Ltd"}
DEPOT = {"fieldName": "Depot", "fieldValue": "Leeds North"}
COMPANIES = [
    {
        "name": "Corner Pop Ltd",
        "email": "accounts@corner.example",
        "phone": "0113 496 0000",
        "uuid": "0d9f1c1e-5f5a-4c6e-9d3c-1b1b1b1b1b1b",
        "extra_fields": [DEPOT],
        "buyers": [BEN],
    },
    {"name": "Bräu & Söhne 北", "email": "post@braeu.example", "status": 0, "group_id": 0},
    {"name": "Dry Taps", "status": 2, "parent": 1},
]
NOW = int(START.timestamp())


def trading(**seed) -> Shop:
    return Shop(b2b=True, **{"companies": COMPANIES} | seed)


def listed(shop: Shop, path: str = "/companies", **query) -> list:
    answer = shop.b2b("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    key = "companyId" if path == "/companies" else "bcOrderId"
    return [int(one[key]) for one in answer.json()["data"]]


def firms(shop: Shop):
    return shop.store.people.companies


# -- companies -------------------------------------------------------------------------------------


def test_a_company_alone_and_in_the_list():
    shop = trading()
    alone = shop.b2b("GET", "/companies/1").json()
    assert (alone["code"], alone["meta"]) == (200, {"message": "SUCCESS"})
    extra = alone["data"].pop("extraFields")
    assert extra == [
        DEPOT | {"labelName": "Depot", "isRequired": "0", "dataType": "0", "fieldType": 0}
    ]
    assert alone["data"] == {
        "companyId": "1",
        "companyName": "Corner Pop Ltd",
        "companyEmail": "accounts@corner.example",
        "companyPhone": "0113 496 0000",
        "uuid": "0d9f1c1e-5f5a-4c6e-9d3c-1b1b1b1b1b1b",
        "companyStatus": "1",
        "catalogId": "",
        "catalogName": "",
        "priceListAssign": [],
        "parentCompany": {},
        "createdAt": str(NOW),
        "updatedAt": str(NOW),
        "bcGroupId": "1",
        "bcGroupName": "Corner Pop Ltd",
    }
    row = shop.b2b("GET", "/companies", params={"q": "corner"}).json()["data"][0]
    assert row == alone["data"] | {"bcGroupId": 1}
    query = {"q": "corner", "isIncludeExtraFields": "1"}
    assert shop.b2b("GET", "/companies", params=query).json()["data"][0]["extraFields"] == extra
    third = shop.b2b("GET", "/companies/3").json()["data"]
    assert third["parentCompany"] == {"id": 1, "name": "Corner Pop Ltd"}
    gone = shop.b2b("GET", "/companies/9")
    missing = {"code": 404, "data": {}, "meta": {"message": "This resource is not found."}}
    assert (gone.status_code, gone.json()) == (404, missing)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"orderBy": "ASC"}, [1, 2, 3]),
        ({"sortBy": "companyName", "orderBy": "ASC"}, [2, 1, 3]),
        ({"sortBy": "updatedAt"}, [2, 3, 1]),
        ({"companyStatus": 0}, [2]),
        ({"companyStatus": 3}, []),
        ({"q": "SÖHNE"}, [2]),
        ({"bcGroupId": 0}, [2]),
        ({"customerId": 1}, [1]),
        ({"customerId": 9}, []),
        ({"bcOrderId": 100}, [1]),
        ({"orderId": "101"}, []),
        ({"extraFields": "Depot:leeds"}, [1]),
        ({"extraFields": ["Depot:leeds", "Round:3"]}, []),
        ({"extraFields": "Depot:Leeds", "extraFieldFilterType": "exact-match"}, []),
        ({"extraFields": "Depot:Leeds North", "extraFieldFilterType": "exact-match"}, [1]),
        ({"minModified": NOW + 60}, [2]),
        ({"minModified": NOW + 61}, []),
        ({"maxModified": NOW, "minCreated": ""}, [3, 1]),
        ({"minCreated": NOW, "limit": 2}, [3, 2]),
        ({"limit": 2, "offset": 2}, [1]),
        ({"offset": 5}, []),
    ],
)
def test_companies_are_found(query, expected):
    shop = trading()
    shop.place(customer=BEN)
    shop.place()
    shop.tick()
    firms(shop).change(2, {"phone": "1"})
    assert listed(shop, **query) == expected


def test_a_page_says_where_it_stands():
    answer = trading().b2b("GET", "/companies", params={"limit": 2, "offset": 2}).json()
    pages = {"totalCount": 3, "limit": 2, "offset": 2}
    assert answer["meta"] == {"message": "SUCCESS", "pagination": pages}


@pytest.mark.parametrize("path", ["/companies", "/orders"])
@pytest.mark.parametrize(
    "query",
    [
        {"colour": 1},
        {"page": 1},
        {"limit": "x"},
        {"limit": 0},
        {"limit": 201},
        {"offset": -1},
        {"minModified": "2026-11-20T10:00:00Z"},
        {"sortBy": "id"},
        {"orderBy": "asc"},
        {"companyStatus": 4},
        {"companyName": "Corner Pop Ltd"},
        {"isIncludeExtraFields": "yes"},
        {"extraFields": "Depot"},
        {"showExtra": 1},
    ],
)
def test_a_wrong_question_is_refused(path, query):
    answer = trading().b2b("GET", path, params=query)
    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (400, 400, {})


@pytest.mark.parametrize("path", ["/companies", "/companies/1", "/orders", "/orders/100"])
def test_without_the_add_on_or_its_credentials_there_is_nothing(path):
    refused = Shop().b2b("GET", path)
    assert (refused.status_code, refused.json()["code"]) == (403, 403)
    http = trading().http
    assert http.get(f"{HOST}/api/v3/io{path}").status_code == 401
    other = {"X-Store-Hash": "other1"}
    assert http.get(f"{HOST}/api/v3/io{path}", headers=other).status_code == 401
    old = {"X-Store-Hash": "fizz01", "X-Auth-Token": "", "authToken": "bc_sandbox_token"}
    assert http.get(f"{HOST}/api/v3/io{path}", headers=old).status_code == 401


def test_each_part_needs_its_right():
    shop = trading(scopes=["store_v2_orders_read_only"])
    shop.place(customer=BEN)
    assert shop.b2b("GET", "/orders/100").status_code == 200
    assert shop.b2b("PUT", "/orders/100", json={"poNumber": "1"}).status_code == 403
    assert shop.b2b("GET", "/companies").status_code == 403


def test_companies_are_not_made_here():
    assert trading().b2b("POST", "/companies", json={}).status_code == 405
    assert trading().b2b("GET", "/quotes").status_code == 404


# -- what staff does -------------------------------------------------------------------------------


def test_what_was_there_before_is_told_to_nobody():
    shop = trading(webhook_uri=HOOK)
    assert shop.topics() == []
    firms(shop).change(3, {"name": "Wet Taps"})
    assert shop.topics() == ["store/company/updated"]
    assert shop.told("store/company/updated") == {"company_id": 3}


def test_a_company_is_opened_moved_and_taken_out():
    shop = Shop(b2b=True, webhook_uri=HOOK)

    def do(path, **given):
        shop.deliveries.clear()
        answer = shop.http.post(f"{HOST}/_sandbox/companies{path}", json=given)
        assert answer.status_code in {200, 201}, answer.text
        assert {one.body.split(b'"data":')[1] for one in shop.deliveries} <= {b'{"company_id":1}}'}
        return answer.json()

    def topics():
        return [one.removeprefix("store/company/") for one in shop.topics()]

    made = do("", name="Corner Pop Ltd", status=0)
    assert (made["id"], made["company"]["companyStatus"], topics()) == ("1", "0", ["created"])
    assert do("/1/update", status=1)["company"]["companyStatus"] == "1"
    assert topics() == ["statusUpdated", "updated"]
    do("/1/update", status=1, phone="0113", group_id=7, extra_fields=[DEPOT])
    assert topics() == ["updated"]
    shown = shop.b2b("GET", "/companies/1").json()["data"]
    assert (shown["bcGroupId"], shown["companyPhone"]) == ("7", "0113")
    shop.store.people.add(BEN)
    assert do("/1/join", id=1)["id"] == "1"
    assert topics() == []
    assert listed(shop, customerId=1) == [1]
    do("/1/delete")
    assert topics() == ["deleted"]
    assert shop.b2b("GET", "/companies/1").status_code == 404
    shop.place(customer=BEN)
    assert shop.b2b("GET", "/orders/100").status_code == 404


def test_a_hook_may_be_on_one_of_its_events():
    shop = trading(hook_delay_s=0)
    hooked = {"scope": "store/company/statusUpdated", "destination": HOOK}
    assert shop.http.post("v3/hooks", json=hooked).status_code == 200
    firms(shop).change(2, {"status": 1})
    assert shop.topics() == ["store/company/statusUpdated"]


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("companies", {}, 422),
        ("companies", {"name": ""}, 422),
        ("companies", {"name": "X" * 201}, 422),
        ("companies", {"name": "X", "colour": "red"}, 422),
        ("companies", {"name": "X", "status": 4}, 422),
        ("companies", {"name": "X", "status": "1"}, 422),
        ("companies", {"name": "X", "extra_fields": [{"fieldName": "Depot"}]}, 422),
        ("companies", {"name": "X", "extra_fields": "Depot"}, 422),
        ("companies", {"name": "X", "parent": 9}, 404),
        ("companies/9/update", {"name": "X"}, 404),
        ("companies/9/delete", {}, 404),
        ("companies/1/join", {"id": 9}, 404),
        ("companies/1/block", {}, 404),
    ],
)
def test_what_cannot_be_done_to_a_company(path, given, status):
    answer = trading().http.post(f"{HOST}/_sandbox/{path}", json=given)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_store_without_the_add_on_has_no_companies():
    with pytest.raises(RefusedError, match="no B2B Edition"):
        Shop(companies=COMPANIES)
    shop = Shop(webhook_uri=HOOK)
    shop.place(customer=TRADER)
    assert not any("company" in one for one in shop.topics())
    with pytest.raises(RefusedError):
        shop.place(company="Corner Pop Ltd")


def test_an_account_that_is_closed_buys_for_nobody():
    shop = trading()
    assert listed(shop, customerId=1) == [1]
    shop.store.people.delete(1)
    assert listed(shop, customerId=1) == []


# -- orders ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draft", [{"customer": BEN}, {"company": 1}, {"company": COMPANIES[0]["name"]}]
)
def test_only_the_add_on_knows_the_company_of_an_order(draft):
    shop = trading()
    order = shop.place(po_number="PO-77", **draft)
    assert order["billing_address"]["form_fields"] == []
    for path in ("v2/orders/100", "v2/orders/100/products", "v3/orders/100/metafields"):
        text = shop.get(path).text
        assert not any(word in text for word in ("PO-77", "Corner Pop", "companyId")), path
    body = shop.b2b("GET", "/orders/100").json()["data"]
    known = {"poNumber": "PO-77", "companyId": 1, "bcOrderId": 100, "extraFields": []}
    known |= {"totalIncTax": 52.8, "currencyCode": "GBP", "statusCode": 11, "isInvoiceOrder": 0}
    assert known.items() <= body.items()
    assert body["id"] != 100


def test_a_private_order_is_in_the_list_and_nowhere_else():
    shop = trading()
    order = shop.place(po_number="PO-9")
    assert order["billing_address"]["form_fields"] == [{"name": "PO Number", "value": "PO-9"}]
    gone = shop.b2b("GET", "/orders/100")
    missing = {"code": 404, "data": {}, "meta": {"message": "Order Does Not Exist."}}
    assert (gone.status_code, gone.json()) == (404, missing)
    for method, path in (("PUT", "/orders/100"), ("GET", "/orders/100/products")):
        assert shop.b2b(method, path, json={"poNumber": "1"}).status_code == 404
    row = shop.b2b("GET", "/orders").json()["data"][0]
    assert (row["bcOrderId"], row["companyId"], row["poNumber"]) == (100, 0, "")


def test_what_the_add_on_keeps_of_an_order_is_written():
    shop = trading()
    shop.place(customer=BEN)
    shop.tick()
    given = {"poNumber": "PO-78", "extraFields": [DEPOT]}
    body = shop.b2b("PUT", "/orders/100", json=given).json()["data"]
    assert (body["poNumber"], body["extraFields"]) == ("PO-78", [DEPOT])
    assert body["updatedAt"] - body["createdAt"] == 60
    for wrong in ({}, {"colour": "red"}, {"extraFields": [{"fieldName": "Depot"}]}):
        assert shop.b2b("PUT", "/orders/100", json=wrong).status_code == 422
    line = shop.b2b("GET", "/orders/100/products").json()["data"][0]
    assert (line["variantSku"], line["quantity"], line["options"]) == (COLA, 4, [])


def test_fields_the_merchant_asks_for_are_needed():
    shop = Shop(b2b=True, b2b_required_fields=["Depot"], b2b_data_is_list=True)
    shop.place(customer=TRADER)
    refused = shop.b2b("PUT", "/orders/100", json={"poNumber": "PO-1"})
    text = "Depot is a required extra field"
    assert refused.json() == {"code": 422, "data": {"errMsg": text}, "meta": {"message": text}}
    given = {"extraFields": [DEPOT], "poNumber": "PO-1"}
    assert shop.b2b("PUT", "/orders/100", json=given).json()["data"][0]["poNumber"] == "PO-1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [101, 102, 100]),
        ({"orderBy": "ASC", "sortBy": "createdAt"}, [100, 101, 102]),
        ({"companyId": 1}, [101, 100]),
        ({"companyId": 0}, [102]),
        ({"bcOrderId": 101}, [101]),
        ({"minModified": NOW}, [101, 102]),
        ({"maxCreated": NOW + 120}, [101, 100]),
        ({"channelIds[]": "1"}, [101, 102, 100]),
        ({"channelIds[]": "2"}, []),
        ({"limit": 1, "offset": 1}, [102]),
    ],
)
def test_orders_are_found(query, expected):
    shop = trading()
    shop.place(customer=BEN)
    shop.tick()
    shop.place(company=1)
    shop.tick()
    shop.place()
    shop.tick()
    shop.store.update(101, {"customer_note": "Ring"})
    assert listed(shop, "/orders", **query) == expected


def test_extra_fields_are_in_the_list_where_it_is_asked_for_them():
    shop = trading()
    shop.place(customer=BEN)
    shop.b2b("PUT", "/orders/100", json={"extraFields": [DEPOT]})
    assert "extraFields" not in shop.b2b("GET", "/orders").json()["data"][0]
    row = shop.b2b("GET", "/orders", params={"showExtra": "true"}).json()["data"][0]
    assert (row["extraFields"], row["extraInt1"]) == ([DEPOT], None)


def test_an_old_order_is_listed_for_who_asks_for_it():
    shop = trading()
    shop.place(customer=BEN, created_at=(START - timedelta(days=800)).isoformat())
    shop.sandbox.store.order(100).head["date_modified"] = "Wed, 01 Jan 2025 10:00:00 +0000"
    firms(shop).orders[100]["updatedAt"] = 0
    assert listed(shop, "/orders") == []
    assert listed(shop, "/orders", minModified=1) == [100]


def test_who_names_a_company_joins_it_or_opens_it():
    shop = trading(webhook_uri=HOOK)
    cat = {"email": "cat@corner.example", "first_name": "Cat", "last_name": "Ode"}
    shop.place(customer=cat | {"company": "Corner Pop Ltd"})
    assert "store/company/created" not in shop.topics()
    shop.place(customer=cat | {"email": "dan@new.example", "company": "New Bar"})
    assert shop.told("store/company/created") == {"company_id": 4}
    orders = {key: one["companyId"] for key, one in firms(shop).orders.items()}
    assert orders == {100: 1, 101: 4}


def test_an_order_made_by_a_call_is_the_company_s_too():
    shop = trading()
    billing = {"first_name": "Ben", "last_name": "Ode", "street_1": "1 Dock Rd", "city": "Leeds"}
    billing |= {"zip": "LS1 1AA", "country": "United Kingdom", "country_iso2": "GB"}
    lines = [{"product_id": 111, "quantity": 4}]
    new = {"customer_id": 1, "billing_address": billing, "products": lines}
    made = shop.http.post("v2/orders", json=new)
    assert made.status_code == 200, made.text
    assert listed(shop, "/orders", companyId=1) == [made.json()["id"]]


def test_earlier_orders_are_handed_to_the_company():
    shop = trading(companies=[{"name": "Corner Pop Ltd"}])
    made = shop.store.people.add(BEN)
    shop.place(customer=BEN)
    assert shop.b2b("PUT", f"/customers/{made['id']}/orders/b2b").status_code == 404
    firms(shop).join(1, made["id"])
    assert shop.b2b("PUT", f"/customers/{made['id']}/orders/b2b").json()["data"] == {"total": 1}
    assert shop.b2b("GET", "/orders/100").status_code == 200


# -- the vendor's own files ------------------------------------------------------------------------


def described(file: str, name: str) -> jsonschema.Draft202012Validator:
    """A schema of the vendor's; a null is allowed where it is said in the older way."""
    components = yaml.safe_load((SPECS / file).read_text())["components"]
    for one in [*components["schemas"].values()]:
        for field in [one, *one.get("properties", {}).values()]:
            if isinstance(field, dict) and field.get("nullable"):
                field["type"] = [field["type"], "null"]
    body = {"$ref": f"#/components/schemas/{name}", "components": components}
    return jsonschema.Draft202012Validator(body)


@needs_vendor
@pytest.mark.parametrize(
    ("file", "name", "path", "apart"),
    [
        # Its type is a number and its example a text.
        ("b2b-company.yaml", "companyData_RESPONSE", "/companies/1", {"companyId"}),
        ("b2b-company.yaml", "companyData_RESPONSE", "/companies", {"companyId"}),
        # The same the other way round.
        ("b2b-order.yaml", "orderData_DETAIL", "/orders/100", {"cartId"}),
        ("b2b-order.yaml", "orderData_ALL", "/orders?showExtra=true", {"cartId"}),
        ("b2b-order.yaml", "orderProducts", "/orders/100/products", {"value"}),
    ],
)
def test_an_answer_fits_its_description(file, name, path, apart):
    shop = trading()
    lines = [{"sku": COLA, "quantity": 1, "options": [{"name": "Size", "value": "24"}]}]
    shop.place(customer=BEN, lines=lines)
    shop.place()
    body = shop.b2b("GET", path).json()["data"]
    validator = described(file, name)
    rows = body if isinstance(body, list) else [body]
    wrong = [error for row in rows for error in validator.iter_errors(row)]
    assert {str(one.absolute_path[-1]) for one in wrong} <= apart
    names = {one for row in rows for one in row}
    told = set(str(validator.schema["components"]["schemas"]).split("'"))
    assert names <= told | {"bcGroupId"}
