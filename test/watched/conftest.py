import time

import pytest


@pytest.fixture
def until():
    def until(condition, seconds=30):
        """The first true value of a condition; fails after so many seconds."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, "it did not come to pass"
            time.sleep(0.02)
        return value

    return until
