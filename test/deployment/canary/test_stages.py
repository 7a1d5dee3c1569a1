"""What follows from an evaluation."""

import pytest

from edge_ai.deployment.canary.stages import Action, LimitCheck, Stages, Watch, decide
from edge_ai.deployment.judge.judge import Judgement, Verdict

STAGES = Stages(interval=30, least=90, patience=600)
PROMOTE, REJECT, UNDECIDED = (Judgement(verdict, f"judge: {verdict.value}", {}) for verdict in Verdict)


@pytest.mark.parametrize(
    ("robots", "sizes"),
    [(1, [1, 1, 1, 1]), (2, [1, 1, 1, 2]), (10, [1, 3, 5, 10]), (100, [10, 25, 50, 100]), (7, [1, 2, 4, 7])],
)
def test_a_stage_has_at_least_one_robot_and_never_more_than_its_share_rounded_up(robots, sizes):
    assert [STAGES.size(stage, robots) for stage in range(4)] == sizes


@pytest.mark.parametrize(("robots", "way"), [(1, [0]), (2, [0, 3]), (3, [0, 2, 3]), (10, [0, 1, 2, 3])])
def test_stages_that_bring_no_more_robots_are_passed_over(robots, way):
    went, stage = [], 0
    while stage is not None:
        went.append(stage)
        stage = STAGES.after(stage, robots)
    assert went == way


def test_a_breached_limit_takes_the_release_back_whatever_else_there_is():
    limits = LimitCheck(breached=("cpu 0.9 > 0.8 on robot1",), unknown=("latency: no figures of robot1",))
    decision = decide(STAGES, Watch(limits, PROMOTE, seen=900, watched=900))
    assert decision.action is Action.ROLL_BACK
    assert "cpu 0.9 > 0.8 on robot1" in decision.reason


def test_a_judge_who_rejects_takes_it_back_at_once():
    assert decide(STAGES, Watch(LimitCheck(), REJECT, seen=30, watched=30)).action is Action.ROLL_BACK


@pytest.mark.parametrize("judgement", [PROMOTE, None])
def test_promotion_wants_the_least_time_with_data(judgement):
    assert decide(STAGES, Watch(LimitCheck(), judgement, seen=60, watched=500)).action is Action.WAIT
    assert decide(STAGES, Watch(LimitCheck(), judgement, seen=90, watched=500)).action is Action.PROMOTE


@pytest.mark.parametrize(
    "watch",
    [
        Watch(LimitCheck(unknown=("cpu: no figures of robot1",)), PROMOTE, seen=900, watched=570),
        Watch(LimitCheck(), UNDECIDED, seen=570, watched=570),
        Watch(LimitCheck(), PROMOTE, seen=0, watched=570),
    ],
)
def test_without_enough_data_it_waits_then_asks_and_never_promotes(watch):
    assert decide(STAGES, watch).action is Action.WAIT
    late = decide(STAGES, Watch(watch.limits, watch.judgement, watch.seen, watched=600))
    assert late.action is Action.HOLD
    assert late.reason.startswith("undecided after 600 s: ")
