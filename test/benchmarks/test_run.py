"""The machinery from the command line to the report, with topics made for the purpose."""

import json
import sys

import pytest

from benchmarks.__main__ import main
from benchmarks.registry import TOPICS
from benchmarks.topic import Context

TOPIC = """
from benchmarks.goals import Goal


def measure(context, report):
    context.say("measuring")
    report.results["seconds"] = context.pick(1, 10)
    report.goals += [Goal("good", 1.0, 0.95, "higher"), Goal("bad", 3.0, 2.5, "lower")]


def broken(context, report):
    report.results.update(half=1, rates=[float("nan"), 2.0])
    report.goals.append(Goal("gone", None, 1, "lower"))
    report.failures.append("second half: the node died")
"""


@pytest.fixture(autouse=True)
def _artificial_topics(tmp_path, monkeypatch):
    (tmp_path / "artificial_topic.py").write_text(TOPIC)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "artificial_topic", raising=False)
    entries = {"artificial": "artificial_topic:measure", "broken": "artificial_topic:broken"}
    monkeypatch.setattr(TOPICS, "_entries", entries)


def report(folder, name):
    return json.loads((folder / f"{name}.json").read_text())


def test_a_topic_ends_with_its_report_and_a_missed_goal_is_no_failure(tmp_path, capsys):
    assert main(["--only", "artificial", "--quick", "--out", str(tmp_path / "out")]) == 0
    written = report(tmp_path / "out", "artificial")
    assert {"machine", "results", "goals"} <= set(written)
    assert written["results"] == {"seconds": 1}
    assert [(goal["name"], goal["met"]) for goal in written["goals"]] == [("good", True), ("bad", False)]
    assert all({"name", "value", "bound", "better"} <= set(goal) for goal in written["goals"])
    shown = capsys.readouterr().out
    assert "artificial: measuring" in shown
    assert "MISSED" in shown
    assert "1 of 2 goals met, 1 missed" in shown


def test_a_part_that_did_not_run_is_told_and_the_rest_is_kept(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 1
    written = report(tmp_path, "broken")
    assert written["results"] == {"half": 1, "rates": [None, 2]}
    assert written["failures"] == ["second half: the node died"]
    assert written["goals"][0]["met"] is False
    assert "NOT RUN  second half: the node died" in capsys.readouterr().out
    assert report(tmp_path, "artificial")["results"] == {"seconds": 10}


def test_an_unknown_topic_is_refused_by_name(capsys):
    assert main(["--only", "nonsense"]) == 2
    assert "unknown topic: got 'nonsense'; wanted one of artificial, broken" in capsys.readouterr().err


def test_time_for_another_round_is_up_at_a_part_of_the_limit(tmp_path):
    now = [100.0]
    context = Context(True, tmp_path, print, clock=lambda: now[0], began=100.0)
    assert context.before(0.5)
    now[0] += context.limit * 0.5
    assert not context.before(0.5)
    assert context.limit == 180
    assert Context(False, tmp_path, print).limit == 1200


def test_parts_are_parts_of_one_topic(capsys):
    with pytest.raises(SystemExit):
        main(["--parts", "peers"])
    assert "--parts needs --only" in capsys.readouterr().err


def test_a_page_is_written_from_the_report_file(tmp_path, monkeypatch):
    def drawn(context, report):
        report.results["parts"] = context.parts
        report.draw = lambda content: f"<p>{content['topic']} {content['results']['parts']}</p>"

    monkeypatch.setattr(TOPICS, "load", lambda name: drawn)
    assert main(["--only", "artificial", "--parts", "a,b", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").read_text() == "<p>artificial ['a', 'b']</p>"
