import threading

from edge_ai.runtime.latest import LatestSlot


def test_the_newest_item_wins():
    slot = LatestSlot()
    for item in (1, 2, 3):
        slot.put(item)
    assert slot.get() == 3


def test_an_empty_slot_gives_nothing_after_the_timeout():
    assert LatestSlot().get(timeout=0.01) is None


def test_a_waiter_gets_what_comes():
    slot, got = LatestSlot(), []
    waiter = threading.Thread(target=lambda: got.append(slot.get()))
    waiter.start()
    slot.put("frame")
    waiter.join(5)
    assert got == ["frame"]


def test_closing_wakes_a_waiter_and_lets_go_of_the_item():
    slot, got = LatestSlot(), []
    waiter = threading.Thread(target=lambda: got.append(slot.get()))
    waiter.start()
    slot.close()
    waiter.join(5)
    assert got == [None]
    slot.put("late")
    assert slot.get(timeout=0) is None
