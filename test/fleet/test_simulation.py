"""A fleet: every frame ends once, the same seed gives the same run, one robot is what arithmetic says."""

from dataclasses import replace

import numpy as np
import pytest

from edge_ai.core.errors import EdgeAIError, ParameterError
from edge_ai.fleet.calibration import Calibration, load_calibration
from edge_ai.fleet.links import LAN, LTE, LinkKind
from edge_ai.fleet.measures import summarize
from edge_ai.fleet.params import FleetParams
from edge_ai.fleet.simulation import simulate
from edge_ai.fleet.tally import Asked, End, Tally
from edge_ai.routing.params import RouterParams

CALIBRATION = Calibration("test", "test", 0.03, 0.002, 40_000, 0.004, (0.02, 0.03))
QUIET = {"horizon": 12.0, "warm_up": 2.0, "outage_start": 0.0, "outage_end": 0.0}
PLAIN = {**QUIET, "noise": 0.0, "busy": 0.0, "calm_load": 0.0, "large": 0.0, "urgent": 0.0, "provision": 10.0}
STEADY = LinkKind("steady", rtt=0.01, bandwidth=1e6)


def run(policy, **values):
    kind = values.pop("kind", None)
    router = values.pop("router", None)
    return simulate(FleetParams(policy=policy, **values), calibration=CALIBRATION, kind=kind, router=router)


@pytest.mark.parametrize("policy", ["rules", "adaptive", "cost", "always-edge", "always-cloud"])
@pytest.mark.parametrize("outage", ["blackhole", "refuse"])
def test_every_frame_ends_once(policy, outage):
    seen = run(policy, robots=8, horizon=16.0, warm_up=2.0, outage_start=6.0, outage_end=9.0, outage=outage, busy=0.6)
    ends = seen.frames["end"]
    assert len(ends) == 8 * 10 * 16
    assert not (ends == End.OPEN).any()
    answered = np.isin(ends, (End.EDGE, End.CLOUD))
    latency = seen.frames["latency"]
    assert (~np.isnan(latency) == answered).all()
    assert (latency[answered] <= RouterParams().deadline + 1e-6).all()
    assert (latency[answered] > 0).all()
    assert ((ends == End.SKIPPED) == (seen.frames["asked"] == Asked.NOBODY)).all()
    numbers, counts = np.unique(seen.frames["robot"], return_counts=True)
    assert list(numbers) == list(range(8))
    assert (counts == 160).all()


def test_servers_answer_no_more_than_they_were_sent():
    seen = run("always-cloud", robots=12, provision=0.3, **QUIET)
    counts = seen.counts
    assert counts["images"].sum() + counts["refusals"].sum() <= counts["arrivals"].sum()
    assert (seen.frames["end"] == End.CLOUD).sum() <= counts["images"].sum()


@pytest.mark.parametrize("policy", ["adaptive", "cost"])
def test_the_same_seed_gives_the_same_run(policy):
    one, again, other = (run(policy, robots=5, busy=0.5, seed=seed, **QUIET) for seed in (3, 3, 4))
    for name, column in one.frames.items():
        assert np.array_equal(column, again.frames[name], equal_nan=True), name
    assert one.totals == again.totals
    assert not np.array_equal(one.frames["latency"], other.frames["latency"], equal_nan=True)


def test_one_robot_that_asks_itself_waits_for_its_engine_alone():
    seen = run("always-edge", robots=1, **PLAIN)
    assert seen.frames["latency"] == pytest.approx(CALIBRATION.edge_s, abs=1e-6)


def test_other_programs_slow_the_engine_down():
    seen = run("always-edge", robots=1, **{**PLAIN, "calm_load": 0.5})
    assert seen.frames["latency"] == pytest.approx(2 * CALIBRATION.edge_s, abs=1e-6)


def test_one_robot_that_asks_the_cloud_waits_for_link_and_server():
    seen = run("always-cloud", robots=1, kind=STEADY, **PLAIN)
    image = CALIBRATION.jpeg_bytes / STEADY.bandwidth
    wanted = CALIBRATION.encode_s + image + STEADY.rtt + CALIBRATION.request_s + CALIBRATION.service(1)
    cloud = seen.frames["end"] == End.CLOUD
    assert cloud.mean() > 0.95
    assert seen.frames["latency"][cloud] == pytest.approx(wanted, abs=1e-6)


def test_an_overloaded_server_works_all_the_time_and_answers_what_it_can():
    seen = run("always-cloud", robots=20, kind=LAN, **{**PLAIN, "provision": 0.25, "busy": 0.0})
    figures = summarize(seen)
    assert figures.load > 0.9
    answered = (seen.frames["end"] == End.CLOUD).sum() / seen.params.horizon
    assert answered <= 1.02 * seen.capacity


def test_fewer_frames_stand_for_many():
    params = FleetParams(robots=50, frames=1000, horizon=20.0, outage_start=0.0, outage_end=0.0)
    assert params.stands_for == 10
    seen = simulate(params, calibration=CALIBRATION)
    assert len(seen.frames["end"]) == pytest.approx(1000, rel=0.1)


def test_a_frame_cannot_end_twice():
    tally = Tally(FleetParams())
    frame = tally.begin(0, 0.0)
    tally.end(frame, End.EDGE, 0.1)
    with pytest.raises(RuntimeError, match="EDGE"):
        tally.end(frame, End.MISSED, 0.2)


def test_an_unknown_policy_names_those_there_are():
    with pytest.raises(ParameterError, match=r"adaptive.*always-edge"):
        simulate(FleetParams(policy="luck"))


def test_links_differ_as_they_should():
    urban, wired = (
        summarize(
            run("always-cloud", robots=4, kind=kind, router=RouterParams(deadline=1.0), **{**PLAIN, "noise": 0.1})
        )
        for kind in (LTE, LAN)
    )
    assert urban.p50 > wired.p50 + LTE.rtt / 2


def test_the_shipped_calibration_loads_and_another_one_comes_back(tmp_path):
    shipped = load_calibration()
    assert 0.001 < shipped.edge_s < 1
    mine = replace(shipped, machine="mine", batch_s=(0.01, 0.015))
    mine.save(tmp_path / "mine.json")
    assert load_calibration(tmp_path / "mine.json") == mine
    assert mine.service(4) == pytest.approx(0.025)
    (tmp_path / "mine.json").write_text('{"machine": "x"}')
    with pytest.raises(EdgeAIError, match="calibrate"):
        load_calibration(tmp_path / "mine.json")
