"""``gesture_node`` whose networks are replaced by a known function of loudness.

The jaw opens with the loudness of its frame. The body turns head and elbow by a smooth bump of
``BUMP_S`` that begins with the sound. All else is the node's own: features, windows, retargeting,
limits, plans, face, sound, and every clock.
"""
from __future__ import annotations

import os
import sys
from typing import Any

from fake_speaker import install
import numpy as np

from gesture_node.audio.features import ENERGY_INDEX
from gesture_node.channel import ChannelFrames, MotionChannel
from gesture_node.motion.face import BLENDSHAPE_INDEX
from gesture_node.motion.skeleton import JOINT_INDEX, pack_pose, unpack_pose
from gesture_node.ros.node import main

BUMP_S = 0.8
TURN_RAD = {'neck': 0.12, 'head': 0.12, 'left_elbow': -0.3}
FEATURE_S, WINDOW_CENTRE_S = 0.02, 0.004
FULL = 0.125
"""Energy at which the jaw is open and the bump at its height."""


def bump(t: np.ndarray) -> np.ndarray:
    """Return the share of the whole turn at times after a sound [s]."""
    phase = np.clip(t / BUMP_S, 0.0, 1.0)
    return 0.5 - 0.5 * np.cos(2 * np.pi * phase)


def turned(idle: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return poses ``(n, 84)`` turned away from idle by a share of the whole turn."""
    rotations, fingers = unpack_pose(np.repeat(idle[None].astype(np.float64), len(share), axis=0))
    for name, angle in TURN_RAD.items():
        a = angle * share
        turn = np.zeros((len(share), 3, 3))
        turn[:, 0, 0] = turn[:, 2, 2] = np.cos(a)
        turn[:, 0, 2], turn[:, 2, 0], turn[:, 1, 1] = np.sin(a), -np.sin(a), 1.0
        joint = JOINT_INDEX[name]
        rotations[:, joint] = rotations[:, joint] @ turn
    return pack_pose(rotations, fingers).astype(np.float32)


def step(self: Any, features: Any, latency: Any) -> ChannelFrames:
    """Stand in for a window of networks: every frame is a function of what was heard."""
    levels: list[float] = self.__dict__.setdefault('levels', [])
    rows = features.get(len(levels), self.features_needed)
    levels += np.clip(np.exp(rows[:, ENERGY_INDEX]) / FULL, 0.0, 1.0).tolist()
    first, layout = self.next_frame, self.layout
    index = np.arange(first, first + layout.window_frames - layout.seed_frames)
    if self._model.name == 'face':
        frames = np.zeros((len(index), 52), np.float32)
        known = index[index < len(levels)]
        frames[:len(known), BLENDSHAPE_INDEX['jawOpen']] = np.array(levels)[known]
    else:
        heard_s = np.arange(len(levels)) * FEATURE_S + WINDOW_CENTRE_S
        share = bump(index[:, None] / layout.rate_hz - heard_s[None]) @ np.array(levels)
        frames = turned(self._model.spec.idle, np.clip(share / 4.0, 0.0, 1.0))
    self._window += 1
    return ChannelFrames(first, frames, layout.hop_frames)


if __name__ == '__main__':
    if 'FAKE_SPEAKER' in os.environ:
        install()
    MotionChannel.step = step  # type: ignore[method-assign]
    sys.exit(main())
