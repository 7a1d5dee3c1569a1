"""Generated and recorded traces."""

import numpy as np
import pytest

from benchmarks.cloud.traces import COLUMNS, KINDS, RECORDED, generate, read, write


@pytest.mark.parametrize("name", KINDS)
def test_the_same_seed_gives_the_same_trace_and_another_seed_another(name):
    one, same, other = generate(name, 7), generate(name, 7), generate(name, 8)
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(one, column), getattr(same, column))
    assert not np.array_equal(one.edge, other.edge)


@pytest.mark.parametrize("name", KINDS)
def test_a_trace_has_outages_a_throttled_edge_and_medians_near_those_of_its_kind(name):
    kind, traces = KINDS[name], [generate(name, seed) for seed in range(20)]
    cloud, edge = np.concatenate([t.cloud for t in traces]), np.concatenate([t.edge for t in traces])
    lost = np.mean(~np.isfinite(cloud))
    assert 0.3 < lost / (kind.down / (kind.up + kind.down)) < 2
    assert 0.9 < np.median(edge) / kind.edge < 1.2
    assert np.mean(edge > 1.6 * kind.edge) > 0.1
    assert all((getattr(t, column) > 0).all() for t in traces for column in COLUMNS)


def test_the_faster_link_makes_the_quicker_cloud():
    lan, wifi, lte = (np.median(generate(name, 1).cloud) for name in ("LAN", "Wi-Fi", "LTE"))
    assert lan < wifi < lte


def test_a_trace_is_read_as_it_was_written(tmp_path):
    trace = generate("LTE", 3, seconds=60)
    write(trace, tmp_path / "trace.csv")
    again = read(tmp_path / "trace.csv")
    assert (again.name, again.period, again.payload) == (trace.name, trace.period, trace.payload)
    for column in COLUMNS:
        np.testing.assert_allclose(getattr(again, column), getattr(trace, column), atol=1e-5)


def test_the_recorded_trace_has_a_good_link_a_bad_one_and_none():
    trace = read(RECORDED)
    assert len(trace) >= 500
    assert 0.01 < np.mean(~np.isfinite(trace.cloud)) < 0.3
    assert np.nanmin(trace.cloud) < 0.1 < np.nanmax(np.where(np.isfinite(trace.cloud), trace.cloud, np.nan))
    assert (trace.edge > 0).all()
