"""What the demo of edge and cloud makes of what it saw."""

import pytest
from demo_cloud_record import Answer, Phase, Record, checks, row, summary, table


@pytest.fixture
def record():
    record = Record(deadline=0.3)
    record.phases = [Phase("good", "2 ms", 0, 10), Phase("dead", "nothing", 10, 20), Phase("back", "2 ms", 20, 30)]
    for i in range(300):
        at = i / 10
        record.frames.append(at)
        record.answers.append(Answer(at, 0.05, "edge" if 10 <= at < 20 else "cloud", "for a reason"))
    record.breaker = [(0.0, "closed"), (10.4, "open"), (20.0, "half-open"), (20.1, "recovering"), (25.0, "closed")]
    return record


def test_a_run_as_it_should_be_holds(record):
    assert all(checks(record).values())
    assert record.states() == ["closed", "open", "half-open", "recovering", "closed"]
    good = row(record, record.phases[0])
    assert (good["frames"], good["answers"], good["cloud"], good["edge"]) == (100, 100, 100, 0)
    assert (good["median_ms"], good["p95_ms"], good["late"]) == (50.0, 50.0, 0)


def broken(record, words):
    held = checks(record)
    failed = [name for name, holds in held.items() if not holds]
    assert len(failed) == 1
    assert words in failed[0]


def test_a_pause_is_found(record):
    record.answers = [answer for answer in record.answers if not 3 <= answer.captured < 4.2]
    broken(record, "results went on")


def test_results_out_of_order_are_found(record):
    record.answers[50], record.answers[51] = record.answers[51], record.answers[50]
    broken(record, "reordered")


def test_a_late_result_is_found(record):
    record.answers[299] = Answer(record.answers[299].captured, 0.4, "cloud", "")
    broken(record, "deadline")


def test_a_robot_that_answers_every_other_frame_without_its_cloud_is_found(record):
    record.answers = [a for i, a in enumerate(record.answers) if not (10 <= a.captured < 20 and i % 2)]
    broken(record, "by itself")


def test_a_cloud_that_is_never_asked_again_is_found(record):
    record.answers = [a if a.captured < 20 else Answer(a.captured, a.seconds, "edge", "") for a in record.answers]
    broken(record, "again")


def test_nothing_at_all_holds_nothing():
    record = Record(deadline=0.3, phases=[Phase("good", "", 0, 1), Phase("dead", "", 1, 2), Phase("back", "", 2, 3)])
    numbers = summary(record, {})
    assert not all(numbers["holds"].values())
    assert numbers["longest_gap_s"] is None
    assert "NO " in table(numbers)


def test_the_table_shows_phases_and_what_holds(record):
    lines = table(summary(record, {"video": "x"})).splitlines()
    assert lines[1].split() == ["good", "2", "ms", "100", "100", "0", "100", "50", "ms", "50", "ms"]
    assert sum(line.strip().startswith("yes") for line in lines) == len(checks(record))


def test_the_picture_is_drawn(record, tmp_path):
    pytest.importorskip("matplotlib")
    from demo_cloud_plot import draw

    draw(record, tmp_path / "plot.png", "title")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
