"""``gesture_replay`` from the command line."""
from __future__ import annotations

from pathlib import Path
import shutil

import numpy as np
import pytest

from gesture_node.cli.gesture_replay import main
from gesture_node.config import BodyConfig, FaceConfig, GestureConfig, walk
from gesture_node.operations.black_box import BlackBox
from gesture_node.operations.black_box_file import save_black_box
from gesture_node.operations.recorded_stream import RecordedStream
from gesture_node.pipeline import GesturePipeline

BUNDLE = Path(__file__).parents[1] / 'data' / 'tiny_bundle'
CONFIG = GestureConfig(bundle=str(BUNDLE), body=BodyConfig(steps=1, hop_s=0.4),
                       face=FaceConfig(steps=1, hop_s=0.4))


class Calm:
    """Lets every window be what it is."""

    def wanted_steps(self, stream):
        return stream.steps

    def stepped(self, stream, result, compute_s):
        pass

    def skipped(self, frames):
        pass

    def failed(self, error):
        pass


@pytest.fixture(scope='module')
def recording(tmp_path_factory):
    pipeline, box = GesturePipeline.from_bundle(BUNDLE, provider='cpu'), BlackBox(30.0)
    stream = RecordedStream(pipeline.create_stream(None, CONFIG), box, {
        'config': {name: value for name, value, _ in walk(CONFIG)}, 'robot': '', 'urdf': '',
        'persona': None}, Calm())
    stream.reset()
    t = np.arange(24_000) / 16_000
    stream.accept_waveform((0.3 * np.sin(900 * t)).astype(np.float32), 16_000)
    while stream.is_ready():
        stream.step()
    path = tmp_path_factory.mktemp('replay') / 'box.npz'
    save_black_box(path, box.snapshot(), {'reason': 'requested', 'bundle': str(BUNDLE),
                                          'bundle_hash': pipeline.bundle.hash})
    return path


def test_the_same_motion_comes_out(recording, tmp_path, capsys):
    assert main([str(recording), '--out', str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert 'take 0: 6 windows, identical' in said
    assert len((tmp_path / 'take_0' / 'face.csv').read_text().splitlines()) == 1 + 60


def test_another_bundle_is_refused(recording, tmp_path, capsys):
    other = tmp_path / 'bundle'
    shutil.copytree(BUNDLE, other)
    text = (other / 'bundle.yaml').read_text()
    (other / 'bundle.yaml').write_text(f'{text}\n# changed\n')
    assert main([str(recording), '--bundle', str(other)]) == 1
    assert 'was recorded with bundle' in capsys.readouterr().err


def test_motion_that_differs_has_an_exit_code(recording, tmp_path, capsys):
    path = tmp_path / 'box.npz'
    with np.load(recording) as file:
        arrays = {name: file[name] for name in file.files}
    arrays['all_float32'] = arrays['all_float32'].copy()
    arrays['all_float32'][:24_000] *= 0.5
    np.savez(path, **arrays)
    assert main([str(path)]) == 3
    assert 'differ, the first is number' in capsys.readouterr().out


def test_no_file_is_one_sentence(tmp_path, capsys):
    assert main([str(tmp_path / 'none.npz')]) == 1
    assert capsys.readouterr().err.startswith('error: cannot read the black box')
