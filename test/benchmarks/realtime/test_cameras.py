import pytest

from benchmarks.realtime.cameras import FOUR, _heard, jain


@pytest.mark.parametrize(
    ("shares", "index"), [([5, 5, 5, 5], 1.0), ([8, 0, 0, 0], 0.25), ([4, 4, 0, 0], 0.5), ([10, 9, 10, 11], 0.995)]
)
def test_jains_index(shares, index):
    assert jain(shares) == pytest.approx(index, abs=1e-3)


def test_nothing_at_all_is_no_fairness():
    assert jain([0, 0]) != jain([0, 0])


def test_results_of_all_cameras_are_one_answer_in_order():
    heard = {f"{name}/raw_results": [{"at": 1.0 + i, "age": 0.01 * i}] for i, name in enumerate(FOUR)}
    heard |= {"cpu_s": 1.0, "others_cores": 0.1}
    answer = _heard(heard, FOUR[::-1])
    assert answer["instants"] == [1.0, 2.0, 3.0, 4.0]
    assert answer["counts"] == dict.fromkeys(FOUR, 1)
