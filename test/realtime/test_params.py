import pytest

from edge_ai.core.errors import ParameterError
from edge_ai.realtime.params import RealtimeParams, parse_cpus


def test_by_default_nothing_is_asked_for():
    params = RealtimeParams()
    assert (params.cpus, params.priority, params.lock_memory, params.gc) == (frozenset(), 0, False, "default")


@pytest.mark.parametrize(
    ("text", "cpus"),
    [("", set()), ("0", {0}), ("0,2", {0, 2}), ("4-7", {4, 5, 6, 7}), (" 1, 3-4 ,", {1, 3, 4}), ("2-2", {2})],
)
def test_cpus_are_read_as_taskset_reads_them(text, cpus):
    assert parse_cpus(text) == cpus
    assert RealtimeParams.parse({"cpu_affinity": text}).cpus == cpus


@pytest.mark.parametrize("text", ["a", "-1", "1-", "3-1", "1.5", "0x1", "99999", "1;2"])
def test_a_list_that_is_none_is_refused_by_name(text):
    with pytest.raises(ParameterError, match=r"'cpu_affinity' of eye: .* is no CPU number"):
        RealtimeParams.parse({"cpu_affinity": text}, owner="eye")


def test_one_cpu_may_come_as_a_number():
    assert RealtimeParams.parse({"cpu_affinity": 1}).cpus == {1}
    with pytest.raises(ParameterError, match="'cpu_affinity'"):
        RealtimeParams.parse({"cpu_affinity": True})


@pytest.mark.parametrize("values", [{"priority": -1}, {"priority": 100}, {"gc": "never"}, {"lock_memory": 1}])
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ParameterError, match=f"'{next(iter(values))}'"):
        RealtimeParams.parse(values)
