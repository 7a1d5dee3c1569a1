from hypothesis import given
from hypothesis import strategies as st

from edge_ai.runtime.ordering import CaptureOrder


def begun(*stamps, patience=2):
    order = CaptureOrder(patience)
    for stamp in stamps:
        order.begin("", stamp)
    return order


def test_a_result_waits_for_an_older_one_in_work():
    order = begun(1, 2)
    assert order.finish("", 2, "b") == []
    assert order.finish("", 1, "a") == ["a", "b"]
    assert order.overtaken("") == 0


def test_an_older_one_that_fails_holds_nothing_back():
    order = begun(1, 2)
    assert order.finish("", 2, "b") == []
    assert order.finish("", 1, None) == ["b"]


def test_one_that_hangs_is_given_up():
    order = begun(1, 2, 3, 4)
    assert order.finish("", 2, "b") == []
    assert order.finish("", 3, "c") == []
    assert order.finish("", 4, "d") == ["b", "c", "d"], "what waited for it waits no more"
    order.begin("", 5)
    assert order.finish("", 5, "e") == ["e"], "nor does what comes later"
    assert order.finish("", 1, "a") == []
    assert order.overtaken("") == 1


def test_of_two_that_hang_each_is_given_up_in_its_time():
    order = begun(1, 2, 3, 4, 5)
    assert order.finish("", 2, "b") == []
    assert order.finish("", 4, "d") == []
    assert order.finish("", 5, "e") == ["b"], "two may wait for the third"
    assert order.finish("", 3, "c") == ["c", "d", "e"]


def test_cameras_do_not_wait_for_one_another():
    order = begun(1)
    order.begin("rear", 2)
    assert order.finish("rear", 2, "b") == ["b"]


@given(st.permutations(range(8)), st.sets(st.integers(0, 7)), st.integers(0, 4))
def test_whatever_the_order_of_finishing_all_go_out_in_order_or_are_counted(finished, failed, patience):
    order = begun(*range(8), patience=patience)
    out = []
    for stamp in finished:
        out += order.finish("", stamp, None if stamp in failed else stamp)
    assert out == sorted(out)
    assert len(out) + order.overtaken("") + len(failed) == 8
