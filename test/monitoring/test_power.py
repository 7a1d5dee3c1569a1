import re
import time

import pytest

from edge_ai.core.errors import EdgeAIError
from edge_ai.monitoring.actions import SetPower
from edge_ai.monitoring.power import PowerControl


@pytest.fixture
def power(jetson_stats):
    return PowerControl(deadline=5.0)


def state(service):
    return service.models[service.model], service.clocks, service.fan["pwmfan"]["profile"]


def test_what_a_profile_asks_is_done_and_put_back_in_reverse(power, jetson_stats):
    before = state(jetson_stats)
    assert power.apply(mode="7W", clocks="on", fan="cool") == []
    assert state(jetson_stats) == ("7W", True, "cool")
    assert power.restore() == []
    assert state(jetson_stats) == before
    assert [kind for kind, _ in jetson_stats.commands] == ["nvp", "jc", "fan", "fan", "jc", "nvp"]


def test_nothing_asked_is_nothing_done(power, jetson_stats):
    assert power.apply() == []
    assert power.restore() == []
    assert jetson_stats.connections == 0


def test_a_mode_by_number_or_in_small_letters(power, jetson_stats):
    assert power.apply(mode="1") == []
    assert state(jetson_stats)[0] == "7W"
    assert power.apply(mode="15w") == []
    assert state(jetson_stats)[0] == "15W"


def test_what_is_so_already_is_not_asked_for_and_not_put_back(power, jetson_stats):
    assert power.apply(mode="15W", clocks="off", fan="quiet") == []
    assert power.restore() == []
    assert jetson_stats.commands == []


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"mode": "60W"}, "no such mode; wanted one of 15W, 7W, MAXN_SUPER"),
        ({"mode": "MAXN_SUPER"}, "needs a reboot.*nvpmodel -m 2"),
        ({"fan": "loud"}, "wanted one of cool, manual, quiet"),
    ],
)
def test_a_refusal_comes_in_words_and_the_rest_is_done(power, jetson_stats, wanted, words):
    (refusal,) = power.apply(**{"clocks": "on", **wanted})
    assert re.search(words, refusal)
    assert jetson_stats.clocks
    assert power.restore() == []
    assert not jetson_stats.clocks


def test_clocks_that_somebody_else_holds_are_refused(power, jetson_stats):
    jetson_stats.clocks_state = "uncontrolled"
    (refusal,) = power.apply(clocks="on")
    assert "before the service began" in refusal


def test_a_board_without_any_of_it(power, jetson_stats):
    jetson_stats.has_nvpmodel = jetson_stats.has_clocks = False
    jetson_stats.fan, jetson_stats.profiles = {}, {}
    refusals = power.apply(mode="15W", clocks="on", fan="cool")
    assert len(refusals) == 3
    assert "without nvpmodel" in refusals[0]
    assert "a board with a fan" in refusals[2]


def test_a_service_that_does_nothing_is_refused_after_the_deadline(jetson_stats):
    jetson_stats.obeys = False
    (refusal,) = PowerControl(deadline=0.05).apply(mode="7W")
    assert "no change within 0.05 s" in refusal


@pytest.mark.parametrize("fault", ["inactive", "permission"])
def test_no_service_is_a_refusal(power, jetson_stats, fault):
    jetson_stats.fault = fault
    (refusal,) = power.apply(mode="7W", clocks="on")
    assert "jetson-stats" in refusal
    assert power.restore() == []


def test_a_service_that_hangs_holds_nobody_up(jetson_stats):
    jetson_stats.fault = "hangs"
    began = time.monotonic()
    power = PowerControl(way=0.05)
    for _ in range(2):
        (refusal,) = power.apply(mode="7W")
        assert "no answer within" in refusal
    assert time.monotonic() - began < 10
    jetson_stats.fault = ""
    jetson_stats.released.set()
    assert PowerControl().apply(fan="cool") == []
    assert [kind for kind, _ in jetson_stats.commands] == ["fan"], "what was given up is not done later"


def test_a_service_that_dies_on_the_way(power, jetson_stats):
    take = jetson_stats.take

    def die(kind, value):
        take(kind, value)
        jetson_stats.fault = "lost"

    jetson_stats.obeys = False
    jetson_stats.take = die
    (refusal,) = power.apply(mode="7W")
    assert "Lost connection" in refusal


def test_not_installed(no_jetson_stats):
    (refusal,) = PowerControl().apply(mode="7W")
    assert "not installed" in refusal


def test_a_step_of_a_ladder_knows_what_takes_it_back(power, jetson_stats):
    undo = power.set(SetPower(mode="7W", fan="cool"))
    assert undo == SetPower(mode="15W", fan="quiet")
    assert state(jetson_stats) == ("7W", False, "cool")
    power.set(undo)
    assert state(jetson_stats) == ("15W", False, "quiet")
    jetson_stats.commands.clear()
    assert power.restore() == []
    assert jetson_stats.commands == [], "all is as it was"


def test_a_step_is_done_whole_or_not_at_all(power, jetson_stats):
    with pytest.raises(EdgeAIError, match="no fan that has it"):
        power.set(SetPower(mode="7W", fan="loud"))
    assert state(jetson_stats)[0] == "15W"


def test_a_step_without_a_service_is_refused(power, jetson_stats):
    jetson_stats.fault = "inactive"
    with pytest.raises(EdgeAIError, match="not active"):
        power.set(SetPower(mode="7W"))


def test_the_end_puts_back_what_a_step_left(power, jetson_stats):
    power.apply(clocks="on")
    power.set(SetPower(mode="7W", clocks="off"))
    assert power.restore() == []
    assert state(jetson_stats) == ("15W", False, "quiet")
