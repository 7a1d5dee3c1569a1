import logging

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("edge_ai.msg")

from rcl_interfaces.msg import Log

from edge_ai.nodes.ros_logging import bridge_logs


@pytest.fixture
def untouched():
    """Puts the package's logger back."""
    logger = logging.getLogger("edge_ai")
    before = logger.level, list(logger.handlers), logger.propagate
    yield logger
    logger.level, logger.handlers, logger.propagate = before[0], before[1], before[2]


def test_what_is_logged_without_ros_reaches_the_log_of_the_node(ros, until, untouched):
    one = ros()
    heard = one.listen(Log, "/rosout", 50)
    bridge_logs(one.probe)
    log = logging.getLogger("edge_ai.monitoring.sampler")

    def said():
        log.info("fine")
        log.warning("hot: %d", 91)
        log.error("gone")
        return {(message.level, message.msg) for message in list(heard)}

    wanted = {(20, "fine"), (30, "hot: 91"), (40, "gone")}
    until(lambda: wanted <= {(level if isinstance(level, int) else level[0], words) for level, words in said()}, "all")
    log.debug("unseen")
    assert not any(message.msg == "unseen" for message in heard)
