"""Speaks on ``audio`` until it is killed: bytes without layout, so nothing says what they are."""
from __future__ import annotations

import time

from dialogue_sounds import made_up_voice, RATE_HZ
import numpy as np
import rclpy
from rclpy.qos import QoSProfile
from std_msgs.msg import UInt8MultiArray

PACKET = 640


def main() -> None:
    rclpy.init()
    node = rclpy.create_node('dying_voice')
    voice = node.create_publisher(UInt8MultiArray, 'audio', QoSProfile(depth=100))
    samples = (made_up_voice(np.random.default_rng(1), 20.0) * 32_000).astype('<i2')
    due_s = time.monotonic()
    while True:
        for first in range(0, len(samples) - PACKET, PACKET):
            voice.publish(UInt8MultiArray(data=samples[first:first + PACKET].tobytes()))
            due_s += PACKET / RATE_HZ
            time.sleep(max(0.0, due_s - time.monotonic()))


if __name__ == '__main__':
    main()
