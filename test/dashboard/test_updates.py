"""What goes to the browsers."""

import asyncio
import json
import math

import numpy as np

from edge_ai.control.command import ControlState
from edge_ai.core.clock import ManualClock
from edge_ai.dashboard.state import Board
from edge_ai.dashboard.updates import to_json, updates


def told(board, count, between=lambda: None):
    """So many events, parsed, with something done after each."""

    async def collect():
        found = []
        async for event in updates(board, 0.001, lambda: len(found) >= count):
            text = event.decode()
            assert text.endswith("\n\n")
            if text.startswith("data: "):
                found.append(json.loads(text.removeprefix("data: ")))
                between()
        return found

    return asyncio.run(collect())


def test_everything_first_then_what_changes_and_always_a_sign_of_life():
    clock = ManualClock()
    board = Board(clock)
    board.on_stop = lambda: None
    board.put("identity", {"name": "rover"})
    clock.advance(2)
    news = iter([{"result": {"count": 3}}, {}, {}])
    first, second, third = told(board, 3, lambda: [board.put(*item) for item in next(news).items()])
    assert first["sections"] == {"identity": {"age": 2, "value": {"name": "rover"}}}
    assert first["can"] == {"stop": True, "reset": False, "record": False, "picture": False}
    assert first["history"]["ago"] == []
    assert second == {"sections": {"result": {"age": 0, "value": {"count": 3}}}}
    assert third == {"sections": {}}


def test_numbers_that_json_does_not_know_are_null():
    assert json.loads(to_json({"a": math.nan, "b": [math.inf, np.float32(0.25)], "c": np.int64(7)})) == {
        "a": None,
        "b": [None, 0.25],
        "c": 7,
    }


def test_numbers_are_no_longer_than_anybody_looks_at_and_stamps_keep_their_milliseconds():
    assert to_json(0.123456789) == "0.123457"
    assert to_json(1795687050.0591) == "1795687050.059"


def test_a_line_break_in_a_text_does_not_break_the_event():
    assert "\n" not in to_json({"detail": "one\ntwo"})


def test_other_things_become_what_they_say():
    assert to_json([ControlState.STALE, True, None, {1: (2, 3)}]) == '[3,true,null,{"1":[2,3]}]'
    assert to_json(ManualClock).startswith('"<class')
