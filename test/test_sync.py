"""The synchrony score in the runtime: the file, the bundle, the stream, the node."""
from functools import partial
import hashlib
from pathlib import Path
import shutil

import numpy as np
import pytest
import yaml

from gesture_node.audio.features import FEATURE_DIM, VOICING_INDEX, waveform_features
from gesture_node.bundle import read_bundle, SYNC_NETWORK
from gesture_node.config import BodyConfig, FaceConfig, GestureConfig, OutputConfig
from gesture_node.exceptions import BundleError
from gesture_node.measures.sync_score import INPUTS, OUTPUTS, score_clip, SyncMeter, SyncNetwork
from gesture_node.pipeline import GesturePipeline
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_messages import AudioPacket
from gesture_node.ros.body_output import BodyOutput
from gesture_node.ros.inbox import MeasuredJoints, ReceivedAudio
from gesture_node.ros.problems import ProblemLog
from gesture_node.ros.stream_driver import State, StreamDriver

TINY = Path(__file__).parent / 'data' / 'tiny_bundle'
WINDOW, RATE = 6, 16_000
MS = 1_000_000


def write_network(path: Path, face_dim: int = 52, value: float = 1.0) -> Path:
    """Write a network whose vectors are the unit vectors of what windows hold in columns 0, 1."""
    onnx = pytest.importorskip('onnx')
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    nodes, inputs, outputs = [], [], []
    for source, target, dim in zip(INPUTS, OUTPUTS, (FEATURE_DIM, face_dim)):
        inputs.append(helper.make_tensor_value_info(source, number, [source[0], WINDOW, dim]))
        outputs.append(helper.make_tensor_value_info(target, number, [source[0], 2 * WINDOW]))
        nodes += [
            helper.make_node('Gather', [source, 'columns'], [f'{source}.0'], axis=2),
            helper.make_node('Flatten', [f'{source}.0'], [f'{source}.1'], axis=1),
            helper.make_node('Add', [f'{source}.1', 'one'], [f'{source}.2']),
            helper.make_node('LpNormalization', [f'{source}.2'], [target], axis=1, p=2)]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in (
        ('columns', np.array([0, 1])), ('one', np.array([value], np.float32)))]
    model = helper.make_model(helper.make_graph(nodes, 'sync', inputs, outputs, constants),
                              opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture()
def bundle(tmp_path: Path) -> Path:
    """Return a tiny bundle with a synchrony network."""
    folder = Path(shutil.copytree(TINY, tmp_path / 'bundle'))
    raw = write_network(folder / SYNC_NETWORK).read_bytes()
    data = yaml.safe_load((folder / 'bundle.yaml').read_text())
    data['files'][SYNC_NETWORK] = hashlib.sha256(raw).hexdigest()
    (folder / 'bundle.yaml').write_text(yaml.safe_dump(data))
    return folder


def test_a_network_embeds_every_window_of_a_clip(tmp_path: Path) -> None:
    network = SyncNetwork(write_network(tmp_path / 'sync.onnx'))
    assert network.window_frames == WINDOW
    random = np.random.default_rng(0)
    shared = random.standard_normal((160, 2))
    features, weights = random.random((150, FEATURE_DIM)), np.zeros((150, 52))
    features[:, :2], weights[:, :2] = shared[7:157], shared[:150]
    features[:, VOICING_INDEX] = 0.9
    features, weights = features.astype(np.float32), weights.astype(np.float32)
    found = network.embed(features, weights)
    assert len(found) == 145 and found.speech.all()
    window = features[40:40 + WINDOW, :2].ravel() + 1.0
    assert found.audio[40] == pytest.approx(window / np.linalg.norm(window), abs=1e-6)
    score = score_clip(network, features, weights)
    assert score.offset_s == pytest.approx(7 / 50) and score.at_lag(7) < 1e-3
    assert score.confidence > 0.5


@pytest.mark.parametrize(('face_dim', 'value'), [(51, 1.0), (52, float('nan'))])
def test_a_network_of_other_sizes_or_without_numbers_is_refused(
        tmp_path: Path, face_dim: int, value: float) -> None:
    with pytest.raises(BundleError, match='sync.onnx is no synchrony network: its|returns'):
        SyncNetwork(write_network(tmp_path / 'sync.onnx', face_dim, value))


def test_a_bundle_with_and_without(bundle: Path) -> None:
    whole, plain = read_bundle(bundle), read_bundle(TINY)
    assert whole.sync == bundle / SYNC_NETWORK and plain.sync is None
    assert whole.hash != plain.hash
    raw = (bundle / SYNC_NETWORK).read_bytes()
    (bundle / SYNC_NETWORK).write_bytes(raw + b' ')
    with pytest.raises(BundleError, match='sync.onnx is truncated or altered'):
        read_bundle(bundle)
    (bundle / SYNC_NETWORK).unlink()
    with pytest.raises(BundleError, match='sync.onnx is missing'):
        read_bundle(bundle)


def test_a_file_the_metadata_do_not_list_is_none_of_the_bundles(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TINY, tmp_path / 'bundle'))
    (folder / SYNC_NETWORK).write_bytes(b'left over')
    assert read_bundle(folder).sync is None
    assert read_bundle(folder).hash == read_bundle(TINY).hash


