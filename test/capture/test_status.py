import re
from pathlib import Path

from edge_ai.capture.status import CaptureState


def test_states_have_the_numbers_of_the_message() -> None:
    text = (Path(__file__).parents[2] / "msg" / "CameraStatus.msg").read_text()
    constants = {name: int(number) for name, number in re.findall(r"^uint8 ([A-Z]+)=(\d+)", text, re.MULTILINE)}
    assert constants == {state.name: state.value for state in CaptureState}
