"""Whole runs of the workshop on a small real model."""

import dataclasses
import json
import os

import numpy as np
import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.evaluation.budget import Budget
from edge_ai.optimization import ladder
from edge_ai.optimization.comparing import compare_models
from edge_ai.optimization.judging.measure import open_model
from edge_ai.optimization.judging.trial import Job
from edge_ai.optimization.ladder import optimize
from edge_ai.optimization.progress import Made
from edge_ai.optimization.workshop import prune_model, quantize
from edge_ai.processing.card import ModelCard
from edge_ai.runtime.agreement import card_feeds
from edge_ai.runtime.model import backend_for
from edge_ai.runtime.params import InferenceParams


@pytest.fixture
def job(colour_data):
    card, pictures, labels = colour_data
    return Job(ModelCard.load(card), str(pictures), labels, Budget(max_loss=0.05), calibration=6, rounds=3)


IMPOSSIBLE = Budget(max_loss=0.0, class_loss=0.0)


def read(folder, name="report.json"):
    return json.loads((folder / name).read_text())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("method", "file"),
    [("static", "colours_int8"), ("dynamic", "colours_int8_dynamic"), ("fp16", "colours_fp16")],
)
def test_a_quantised_model_is_shipped_with_its_card_and_report(job, tmp_path, method, file):
    output = tmp_path / "out"
    outcome = quantize(job, output, method=method)
    assert outcome.shipped
    assert names(output) == sorted([f"{file}.onnx", f"{file}.yaml", "report.html", "report.json"])
    card = ModelCard.load(output / f"{file}.yaml")
    open_model(card).close()
    assert card.model_path.stat().st_size < job.card.model_path.stat().st_size
    assert "by edge_ai" in card.source
    data = read(output)
    assert data == {**outcome.data, "files": [f"{file}.onnx", f"{file}.yaml"]}
    assert all(goal["met"] for goal in data["goals"])
    assert (output / "report.html").read_text().startswith("<!doctype html>")
    assert bool(data["sensitivity"]) is (method == "static")


def test_an_int8_model_answers_the_same_in_every_session(job, tmp_path):
    """ONNX Runtime 1.21 to 1.24 do not on processors with AMX, see edge_ai.backends.onnxrt_faults."""
    quantize(job, tmp_path / "out", method="static", sensitivity=False)
    card = ModelCard.load(tmp_path / "out" / "colours_int8.yaml")
    feeds, answers, backends = list(card_feeds(card)), [], []
    for threads in (1, 2) * 10:
        backend = backend_for(card.model_path, card, InferenceParams(backend="onnxruntime", threads=threads))
        backend.activate(card.model_path)
        backends.append(backend)  # each has memory of its own
        answers.append(np.stack([backend.infer(feed)["classes"] for feed in feeds]))
    for backend in backends:
        backend.deactivate()
    assert max(np.abs(answer - answers[0]).max() for answer in answers) < 1e-4


def test_what_the_gate_refuses_is_not_shipped(job, tmp_path):
    output = tmp_path / "out"
    refused = dataclasses.replace(job, budget=Budget(max_loss=0.0, class_loss=0.0))
    outcome = prune_model(refused, output, method="magnitude", amount=0.99)
    assert not outcome.shipped
    assert names(output) == ["report.html", "report.json"]
    assert not read(output)["verdict"]["shipped"]
    assert not all(goal["met"] for goal in read(output)["goals"])


def test_a_refusal_leaves_what_was_shipped_before(job, tmp_path):
    output = tmp_path / "out"
    assert quantize(job, output, method="fp16").shipped
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    refused = dataclasses.replace(job, budget=IMPOSSIBLE)
    assert not prune_model(refused, output, method="unstructured", amount=0.99).shipped
    after = {path.name: path.read_bytes() for path in output.iterdir()}
    assert {name: after[name] for name in before} == before
    assert sorted(after.keys() - before.keys()) == ["refused.html", "refused.json"]


def test_sensitive_layers_are_left_in_float_until_the_budget_holds(job, tmp_path, monkeypatch):
    real, judged = Budget.holds, []

    def strict(budget, found):  # as if only the third attempt were accurate enough
        judged.append(real(budget, found))
        return len(judged) >= 3

    monkeypatch.setattr(Budget, "holds", strict)
    outcome = quantize(job, tmp_path / "out", method="static", sensitivity=False)
    kept = [layer["layer"] for layer in outcome.data["sensitivity"] if layer["kept"]]
    errors = {layer["layer"]: layer["error"] for layer in outcome.data["sensitivity"]}
    assert len(judged) == 3
    assert len(kept) == 2
    assert min(errors[name] for name in kept) >= max(error for name, error in errors.items() if name not in kept)
    assert not set(kept) & {layer["name"] for layer in outcome.data["layers"]}, "they are not quantised"


