"""After a crash, whenever it comes, a node goes on with the model that was confirmed last."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from swap_models import make
from under_load import Load, until

from edge_ai.core.errors import DeploymentError
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.kept import KeptModel
from edge_ai.runtime.swap.status import SwapState
from edge_ai.runtime.variants import Variants

PROGRAM = """
import sys
sys.path.append(sys.argv[1])
from pathlib import Path
from under_load import Load
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.params import SwapParams

params = InferenceParams(model=sys.argv[2])
how = SwapParams(state_folder=sys.argv[4], latency_budget=1.0, shadow_frames=3, shadow_share=1.0, probation=3600.0)
swap = HotSwap(params, how)
swap.open()
with Load(swap).running() as load:
    swap.stage(Path(sys.argv[3]))
    swap.switch()
    load.wait(lambda: load.versions["2"] > 0)
    print(swap.status.state.value, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def swap_params(swap_params):
    """Trials cost seconds, and have tests of their own."""
    return swap_params.changed(trial=False)


@pytest.fixture
def active_in(swap_params, request):
    """The model that a node begins with which finds such a state folder."""

    def look(folder, card):
        swap = HotSwap(InferenceParams(model=str(card), warm_up=0), swap_params.changed(state_folder=str(folder)))
        request.addfinalizer(swap.close)
        swap.open()
        return swap.status.active

    return look


def confirm(swap, card):
    with Load(swap).running():
        swap.stage(card)
        swap.switch()
        until(lambda: swap.status.state is SwapState.IDLE)


def test_a_power_cut_in_any_state_leaves_the_model_confirmed_last(opened, active_in, tmp_path, swap_params):
    """What a node finds is the state folder as it was; it is copied at every change."""
    swap, first, two = opened(), tmp_path / "one" / "model.yaml", make(tmp_path / "two", version="2", gain=9.0)
    left = {}

    def copy(status):
        folder = tmp_path / "left" / f"{status.state.value}-{status.active}"
        if not folder.exists():
            shutil.copytree(swap_params.state_folder, folder) if Path(swap_params.state_folder).exists() else None
            left[status.state, status.active] = folder

    swap._board._on_change = copy
    confirm(swap, two)
    begins = {at: active_in(folder, first) for at, folder in left.items()}
    assert {state for state, _ in begins} == set(SwapState)
    assert begins.pop((SwapState.IDLE, "colours 2")) == "colours 2"
    assert set(begins.values()) == {"colours 1"}


def test_a_node_that_is_killed_in_probation_comes_back_with_the_model_before(active_in, tmp_path):
    first, two = make(tmp_path / "one"), make(tmp_path / "two", version="2", gain=9.0)
    here, state = Path(__file__).parents[1], tmp_path / "state"
    node = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, here, first, two, state],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdout.readline() == "probation\n"
    node.send_signal(signal.SIGKILL)
    node.wait()
    assert active_in(state, first) == "colours 1"


CRASHES = """
import os, sys
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.params import SwapParams
from edge_ai.runtime.variants import Variants

load = Variants.open
Variants.open = lambda self: os.abort() if "two" in str(self.choices[0].path) else load(self)
swap = HotSwap(InferenceParams(model=sys.argv[1], warm_up=0), SwapParams(state_folder=sys.argv[2]))
swap.open()
print(swap.status.active)
"""


def test_a_confirmed_model_that_crashes_each_start_gives_way_to_the_one_launched(
    opened, active_in, tmp_path, swap_params
):
    """A driver was updated, say: what ran yesterday ends the process while it is loaded."""
    confirm(opened(), make(tmp_path / "two", version="2", gain=9.0))
    first, state = tmp_path / "one" / "model.yaml", Path(swap_params.state_folder)

    def start():
        command = [sys.executable, "-c", CRASHES, first, state]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert [start().returncode for _ in range(2)] == [-signal.SIGABRT] * 2
    assert active_in(state, first) == "colours 2", "twice may be the power, and it counts afresh"
    assert [start().returncode for _ in range(3)] == [-signal.SIGABRT] * 3
    fourth = start()
    assert (fourth.returncode, fourth.stdout) == (0, "colours 1\n")
    assert "has ended the process 3 times in a row" in fourth.stderr
    assert active_in(state, first) == "colours 1", "until somebody says otherwise"
    (state / "loading").unlink()
    assert active_in(state, first) == "colours 2"


def test_whoever_ends_a_node_while_it_loads_does_not_count(opened, active_in, tmp_path, swap_params, monkeypatch):
    confirm(opened(), make(tmp_path / "two", version="2", gain=9.0))
    first, state = tmp_path / "one" / "model.yaml", Path(swap_params.state_folder)
    with monkeypatch.context() as patch:
        patch.setattr(Variants, "open", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        for _ in range(4):
            with pytest.raises(KeyboardInterrupt):
                active_in(state, first)
    assert active_in(state, first) == "colours 2"


def test_the_next_confirmed_model_is_not_blamed_for_the_one_before(opened, active_in, tmp_path, swap_params):
    first, state = make(tmp_path / "one"), Path(swap_params.state_folder)
    state.mkdir(parents=True, exist_ok=True)
    (state / "loading").write_text("3\n")
    confirm(opened(), make(tmp_path / "two", version="2", gain=9.0))
    assert active_in(state, first) == "colours 2"


def test_a_launch_with_another_model_wins_over_the_one_that_was_confirmed(opened, active_in, tmp_path, swap_params):
    confirm(opened(), make(tmp_path / "two", version="2", gain=9.0))
    first, state = tmp_path / "one" / "model.yaml", swap_params.state_folder
    assert active_in(state, first) == "colours 2"
    assert active_in(state, make(tmp_path / "three", version="3")) == "colours 3"
    assert active_in(state, first) == "colours 1", "it is forgotten"


def test_a_new_file_behind_the_same_launch_wins_too(opened, active_in, tmp_path, swap_params):
    confirm(opened(), make(tmp_path / "two", version="2", gain=9.0))
    first = make(tmp_path / "one", version="1.1", gain=7.0)
    assert active_in(swap_params.state_folder, first) == "colours 1.1"


@pytest.mark.parametrize("damage", ["its file is gone", "its file is another", "half of it", "other keys"])
def test_what_cannot_be_loaded_any_more_leaves_the_model_of_the_launch(
    opened, active_in, tmp_path, swap_params, damage, caplog
):
    confirm(opened(), make(tmp_path / "two", version="2", gain=9.0))
    kept = Path(swap_params.state_folder) / "confirmed.json"
    if damage == "its file is gone":
        (tmp_path / "two" / "model.onnx").unlink()
    elif damage == "its file is another":
        (tmp_path / "two" / "model.onnx").write_bytes(b"another")
    else:
        kept.write_text(kept.read_text()[:40] if damage == "half of it" else json.dumps({"card": "x"}))
    assert active_in(swap_params.state_folder, tmp_path / "one" / "model.yaml") == "colours 1"
    assert "the one that was launched serves" in caplog.text or "model that was launched serves" in caplog.text


def test_a_disk_that_refuses_is_told(opened, tmp_path, swap_params):
    Path(swap_params.state_folder).write_text("a file where the folder should be")
    swap = opened()
    confirm(swap, make(tmp_path / "two", version="2", gain=9.0))
    assert swap.status.active == "colours 2"
    assert "a restart may begin with another model" in swap.status.message
    with pytest.raises(DeploymentError, match=r"set swap\.state_folder"):
        KeptModel(swap_params.state_folder).keep(swap._now.active)