class Recorder(SyncMeter):
    """A meter that remembers what it was given."""

    def __init__(self, path: Path) -> None:
        super().__init__(SyncNetwork(path))

    def reset(self) -> None:
        super().reset()
        self.heard, self.shown = [], []

    def add(self, features: np.ndarray, weights: np.ndarray) -> None:
        self.heard.append(features)
        self.shown.append(weights)
        super().add(features, weights)


def speech(seconds: float) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 130 * k * time_s) / k for k in range(1, 9))
    wave = 0.1 * buzz * np.clip(np.sin(2 * np.pi * 3 * time_s + 0.5), 0.1, 1)
    return (wave * 32_767).astype('<i2')


def test_the_meter_gets_the_sound_of_the_very_frames_it_is_shown(bundle: Path) -> None:
    pipeline = GesturePipeline.from_bundle(bundle, provider='cpu', threads=1)
    config = GestureConfig(body=BodyConfig(steps=1), face=FaceConfig(steps=1),
                           output=OutputConfig(idle_release_s=0.5))
    now, problems, published = [10 ** 12], ProblemLog(lambda sentence: None), []

    class Sink:
        def publish_face_chunk(self, chunk, first_ns):
            published.append(chunk.weights)

    body = BodyOutput((), config.output, MeasuredJoints(), lambda plan: None, problems)
    meter = Recorder(bundle / SYNC_NETWORK)
    driver = StreamDriver(partial(pipeline.create_stream, None), config, body, Sink(), problems,
                          lambda: now[0], meter)
    samples = speech(2.4)

    def speak() -> None:
        for packet in np.split(samples, 120):
            now[0] += 20 * MS
            audio = AudioPacket(packet.tobytes(), AudioFormat(), now[0], True)
            driver.hear(ReceivedAudio(audio, None, now[0]), now[0])
            while driver.tick(now[0]):
                pass

    speak()
    assert driver.state is State.SPEAKING and driver.streams == 1
    heard, shown = np.concatenate(meter.heard), np.concatenate(meter.shown)
    expected = waveform_features(samples.astype(np.float32) / 32_768)[:len(heard)]
    assert len(heard) == len(shown) > 90
    assert np.allclose(heard, expected, atol=1e-3)
    assert np.array_equal(shown, np.concatenate(published)[:len(shown)])
    assert meter.score is not None and np.isfinite(meter.score.confidence)
    driver.reset(now[0])
    speak()
    assert driver.streams == 2 and len(np.concatenate(meter.heard)) == len(heard)


def test_the_node_shows_the_score_if_it_is_wanted_and_the_bundle_can(bundle: Path) -> None:
    engine = pytest.importorskip('gesture_node.ros.engine')
    assert engine.sync_meter(read_bundle(TINY), True) is None
    assert engine.sync_meter(read_bundle(bundle), False) is None
    meter = engine.sync_meter(read_bundle(bundle), True)
    assert engine.sync_values(None) == {} == engine.sync_values(meter)
    features = np.random.default_rng(1).random((120, FEATURE_DIM)).astype(np.float32)
    features[:, VOICING_INDEX] = 0.9
    weights = np.zeros((120, 52), np.float32)
    weights[3:, :2] = features[:-3, :2]
    meter.add(features, weights)
    assert engine.sync_values(meter) == {'sync_offset_s': pytest.approx(0.06),
                                         'sync_confidence': meter.score.confidence}
