"""The page as a browser's parser sees it: whole, self-contained, escaped, and silent about what is not there."""

import math
import re
from html.parser import HTMLParser

import pytest

from edge_ai.optimization.report import write_report

VOID = {"meta", "br", "link", "img", "input", "hr"}
NASTY = "<b>\"a\" & 'b'</b>"


class Page(HTMLParser):
    """Parses, insists on balanced tags, and keeps the text, the attributes and what stands in each section."""

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.attributes, self.words, self.heads = [], [], [], [], []
        self.feed(source)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)
            if "h2" in self.open:
                self.heads.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def variant(name="original", **changes):
    original = name == "original"
    estimate = {"value": 1.5, "low": 1.4, "high": 1.6}
    return {
        "name": name,
        "precision": "float32" if original else "int8",
        "size": 12_000_000 if original else 3_000_000,
        "accuracy": {"value": 0.312, "low": 0.30, "high": 0.32},
        "loss": None if original else {"value": 0.004, "low": -0.001, "high": 0.009},
        "latency_ms": {"p50": 15.0, "low": 14.8, "high": 15.3, "p99": 20.0},
        "speedup": None if original else estimate,
        "energy_mj": None,
        "cpu_ms": 30.0,
        "flops": 1_200_000_000,
        "parameters": 3_800_000,
        "pareto": True,
        "shipped": not original,
        "reasons": [],
        **changes,
    }


@pytest.fixture
def data():
    return {
        "title": "model 1.0: static INT8",
        "command": "edge-ai quantize model.yaml",
        "made": "2026-11-25T20:41:00+00:00",
        "machine": {"processor": "some CPU"},
        "verdict": {"shipped": True, "reasons": ["loses 0.4 points, at most 1 is allowed"]},
        "data": {"pictures": 53, "labels": "truth.json", "calibration": 32, "notes": ["no picture twice"]},
        "metric": {"name": "AP50-95", "agreement": False},
        "variants": [variant(), variant("static INT8")],
        "classes": [{"name": "person", "labelled": 12, "before": 0.5, "after": 0.4}],
        "sensitivity": [{"layer": "conv1", "operator": "Conv", "error": 0.02, "weights": 9, "kept": True}],
        "layers": [{"name": "conv1", "operator": "Conv", "before": "float32", "after": "int8"}],
        "goals": [{"name": "latency, ms", "value": 15.0, "bound": 20.0, "better": "lower", "met": True}],
        "notes": ["no VNNI here"],
    }


def test_the_verdict_and_the_figures_stand_in_the_page(data):
    page = Page(write_report(data))
    assert page.heads[0] == "Shipped: static INT8"
    assert "4.00 times smaller, 1.50 times as fast, loses 0.4 points of AP50-95." in page.text
    assert "31.20 % \u2192 31.20 %" in page.text
    assert "12.0 MB \u2192 3.00 MB" in page.text
    assert "2026-11-25 20:41 UTC \u00b7 53 pictures" in page.text
    assert "edge-ai quantize model.yaml" in page.text
    assert page.heads[1:] == [
        "Variants",
        "Goals",
        "Class by class",
        "Sensitivity of the layers",
        "Layers changed",
        "Notes",
        "How this was measured",
    ]


def test_a_refusal_says_why_and_that_the_original_stays(data):
    data["verdict"] = {"shipped": False, "reasons": ["loses 3.1 points, at most 1 is allowed"]}
    data["variants"][1]["shipped"] = False
    source = write_report(data)
    page = Page(source)
    assert page.heads[0] == "Refused: static INT8"
    assert 'class="verdict refused"' in source
    assert "loses 3.1 points, at most 1 is allowed" in page.text
    assert "the original stays" in page.text


def test_a_loss_that_is_a_gain_is_called_one(data):
    data["variants"][1]["loss"] = {"value": -0.012, "low": -0.02, "high": -0.001}
    assert "gains 1.20 points of AP50-95" in Page(write_report(data)).text


def test_nothing_is_loaded_from_anywhere(data):
    source = write_report(data)
    page = Page(source)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", source)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "srcset"} & {name for name, _ in page.attributes}
    assert "prefers-color-scheme: dark" in source


