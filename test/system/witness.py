"""A robot with two sides, as somebody sees it who notes when either controller speaks."""

import threading
import time

import rclpy

from edge_ai.msg import ControlStatus

SIDES = ("blue", "green")
SHARED = ("cmd_vel", "control/emergency_stop", "control/reset")


class Witness:
    """A node of its own on a domain; ``spoke`` has the times by side."""

    def __init__(self, domain):
        self.spoke = {side: [] for side in SIDES}
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node("witness", context=self._context)
        self._executor = rclpy.executors.SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        for side, heard in self.spoke.items():
            self.node.create_subscription(
                ControlStatus, f"/{side}/control/status", lambda m, heard=heard: heard.append(_time(m)), 100
            )
        threading.Thread(target=self._executor.spin, daemon=True).start()

    def turns(self):
        """Which side drove, one after the other."""
        order = [side for _, side in sorted((at, side) for side, times in self.spoke.items() for at in times)]
        return [side for number, side in enumerate(order) if not number or order[number - 1] != side]

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.shutdown()


def _time(message):
    return message.header.stamp.sec + message.header.stamp.nanosec / 1e9


def until(condition, patience=60.0):
    """Wait for it; not by the stack, which takes the refusal of the right to drive for the end of a node."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
