"""A ROS domain of our own: what we start must never drive somebody's robot, nor be driven by its nodes.

Run as a program it prints one, for ``ROS_DOMAIN_ID=$(python tools/domain.py)``.
"""

from __future__ import annotations

import random
import socket
from collections import deque

DOMAINS = range(1, 101)  # those whose ports lie below Linux's ephemeral ones; 0 is everybody's default
MULTICAST_PORT, UNICAST_PORT, PER_DOMAIN = 7400, 7410, 250


# Given out by this process, and perhaps not in use yet: a node takes its ports a second after it was started.
_GIVEN: deque[int] = deque(maxlen=len(DOMAINS) // 2)


def free_domain() -> int:
    """A random domain that no participant on this machine uses at the moment, and other than those given lately.

    Raises:
        RuntimeError: all are in use.
    """
    for domain in random.sample([domain for domain in DOMAINS if domain not in _GIVEN], len(DOMAINS) - len(_GIVEN)):
        if is_free(domain):
            _GIVEN.append(domain)
            return domain
    raise RuntimeError("all ROS domains from 1 to 100 are in use on this machine")


def is_free(domain: int) -> bool:
    """Whether the discovery ports of a domain's first participant are free."""
    ports = [base + PER_DOMAIN * domain for base in (MULTICAST_PORT, UNICAST_PORT)]
    return all(_can_bind(port) for port in ports)


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


if __name__ == "__main__":
    print(free_domain())
