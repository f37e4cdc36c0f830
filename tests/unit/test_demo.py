"""The demo notices when an order is not where it must be."""

from decimal import Decimal

import pytest

from infra.local.demo.cases import CASES, End
from infra.local.demo.follow import Placed, Whereabouts
from infra.local.demo.run import mistakes
from infra.local.demo.vendors import Sale


def placed(end):
    case = next(case for case in CASES if case.end is end)
    shown = {
        "id": 1,
        "name": "#1001",
        "current_total_price": "2.40",
        "cancelled_at": "2026-11-01T00:00:00+00:00" if end is End.CANCELLED else None,
    }
    return Placed(case, "shop-uk", shown)


def where(status="synced", holds=(), in_step=True):
    return Whereabouts(None, {"status": status}, in_step, tuple(holds), None)


SALE = Sale("S00001", "sale", Decimal("2.40"), 0)


def test_twelve_orders_end_in_every_way():
    assert len(CASES) == 12
    assert {case.end for case in CASES} == set(End)


def test_an_order_where_it_must_be_is_no_mistake():
    assert list(mistakes(placed(End.BOOKED), where(), [SALE])) == []
    held = where("held", ["SKU COLA-24PK is not in the catalogue"])
    assert list(mistakes(placed(End.HELD), held, [])) == []


@pytest.mark.parametrize(
    ("end", "found", "sales", "told"),
    [
        (End.BOOKED, where(), [], "is 0 times in the ERP"),
        (End.BOOKED, where(), [SALE, SALE], "is 2 times in the ERP"),
        (End.BOOKED, where("parked"), [SALE], "must be booked, is parked"),
        (End.BOOKED, where(in_step=False), [SALE], "must be booked, is on its way"),
        (End.BOOKED, where(), [Sale("S1", "draft", Decimal("2.40"), 0)], "is 'draft' in the ERP"),
        (
            End.BOOKED,
            where(),
            [Sale("S1", "sale", Decimal("2.39"), 0)],
            "costs 2.40 in the shop and 2.39 in the ERP",
        ),
        (
            End.BOOKED,
            where(),
            [Sale("S1", "sale", Decimal("2.40"), 3)],
            "has 0 lines here and 3 in the ERP",
        ),
        (End.CANCELLED, where(), [SALE], "must be cancelled, is booked"),
        (End.CANCELLED, where(), [SALE], "is 'sale' in the ERP"),
        (End.HELD, where(), [], "must be held for COLA-24PK, is booked"),
        (End.HELD, where("held", ["another SKU"]), [], "must be held for COLA-24PK"),
        (End.HELD, where("held", ["COLA-24PK"]), [SALE], "is held and yet in the ERP"),
    ],
)
def test_every_mistake_is_told(end, found, sales, told):
    assert [line for line in mistakes(placed(end), found, sales) if told in line]
