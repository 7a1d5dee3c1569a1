import threading

from edge_ai.runtime.latest import LatestSlot


def test_the_newest_item_wins_and_the_loss_is_counted():
    slot = LatestSlot()
    for item in (1, 2, 3):
        slot.put(item)
    assert slot.get() == 3
    assert slot.dropped == 2


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
    assert slot.closed


def test_patience_lets_the_waiting_item_go_first():
    slot, got = LatestSlot(), []
    slot.put(1)
    taker = threading.Timer(0.05, lambda: got.append(slot.get()))
    taker.start()
    slot.put(2, patience=5)
    taker.join(5)
    assert got == [1]
    assert slot.get() == 2
    assert slot.dropped == 0
