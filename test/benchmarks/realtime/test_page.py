"""The page is one well-formed document that tells everything and needs nothing else."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.goals import Goal
from benchmarks.machine import describe
from benchmarks.realtime.chart import bar_chart, nice_step
from benchmarks.realtime.page import draw

CHART = {
    "title": "Ages <at> 3 x",
    "unit": "ms",
    "legend": ["p50", "p99"],
    "rows": [
        {"label": "limit", "bars": [14.0, 20.0]},
        {"label": "ours & theirs", "bars": [15.0, None], "goals": [16.0, 22.0], "better": "lower"},
    ],
}


def content(**changes):
    goals = [Goal("age <p99>", 3.0, 2.5, "lower"), Goal("gone", None, float("nan"), "lower")]
    return {
        "topic": "realtime",
        "quick": True,
        "seconds": 12.3,
        "machine": describe(),
        "results": {
            "charts": [CHART],
            "composed": {"sides": {"ours": {"what": "nodes"}, "limit": {"what": "bare"}}, "rounds_judged": [0]},
        },
        "goals": [goal.as_json() for goal in goals],
        "failures": ["cameras: the node died"],
        **changes,
    }


def test_the_page_tells_goals_failures_charts_sides_and_machine():
    page = draw(content())
    for words in ("age &lt;p99&gt;", "missed", "Not run: cameras: the node died", "<svg", "bare", "0 of 2 goals met"):
        assert words in page
    assert describe()["cpu"] in page
    assert not re.search(r"(?:src|href)=|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page


def test_the_page_is_drawn_without_any_chart():
    assert "<svg" not in draw(content(results={}))


def test_a_bar_is_as_long_as_its_value_and_its_goal_says_whether_it_is_met():
    svg = ET.fromstring(bar_chart(CHART))
    bars = [float(rect.get("width")) for rect in svg.iter("rect")]
    assert bars == [
        pytest.approx(bars[0]),
        pytest.approx(bars[0] * 20 / 14, abs=0.2),
        pytest.approx(bars[0] * 15 / 14, abs=0.2),
    ]
    texts = [text.text for text in svg.iter("text")]
    assert "15 (goal ≤ 16: met)" in texts
    assert "not measured (goal ≤ 22: missed)" in texts
    assert "ms" in texts


def test_texts_of_a_chart_do_not_lie_on_one_another():
    svg = ET.fromstring(bar_chart(CHART))
    columns = {}
    for text in svg.iter("text"):
        columns.setdefault((text.get("class").split()[0], text.get("x")), []).append(float(text.get("y")))
    for places in columns.values():
        assert all(b - a >= 13 for a, b in zip(sorted(places), sorted(places)[1:], strict=False))
    view = [float(v) for v in svg.get("viewBox").split()]
    assert all(0 <= float(text.get("y")) <= view[3] for text in svg.iter("text"))


@given(st.floats(1e-6, 1e9))
def test_ticks_are_round_and_few(largest):
    step = nice_step(largest)
    assert 1 <= largest / step <= 5.0001
    assert f"{step:e}"[0] in "125"
