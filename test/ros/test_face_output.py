"""Face frames leave at their presentation time, and relax when interrupted."""
import numpy as np

from gesture_node.ros.face_output import FaceOutput, RELEASE_FRAMES
from gesture_node.types import FaceChunk

MS = 1_000_000
START = 5_000 * MS


def chunk(first, count, value=0.5):
    return FaceChunk(first, np.full((count, 52), value, np.float32), 50)


def test_frames_leave_every_20_ms_from_the_start():
    face = FaceOutput()
    face.extend(chunk(0, 5), START)
    face.extend(chunk(5, 5), START)
    seen = []
    for now in range(START - 20 * MS, START + 300 * MS, 5 * MS):
        seen += [due for due, _ in face.take_due(now)]
    assert seen == [START + 20 * MS * k for k in range(10)]
    assert face.taken == 10 and face.late == 0 and not face.is_moving


def test_late_frames_are_dropped_and_counted():
    face = FaceOutput()
    face.extend(chunk(0, 10), START)
    taken = face.take_due(START + 205 * MS)
    assert [due for due, _ in taken] == [START + 180 * MS] and face.late == 9


def test_a_frame_is_shown_late_only_when_none_is_newer():
    face = FaceOutput()
    face.extend(chunk(0, 5), START)
    assert face.take_due(START + 139 * MS)[-1][0] == START + 80 * MS and face.late == 4
    face.extend(chunk(5, 5), START)
    assert face.take_due(START + 300 * MS) == [] and face.late == 9


def test_frames_half_a_tick_apart_are_all_shown():
    face = FaceOutput()
    face.extend(chunk(0, 3), START)
    taken = face.take_due(START + 25 * MS)
    assert [due for due, _ in taken] == [START, START + 20 * MS] and face.late == 0


def test_an_interrupted_face_relaxes_to_neutral():
    face = FaceOutput()
    face.extend(chunk(0, 50), START)
    face.take_due(START)
    released = face.release(START + 10 * MS)
    assert released.weights.shape == (RELEASE_FRAMES, 52)
    assert (np.diff(released.weights[:, 0]) < 0).all() and not released.weights[-1].any()
    assert released.weights.max() < 0.5
    frames = face.take_due(START + 10 * MS + 11 * 20 * MS)
    assert frames[-1][1].max() == 0.0 and not face.is_moving
    assert face.release(START) is None


def test_nothing_shown_needs_no_release():
    face = FaceOutput()
    face.extend(chunk(0, 5), START)
    assert face.release(START - 100 * MS) is None
    assert not face.is_moving
