"""Hears one audio topic until enough samples came, and prints them as JSON.

Usage: ``audio_listener.py KEY SAMPLES``, with a key of ``AUDIO_TYPES``.
"""
from __future__ import annotations

import json
import sys
import time
from typing import Any

import rclpy
from rclpy.qos import QoSProfile

from gesture_node.ros.audio_decoder import AudioDecoder, AudioFormat
from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.problems import ProblemLog

LIMIT_S = 60.0


def main() -> None:
    kind, wanted = AUDIO_TYPES[sys.argv[1]], int(sys.argv[2])
    decoder = AudioDecoder(AudioFormat(16_000, 1, 'S16LE'), ProblemLog(sys.exit))
    seen: dict[str, list[Any]] = {'samples': [], 'sizes': [], 'stamps_ns': []}
    rates, channels = set(), set()

    def hear(message: Any) -> None:
        packet = kind.read(message)
        block = decoder.decode(packet.payload, packet.declared, sniff=packet.sniff)
        if block is not None:
            seen['samples'] += block.samples.tolist()
            seen['sizes'].append(len(block.samples))
            seen['stamps_ns'].append(packet.stamp_ns)
            rates.add(packet.declared.sample_rate)
            channels.add(packet.declared.channels)

    rclpy.init()
    node = rclpy.create_node('listener')
    node.create_subscription(kind.load(), 'audio', hear, QoSProfile(depth=200))
    end = time.monotonic() + LIMIT_S
    while len(seen['samples']) < wanted and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps({**seen, 'rates': sorted(rates), 'channels': sorted(channels)}))
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
