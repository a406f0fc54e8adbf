"""What requests for gestures see of the driver. Knows no ROS."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..dialogue.states import RESTING, State, UTTERING
from ..stream import GestureStream
from ..timeline import NS_PER_S, SAMPLE_RATE_HZ
from .audio_decoder import AudioBlock
from .presentation import PacketTiming
from .speech_intake import Heard

if TYPE_CHECKING:
    from .stream_driver import StreamDriver

_PACKET = 320


class DriverHost:
    """One driver, as :class:`GestureDesk` sees it; used under the driver's lock."""

    def __init__(self, driver: StreamDriver) -> None:
        self._driver = driver

    @property
    def stream(self) -> GestureStream:
        """The stream that gestures are placed on."""
        return self._driver.stream

    @property
    def gesture_start_ns(self) -> int | None:
        """ROS time at which stream time 0 is shown; ``None`` while no stream takes gestures."""
        driver, clock = self._driver, self._driver.intake.clock
        if clock is None or driver.state not in UTTERING or driver.stream.finished:
            return None
        return clock.presentation_ns(0)

    @property
    def gesture_delay_ns(self) -> int:
        """From audio to motion [ns]."""
        return round(self._driver.config.output.presentation_delay_s * NS_PER_S)

    def why_no_gesture(self, now_ns: int) -> str:
        """Return why nothing can be shown now, empty if it can."""
        driver = self._driver
        if driver.stream.robot is None:
            return 'the node drives no robot'
        if driver.state is State.STOPPED:
            return 'the node is stopped; call ~/reset'
        if driver.state is State.DISABLED:
            return 'the node is disabled; call ~/enable'
        waiting = driver.body.waiting_for(now_ns)
        return f'the robot waits for {waiting}' if waiting else ''

    def begin_silence(self, now_ns: int) -> bool:
        """Begin a stream of silence; return false if that must wait."""
        if self._driver.state not in RESTING:
            return False
        block = AudioBlock(np.zeros(_PACKET, np.float32), SAMPLE_RATE_HZ)
        timing = PacketTiming(_PACKET, SAMPLE_RATE_HZ, now_ns, None, False)
        return self._driver.begin_with(Heard(block, timing), now_ns)
