"""How a deployment stands is read from its journal alone."""

import pytest

from edge_ai.deployment.blue_green.standing import standing
from edge_ai.deployment.journal import Entry

PLAN = {
    "serve": "green",
    "sides": {name: {"release": name, "process": {"command": ["x"]}} for name in ("blue", "green")},
    "traffic": {"socket": "s", "backends": ["b"]},
}
BEGUN = ("begun", {"to": "green", "before": "blue", "plan": PLAN})
BLUE = [("begun", {"to": "blue", "before": None, "plan": PLAN}), ("switching", {}), ("confirmed", {"side": "blue"})]


def read(*steps):
    return standing([Entry(step, "t", facts) for step, facts in steps])


def test_an_empty_journal_knows_nobody():
    stand = read()
    assert (stand.in_charge, stand.to, stand.plan) == (None, None, None)


def test_who_was_confirmed_is_in_charge_until_another_one_is():
    assert read(*BLUE).in_charge == "blue"
    assert read(*BLUE).to is None
    stand = read(*BLUE, BEGUN, ("switching", {}))
    assert (stand.in_charge, stand.to, stand.step) == ("blue", "green", "switching")
    assert read(*BLUE, BEGUN, ("confirmed", {"side": "green"})).in_charge == "green"


def test_a_way_back_keeps_its_reason_and_ends_with_the_side_before():
    stand = read(*BLUE, BEGUN, ("rolling back", {"reason": "it lies"}))
    assert (stand.undoing, stand.reason, stand.to) == (True, "it lies", "green")
    stand = read(*BLUE, BEGUN, ("rolling back", {"reason": "it lies"}), ("rolled back", {"side": "blue"}))
    assert (stand.in_charge, stand.to, stand.undoing) == ("blue", None, False)


@pytest.mark.parametrize(
    ("steps", "switched", "watched"),
    [
        (["starting", "checking"], False, False),
        (["starting", "checking", "switching"], True, False),
        (["switching", "starting"], True, False),  # left again while it was resumed
        (["switching", "confirming", "starting", "checking"], True, True),
    ],
)
def test_what_a_side_has_reached_outlives_a_second_crash(steps, switched, watched):
    stand = read(*BLUE, BEGUN, *((step, {}) for step in steps))
    assert (stand.switched, stand.watched) == (switched, watched)
    assert not read(*BLUE, BEGUN).switched  # which the deployment before was
