"""Companies of the sandbox shop, which only shops with the module for them have."""

from __future__ import annotations

import json

import pytest

from platforms.magento.sandbox import make
from platforms.magento.sandbox_values import RefusedError
from tests.platforms.magento.magento_shop import ADA, EMPTY, HOOK, TRADER, Shop, criteria

POP = {
    "name": "Corner Pop Ltd",
    "email": "accounts@cornerpop.example",
    "vat_id": "GB123456789",
    "address_1": "4 Fountain Row",
    "address_2": "Unit 7",
    "city": "Leeds",
    "postcode": "LS1 1AA",
    "country": "GB",
    "phone": "+44 113 496 0142",
    "admin": TRADER | {"email": "ida@cornerpop.example"},
}
POP["admin"].pop("company")
BREW = {"name": "Bräu & Söhne GmbH", "email": "post@braeu.example", "country": "DE", "city": "Köln"}
SHUT = {"name": "Dry Taps", "email": "dry@taps.example", "status": 3}
NO_ROUTE = "Request does not match any route."


def trading(**seed) -> Shop:
    return Shop(companies=[POP, BREW, SHUT], **seed)


def found(shop: Shop, *filters, **more) -> list[int]:
    return [one["id"] for one in shop.items("company/", *filters, **more)]


def test_a_company_as_the_shop_shows_it():
    shop = trading()
    company = shop.get("company/2")
    assert company["super_user_id"] == shop.items("customers/search")[0]["id"] == 700
    del company["extension_attributes"], company["super_user_id"]
    assert company == {
        "id": 2,
        "status": 1,
        "company_name": "Corner Pop Ltd",
        "legal_name": "Corner Pop Ltd",
        "company_email": "accounts@cornerpop.example",
        "vat_tax_id": "GB123456789",
        "street": ["4 Fountain Row", "Unit 7"],
        "city": "Leeds",
        "country_id": "GB",
        "postcode": "LS1 1AA",
        "telephone": "+44 113 496 0142",
        "customer_group_id": 2,
        "sales_representative_id": 1,
        "reject_reason": None,
        "rejected_at": None,
    }
    assert "updated_at" not in shop.get("company/3")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], [2, 3, 4]),
        ([("status", 3, "eq")], [4]),
        ([("status", "0,1", "in")], [2, 3]),
        ([("company_name", "%söhne%", "like")], [3]),
        ([("country_id", "DE", "eq")], [3]),
        ([("vat_tax_id", "", "notnull")], [2]),
        ([("entity_id", 2, "gt"), ("city", "Leeds", "eq")], [4]),
        ([("super_user_id", 701, "eq")], [3]),
    ],
)
def test_companies_are_found(filters, expected):
    assert found(trading(), *filters, sort=["entity_id"]) == expected


def test_companies_come_in_pages():
    shop = trading()
    pages = [
        shop.list("company", sort=["entity_id"], pageSize=2, currentPage=page) for page in (1, 2, 3)
    ]
    assert [[one["id"] for one in page["items"]] for page in pages] == [[2, 3], [4], []]
    assert {page["total_count"] for page in pages} == {3}
    told = shop.list("company", pageSize=1, fields="items[id,company_name],total_count")
    assert told == {"items": [{"id": 2, "company_name": "Corner Pop Ltd"}], "total_count": 3}


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("company", 400, '"%fieldName" is required. Enter and try again.'),
        ("company/9", 404, "No such entity with %fieldName = %fieldValue"),
        ("company/first", 400, 'The "%value" value\'s type is invalid.'),
        ("company/2/users", 404, NO_ROUTE),
        # The table has neither: the vendor's own crash.
        (f"company?{criteria(('updated_at', '2026-11-20 10:00:00', 'gteq'))}", 500, "Internal"),
        (f"company?{criteria(('id', 2, 'eq'))}", 500, "Internal Error."),
        (f"company?{criteria(sort=['updated_at'])}", 500, "Internal Error."),
    ],
)
def test_wrong_reads(path, status, message):
    answer = trading().call(path)
    assert (answer.status_code, answer.json()["message"].startswith(message)) == (status, True)


@pytest.mark.parametrize("path", [f"company?{EMPTY}", f"company/?{EMPTY}", "company/2"])
@pytest.mark.parametrize("seed", [{"edition": "open_source"}, {"modules": ["Magento_Sales"]}])
def test_a_shop_without_the_module_has_no_such_route(path, seed):
    answer = Shop(**seed).call(path)
    assert (answer.status_code, answer.json()["message"]) == (404, NO_ROUTE)


def test_a_shop_without_the_module_has_no_companies_at_all():
    shop = Shop(edition="open_source", webhook_uri=HOOK)
    order = shop.place(customer=TRADER)
    assert "company_order_attributes" not in order["extension_attributes"]
    customer = shop.items("customers/search")[0]
    assert customer["group_id"] == 1
    assert "company_attributes" not in customer["extension_attributes"]
    assert "company.saved" not in shop.topics()
    assert shop.control("companies", **POP).status_code == 404


