"""Speaks to ``gesture_node`` and prints, as JSON, faces and visemes that carry the same stamp."""
from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import rclpy
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Float32MultiArray, Int16MultiArray

from gesture_node.ros.audio_messages import AUDIO_TYPES

RATE, PACKET, NS = 16_000, 320, 1_000_000_000
LIMIT_S, WANTED = 60.0, 40


def main() -> None:
    rclpy.init()
    node = rclpy.create_node('peer')
    faces: dict[int, list[float]] = {}
    visemes: dict[int, list[float]] = {}

    def keep_face(message: JointState) -> None:
        stamp = message.header.stamp
        faces[stamp.sec * NS + stamp.nanosec] = list(message.position)

    def keep_visemes(message: Any) -> None:
        sizes = {dim.label: dim.size for dim in message.layout.dim}
        visemes[sizes['stamp_sec'] * NS + sizes['stamp_nanosec']] = list(message.data)

    deep = QoSProfile(depth=200)
    node.create_subscription(JointState, 'face/blendshapes', keep_face, deep)
    node.create_subscription(Float32MultiArray, 'face/visemes', keep_visemes, deep)
    voice = node.create_publisher(Int16MultiArray, 'audio', deep)
    kind = AUDIO_TYPES['int16']
    end, sent, begun = time.monotonic() + LIMIT_S, 0, None
    while len(set(faces) & set(visemes)) < WANTED:
        if time.monotonic() > end:
            sys.exit(f'in vain: {len(faces)} faces, {len(visemes)} visemes')
        if voice.get_subscription_count():
            begun = time.monotonic() if begun is None else begun
            while time.monotonic() >= begun + sent * PACKET / RATE:
                t = (sent * PACKET + np.arange(PACKET)) / RATE
                wave = 6_000 * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1) * sum(
                    np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 12))
                message = Int16MultiArray()
                kind.write(message, wave.astype(np.int16)[:, None], RATE,
                           node.get_clock().now().nanoseconds)
                voice.publish(message)
                sent += 1
        rclpy.spin_once(node, timeout_sec=0.01)
    both = sorted(set(faces) & set(visemes))
    print(json.dumps([{'stamp_ns': at, 'face': faces[at], 'visemes': visemes[at]}
                      for at in both]))
    node.destroy_node()
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
