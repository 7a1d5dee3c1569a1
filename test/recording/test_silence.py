from edge_ai.core.clock import ManualClock
from edge_ai.recording.silence import Silence


def test_a_node_that_ceases_to_speak_is_missed_once():
    clock = ManualClock()
    silence = Silence(clock, patience=3.0)
    for _ in range(5):
        silence.heard("camera")
        silence.heard("control")
        clock.advance(1.0)
        assert silence.lost() == []
    for _ in range(3):
        silence.heard("control")
        clock.advance(1.0)
    assert silence.lost() == ["camera"]
    clock.advance(10.0)
    assert silence.lost() == ["control"]
    silence.heard("camera")
    clock.advance(3.5)
    assert silence.lost() == ["camera"], "it came back and died again"


def test_a_node_that_says_that_it_will_be_silent_is_not_missed():
    clock = ManualClock()
    silence = Silence(clock, patience=3.0)
    silence.heard("inference")
    silence.heard("inference", excused=True)
    clock.advance(60.0)
    assert silence.lost() == []
    silence.heard("inference")
    clock.advance(3.5)
    assert silence.lost() == ["inference"]
