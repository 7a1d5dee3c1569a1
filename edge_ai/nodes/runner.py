"""Running a node: until a signal, and then to an orderly end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy._rclpy_pybind11 import RCLError
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from edge_ai.core.errors import EdgeAIError
from edge_ai.nodes.ros_logging import bridge_logs
from edge_ai.realtime.process import prepare_process

_GLANCE = 0.1  # s between two looks for a signal


def run(make_node: Callable[[], Node], args: list[str] | None = None) -> int:
    """Spin a node until SIGINT or SIGTERM, then let it stop the robot before ROS goes down.

    Returns:
        Exit status: 0 after a signal, 1 if the node could not be made (the reason is on standard error).
    """
    prepare_process()
    stop = threading.Event()
    # Not stop.set(): it takes a lock, and a second signal that comes while the first one holds it would wait for ever.
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: told.append(number))
    try:
        rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = make_node()
    except (EdgeAIError, RCLError) as error:
        sys.stderr.write(f"error: {error}\n")
        rclpy.try_shutdown()
        return 1
    bridge_logs(node)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    spinner = threading.Thread(target=_spin, args=(executor, node, stop), name="spin", daemon=True)
    spinner.start()
    while not told and not stop.wait(_GLANCE):
        pass
    stop.set()
    executor.create_task(_nothing)  # lets it look up
    spinner.join(timeout=5.0)
    if isinstance(node, LifecycleNode):
        with contextlib.suppress(RCLError):  # a client has shut it down already
            node.trigger_shutdown()
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


def _nothing() -> None:
    pass


def _spin(executor: SingleThreadedExecutor, node: Node, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            executor.spin_once(timeout_sec=1.0)
        except ExternalShutdownException:
            stop.set()
        except Exception as error:
            # An impossible transition asked for by a client ends here too: no reason to drop the robot.
            node.get_logger().error(f"{type(error).__name__}: {error}")
