"""What passes between the parts: chunks of motion with absolute names.

All arrays are read-only by convention. ``first_knot`` and ``first_frame`` count from the start of
the stream (see :mod:`gesture_node.timeline`), whatever arrived in which packets.
"""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JointChunk:
    """Robot motion on the knot grid: a committed part, then a provisional tail ending at rest.

    Attributes:
        joint_names: N robot joints, order of all columns.
        first_knot: absolute index of row 0; knot k is at stream time ``k / rate_hz``.
        positions: shape (K, N), float64, [rad].
        velocities: shape (K, N), float64, [rad/s]; the last row is exactly zero.
        accelerations: shape (K, N), float64, [rad/s^2], of the knot interval that ends at the row.
        committed: number of leading rows that no later chunk changes.
        rate_hz: knots per second.
        generation: reset counter of the stream; chunks of older generations are void.
    """

    joint_names: tuple[str, ...]
    first_knot: int
    positions: Float64Array
    velocities: Float64Array
    accelerations: Float64Array
    committed: int
    rate_hz: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class FaceChunk:
    """Face motion: committed frames of blendshape weights.

    Attributes:
        first_frame: absolute index of row 0; frame k is at stream time ``k / rate_hz``.
        weights: shape (T, 52), float32, [0, 1], ARKit names in Apple's order.
        rate_hz: frames per second.
        generation: reset counter of the stream.
    """

    first_frame: int
    weights: Float32Array
    rate_hz: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class BodyChunk:
    """Canonical motion before retargeting: committed frames, then the provisional lookahead.

    Attributes:
        first_frame: absolute index of row 0 at ``rate_hz``.
        poses: shape (T, 84), float32, pose vectors (see ``motion/skeleton.py``).
        committed: number of leading rows that are final.
        scaled: whether ``body.amplitude`` is in them already.
    """

    first_frame: int
    poses: Float32Array
    committed: int
    rate_hz: int
    generation: int = 0
    scaled: bool = False


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one call of ``GestureStream.step`` produced; absent parts are ``None``.

    Attributes:
        heard: shape (T, 83), float32, speech features of the frames of ``face``; absent where the
            bundle hears with another front end.
    """

    body: BodyChunk | None = None
    joints: JointChunk | None = None
    face: FaceChunk | None = None
    heard: Float32Array | None = None
    timings_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamReport:
    """What happened to a stream so far.

    Attributes:
        audio_s: audio accepted, at 16 kHz.
        dropped_audio_s: audio refused because too much was waiting.
        non_finite_samples, clipped_samples: repaired input samples.
        nan_count: numbers of the networks' output that were not finite and were replaced.
        skipped_frames: frames given up because they would have come too late, by channel.
        limit_interventions: counts of the safety layer.
    """

    audio_s: float
    dropped_audio_s: float
    non_finite_samples: int
    clipped_samples: int
    nan_count: int
    skipped_frames: dict[str, int]
    limit_interventions: dict[str, float]
