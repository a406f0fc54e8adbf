"""Recorded weights in all their spellings, and meshes solved to weights."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gesture_training.corpora.problems import CatalogueError, UnusableFile
from gesture_training.corpora.readers.arkit import read_face, timecode_times, weight_index
from gesture_training.corpora.readers.vertices import (
    load_basis,
    load_neutral,
    read_vertices,
    solve_weights,
)
import numpy as np
import pytest
from scipy.optimize import lsq_linear

from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES

JAW = BLENDSHAPE_INDEX['jawOpen']


def beat_json(path: Path, count: int = 90, **changes: Any) -> Path:
    """Write 51 weights at 60 fps as BEAT does, the jaw following the time."""
    names = sorted(name for name in BLENDSHAPE_NAMES if name != 'tongueOut')
    rows = [{'weights': [0.1 + 0.5 * k / count if name == 'jawOpen' else 0.02 for name in names],
             'time': k / 60.0, 'rotation': [0.1, 0.2, 0.3]} for k in range(count)]
    path.write_text(json.dumps({'names': names, 'frames': rows} | changes))
    return path


def live_link(path: Path, codes: list[str], jaw: list[float],
              drop: tuple[str, ...] = ()) -> Path:
    """Write a Live Link Face CSV: the app's order, names capitalised, angles at the end."""
    names = [n[0].upper() + n[1:] for n in reversed(BLENDSHAPE_NAMES) if n not in drop]
    angles = ['HeadYaw', 'HeadPitch', 'HeadRoll', 'LeftEyeYaw', 'LeftEyePitch', 'LeftEyeRoll',
              'RightEyeYaw', 'RightEyePitch', 'RightEyeRoll']
    lines = [','.join(['Timecode', 'BlendShapeCount', *names, *angles])]
    for code, value in zip(codes, jaw):
        weights = [str(value if name == 'JawOpen' else 0.25 * (name == 'MouthLeft'))
                   for name in names]
        lines.append(','.join([code, '61', *weights, '0.5', '-0.25', '0', *['0.1'] * 6]))
    path.write_text('\n'.join(lines) + '\n')
    return path


def test_beat_json_is_read_by_name(tmp_path: Path) -> None:
    face = read_face(beat_json(tmp_path / 'a.json'), head_unit='radian')
    assert face.weights.shape == (90, 52)
    np.testing.assert_allclose(face.times_s, np.arange(90) / 60.0)
    np.testing.assert_allclose(face.weights[:, JAW], 0.1 + 0.5 * np.arange(90) / 90)
    assert not face.weights[:, BLENDSHAPE_INDEX['tongueOut']].any()
    assert face.head_rad is not None
    np.testing.assert_allclose(face.head_rad[0], [0.1, 0.2, 0.3])


def test_live_link_names_times_and_angles(tmp_path: Path) -> None:
    codes = [f'14:03:{52 + k // 60:02d}:{k % 60:02d}.{k:03d}' for k in range(100)]
    jaw = list(np.linspace(0.0, 0.9, 100))
    face = read_face(live_link(tmp_path / 'a.csv', codes, jaw))
    np.testing.assert_allclose(face.weights[:, JAW], jaw)
    np.testing.assert_allclose(face.weights[:, BLENDSHAPE_INDEX['mouthLeft']], 0.25)
    assert np.count_nonzero(face.weights[5]) == 2
    np.testing.assert_allclose(face.times_s, (np.arange(100) + np.arange(100) / 1000) / 60.0)
    assert face.head_rad is not None
    np.testing.assert_allclose(face.head_rad[3], [np.pi / 2, -np.pi / 4, 0.0])


def test_timecodes_pass_midnight_and_know_their_rate() -> None:
    codes = ['23:59:59:28', '23:59:59:29', '00:00:00:00', '00:00:00:01']
    times_s = timecode_times(codes, 'a')
    np.testing.assert_allclose(np.diff(times_s), 1.0 / 30.0, atol=1e-9)
    with pytest.raises(UnusableFile, match="'12:30' is no timecode"):
        timecode_times(['12:30'], 'a')


