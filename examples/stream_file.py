"""A sound file in packets, as they would come live; joint and face motion out.

``python examples/stream_file.py [FILE] [ROBOT]``
"""
from __future__ import annotations

from pathlib import Path
import sys

import numpy as np
import soundfile

from gesture_node import GesturePipeline, GestureStream

PACKET_S = 0.02
HELLO = Path(__file__).parent / 'hello.wav'


def report(stream: GestureStream) -> None:
    """Take whatever motion is ready."""
    while stream.is_ready():
        result = stream.step()
        if result.joints is not None:
            chunk = result.joints
            start_s = chunk.first_knot / chunk.rate_hz
            reach = np.ptp(chunk.positions[:chunk.committed], axis=0).max()
            print(f'{start_s:6.2f} s  {chunk.committed} knots of {len(chunk.joint_names)} joints, '
                  f'range {reach:.2f} rad')


def main(path: str = str(HELLO), robot: str = 'humanoid') -> None:
    """Stream a file."""
    samples, sample_rate = soundfile.read(path, dtype='float32')
    stream = GesturePipeline.from_bundle().create_stream(robot=robot)
    packet = round(PACKET_S * sample_rate)
    for first in range(0, len(samples), packet):
        stream.accept_waveform(samples[first:first + packet], sample_rate)
        report(stream)
    stream.finish()
    report(stream)
    print(stream.report)


if __name__ == '__main__':
    main(*sys.argv[1:])
