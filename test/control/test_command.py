from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_ai.control.command import ControlState

MESSAGE = Path(__file__).parents[2] / "msg" / "ControlStatus.msg"


@pytest.mark.skipif(not MESSAGE.exists(), reason="the interfaces are not beside the tests")
def test_states_have_the_numbers_of_the_message():
    numbers = {name: int(value) for name, value in re.findall(r"^uint8 ([A-Z_]+)=(\d+)", MESSAGE.read_text(), re.M)}
    assert numbers == {state.name: state.value for state in ControlState}
