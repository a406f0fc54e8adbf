"""What the robot does to the first seconds of ``examples/hello.wav``."""
from __future__ import annotations

import numpy as np
import soundfile

from gesture_node import GesturePipeline
from gesture_node.resources import share_path

SPEECH_S = 4.0


def hello_motion() -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return joint names, positions and velocities of the committed knots, 50 per second."""
    stream = GesturePipeline.from_bundle().create_stream(robot='humanoid')
    samples, rate = soundfile.read(share_path('examples', 'hello.wav'), dtype='float32')
    stream.accept_waveform(samples[:round(SPEECH_S * rate)], sample_rate=rate)
    stream.finish()
    names: tuple[str, ...] = ()
    positions, velocities = [], []
    while stream.is_ready():
        chunk = stream.step().joints
        if chunk is not None:
            names = chunk.joint_names
            positions.append(chunk.positions[:chunk.committed])
            velocities.append(chunk.velocities[:chunk.committed])
    return names, np.concatenate(positions), np.concatenate(velocities)
