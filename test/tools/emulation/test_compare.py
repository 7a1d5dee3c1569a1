"""Two processors' detections beside each other."""

import pytest


def person(score, *box):
    return {"label": "person", "score": score, "box": list(box)}


HERE = {"1.png": [person(0.9, 10, 10, 50, 90), person(0.5, 100, 10, 140, 90)], "2.png": []}


def compared(there):
    from emulation.compare import compare

    return compare(HERE, there, threshold=0.4)


def test_the_same_objects_agree_and_the_largest_differences_are_told():
    there = {"1.png": [person(0.496, 100.5, 10, 140, 90), person(0.9, 10, 10, 50, 91)], "2.png": []}
    agreement = compared(there)
    assert agreement.faults == []
    assert (agreement.objects, agreement.pixels) == (2, 1.0)
    assert agreement.score == pytest.approx(0.004)
    assert str(agreement) == "2 objects, scores within 0.0040 and boxes within 1.00 px (wanted 0.01 and 2 px)"


@pytest.mark.parametrize(
    ("there", "fault"),
    [
        (
            [person(0.8, 10, 10, 50, 90), person(0.5, 100, 10, 140, 90)],
            "person 0.900 at 10, 10, 50, 90 there has score 0.8",
        ),
        ([person(0.9, 10, 10, 50, 90)], "person 0.500 at 100, 10, 140, 90 is only here"),
        ([*HERE["1.png"], person(0.7, 0, 0, 5, 5)], "person 0.700 at 0, 0, 5, 5 is only there"),
        ([HERE["1.png"][0], {**HERE["1.png"][1], "label": "dog"}], "dog 0.500 at 100, 10, 140, 90 is only there"),
        ([HERE["1.png"][0], person(0.5, 103, 10, 140, 90)], "person 0.500 at 103, 10, 140, 90 is only there"),
    ],
)
def test_a_difference_is_a_fault(there, fault):
    assert [words for words in compared({"1.png": there}).faults if fault in words]


def test_one_at_the_threshold_may_be_missing_on_one_side():
    assert compared({"1.png": [*HERE["1.png"], person(0.405, 0, 0, 5, 5)]}).faults == []
