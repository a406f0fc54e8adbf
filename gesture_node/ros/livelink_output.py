"""Sends the face to an avatar as Live Link packets by UDP. Knows no ROS.

Opens a socket to send from only when an address is given, and never listens. A receiver that is
not there costs nothing: UDP packets are sent into the void, and what the system says about it is
reported once.
"""
from __future__ import annotations

import socket
from typing import Any
import uuid

from ..exceptions import ConfigError
from ..face_formats.livelink import frame_time, packet, parse_address
from ..motion.face import neutral_face
from ..timeline import FACE_RATE_HZ
from ..types import Float32Array
from .problems import ProblemLog


class LiveLinkOutput:
    """One sender.

    Args:
        address: ``host`` or ``host:port`` of the receiver.
        subject: name under which the receiver lists the face.
        problems: takes what is wrong while sending.

    Raises:
        ConfigError: the address cannot be read or its host is unknown, or the subject's name is
            empty or too long.
    """

    def __init__(self, address: str, subject: str, problems: ProblemLog) -> None:
        host, port = parse_address(address)
        try:
            family, kind, protocol, _, target = socket.getaddrinfo(
                host, port, type=socket.SOCK_DGRAM)[0]
            self._target: Any = target
            self._socket = socket.socket(family, kind, protocol)
        except (OSError, UnicodeError) as error:
            raise ConfigError(f'livelink_address {address!r} cannot be reached: {error}') from None
        self._socket.setblocking(False)
        self._address, self._subject, self._problems = address, subject, problems
        # The same robot keeps its identity over restarts.
        self._device = str(uuid.uuid5(uuid.NAMESPACE_DNS, f'{socket.gethostname()}/{subject}'))
        self.sent = 0
        try:
            packet(self._device, subject, frame_time(0, FACE_RATE_HZ), neutral_face())
        except ConfigError:
            self._socket.close()
            raise

    def send(self, weights: Float32Array, shown_ns: int) -> None:
        """Send a face: weights ``(52,)``, shown at ROS time ``shown_ns``."""
        data = packet(self._device, self._subject, frame_time(shown_ns, FACE_RATE_HZ), weights)
        try:
            self._socket.sendto(data, self._target)
            self.sent += 1
        except OSError as error:
            self._problems.report('livelink', f'Live Link packets do not leave for '
                                              f'{self._address}: {error}')

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
