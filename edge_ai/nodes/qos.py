"""Quality of service of every topic, and what happens when two ends do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy, qos_policy_name_from_kind

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

# Images: the newest one or none. A late image is worth nothing, and a reliable writer would wait for slow readers.
SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
# Results and commands are offered reliably, which suits every reader; only the newest counts.
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
# Status that a recorder wants whole.
STATUS = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE)

# What happened lately, also for those who come late.
ALERTS = QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
# What holds until it is said anew.
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)

Report = Callable[[str, str], None]


def publisher_events(topic: str, report: Report) -> PublisherEventCallbacks:
    """Tell ``report`` the topic and a sentence when a reader asks for more than we offer."""
    return PublisherEventCallbacks(incompatible_qos=lambda e: report(topic, _words(e, "a subscriber asks for")))


def subscription_events(topic: str, report: Report) -> SubscriptionEventCallbacks:
    """Tell ``report`` the topic and a sentence when a writer offers less than we ask for."""
    return SubscriptionEventCallbacks(incompatible_qos=lambda e: report(topic, _words(e, "a publisher offers")))


def _words(event: Any, who: str) -> str:
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    return f"{who} incompatible QoS, policy {policy} ({event.total_count} so far): nothing arrives between the two"
