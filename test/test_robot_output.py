"""Poses to robot motion: limits hold for any pose, seams do not show, the tail ends at rest."""
import numpy as np
import pytest

from gesture_node.config import GestureConfig, LimitsConfig
from gesture_node.exceptions import RobotError
from gesture_node.latency import LatencyTracker
from gesture_node.measures.limit_audit import audit_motion
from gesture_node.motion.robot import load_profile
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import FINGER_COUNT, JOINT_COUNT, pack_pose, rest_pose
from gesture_node.robot_output import RobotOutput
from gesture_node.types import BodyChunk, JointChunk

HOP = 5
ROBOTS = ('humanoid', 'unitree_g1', 'nao')


def _output(robot: str, config: GestureConfig | None = None) -> RobotOutput:
    return RobotOutput(load_profile(robot), config or GestureConfig(), rest_pose())


def _run(output: RobotOutput, poses: np.ndarray, hop: int = HOP) -> list[JointChunk]:
    chunks = []
    for first in range(0, len(poses) - 20, hop):
        body = BodyChunk(first, poses[first:first + hop + 15].astype(np.float32), hop, 25)
        chunks.append(output.step(body, LatencyTracker()))
    return chunks


def _committed(chunks: list[JointChunk]) -> tuple[np.ndarray, np.ndarray]:
    return (np.concatenate([c.positions[:c.committed] for c in chunks]),
            np.concatenate([c.velocities[:c.committed] for c in chunks]))


def _wild(frames: int, seed: int) -> np.ndarray:
    """Return unrelated random poses: what a hostile network might say."""
    random = np.random.default_rng(seed)
    turns = matrix_from_rotvec(random.normal(0, 1.5, (frames, JOINT_COUNT, 3)))
    return pack_pose(turns, random.random((frames, FINGER_COUNT)))


def _wave(frames: int) -> np.ndarray:
    """Return a calm wave of both arms."""
    angle = 0.6 - 0.6 * np.cos(2 * np.pi * 0.4 * np.arange(frames) / 25)
    turns = np.zeros((frames, JOINT_COUNT, 3))
    turns[:, [5, 9], 1] = -0.5 * angle[:, None]
    turns[:, [6, 10], 1] = -angle[:, None]
    return pack_pose(matrix_from_rotvec(turns), np.full((frames, FINGER_COUNT), 0.2))


@pytest.mark.parametrize('robot', ROBOTS)
@pytest.mark.parametrize('seed', [0, 1])
def test_hostile_poses_never_leave_the_limits(robot: str, seed: int) -> None:
    output = _output(robot)
    limits = output.profile.limits
    for chunk in _run(output, _wild(60, seed)):
        assert chunk.joint_names == output.profile.joint_names
        times_s = (chunk.first_knot + np.arange(len(chunk.positions))) / chunk.rate_hz
        found = audit_motion(times_s, chunk.positions, chunk.velocities, limits)
        assert found.total == 0, found
        assert not chunk.velocities[-1].any() and np.isfinite(chunk.positions).all()
    assert output.interventions.limited_knots > 0


def test_committed_motion_is_one_continuous_stretch() -> None:
    output = _output('humanoid')
    chunks = _run(output, _wild(80, 3))
    assert [c.first_knot for c in chunks] == [2 * HOP * i for i in range(len(chunks))]
    positions, velocities = _committed(chunks)
    times_s = np.arange(len(positions)) / 50
    assert audit_motion(times_s, positions, velocities, output.profile.limits).total == 0


def test_calm_motion_passes_nearly_unchanged_for_every_hop() -> None:
    runs = []
    for hop in (2, 5, 10):
        output = _output('humanoid')
        positions, _ = _committed(_run(output, _wave(140), hop))
        runs.append(positions[50:200])
        assert output.interventions.max_change_rad < 0.25
    assert np.abs(runs[0] - runs[1]).max() < 0.02 and np.abs(runs[1] - runs[2]).max() < 0.02


def test_motion_starts_where_the_robot_is() -> None:
    output = _output('unitree_g1')
    limits = output.profile.limits
    start = 0.5 * (limits.lower + limits.upper)
    output.reset(dict(zip(output.profile.joint_names, start)))
    chunk = _run(output, _wave(30))[0]
    step = limits.velocity / 50
    assert (np.abs(chunk.positions[0] - start) <= step).all()
    output.rebase(start, np.zeros_like(start))
    with pytest.raises(RobotError, match='lack'):
        output.reset({'no_such_joint': 0.0})
    with pytest.raises(RobotError, match='finite'):
        output.reset(np.full(len(start), np.nan))


def test_the_factors_slow_the_robot_down() -> None:
    config = GestureConfig(limits=LimitsConfig(velocity_scale=0.2, acceleration_scale=0.3))
    output = _output('humanoid', config)
    _, velocities = _committed(_run(output, _wild(60, 5)))
    assert (np.abs(velocities) <= 0.2 * output.profile.limits.velocity + 1e-9).all()
    assert np.abs(velocities).max() > 0.1


def test_amplitude_scales_gestures_about_idle() -> None:
    from gesture_node.config import BodyConfig
    spans = []
    for amplitude in (0.0, 0.5, 1.0):
        output = _output('humanoid', GestureConfig(body=BodyConfig(amplitude=amplitude)))
        positions, _ = _committed(_run(output, _wave(120)))
        spans.append(np.ptp(positions[60:], axis=0).max())
    assert spans[0] < 0.02 < spans[1] < spans[2]


@pytest.mark.parametrize('frames', [1, 4, 12, 100])
def test_after_a_gap_motion_goes_on_from_what_was_published(frames: int) -> None:
    output = _output('humanoid')
    last = _run(output, _wave(60))[-1]
    output.skip(frames)
    again = BodyChunk(last.first_knot // 2 + HOP + frames,
                      _wild(20, 4).astype(np.float32), HOP, 25)
    chunk = output.step(again, LatencyTracker())
    row = min(last.committed + 2 * frames, len(last.positions)) - 1
    positions = np.concatenate([last.positions[:row + 1], chunk.positions])
    velocities = np.concatenate([last.velocities[:row + 1], chunk.velocities])
    times_s = np.arange(len(positions)) / 50
    assert audit_motion(times_s, positions, velocities, output.profile.limits).total == 0
    resting = row == len(last.positions) - 1
    assert resting == (not last.velocities[row].any()) and resting == (frames == 100)


def test_skipping_in_parts_is_skipping_at_once() -> None:
    chunks = []
    for parts in ((7,), (1, 2, 4)):
        output = _output('humanoid')
        _run(output, _wave(60))
        for frames in parts:
            output.skip(frames)
        chunks.append(output.step(BodyChunk(60, _wave(20).astype(np.float32), HOP, 25),
                                  LatencyTracker()))
    assert np.allclose(chunks[0].positions, chunks[1].positions, atol=1e-12)


def test_a_gap_after_a_rebase_is_braked_through() -> None:
    output = _output('humanoid')
    last = _run(output, _wave(60))[-1]
    row = last.committed - 1
    output.rebase(last.positions[row] + 0.1, last.velocities[row], last.accelerations[row])
    output.skip(100)
    chunk = output.step(BodyChunk(200, np.repeat(_wave(1), 20, axis=0).astype(np.float32),
                                  HOP, 25), LatencyTracker())
    still = last.positions[row] + 0.1
    assert np.abs(chunk.positions[0] - still).max() < 0.2
    assert np.abs(chunk.velocities[0] / output.profile.limits.velocity).max() < 0.5
