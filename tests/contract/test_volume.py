"""Many changes of stock at once, at shops that bear so many calls and no more.

``make bench`` runs ten thousand changes of five hundred items; here are enough to go wrong.
"""

from __future__ import annotations

import pytest

from tests.kit.volume import STANDS, Volume

PARALLEL, PER_MINUTE = 2, 120
CHANGES, ITEMS = 400, 40


@pytest.fixture(params=sorted(STANDS))
def report(request):
    return Volume(STANDS[request.param](ITEMS, PARALLEL, PER_MINUTE)).run(CHANGES)


def test_every_figure_is_the_last_within_the_limits_and_documents_go_first(report):
    assert report.wrong == {}
    assert report.parallel <= PARALLEL
    assert report.per_minute <= PER_MINUTE
    assert report.refused == 0
    assert 0 < report.writes < CHANGES / 5
    # What was on its way when the fulfilment's message came may end first.
    assert report.calls_before <= PARALLEL
