"""Turns of sides that are made up; nothing is measured here."""

import math

import pytest

from benchmarks.realtime import rounds
from benchmarks.realtime.bench import Bench
from benchmarks.sides.replay import SYNTHETIC
from benchmarks.topic import Context, Report


def answer(period, *, cpu=0.0, others=0.0, count=5, seconds=1.0):
    instants = [i * period for i in range(count)]
    ages = [period] * count
    return {"instants": instants, "ages": ages, "cpu_s": cpu, "others_cores": others, "seconds": seconds}


def test_figures_of_an_answer():
    found = rounds.figures(answer(0.02, cpu=0.5, seconds=2.0))
    assert found["results_per_s"] == pytest.approx(50)
    assert found["cpu_ms_per_result"] == pytest.approx(5)
    assert (found["p50_ms"], found["p99_ms"]) == (pytest.approx(20), pytest.approx(20))


def test_a_turn_without_a_result_speaks_against_its_side():
    none = {**answer(0.02, cpu=0.1, others=0.2), "instants": [], "ages": []}
    found = rounds.Rounds({"ours": [none], "theirs": [answer(0.02, cpu=0.1)]}, [0], 0.0)
    assert found.ratio("ours", "theirs", "results_per_s") == 0
    assert found.ratio("ours", "theirs", "p99_ms") == math.inf
    assert found.ratio("ours", "theirs", "cpu_ms_per_result") == math.inf
    assert found.ratio("theirs", "ours", "p99_ms") == 0


def test_sides_are_compared_within_a_round_and_only_calm_rounds_count():
    ours = [answer(0.02), answer(0.04), answer(0.01), answer(1.0, others=1.0)]
    theirs = [answer(0.04), answer(0.08), answer(0.02), answer(0.1)]
    found = rounds.Rounds({"ours": ours, "theirs": theirs}, [0, 1, 2], 0.0)
    assert found.ratio("ours", "theirs", "results_per_s") == pytest.approx(2)
    assert sorted(set(found.pooled("ours", "ages"))) == [0.01, 0.02, 0.04]
    summary = found.summary("ours")
    assert summary["results_per_s"] == pytest.approx(50)
    assert summary["age_ms"]["n"] == 15
    assert len(summary["results_per_s_by_round"]) == 4


def test_every_side_has_its_turn_in_both_orders_and_the_first_round_only_warms_up(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "_IDLE", 0.01)
    asked, said = [], []

    def side(name, disturbed):
        def turn(warm, seconds):
            asked.append((name, warm, seconds))
            return {key: value for key, value in answer(0.02, others=disturbed.pop(0)).items() if key != "seconds"}

        return turn

    turns = {"a": side("a", [9.0, 0.0, 0.9, 0.0, 0.0]), "b": side("b", [0.0] * 5)}
    bench = Bench(Context(True, tmp_path, said.append), Report(), SYNTHETIC, tmp_path / "log")
    found = rounds.run(bench, "part", turns, count=4, warm=0.1, seconds=2.0)
    assert [name for name, *_ in asked] == list("abbaabbaab")
    assert set(asked) == {("a", 0.1, 2.0), ("b", 0.1, 2.0)}
    assert len(found.answers["a"]) == len(said) == 4
    assert found.judged == [0, 2, 3]
    assert found.idle_cores >= 0


def test_no_round_begins_when_the_time_is_up(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "_IDLE", 0.01)
    now, said = [0.0], []
    context = Context(True, tmp_path, said.append, clock=lambda: now[0], began=0.0)

    def turn(_warm, _seconds):
        now[0] += context.limit / 2
        return answer(0.02)

    bench = Bench(context, Report(), SYNTHETIC, tmp_path / "log")
    found = rounds.run(bench, "part", {"a": turn}, count=5, warm=0.0, seconds=1.0)
    assert len(found.answers["a"]) == 1  # the second turn, after that which warmed up, ended at the limit
    assert "no time for more than 1 of 5 rounds" in said[-1]
