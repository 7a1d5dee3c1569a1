"""What is drawn lies inside the figure, in the order and proportion of the values."""

import itertools
import math
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_ai.optimization.report.plots import Bar, Pair, bars, pairs
from edge_ai.optimization.report.scatter import Dot, scatter

SIDES = {"x": 0, "cx": 0, "x1": 0, "x2": 0, "y": 1, "cy": 1, "y1": 1, "y2": 1}


def parse(svg):
    """The elements, each of whose coordinates lies inside the viewBox."""
    root = ElementTree.fromstring(svg)
    size = [float(one) for one in root.get("viewBox").split()][2:]
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in SIDES:
                assert -0.01 <= float(value) <= size[SIDES[name]] + 0.01, (element.attrib, size)
        if element.tag == "rect":
            assert 0 <= float(element.get("x")) + float(element.get("width")) <= size[0] + 0.01
        if element.tag == "polyline":
            corners = [tuple(map(float, corner.split(","))) for corner in element.get("points").split()]
            assert all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in corners)
    return root


def of(root, tag, kind):
    return [element for element in root.iter(tag) if kind in element.get("class", "").split()]


def dot(label, x, y, spread=0.0, **other):
    return Dot(label, (x, x - spread, x + spread), (y, y - spread, y + spread), **other)


def test_bars_are_as_long_as_their_values():
    root = parse(bars([Bar("a", 2.0, "2"), Bar("b", 8.0, "8"), Bar("c", 4.0, "4", "kept")], "sizes"))
    lengths = [float(bar.get("width")) for bar in of(root, "rect", "bar")]
    assert lengths == pytest.approx([90.0, 360.0, 180.0])
    assert len(of(root, "rect", "kept")) == 1
    assert root.get("aria-label") == "sizes"


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_what_was_not_measured_has_no_bar_and_no_dot(nothing):
    root = parse(bars([Bar("a", nothing, "not measured"), Bar("b", 1.0, "1")], "sizes"))
    assert len(of(root, "rect", "bar")) == 1
    root = parse(pairs([Pair("a", 0.5, nothing, "?"), Pair("b", nothing, nothing, "?")], "classes"))
    assert (len(of(root, "circle", "before")), len(of(root, "circle", "after"))) == (1, 0)
    assert of(root, "line", "change") == []


def test_charts_beside_each_other_can_have_one_scale():
    root = parse(bars([Bar("a", 1.0, "1")], "errors", longest=4.0))
    assert float(of(root, "rect", "bar")[0].get("width")) == pytest.approx(90.0)


def test_bars_of_nothing_but_zeros_are_drawn():
    assert of(parse(bars([Bar("a", 0.0, "0")], "errors")), "rect", "bar") == []


def test_a_pair_goes_from_before_to_after():
    root = parse(pairs([Pair("a", 0.8, 0.6, ""), Pair("b", 0.1, 0.9, "")], "classes"))
    before, after = ([float(c.get("cx")) for c in of(root, "circle", kind)] for kind in ("before", "after"))
    assert before[0] > after[0] > before[1]
    assert after[1] > before[0]
    assert [line.get("class") for line in of(root, "line", "change")] == ["change worse", "change better"]


def test_long_labels_are_shortened_and_whole_in_their_title():
    name = "/backbone/" + "x" * 90 + "/Conv"
    root = parse(bars([Bar(name, 1.0, "1 %")], "errors"))
    label = of(root, "text", "label")[0]
    assert label[0].text == name
    assert len(label[0].tail) < 50
    assert label[0].tail.startswith("/backbone/")
    assert label[0].tail.endswith("/Conv")


def test_faster_is_left_and_better_is_up():
    dots = [dot("slow", 20, 30, 1), dot("fast", 5, 28, 1), dot("bad", 10, 10, 1)]
    root = parse(scatter(dots, "latency, ms", "AP, %"))
    x, y = ([float(c.get(side)) for c in of(root, "circle", "dot")] for side in ("cx", "cy"))
    assert x[1] < x[2] < x[0]
    assert y[0] < y[1] < y[2]
    assert x[0] - x[2] == pytest.approx((20 - 10) / (20 - 5) * (x[0] - x[1]), abs=0.1)


def test_error_bars_end_where_the_interval_does():
    dots = [
        Dot("a", (10, 8, 14), (30, 25, 31)),
        Dot("b", (8, 8, 8), (25, 25, 25)),
        Dot("c", (14, 14, 14), (31, 31, 31)),
    ]
    root = parse(scatter(dots, "x", "y"))
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in of(root, "circle", "dot")]
    across, up = (line.attrib for line in of(root, "line", "whisker")[:2])
    assert (float(across["x1"]), float(across["x2"])) == pytest.approx((circles[1][0], circles[2][0]), abs=0.02)
    assert (float(up["y1"]), float(up["y2"])) == pytest.approx((circles[2][1], circles[1][1]), abs=0.02)


def test_the_pareto_line_goes_through_its_variants_from_fast_to_slow():
    dots = [dot("c", 20, 31, pareto=True), dot("a", 5, 20, pareto=True), dot("x", 9, 10), dot("b", 10, 30, pareto=True)]
    root = parse(scatter(dots, "x", "y"))
    corners = [tuple(map(float, corner.split(","))) for corner in root.find("polyline").get("points").split()]
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in of(root, "circle", "dot")]
    assert corners == [circles[1], circles[3], circles[0]]


def test_the_pareto_line_only_rises():
    dots = [dot("a", 5, 20, pareto=True), dot("small", 9, 12, pareto=True), dot("b", 10, 30, pareto=True)]
    root = parse(scatter(dots, "x", "y"))
    assert len(root.find("polyline").get("points").split()) == 2


def test_one_variant_is_no_line():
    root = parse(scatter([dot("only", 3.0, 50.0, pareto=True)], "x", "y"))
    assert root.find("polyline") is None


def test_labels_of_a_crowd_do_not_cover_each_other():
    dots = [dot(f"variant {i}", 10 + i * 0.2, 30 + i * 0.1, 0.3) for i in range(7)]
    root = parse(scatter(dots, "x", "y"))
    boxes = []
    for text in of(root, "text", "name"):
        x, y = float(text.get("x")), float(text.get("y"))
        boxes.append((x, y - 9, x + len(text.text) * 5.5, y + 1))
    for one, other in itertools.combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


values = st.floats(1e-3, 1e4)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(values, values, st.floats(0, 0.5), st.booleans()), min_size=1, max_size=9))
def test_any_values_stay_inside(points):
    dots = [
        Dot("a name of some length " * 2, (x, x * (1 - s), x * (1 + s)), (y, y * (1 - s), y * (1 + s)), "other", p)
        for x, y, s, p in points
    ]
    root = parse(scatter(dots, "x", "y"))
    assert len(of(root, "circle", "dot")) == len(dots)
    assert 2 <= len(of(root, "line", "grid")) <= 24
