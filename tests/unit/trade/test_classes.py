from __future__ import annotations

from decimal import Decimal

from fizzbridge.model.customer import Customer
from fizzbridge.model.order import OrderClass, OrderRequest
from fizzbridge.model.party import Company, Contact
from fizzbridge.settings import Limits
from fizzbridge.trade.classes import classify
from fizzbridge.trade.packs import Catalogue, Counted, count
from tests.kit.house import ITEMS, START, line, order_request

CATALOGUE = Catalogue(ITEMS)


def counted(request: OrderRequest) -> list[Counted]:
    found = []
    for one in request.lines:
        sold = CATALOGUE.find(one, None, START.date())
        assert sold is not None
        found.append(count(one, sold))
    return found


def classed(customer: Customer | None = None, limits: Limits | None = None, **changes):
    request = order_request(**changes)
    return classify(request, customer, counted(request), limits or Limits())


def cases(number: int) -> dict:
    return {"lines": [line("COLA330-CASE", number)]}


def test_v40_a_guest_with_12_cases_is_bulk_by_quantity():
    assert classed(**cases(12)) == (OrderClass.BULK, "12 case-equivalents")


def test_v40_a_company_with_1_case_is_bulk_by_company():
    assert classed(company=Company(id="c7"), **cases(1)) == (
        OrderClass.BULK,
        "ordered for company c7",
    )


def test_v40_a_private_person_with_2_cases_is_retail():
    assert classed(**cases(2))[0] is OrderClass.RETAIL


def test_the_accounts_own_class_comes_before_everything():
    account = Customer(contact=Contact(), fixed_class=OrderClass.RETAIL, tax_number="GB1")
    found = classed(account, company=Company(id="c7"), payment_terms="NET 30", **cases(99))
    assert found == (OrderClass.RETAIL, "fixed on the account")


def test_terms_or_a_tax_number_make_bulk():
    assert classed(payment_terms="NET 30") == (OrderClass.BULK, "payment terms: NET 30")
    account = Customer(contact=Contact(), tax_number="GB123456789")
    assert classed(account) == (OrderClass.BULK, "the account has a tax number")


def test_loose_cans_and_cases_count_together():
    eight = line("COLA330-CASE", 8)
    assert classed(lines=[eight, line("COLA330", 48)])[0] is OrderClass.BULK
    assert classed(lines=[eight, line("COLA330", 47)])[0] is OrderClass.RETAIL


def test_one_whole_layer_is_bulk_where_the_company_says_so():
    high = {"bulk_case_equivalents": 1000}
    layer = cases(9)
    found = classed(limits=Limits(**high), **layer)
    assert found == (OrderClass.BULK, "line l-COLA330-CASE is a layer or more")
    without = Limits(**high, bulk_line_layer=False)
    assert classed(limits=without, **layer)[0] is OrderClass.RETAIL
    assert classed(limits=Limits(**high), **cases(8))[0] is OrderClass.RETAIL


def test_the_threshold_is_the_companys_own():
    assert classed(limits=Limits(bulk_case_equivalents=2), **cases(2))[0] is OrderClass.BULK


def test_a_bottle_without_layers_is_counted_by_the_case_alone():
    (one,) = counted(order_request(lines=[line("LEMON1L", 9)]))
    assert one.case_equivalents == Decimal("1.5")
    assert not one.is_layer_or_more