def test_companies_need_their_right():
    shop = trading(acl=["Magento_Customer::manage"])
    assert shop.items("customers/search")
    for path in (f"company?{EMPTY}", "company/2"):
        answer = shop.call(path)
        assert answer.status_code == 401
        assert answer.json()["parameters"] == {"resources": "Magento_Company::index"}


def test_what_was_there_before_is_told_to_nobody():
    shop = trading(webhook_uri=HOOK)
    assert shop.topics() == []
    shop.store.people.companies.change(2, {"name": "Corner Pop"})
    told = shop.bodies()[0]
    assert (told["event"], told["entity_id"], told["increment_id"], told["updated_at"]) == (
        *("company.saved", 2),
        *(None, None),
    )


def test_a_company_is_entered_changed_and_taken_out():
    shop = Shop(webhook_uri=HOOK)
    made = shop.control("companies", **POP)
    assert (made.status_code, made.json()["id"]) == (201, "2")
    assert shop.topics() == ["customer.saved", "company.saved"]
    shop.deliveries.clear()
    steps = [
        ({"status": 3}, {"status": 3, "rejected_at": None}),
        ({"name": "Corner Pop plc", "legal_name": None}, {"company_name": "Corner Pop plc"}),
        ({"vat_id": "GB999999973"}, {"vat_tax_id": "GB999999973"}),
        (
            {"address_1": "9 Pier", "city": "Hull", "postcode": "HU1 1AA", "state": "Yorkshire"},
            {"street": ["9 Pier"], "city": "Hull", "postcode": "HU1 1AA", "region": "Yorkshire"},
        ),
        (
            {"status": 2, "reject_reason": "No licence"},
            {"status": 2, "reject_reason": "No licence", "rejected_at": "2026-11-20 10:00:00"},
        ),
        ({"status": 1}, {"status": 1, "reject_reason": None, "rejected_at": None}),
    ]
    for changes, expected in steps:
        answer = shop.control("companies/2/update", **changes)
        assert answer.status_code == 200, answer.text
        assert expected.items() <= answer.json()["company"].items()
        assert answer.json()["company"] == shop.get("company/2")
    assert "legal_name" not in shop.get("company/2")
    assert shop.topics() == ["company.saved"] * len(steps)
    shop.deliveries.clear()
    gone = shop.control("companies/2/delete")
    assert (gone.status_code, gone.json()["company"]["company_name"]) == (200, "Corner Pop plc")
    assert shop.call("company/2").status_code == 404
    # Neither the vendor's events nor our module know of it.
    assert shop.topics() == []
    link = shop.get("customers/700")["extension_attributes"]["company_attributes"]
    assert (link["company_id"], link["status"]) == (0, 0)


def test_who_names_a_company_joins_it():
    shop = trading()
    order = shop.place(customer=TRADER)
    told = order["extension_attributes"]["company_order_attributes"]
    assert (told["company_id"], told["company_name"]) == (2, "Corner Pop Ltd")
    assert len(found(shop)) == 3
    buyer = shop.get(f"customers/{order['customer_id']}")
    assert buyer["extension_attributes"]["company_attributes"]["company_id"] == 2
    shop.store.people.delete_company(2)
    later = shop.place(customer=TRADER)
    assert "company_order_attributes" not in later["extension_attributes"]


def test_an_account_that_is_there_can_speak_for_a_company():
    shop = Shop()
    shop.store.add_customer({"email": "ida@cornerpop.example", "billing": ADA})
    shop.store.people.add_company(POP | {"group_id": 4})
    assert shop.get("company/2")["super_user_id"] == 700
    assert shop.get("customers/700")["group_id"] == 4
    assert len(shop.items("customers/search")) == 1


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"name": "Corner Pop Ltd"},
        {"email": "a@b.example"},
        POP | {"colour": "red"},
        POP | {"status": 4},
        POP | {"status": "1"},
        POP | {"status": True},
        POP | {"country": "England"},
        POP | {"reject_reason": "No licence"},
        POP | {"admin": {"age": 3}},
    ],
)
def test_a_wrong_draft_is_refused(draft):
    shop = Shop()
    answer = shop.control("companies", **draft)
    assert (answer.status_code, list(answer.json())) == (422, ["error"])
    assert shop.items("customers/search") == found(shop) == []
    with pytest.raises(RefusedError):
        make({"companies": [draft]})


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        ("companies/9/update", {}, 422),
        ("companies/9/delete", {}, 422),
        ("companies/2/update", {"street": "x"}, 422),
        ("companies/2/update", {"status": 9}, 422),
        ("companies/2/update", {"reject_reason": "x"}, 422),
        ("companies/2/block", {}, 404),
    ],
)
def test_what_cannot_be_done_to_a_company(path, changes, status):
    assert trading().control(path, **changes).status_code == status


def test_a_customer_who_is_erased_leaves_the_company():
    shop = trading(webhook_uri=HOOK)
    shop.control("customers/700/delete")
    assert json.loads(shop.deliveries[-1].body)["event"] == "customer.deleted"
    assert shop.call("customers/700").status_code == 404
    assert shop.get("company/2")["super_user_id"] == 700
