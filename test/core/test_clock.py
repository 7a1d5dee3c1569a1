from edge_ai.core.clock import NS, ManualClock, SystemClock, to_stamp, to_steady


def test_an_age_converted_once_survives_a_step_of_the_wall_clock():
    clock = ManualClock()
    captured = to_steady(clock.stamp_ns() - NS // 10, clock)
    clock.step_stamps(3600)
    clock.advance(0.2)
    assert clock.steady_ns() - captured == round(0.3 * NS)


def test_stamp_and_steady_time_convert_both_ways():
    clock = ManualClock()
    assert to_stamp(to_steady(123 * NS, clock), clock) == 123 * NS


def test_the_system_clocks_run():
    clock = SystemClock()
    assert clock.steady_ns() <= clock.steady_ns()
    assert clock.stamp_ns() > 1_600_000_000 * NS
