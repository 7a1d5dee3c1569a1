"""Updates where keys are configured: signed sets take over, nothing else does, and no restart goes back."""

from datetime import datetime, timedelta, timezone

import pytest
from swap_models import make
from under_load import Load, until

from edge_ai.core.errors import ArtifactError
from edge_ai.deployment.artifacts.keys import PrivateKey
from edge_ai.deployment.artifacts.make import make_set
from edge_ai.deployment.artifacts.trust import Trust
from edge_ai.optimization.signing import Belongings, sources
from edge_ai.runtime.params import InferenceParams
from edge_ai.runtime.swap.hot_swap import HotSwap
from edge_ai.runtime.swap.status import SwapState


@pytest.fixture
def sign(tmp_path):
    release = PrivateKey.make()
    (tmp_path / "release.pub").write_bytes(release.public.pem)

    def sign(version, **how):
        folder = tmp_path / f"set-{version}"
        card = make(tmp_path / f"model-{version}", version=str(version), **how)
        make_set(
            sources(card, Belongings()),
            folder,
            [release],
            name="colours",
            version=version,
            expires=datetime.now(timezone.utc) + timedelta(days=1),
            targets=["any"],
        )
        return folder

    return sign


@pytest.fixture
def started(tmp_path, swap_params, request):
    """A node that was launched with a set, as after every start."""

    def start(model, **swap):
        trust = {"trusted_keys": [str(tmp_path / "release.pub")], "artifact_store": str(tmp_path / "store")}
        made = HotSwap(InferenceParams(model=str(model), warm_up=1, **trust), swap_params.changed(**swap))
        request.addfinalizer(made.close)
        made.open()
        return made

    return start


def test_a_signed_set_takes_over_and_a_restart_begins_with_it(sign, started):
    """The launch still names the old set, which is refused by now: that must not keep the robot from starting."""
    old, new = sign(1), sign(2, gain=9.0)
    swap = started(old)
    with Load(swap).running() as load:
        swap.stage(new)
        swap.switch()
        load.wait(lambda: load.versions["2"] > 0)
        until(lambda: swap.status.state is SwapState.IDLE)
    load.check()
    assert "proved itself" in swap.status.message
    swap.close()
    again = started(old)
    assert again.status.active == "colours 2"
    with pytest.raises(ArtifactError, match="an older version; wanted 2"):
        again.stage(old)


def test_a_power_cut_before_the_set_is_confirmed_leaves_no_way_back(sign, started, monkeypatch):
    old, new = sign(1), sign(2, gain=9.0)
    with monkeypatch.context() as patch:
        patch.setattr(Trust, "confirm", lambda *_: None)
        swap = started(old, trial=False)
        with Load(swap).running():
            swap.stage(new)
            swap.switch()
            until(lambda: swap.status.state is SwapState.IDLE)
        swap.close()
    again = started(old)
    assert again.status.active == "colours 2"
    with pytest.raises(ArtifactError, match="an older version; wanted 2"):
        again.stage(old)


def test_what_is_not_signed_is_not_even_tried(sign, started, tmp_path):
    swap = started(sign(1))
    for path in (make(tmp_path / "plain", version="2"), tmp_path / "plain"):
        with pytest.raises(ArtifactError, match="edge-ai sign"):
            swap.stage(path)
    assert swap.status.active == "colours 1"


def test_an_update_that_was_taken_back_leaves_the_older_set_allowed(sign, started):
    old = sign(1)
    swap = started(old, trial=False)
    with Load(swap).running():
        swap.stage(sign(2, gain=9.0))
        swap.switch()
        swap.roll_back("a test")
    swap.close()
    assert started(old).status.active == "colours 1"


def test_a_launch_with_a_newer_set_leaves_no_way_back(sign, started):
    old, new = sign(1), sign(2)
    started(old).close()
    started(new).close()
    with pytest.raises(ArtifactError, match="an older version; wanted 2"):
        started(old)
