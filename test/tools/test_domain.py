"""A ROS domain nobody else on this machine uses."""

import socket


def test_a_domain_whose_discovery_port_is_taken_is_not_free():
    from domain import MULTICAST_PORT, PER_DOMAIN, free_domain, is_free

    domain = free_domain()
    assert 1 <= domain <= 100
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("", MULTICAST_PORT + PER_DOMAIN * domain))
        assert not is_free(domain)
    assert is_free(domain)


def test_domains_given_one_after_the_other_differ_before_they_are_used():
    from domain import free_domain

    given = [free_domain() for _ in range(40)]
    assert len(set(given)) == 40