def test_frames_written_twice_count_once(tmp_path: Path) -> None:
    codes = ['00:00:01:00', '00:00:01:01', '00:00:01:01', '00:00:01:02']
    face = read_face(live_link(tmp_path / 'a.csv', codes, [0.0, 0.1, 0.2, 0.3]))
    np.testing.assert_allclose(face.weights[:, JAW], [0.0, 0.2, 0.3])


@pytest.mark.parametrize('name, expected', [
    ('JawOpen', 'jawOpen'), ('jaw_open', 'jawOpen'), ('eyeBlink_L', 'eyeBlinkLeft'),
    ('MouthSmile_R', 'mouthSmileRight'), (' tongueout ', 'tongueOut'), ('HeadYaw', None)])
def test_spellings_of_a_name(name: str, expected: str | None) -> None:
    index = weight_index(name)
    assert (None if index is None else BLENDSHAPE_NAMES[index]) == expected


def test_a_csv_with_times_and_percent(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('time,jawOpen,mouthClose\n1.0,50,20\n1.1,70,30\n')
    with pytest.raises(UnusableFile, match='weights reach from 0 to 70'):
        read_face(path)
    face = read_face(path, scale=0.01)
    np.testing.assert_allclose(face.weights[:, JAW], [0.5, 0.7])
    np.testing.assert_allclose(face.times_s, [0.0, 0.1])
    assert face.head_rad is None


@pytest.mark.parametrize('changes, reason', [
    ({'names': ['jawOpen']}, 'must hold 1 weights'),
    ({'frames': []}, 'must hold 51 weights'),
    ({'names': ['a'] * 51}, "names 'a', which is no ARKit weight"),
    ({'frames': [{'weights': [0.0] * 51}]}, 'not a file of names and frames'),
    ({'frames': [{'weights': [0.1] * 51, 'time': t} for t in (0.0, 0.1, 0.05)]}, 'not later'),
    ({'frames': [{'weights': [0.1] * 51, 'time': t} for t in (0.0, 4.0)]}, 'gap of 4.00 s'),
    ({'frames': [{'weights': [0.1] * 50 + [float('nan')], 'time': 0.0}]}, 'not numbers'),
])
def test_broken_json_says_what_is_wrong(changes: dict[str, Any], reason: str,
                                        tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match=reason):
        read_face(beat_json(tmp_path / 'a.json', **changes))


def test_broken_csv_says_what_is_wrong(tmp_path: Path) -> None:
    path = live_link(tmp_path / 'a.csv', ['00:00:00:01'] * 3, [0.1] * 3, drop=('jawOpen',))
    with pytest.raises(UnusableFile, match=r'no weight jawOpen \(found 51 of 52\)'):
        read_face(path)
    path.write_text('time,jawOpen\n0,x\n')
    with pytest.raises(UnusableFile, match='not a number'):
        read_face(path)
    path.write_text('frame,jawOpen\n0,1\n')
    with pytest.raises(UnusableFile, match='neither a column Timecode nor time'):
        read_face(path)
    path.write_text('time,jawOpen\n0,0.5\n0.1\n0.2,0.5\n')
    with pytest.raises(UnusableFile, match='row 3 has 1 cells'):
        read_face(path)
    path.write_text('time,jawOpen\n0,0.5\n0.1,0.5\n0.2')
    assert len(read_face(path).times_s) == 2


def basis_file(path: Path, names: tuple[str, ...] = BLENDSHAPE_NAMES[10:40],
               vertices: int = 200) -> Path:
    """Write a basis whose neighbours look alike, as left and right lips do."""
    rng = np.random.default_rng(0)
    deltas = rng.standard_normal((len(names), vertices, 3))
    deltas[1::2] = 0.8 * deltas[0::2] + 0.3 * deltas[1::2]
    np.savez(path, neutral=rng.standard_normal((vertices, 3)) * 5.0, deltas=deltas,
             names=np.array(names))
    return path


def known_weights(frames: int, count: int) -> np.ndarray:
    """Return smooth weights that spend time at both bounds."""
    rng = np.random.default_rng(1)
    steps = np.arange(frames)[:, None] / rng.uniform(3, 9, count)
    return np.clip(0.5 + 0.8 * np.sin(rng.uniform(0, 2 * np.pi, count) + steps), 0.0, 1.0)


def test_known_weights_are_recovered(tmp_path: Path) -> None:
    basis = load_basis(basis_file(tmp_path / 'basis.npz'))
    truth = known_weights(60, len(basis.columns))
    meshes = basis.neutral + np.einsum('tk,kvc->tvc', truth, basis.deltas)
    np.save(tmp_path / 'flat.npy', meshes.reshape(60, -1).astype(np.float64))
    np.savez(tmp_path / 'three.npz', vertices=meshes)
    for name in ('flat.npy', 'three.npz'):
        weights = read_vertices(tmp_path / name, basis)
        assert weights.shape == (60, 52)
        assert np.abs(weights[:, list(basis.columns)] - truth).max() < 1e-3
        assert not np.delete(weights, basis.columns, axis=1).any()


def test_noise_stays_within_bounds_and_at_the_minimum(tmp_path: Path) -> None:
    basis = load_basis(basis_file(tmp_path / 'basis.npz'))
    truth = known_weights(40, len(basis.columns))
    rng = np.random.default_rng(2)
    flat = basis.deltas.reshape(len(basis.columns), -1)
    moved = truth @ flat + 2.0 * rng.standard_normal((40, flat.shape[1]))
    solved = solve_weights(flat @ flat.T, moved @ flat.T)
    assert solved.min() >= 0.0 and solved.max() <= 1.0
    assert ((solved == 0.0) | (solved == 1.0)).mean() > 0.2
    for frame in (0, 17, 39):
        exact = lsq_linear(flat.T, moved[frame], (0.0, 1.0), method='bvls').x
        np.testing.assert_allclose(solved[frame], exact, atol=1e-5)


def test_a_speaker_may_bring_a_face_at_rest(tmp_path: Path) -> None:
    basis = load_basis(basis_file(tmp_path / 'basis.npz'))
    own = basis.neutral * 4.0
    truth = known_weights(20, len(basis.columns))
    np.save(tmp_path / 'a.npy', own + np.einsum('tk,kvc->tvc', truth, basis.deltas))
    np.save(tmp_path / 'own.npy', own)
    weights = read_vertices(tmp_path / 'a.npy', basis, load_neutral(tmp_path / 'own.npy', basis))
    assert np.abs(weights[:, list(basis.columns)] - truth).max() < 1e-3
    with pytest.raises(UnusableFile, match='the basis explains'):
        read_vertices(tmp_path / 'a.npy', basis)


def test_meshes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    basis = load_basis(basis_file(tmp_path / 'basis.npz'))
    path = tmp_path / 'a.npy'
    np.save(path, np.zeros((4, 77, 3)))
    with pytest.raises(UnusableFile, match=r'shape \(4, 77, 3\); the basis needs \(T, 200, 3\)'):
        read_vertices(path, basis)
    np.save(path, np.full((4, 200, 3), np.nan))
    with pytest.raises(UnusableFile, match='not finite'):
        read_vertices(path, basis)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UnusableFile, match='array of numbers'):
        read_vertices(path, basis)
    np.save(path, np.zeros((4, 200, 3), np.int64))
    with pytest.raises(UnusableFile, match='must hold floats'):
        read_vertices(path, basis)


def test_a_basis_must_name_arkit_weights(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="wrong is 'smirk'"):
        load_basis(basis_file(tmp_path / 'a.npz', ('jawOpen', 'smirk')))
    with pytest.raises(CatalogueError, match='a repeated name'):
        load_basis(basis_file(tmp_path / 'b.npz', ('jawOpen', 'JawOpen')))
    np.savez(tmp_path / 'c.npz', neutral=np.zeros((5, 3)))
    with pytest.raises(CatalogueError, match='no npz with neutral, deltas and names'):
        load_basis(tmp_path / 'c.npz')