def test_channels_are_really_removed(job, tmp_path):
    lenient = dataclasses.replace(job, budget=Budget(max_loss=1, class_loss=1))
    outcome = prune_model(lenient, tmp_path / "out", method="structured", amount=0.4)
    original, pruned = outcome.data["variants"]
    assert pruned["parameters"] < 0.8 * original["parameters"]
    assert pruned["flops"] < original["flops"]


class Interrupter:
    """Interrupts at the n-th word of progress."""

    def __init__(self, after):
        self.left = after
        self.count = 0

    def __call__(self, *_):
        self.count += 1
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_an_interrupt_at_any_moment_leaves_nothing(job, tmp_path):
    quick = dataclasses.replace(job, calibration=2)
    counted = Interrupter(0)
    quantize(quick, tmp_path / "whole", method="static", progress=counted)
    for moment in sorted({1, counted.count // 4, counted.count // 2, 3 * counted.count // 4, counted.count}):
        with pytest.raises(KeyboardInterrupt):
            quantize(quick, tmp_path / "out", method="static", progress=Interrupter(moment))
        assert names(tmp_path) == ["whole"]


def test_a_full_disk_leaves_nothing(job, tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EdgeAIError, match=r"(?i)disk|space"):
        quantize(job, tmp_path / "out", method="fp16")
    assert names(tmp_path) == []


def test_two_models_are_compared_and_nothing_is_shipped(job, tmp_path):
    output = tmp_path / "half"
    quantize(job, output, method="fp16")
    other = ModelCard.load(output / "colours_fp16.yaml")
    outcome = compare_models(job, other)
    assert outcome.shipped
    assert outcome.data["variants"][1]["size"] == other.model_path.stat().st_size
    assert names(tmp_path) == ["half"]
    compare_models(job, other, tmp_path / "report")
    assert names(tmp_path / "report") == ["comparison.html", "comparison.json"]


def test_models_that_do_not_do_the_same_are_not_compared(job):
    other = job.card.changed(labels=["cyan", "magenta", "yellow"])
    with pytest.raises(EdgeAIError, match="other class names"):
        compare_models(dataclasses.replace(job, labels=None), other)


def test_the_ladder_ships_what_nothing_beats(job, tmp_path):
    output = tmp_path / "out"
    outcome = optimize(job, output, names=["fp16", "int8_minmax", "pruned30"], target="orin_nano_8")
    data = read(output)
    assert outcome.shipped
    shipped = [row["folder"] for row in data["variants"] if row["folder"]]
    assert names(output) == sorted([*shipped, "report.html", "report.json"])
    assert data["recommended"] in shipped
    for folder in shipped:
        (card,) = (output / folder).glob("*.yaml")
        open_model(ModelCard.load(card)).close()
    assert all(row["forecast"]["low"] < row["forecast"]["fps"] < row["forecast"]["high"] for row in data["variants"])
    assert "Orin Nano" in " ".join(data["notes"])
    again = optimize(job, output, names=["fp16"])
    assert again.shipped
    assert names(output) == ["fp16", "report.html", "report.json"]


def test_a_variant_that_does_not_run_costs_the_ladder_only_itself(job, tmp_path, monkeypatch):
    from edge_ai.optimization import rungs

    def broken(trial, path, _progress):
        path.write_bytes(b"no model")
        return Made(path)

    good = rungs.rungs()
    monkeypatch.setattr(ladder, "rungs", lambda: {"broken": rungs.Rung("broken", "fp32", broken), "fp16": good["fp16"]})
    outcome = optimize(job, tmp_path / "out")
    assert outcome.shipped
    assert names(tmp_path / "out") == ["fp16", "report.html", "report.json"]
    assert any(note.startswith("broken: ") for note in outcome.data["notes"])
    with pytest.raises(EdgeAIError, match="one at least"):
        optimize(job, tmp_path / "none", names=["broken"])


def test_int8_is_left_out_for_boards_that_have_no_units_for_it(job, tmp_path):
    outcome = optimize(job, tmp_path / "out", names=["fp16", "int8_minmax"], target="nano")
    assert [row["name"] for row in outcome.data["variants"]] == ["original", "FP16"]
    assert any("left out" in note for note in outcome.data["notes"])


@pytest.mark.parametrize(("change", "said"), [({"names": ["int3"]}, "int3"), ({"target": "toaster"}, "toaster")])
def test_unknown_rungs_and_boards_are_refused_before_any_work(job, tmp_path, change, said):
    with pytest.raises(EdgeAIError, match=said):
        optimize(job, tmp_path / "out", **change)
    assert names(tmp_path) == []
