"""Bundles: a good one is read, every broken one is refused in a sentence that names the fault."""
from collections.abc import Callable
from pathlib import Path
import shutil
from typing import Any

import pytest
import yaml

from gesture_node.bundle import NETWORKS, read_bundle
from gesture_node.exceptions import BundleError, ConfigError
from gesture_node.inference import choose_providers, open_session
from gesture_node.pipeline import GesturePipeline

TINY = Path(__file__).parent / 'data' / 'tiny_bundle'


@pytest.fixture()
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / 'bundle'))


def _edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = yaml.safe_load((folder / 'bundle.yaml').read_text())
    change(data)
    (folder / 'bundle.yaml').write_text(yaml.safe_dump(data))


def test_a_good_bundle_is_read() -> None:
    bundle = read_bundle(TINY)
    assert bundle.body.mean.shape == (84,) and bundle.face.mean.shape == (52,)
    assert bundle.body.model[0] == 25 and bundle.face.model[0] == 50
    assert len(bundle.hash) == 12 and bundle.hash == read_bundle(str(TINY)).hash


@pytest.mark.parametrize(('change', 'message'), [
    (lambda d: d.update(format=99), 'format must be 1, got 99'),
    (lambda d: d['features'].update(dim=80), 'features.dim is 80, this version needs 83'),
    (lambda d: d['features'].update(version=7), 'features.version'),
    (lambda d: d['encoder'].update(kind='wavlm'), 'frontend.onnx is missing'),
    (lambda d: d['encoder'].update(kind='hubert'), 'encoder.kind is hubert, .* mel and wavlm'),
    (lambda d: d['schedule'].update(prediction='eps'), 'schedule.prediction is eps'),
    (lambda d: d['face']['names'].__setitem__(17, 'jawOpened'), "'jawOpened' for 'jawOpen'"),
    (lambda d: d['body']['mean'].pop(), 'body.mean must be 84'),
    (lambda d: d['body']['std'].__setitem__(3, 0.0), 'body.std must be positive'),
    (lambda d: d['body']['std'].__setitem__(3, float('nan')), 'body.std must be 84 finite'),
    (lambda d: d['face'].update(seed_frames=900), 'seed_frames'),
    (lambda d: d['face'].update(steps=0), r'face.steps must be in \[1, 50\], got 0'),
    (lambda d: d.pop('encoder'), 'malformed'),
    (lambda d: d['body'].update(mean='x'), 'malformed|84'),
    (lambda d: d['files'].update({'body.onnx': '00'}), 'body.onnx is truncated or altered'),
])
def test_metadata_that_do_not_match_are_named(copy: Path, change: Callable[..., object],
                                               message: str) -> None:
    _edit(copy, change)
    with pytest.raises(BundleError, match=message):
        read_bundle(copy)


@pytest.mark.parametrize('network', NETWORKS)
def test_a_missing_or_truncated_network_is_named(copy: Path, network: str) -> None:
    raw = (copy / network).read_bytes()
    (copy / network).write_bytes(raw[:len(raw) // 2])
    with pytest.raises(BundleError, match=f'{network} is truncated or altered'):
        read_bundle(copy)
    (copy / network).unlink()
    with pytest.raises(BundleError, match=f'{network} is missing'):
        read_bundle(copy)


@pytest.mark.parametrize('text', ['[', '- 1', '', '!!python/object/apply:os.getcwd []', '\x00'])
def test_metadata_that_are_not_a_mapping_are_refused(copy: Path, text: str) -> None:
    (copy / 'bundle.yaml').write_text(text)
    with pytest.raises(BundleError):
        read_bundle(copy)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match='no bundle.yaml'):
        GesturePipeline.from_bundle(tmp_path / 'nowhere')


def test_a_network_that_is_no_network(copy: Path) -> None:
    import hashlib
    (copy / 'face.onnx').write_bytes(b'not a network')
    digest = hashlib.sha256(b'not a network').hexdigest()
    _edit(copy, lambda d: d['files'].update({'face.onnx': digest}))
    with pytest.raises(BundleError, match='face.onnx cannot be loaded'):
        GesturePipeline.from_bundle(copy)


def test_networks_that_contradict_the_metadata(copy: Path) -> None:
    body, face = (copy / 'body.onnx').read_bytes(), (copy / 'face.onnx').read_bytes()
    (copy / 'body.onnx').write_bytes(face)
    (copy / 'face.onnx').write_bytes(body)

    def swap(data: dict[str, Any]) -> None:
        files = data['files']
        files['body.onnx'], files['face.onnx'] = files['face.onnx'], files['body.onnx']

    _edit(copy, swap)
    with pytest.raises(BundleError, match='do not fit the metadata'):
        GesturePipeline.from_bundle(copy)


def test_an_unknown_provider_is_named() -> None:
    with pytest.raises(ConfigError, match="provider must be one of .* got 'npu'"):
        choose_providers('npu')
    assert choose_providers('cpu') == ['CPUExecutionProvider']
    if 'CUDAExecutionProvider' not in choose_providers('auto'):
        with pytest.raises(ConfigError, match='not in this build'):
            open_session(read_bundle(TINY), 'body.onnx', 'cuda', 1)
