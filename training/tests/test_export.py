"""ONNX against torch in several shapes, the committed test bundle, and the guard."""
from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

torch = pytest.importorskip('torch')
onnxruntime = pytest.importorskip('onnxruntime')

from gesture_training.corpora.pack import read_pack  # noqa: E402
from gesture_training.exceptions import TrainingError  # noqa: E402
from gesture_training.export import export_network, parity_error, PARITY_TOLERANCE, SIGNATURES  # noqa: E402
from gesture_training.liveliness import measure_liveliness, require_alive  # noqa: E402
from gesture_training.schedule import add_noise, alpha_bar, ddim_levels, ddim_sample  # noqa: E402
from gesture_training.tiny_bundle import tiny_model  # noqa: E402
import numpy as np  # noqa: E402

from gesture_node.diffusion.schedule import Schedule  # noqa: E402
from gesture_node.guides.cues import CUE_DIM  # noqa: E402

_BUNDLE = Path(__file__).parents[2] / 'test' / 'data' / 'tiny_bundle'
_SHAPES = [(1, 60, 400), (2, 64, 9), (3, 2, 1), (1, 152, 1000)]


@pytest.mark.parametrize('name', list(SIGNATURES))
def test_onnx_equals_torch_in_every_shape(name: str, tmp_path: Path) -> None:
    model = tiny_model()
    network, path = getattr(model.networks, name), tmp_path / f'{name}.onnx'
    export_network(network, name, model.config, path)
    assert parity_error(network, name, model.config, path, _SHAPES) < PARITY_TOLERANCE


@pytest.mark.parametrize('name', list(SIGNATURES))
def test_the_committed_test_bundle_is_of_today(name: str) -> None:
    model = tiny_model()
    error = parity_error(getattr(model.networks, name), name, model.config,
                         _BUNDLE / f'{name}.onnx', _SHAPES[:2])
    assert error < PARITY_TOLERANCE, 'run python -m gesture_training.tiny_bundle again'


def test_hashes_of_the_test_bundle_are_true() -> None:
    files = yaml.safe_load((_BUNDLE / 'bundle.yaml').read_text(encoding='utf-8'))['files']
    assert set(files) == {f'{name}.onnx' for name in SIGNATURES}
    for name, stated in files.items():
        assert hashlib.sha256((_BUNDLE / name).read_bytes()).hexdigest() == stated


def test_a_batch_gives_what_its_rows_give_alone() -> None:
    session = onnxruntime.InferenceSession(str(_BUNDLE / 'body.onnx'))
    random = np.random.default_rng(0)
    shapes = {'x': (2, 9, 84), 'level': (2,), 'seed': (2, 9, 84), 'mask': (2, 9),
              'local': (2, 18, 16), 'persona': (2, 8), 'emotion': (2, 4), 'drop': (2,),
              'cues': (2, 9, CUE_DIM)}
    feed = {k: random.random(shape).astype(np.float32) for k, shape in shapes.items()}
    both = session.run(None, feed)[0]
    for row in range(2):
        alone = session.run(None, {k: v[row:row + 1] for k, v in feed.items()})[0]
        assert np.allclose(both[row], alone[0], atol=1e-5)


def test_a_model_that_hears_nothing_is_refused(corpus: Path) -> None:
    model = tiny_model()
    for network in (model.networks.body, model.networks.face):
        torch.nn.init.zeros_(network.output.weight)
    packs = {channel: read_pack(corpus, channel) for channel in ('body', 'face')}
    found = measure_liveliness(model.config, model.networks, model.statistics, packs)
    assert set(found) == {'aperture_std_speech', 'aperture_std_silence', 'wrist_speed_speech',
                          'wrist_speed_silence'}
    with pytest.raises(TrainingError, match='do not follow speech'):
        require_alive(found)


@pytest.mark.parametrize(('found', 'alive'), [
    ({'aperture_std_speech': 0.1, 'aperture_std_silence': 0.001}, True),
    ({'aperture_std_speech': 0.1, 'aperture_std_silence': 0.09}, False),
    ({'wrist_speed_speech': 0.3, 'wrist_speed_silence': 0.05}, True),
    ({'wrist_speed_speech': 0.01, 'wrist_speed_silence': 0.0}, False)])
def test_the_guard_wants_motion_and_rest(found: dict[str, float], alive: bool) -> None:
    if alive:
        require_alive(found)
    else:
        with pytest.raises(TrainingError, match='train longer'):
            require_alive(found)


def test_training_and_runtime_share_one_schedule() -> None:
    runtime = Schedule.cosine()
    assert np.allclose(alpha_bar(torch.arange(1000)).numpy(), runtime.signal ** 2, atol=1e-6)
    assert ddim_levels(4) == runtime.levels(4)


def test_ddim_finds_the_clean_frames_of_a_perfect_denoiser() -> None:
    clean, noise = torch.randn(2, 5, 3), torch.randn(2, 5, 3)
    for steps in (1, 4, 20):
        assert torch.allclose(ddim_sample(lambda x, level: clean, noise, steps), clean)


def test_noise_takes_over_as_the_level_rises() -> None:
    clean, noise = torch.ones(1, 4, 2), torch.zeros(1, 4, 2)
    signal = [float(add_noise(clean, noise, torch.tensor([float(level)])).mean())
              for level in (0, 250, 500, 999)]
    assert signal[0] > 0.99 and signal[-1] < 0.01
    assert signal == sorted(signal, reverse=True)
