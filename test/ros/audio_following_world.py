"""Listens with ``AudioInput`` while publishers come and go, and prints what it heard as JSON.

Usage: ``audio_following_world.py listen [ROS arguments]`` runs until its input closes and reports;
``audio_following_world.py speak KEY RATE CHANNELS HZ RELIABILITY`` publishes a tone until killed.
"""
from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from gesture_node.config import AudioConfig
from gesture_node.ros.audio_input import AudioInput
from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.inbox import AudioInbox
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.speech_intake import SpeechIntake

PACKET_S = 0.02


def loudest_hz(samples: np.ndarray, rate: int) -> float:
    """Return the frequency that dominates."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def listen() -> None:
    """Report every stretch that was heard: type, rate, frequency; and what was said."""
    rclpy.init(args=sys.argv[2:])
    node = Node('listener')
    said: list[str] = []
    problems = ProblemLog(said.append)
    inbox = AudioInbox(10_000_000)
    types: list[str] = []
    audio = AudioInput(node, 'auto', 'auto', inbox,
                       lambda: node.get_clock().now().nanoseconds, problems,
                       lambda kind: types.append(kind.ros_type))
    intake = SpeechIntake(AudioConfig(), problems)
    heard: list[dict[str, Any]] = []
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        rclpy.spin_once(node, timeout_sec=0.02)
        for item in inbox.take():
            block = intake.decode(item)
            if block is not None and len(block.block.samples) >= 64:
                rate = block.block.sample_rate
                heard.append({'type': audio.type_name, 'rate': rate,
                              'hz': loudest_hz(block.block.samples, rate)})
                print(json.dumps(heard[-1]), flush=True)
    depth = audio._subscription.qos_profile.depth if audio.type_name else 0
    print(json.dumps({'types': types, 'said': said, 'depth': depth,
                      'lost': audio.losses.lost}), flush=True)
    node.destroy_node()
    rclpy.try_shutdown()


def speak() -> None:
    """Publish a tone in real time until killed."""
    key, reliability = sys.argv[2], sys.argv[6]
    rate, channels, hz = (int(value) for value in sys.argv[3:6])
    rclpy.init()
    node = Node('voice')
    kind = AUDIO_TYPES[key]
    publisher = node.create_publisher(kind.load(), 'audio', QoSProfile(
        depth=50, reliability=ReliabilityPolicy[reliability]))
    count = int(PACKET_S * rate)
    begun, sent = time.monotonic(), 0
    while True:
        wave = 8_000 * np.sin(2 * np.pi * hz * (sent * count + np.arange(count)) / rate)
        message = kind.load()()
        kind.write(message, np.repeat(wave[:, None], channels, 1).astype(np.int16), rate,
                   node.get_clock().now().nanoseconds)
        publisher.publish(message)
        sent += 1
        time.sleep(max(0.0, begun + sent * PACKET_S - time.monotonic()))


if __name__ == '__main__':
    {'listen': listen, 'speak': speak}[sys.argv[1]]()
