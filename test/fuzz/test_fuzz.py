"""Broken inputs of every kind: no crash, no hang, and one clear sentence for each.

``make fuzz`` makes more than 100 000 cases; a small sample of each kind runs with the other tests.
"""
from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path
import random
import sys
import tempfile

import numpy as np
import pytest

from gesture_node.bundle import read_bundle
from gesture_node.config import GestureConfig, walk, with_values
from gesture_node.exceptions import GestureError
from gesture_node.motion.robot import load_profile
from gesture_node.motion.urdf import parse_urdf
from gesture_node.operations.black_box import BlackBox
from gesture_node.operations.black_box_file import BlackBoxFile, save_black_box
from gesture_node.ros.audio_decoder import AudioDecoder, AudioFormat
from gesture_node.ros.audio_packet import stamp_ns_of
from gesture_node.ros.problems import ProblemLog

sys.path.insert(0, str(Path(__file__).parent))
from fuzz_cases import broken, mutated, ROOT, URDF, wave

SCALE = float(os.environ.get('FUZZ_SCALE', '1'))
"""Multiplies the cases of the long campaign."""
FORMATS = ('S16LE', 'S8', 'U8', 'S24LE', 'S32BE', 'F32LE', 'F64BE', '', 'X', 'S16')
_STATE: dict[str, object] = {}


def decoder() -> AudioDecoder:
    """Return one that has been through every case so far, or now and then a new one."""
    found = _STATE.get('decoder')
    if not isinstance(found, AudioDecoder) or np.random.default_rng().random() < 0.01:
        _STATE['said'] = said = []
        found = _STATE['decoder'] = AudioDecoder(AudioFormat(16_000, 1, 'S16LE'),
                                                 ProblemLog(said.append))
    return found


def check_block(block: object) -> None:
    samples = getattr(block, 'samples', None)
    if samples is not None:
        assert samples.dtype == np.float32 and samples.ndim == 1
        assert np.isfinite(samples).all() and np.abs(samples).max(initial=0.0) <= 1.0


def message(rng: random.Random) -> None:
    """Fields of audio messages."""
    form = AudioFormat(rng.choice((0, 1, -5, 8_000, 16_000, 48_000, 192_001, 2 ** 31)),
                       rng.choice((0, 1, 2, 7, 65, -1)), rng.choice(FORMATS),
                       rng.choice(('raw', 'raw', 'mp3', 'x')))
    payload = rng.randbytes(rng.choice((0, 1, 3, 7, 64, 641)))
    check_block(decoder().decode(payload, form, sniff=rng.random() < 0.5))
    stamp_ns_of(rng.randrange(-2 ** 31, 2 ** 31), rng.choice((0, 5, 10 ** 9, -1, 2 ** 32 - 1)))


def sound(rng: random.Random) -> None:
    """WAVE files in messages, whole and in pieces."""
    data = broken(wave(rng), rng)
    cut = rng.randrange(len(data) + 1) if rng.random() < 0.4 else len(data)
    for piece in (data[:cut], data[cut:]):
        check_block(decoder().decode(piece, AudioFormat(), sniff=True))


def robot_tree(rng: random.Random) -> None:
    """URDFs."""
    parse_urdf(mutated(URDF, rng).decode('utf-8', 'replace'), 'fuzz')


def parameters(rng: random.Random) -> None:
    """Values of parameters."""
    leaves = walk(GestureConfig())
    values = {}
    for _ in range(rng.choice((1, 2, 5))):
        name = rng.choice(leaves)[0] if rng.random() < 0.9 else rng.choice(('', 'x', 'body.', '.'))
        values[name] = rng.choice((None, True, -1, 0, 1, 2 ** 70, 0.04, -0.0, float('nan'),
                                   float('inf'), '', 'dpm', [], {}, b'x', 1e308))
    config = with_values(GestureConfig(), values)
    assert all(np.isfinite(value) for _, value, _ in walk(config) if isinstance(value, float))


def robot_yaml(rng: random.Random) -> None:
    """Robot profiles."""
    path = Path(tempfile.gettempdir()) / f'fuzz_robot_{os.getpid()}.yaml'
    text = (ROOT / 'config' / 'robots' / 'poppy_torso.yaml').read_bytes()
    try:
        path.write_bytes(mutated(text, rng))
        load_profile(path)
    finally:
        path.unlink()


def bundle(rng: random.Random) -> None:
    """Files of bundles."""
    with tempfile.TemporaryDirectory() as folder:
        for path in (ROOT / 'test' / 'data' / 'tiny_bundle').iterdir():
            (Path(folder) / path.name).symlink_to(path)
        name = rng.choice(('bundle.yaml',) * 8 + ('body.onnx', 'encoder.onnx'))
        target = Path(folder) / name
        data = target.read_bytes()
        target.unlink()
        target.write_bytes(mutated(data, rng))
        read_bundle(folder)


def black_box(rng: random.Random) -> None:
    """Black-box files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'box.npz'
        box = BlackBox(30.0)
        box.begin({'config': {}, 'robot': '', 'urdf': '', 'persona': None})
        box.note_audio(np.zeros(50, np.float32), 16_000)
        save_black_box(path, box.snapshot(), {'reason': 'fuzz'})
        path.write_bytes(broken(path.read_bytes(), rng))
        BlackBoxFile(path)


KINDS: dict[Callable[[random.Random], None], tuple[int, int]] = {
    message: (300, 60_000), sound: (200, 30_000), robot_tree: (100, 12_000),
    parameters: (100, 8_000), robot_yaml: (4, 600), bundle: (4, 600), black_box: (20, 2_000)}
"""Cases in a sample and in the long campaign; more than 100 000 in all."""


def run(kind: Callable[[random.Random], None], cases: int) -> None:
    for number in range(cases):
        try:
            kind(random.Random(f'{kind.__name__} {number}'))
        except GestureError as error:
            text = str(error)
            assert text and '\n' not in text.strip() and len(text) < 3_000, (number, text)
        except Exception as error:
            raise AssertionError(f'{kind.__name__} {number}: {type(error).__name__}: '
                                 f'{error}') from error


def test_the_campaign_is_large_enough() -> None:
    assert sum(long for _, long in KINDS.values()) >= 100_000


@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.__name__)
def test_sample(kind: Callable[[random.Random], None]) -> None:
    run(kind, KINDS[kind][0])


@pytest.mark.fuzz
@pytest.mark.timeout(7_200)
@pytest.mark.parametrize('kind', KINDS, ids=lambda kind: kind.__name__)
def test_campaign(kind: Callable[[random.Random], None]) -> None:
    run(kind, round(SCALE * KINDS[kind][1]))
