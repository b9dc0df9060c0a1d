"""The bench itself: that what it measures is what was asked, and that a wrong count is no figure."""

from urllib.parse import urlsplit

import pytest

from bench.figure import Figure, WrongCount, median_of, must_be, percentile
from bench.load import load, request
from tests.served import Served


def test_a_figure_is_a_name_a_value_and_a_unit():
    assert str(Figure("checkin_c32", 812.44, "per_second")) == "checkin_c32 812.4 per_second"
    assert str(Figure("checkin_c32_floor_ratio", 0.2514, "ratio")) == "checkin_c32_floor_ratio 0.251 ratio"


def test_a_figure_is_the_median_of_its_runs():
    assert median_of([30.0, 10.0, 20.0].__getitem__) == 20.0


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.95, 96), (1.0, 100)])
def test_a_percentile_is_one_of_the_values(share: float, value: float):
    assert percentile([float(each) for each in range(100, 0, -1)], share) == value


def test_a_wrong_count_fails_the_bench():
    must_be("arrivals", (3000, 3000), (3000, 3000))
    with pytest.raises(WrongCount, match="arrivals"):
        must_be("arrivals", (2999, 2999), (3000, 3000))


def test_the_load_answers_every_request_in_its_place(served_demo: Served):
    port = urlsplit(served_demo.url).port
    paths = ["/e/1", "/nowhere", "/e/2", "/nowhere", "/static/none"] * 2

    outcome = load(port, [request("GET", path) for path in paths], concurrency=3)

    assert [each.status for each in outcome.answers] == [200, 404, 200, 404, 404] * 2
    assert all(each.milliseconds > 0 and "</html>" in each.body for each in outcome.answers)
    assert outcome.per_second == pytest.approx(len(paths) / outcome.seconds)
