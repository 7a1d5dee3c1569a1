import math
from dataclasses import replace

import pytest

from edge_ai.routing.decision import SideState, Where
from edge_ai.routing.report import RouterReporter, readings
from edge_ai.routing.status import RouterCounts, RouterStatus, SideStatus
from edge_ai.routing.watch import SideCounts


def status(edge=0, cloud=0, skip=0):
    counts = RouterCounts(decisions={Where.EDGE: edge, Where.CLOUD: cloud, Where.SKIP: skip})
    side = SideStatus("edge", SideState(), "closed", SideCounts())
    return RouterStatus("rules", "auto", counts, side, replace(side, name="grpc://far:8001"), 1e6, 0.01)


def test_shares_are_those_of_the_frames_since_the_report_before():
    reporter = RouterReporter()
    assert reporter.report(status(edge=3, cloud=1))["cloud_share"] == pytest.approx(0.25)
    report = reporter.report(status(edge=3, cloud=4, skip=1))
    assert (report["edge_share"], report["cloud_share"], report["skip_share"]) == (0, 0.75, 0.25)


def test_without_frames_nobody_has_a_share():
    assert math.isnan(RouterReporter().report(status())["edge_share"])


def test_a_router_made_anew_counts_from_its_own_beginning():
    reporter = RouterReporter()
    reporter.report(status(edge=100))
    assert reporter.report(status(cloud=2))["cloud_share"] == 1


def test_the_monitor_is_told_whether_the_cloud_can_be_asked():
    report = RouterReporter().report(status(edge=3, cloud=1))
    assert readings(report)["cloud_ready"] == 1
    assert readings(report)["cloud_share"] == 0.25
    assert readings({**report, "cloud_fault": "breaker open"})["cloud_ready"] == 0
    assert readings({**report, "cloud": ""})["cloud_ready"] == 0


def test_a_report_has_the_fields_of_the_message():
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "msg/RouterStatus.msg").read_text()
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    fields = [parts[1] for parts in lines if len(parts) == 2 and parts[1] != "header"]
    assert list(RouterReporter().report(status())) == fields
