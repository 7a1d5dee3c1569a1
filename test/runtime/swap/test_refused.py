"""Every way in which a new model can be broken before it answers: it is refused, and nothing else happens."""

import os
import signal
import threading

import cv2
import psutil
import pytest
import yaml
from swap_models import LABELS, make, picture
from under_load import Load, until

from edge_ai.core.errors import EdgeAIError
from edge_ai.core.files import sha256_of
from edge_ai.runtime.model import Model
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap import golden, trial_worker
from edge_ai.runtime.swap.status import SwapState
from edge_ai.runtime.variant_cards import Choice


def recard(card, **changes):
    """Change a card, and the sha256 to that of its file."""
    values = yaml.safe_load(card.read_text()) | changes
    values["sha256"] = sha256_of(card.parent / values["file"])
    card.write_text(yaml.safe_dump(values))
    return card


def truncated(folder):
    card = make(folder, version="2")
    data = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(data[: len(data) // 2])
    return card


def with_golden(folder, **how):
    """A model with the golden answers of a good one."""
    good = Model.load(InferenceParams(model=str(make(folder / "good")), warm_up=0))
    pictures = []
    for colour in LABELS:
        pictures.append(folder / f"{colour}.png")
        cv2.imwrite(str(pictures[-1]), picture(colour))
    golden.record(good, pictures, folder / "golden")
    good.close()
    return make(folder, version="2", **how)


def fifo(folder):
    card = make(folder, version="2")
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")
    return card


def other_input(folder):
    card = make(folder, version="2")
    return recard(card, input=yaml.safe_load(card.read_text())["input"] | {"size": [32, 32]})


BROKEN = {
    "no such card": (lambda folder: folder / "none.yaml", "none.yaml"),
    "another file than the card says": (truncated, "sha256"),
    "half a file": (lambda folder: recard(truncated(folder)), "cannot be loaded"),
    "a pipe that nobody writes to": (fifo, "no end; wanted one within"),
    "another input": (other_input, "correct the 'input' of its card"),
    "other labels": (lambda folder: make(folder, version="2", card={"labels": ["a", "b", "c"]}), "other labels"),
    "another model of the same version": (lambda folder: make(folder, gain=3.0), "another version"),
    "NaN": (lambda folder: make(folder, version="2", does="nan"), "NaN"),
    "an error each time": (lambda folder: make(folder, version="2", does="raise"), "ONNX Runtime failed"),
    "an inference without an end": (lambda folder: make(folder, version="2", does="hang"), "did not end within"),
    "all the memory": (lambda folder: make(folder, version="2", does="hog"), "MiB of memory"),
    "other answers than the golden ones": (lambda folder: with_golden(folder, does="turned"), "golden answers failed"),
    "too slow": (lambda folder: make(folder, version="2", does="slow", turns=100_000), "latency failed"),
}
ENDLESS = ("a pipe that nobody writes to", "an inference without an end")
FRAMELESS = {"no live frames": (lambda folder: make(folder, version="2"), "0 of 10 live frames in 1 s: too few")}
LIVE = {
    "always the same": (lambda folder: make(folder, version="2", does="constant"), "shadow failed: agreement 0."),
    "right on golden pictures, wrong on live ones": (
        lambda folder: with_golden(folder, does="turned", when="marked"),
        "shadow failed: agreement 0.0",
    ),
    "an error on live frames": (
        lambda folder: make(folder, version="2", does="raise", when="marked"),
        "fails on a live frame",
    ),
}


@pytest.fixture
def quick(swap_params):
    return swap_params.changed(trial_timeout=8.0, trial_memory=400, shadow_timeout=1.0, latency_budget=0.02)


def refused(swap, path):
    with pytest.raises(EdgeAIError) as caught:
        swap.stage(path)
    assert swap.status.state is SwapState.IDLE
    assert swap.status.message == str(caught.value)
    assert (swap.status.active, swap.status.candidate, swap.status.switches) == ("colours 1", "", 0)
    assert swap._retiring.wait(10) == "", "nothing of it is left"
    return str(caught.value)


def trials():
    """The processes that try a model; tests before may have left others of their own."""
    return [child for child in psutil.Process().children() if "trial_worker" in " ".join(child.cmdline())]


@pytest.mark.parametrize("name", [*BROKEN, *FRAMELESS])
def test_a_broken_model_is_refused_before_it_sees_a_frame(opened, quick, tmp_path, name):
    make_it, words = (BROKEN | FRAMELESS)[name]
    swap = opened(quick.changed(trial_timeout=3.0) if name in ENDLESS else quick)
    folder = tmp_path / "two"
    folder.mkdir()
    path = make_it(folder)
    if "pipe" in name:
        threading.Timer(4.0, lambda: os.close(os.open(folder / "model.onnx", os.O_WRONLY | os.O_NONBLOCK))).start()
    assert words in refused(swap, path)
    assert not trials()


@pytest.mark.parametrize("name", LIVE)
def test_a_model_that_sees_other_things_is_refused_in_the_shadow(opened, swap_params, tmp_path, name):
    make_it, words = LIVE[name]
    swap = opened(swap_params)
    with Load(swap).running() as load:
        load.marked = True
        assert words in refused(swap, make_it(tmp_path / "two"))
    load.check()
    assert set(load.versions) == {"1"}


def test_a_model_that_crashes_crashes_alone(opened, tmp_path):
    """A crash in native code, as its process sees it."""
    swap = opened()

    def crash():
        until(trials)
        (child,) = trials()
        child.send_signal(signal.SIGSEGV)

    thread = threading.Thread(target=crash)
    thread.start()
    assert "SIGSEGV: it crashed" in refused(swap, make(tmp_path / "two", version="2", does="hang"))
    thread.join()


def test_a_model_that_leaks_is_refused(tmp_path):
    card = make(tmp_path)
    model, leaked = Model.load(InferenceParams(model=str(card), warm_up=0)), []

    def leaking(frame):
        leaked.append(bytearray(os.urandom(1 << 10) * (4 << 10)))
        return model(frame)

    choice = Choice(card, model.card)
    assert not trial_worker._run(leaking, choice).passed
    assert trial_worker._run(model, choice).passed
    model.close()


def test_a_better_model_is_ready_though_it_sees_more(opened, swap_params, tmp_path):
    """The one that serves is wrong on marked frames, a quarter of all."""
    swap = opened(swap_params.changed(shadow_frames=40), does="turned", when="marked")
    with Load(swap).running() as load:
        load.marked = lambda index: index % 4 == 0
        status = swap.stage(make(tmp_path / "two", version="2"))
    assert status.state is SwapState.READY
    assert "agreement 0.7" in status.checks[-1].detail or "agreement 0.8" in status.checks[-1].detail