def test_every_text_is_escaped(data):
    def spoil(value):
        if isinstance(value, dict):
            return {key: spoil(one) for key, one in value.items()}
        if isinstance(value, list):
            return [spoil(one) for one in value]
        return value + NASTY if isinstance(value, str) and value not in ("original", "lower") else value

    spoiled = spoil(data)
    spoiled["machine"] = {NASTY: NASTY}
    page = Page(write_report(spoiled))
    kept = {"b"} & set(page.tags)
    assert page.tags.count("b") == 3, kept  # those of the tiles
    assert page.text.count(NASTY) > 15
    assert any(name == "data-label" and NASTY in value for name, value in page.attributes)


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf])
def test_what_was_not_measured_is_called_so(data, nothing):
    data["variants"][1].update(cpu_ms=nothing, accuracy={"value": nothing, "low": nothing, "high": nothing})
    data["classes"][0]["after"] = nothing
    data["sensitivity"].append({"layer": "conv2", "operator": "Conv", "error": nothing, "weights": 9, "kept": False})
    data["goals"][0].update(value=nothing, met=False)
    page = Page(write_report(data))
    assert not re.search(r"\b(nan|inf|None)\b", page.text, re.IGNORECASE)
    assert page.text.count("not measured") >= 5
    assert "Not measured: energy." in page.text


def test_what_is_measured_of_some_variant_has_a_column(data):
    data["variants"][1]["energy_mj"] = 41.0
    page = Page(write_report(data))
    assert ("data-label", "energy") in page.attributes
    assert "41.0 mJ" in page.text
    assert "Not measured" not in page.text


SECTIONS = {
    "variants": "Variants",
    "classes": "Class by class",
    "sensitivity": "Sensitivity of the layers",
    "layers": "Layers changed",
    "goals": "Goals",
    "notes": "Notes",
}


@pytest.mark.parametrize("key", ["title", "made", "command", "machine", "verdict", "data", "metric", *SECTIONS])
@pytest.mark.parametrize("how", ["missing", "empty"])
def test_a_section_without_data_is_left_out(data, key, how):
    if how == "missing":
        del data[key]
    else:
        data[key] = type(data[key])()
    page = Page(write_report(data))
    assert SECTIONS.get(key) not in page.heads
    assert "None" not in page.text


def test_a_page_of_nothing_is_still_a_page():
    page = Page(write_report({}))
    assert page.heads == []
    assert page.text == "Report Report"


@pytest.mark.parametrize("key", ["loss", "latency_ms", "accuracy", "size", "speedup", "reasons", "pareto", "shipped"])
def test_a_variant_may_lack_anything(data, key):
    for one in data["variants"]:
        del one[key]
    Page(write_report(data))


def test_agreement_is_not_called_accuracy(data):
    data["metric"]["agreement"] = True
    data["data"]["labels"] = None
    text = Page(write_report(data)).text
    assert "AP50-95 against the original" in text
    assert "what the original model answers" in text


def test_only_the_worst_of_many_layers_and_classes_are_drawn_and_all_are_in_the_tables(data):
    data["sensitivity"] = [
        {"layer": f"net/block{i}/Conv", "operator": "Conv", "error": i / 100, "weights": 1, "kept": i > 97}
        for i in range(100)
    ]
    data["classes"] = [{"name": f"class{i}", "labelled": 1, "before": 0.5, "after": 0.5 - i / 200} for i in range(80)]
    source = write_report(data)
    page = Page(source)
    assert "the worst 30 of 100 layers; 2 kept" in page.text
    drawn = re.findall(r'<text class="label"[^>]*>(block\d+/Conv)</text>', source)
    assert drawn == [f"block{i}/Conv" for i in range(99, 69, -1)]
    assert source.count('class="bar kept"') == 2
    assert "the 30 of 80 that lost most" in page.text
    assert all(f"class{i} " in page.text for i in range(80))


def test_of_several_that_would_do_the_chosen_one_is_shipped(data):
    data["variants"].append(variant("float16", size=6_000_000))
    data["verdict"]["variant"] = "float16"
    source = write_report(data)
    page = Page(source)
    assert page.heads[0] == "Shipped: float16"
    assert "2.00 times smaller" in page.text
    assert page.text.count("would do, another is better") == 1
    assert source.count('<tr class="chosen">') == 1
    data["verdict"] = {"shipped": False, "reasons": ["slower"], "variant": "float16"}
    data["variants"][2]["shipped"] = False
    assert Page(write_report(data)).heads[0] == "Refused: float16"


def test_further_measures_and_the_source_of_the_pictures_are_told(data):
    data["variants"][1]["extra"] = {"AP50": 0.512, "AP75": None}
    data["data"]["source"] = "street.avi"
    text = Page(write_report(data)).text
    assert "AP50 51.2" in text
    assert "AP75" not in text
    assert "53 of street.avi" in text
