"""Gestures over generated motion: on absolute frames, smooth, only where they belong."""
import numpy as np
import pytest

from gesture_node.exceptions import RequestError
from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.gestures.motion import GestureMotion
from gesture_node.gestures.request import parse_request
from gesture_node.gestures.track import GestureTrack, MOST_GESTURES
from gesture_node.motion.rotations import matrix_from_rotvec
from gesture_node.motion.skeleton import JOINT_INDEX, pack_pose, rest_pose, unpack_pose

CHOOSER = GestureChooser(load_library(), None, rest_pose())


def chosen(text: str) -> GestureMotion:
    return CHOOSER.choose(parse_request(text))


def moving(count: int) -> np.ndarray:
    """Return poses (T, 84) in which everything sways."""
    time_s = np.arange(count) / 25.0
    rotations, _ = unpack_pose(rest_pose())
    turn = 0.3 * np.sin(time_s[:, None, None] * 2.0 + np.arange(12)[:, None] + np.arange(3))
    fingers = 0.5 + 0.3 * np.sin(time_s[:, None] + np.arange(12))
    return pack_pose(rotations @ matrix_from_rotvec(turn), fingers).astype(np.float32)


def placed(*texts: str, at_s: float = 2.0) -> GestureTrack:
    track = GestureTrack()
    for number, text in enumerate(texts):
        track.place(chosen(text), at_s + 0.7 * number, 0)
    return track


@pytest.mark.parametrize('cuts', [(37,), (10, 20, 30, 40, 50, 60, 70), (1, 2, 99)])
def test_however_frames_are_cut_the_bits_are_the_same(cuts: tuple[int, ...]) -> None:
    poses, track = moving(120), placed('greet', 'yes', 'big')
    whole = track.apply(0, poses)
    parts = [track.apply(first, poses[first:last])
             for first, last in zip((0, *cuts), (*cuts, 120))]
    assert np.array_equal(np.concatenate(parts), whole)
    assert not np.array_equal(whole, poses)


def test_what_a_gesture_does_not_name_goes_on_untouched() -> None:
    poses = moving(120)
    rotations, fingers = unpack_pose(placed('greet').apply(0, poses).astype(np.float64))
    before, curls = unpack_pose(poses.astype(np.float64))
    others = [i for name, i in JOINT_INDEX.items() if not name.startswith('right_')]
    assert np.allclose(rotations[:, others], before[:, others], atol=1e-6)
    assert np.allclose(fingers[:, :6], curls[:, :6], atol=1e-6)
    assert np.abs(rotations - before).max() > 0.5


def test_the_stroke_falls_on_its_time() -> None:
    track, motion = placed('stop', at_s=2.0), chosen('stop')
    result, _ = unpack_pose(track.apply(0, moving(120)).astype(np.float64))
    wrist = JOINT_INDEX['right_wrist']
    stroke = 2 * 25
    assert np.allclose(result[stroke, wrist], motion.rotations[0, wrist], atol=1e-5)
    assert not np.allclose(result[stroke - 4, wrist], motion.rotations[0, wrist], atol=0.01)


def test_committed_frames_are_never_asked_for_another_pose() -> None:
    track, poses = GestureTrack(), moving(200)
    committed = track.apply(0, poses)[:50]
    track.place(chosen('greet'), None, 50)
    track.place(chosen('yes'), 3.0, 50)
    assert np.array_equal(track.apply(0, poses)[:50], committed)


def test_a_stroke_that_is_too_soon_is_hurried_a_little_or_refused() -> None:
    motion = chosen('greet')
    usual = motion.lead_s
    track = GestureTrack()
    soon = track.place(motion, 2.0 + 0.7 * usual, 50)
    assert soon.start_s == pytest.approx(2.0) and soon.motion.lead_s == pytest.approx(0.7 * usual)
    with pytest.raises(RequestError, match='too late: the stroke of greet could come 0.18 s'):
        track.place(motion, 2.0 + 0.3 * usual, 50)
    assert track.place(motion, None, 50).stroke_s == pytest.approx(2.0 + usual)


def test_overlapping_gestures_hand_over_smoothly() -> None:
    poses = np.repeat(rest_pose()[None].astype(np.float32), 200, axis=0)
    track = placed('you', 'stop', at_s=2.0)
    result = track.apply(0, poses)
    assert np.abs(np.diff(result, axis=0, n=2)).max() < 0.2
    wrist = JOINT_INDEX['right_elbow']
    shown, _ = unpack_pose(result.astype(np.float64))
    assert np.allclose(shown[round(2.8 * 25), wrist], chosen('stop').rotations[0, wrist],
                       atol=0.02)
    assert np.array_equal(result[track.end_frame:], poses[track.end_frame:])
    assert track.end_frame < 200


def test_too_many_gestures_are_refused_and_old_ones_forgotten() -> None:
    track, motion = GestureTrack(), chosen('yes')
    for _ in range(MOST_GESTURES):
        track.place(motion, 5.0, 0)
    with pytest.raises(RequestError, match='16 gestures'):
        track.place(motion, 5.0, 0)
    track.place(motion, 20.0, 400)
    track.clear()
    assert track.end_frame == 0 and not track.shows(0, 10_000)


def test_pointing_stands_still_while_the_trunk_moves() -> None:
    from gesture_node.motion.skeleton import forward_kinematics
    motion = chosen('point_at 1.0 0.8 0.6')
    track = GestureTrack()
    track.place(motion, 2.0, 0)
    result, _ = unpack_pose(track.apply(0, moving(120)).astype(np.float64))
    _, frames = forward_kinematics(result[50:68])
    fore = -frames[:, JOINT_INDEX['left_elbow'], :, 2]
    assert np.degrees(np.arccos(np.clip(fore @ fore[0], -1, 1))).max() < 0.1
    chest = frames[:, JOINT_INDEX['chest'], :, 0]
    assert np.degrees(np.arccos(np.clip(chest @ chest[0], -1, 1))).max() > 5.0
