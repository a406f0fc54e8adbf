"""A ROS domain of one's own, so that the demo neither hears nor disturbs other robots.

Participants of a domain bind the UDP port ``7400 + 250 domain + 10`` first (DDSI-RTPS 2.2,
section 9.6.1.1), so a domain whose port is free has no participant on this machine.
"""
from __future__ import annotations

from collections.abc import Mapping
import os
import random
import socket

from ..exceptions import SimulationError

_DOMAINS = range(20, 101)
"""Up to 101 is safe on every system: the ports stay below the ephemeral ones."""


def free_domain() -> int:
    """Return a domain that nobody on this machine uses.

    Raises:
        SimulationError: all are in use.
    """
    # Not seeded: two demos that start at once should not try the same domains in turn.
    candidates = random.SystemRandom().sample(_DOMAINS, len(_DOMAINS))
    for domain in candidates:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(('', 7400 + 250 * domain + 10))
            except OSError:
                continue
        return domain
    raise SimulationError(f'every ROS domain from {_DOMAINS[0]} to {_DOMAINS[-1]} is in use')


def environment(domain: int) -> Mapping[str, str]:
    """Return the environment of a process of the demo: own domain, this machine only."""
    return {**os.environ, 'ROS_DOMAIN_ID': str(domain),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'PYTHONUNBUFFERED': '1'}
