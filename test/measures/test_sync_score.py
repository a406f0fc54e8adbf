"""The synchrony score on embeddings with exactly known answers, and the meter that streams it."""
from pathlib import Path

import numpy as np
import pytest

from gesture_node.audio.features import FEATURE_DIM, VOICING_INDEX
from gesture_node.exceptions import BundleError
from gesture_node.measures.sync_score import (
    Embeddings,
    holds_speech,
    lag_distances,
    MAX_LAG_FRAMES,
    MIN_WINDOWS,
    score_clip,
    score_embeddings,
    SyncMeter,
    SyncNetwork,
    VOICING_COLUMN,
)

WINDOW = 5


class Readout:
    """A network that needs no training: every window's vector is a number that frames carry."""

    window_frames = WINDOW

    def __init__(self):
        self.windows = 0

    def embed(self, features, weights):
        speech = holds_speech(features, WINDOW)
        self.windows += len(speech)
        sound, lips = (_circle(rows[WINDOW // 2:][:len(speech), 0])
                       for rows in (features, weights))
        return Embeddings(sound, lips, speech)


def _circle(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def clip(frames, lag=0, seed=0):
    """Return sound and lips that carry the same random angles, lips ``lag`` frames later."""
    angle = np.random.default_rng(seed).uniform(-np.pi, np.pi, frames + 40)
    features, weights = np.zeros((frames, FEATURE_DIM)), np.zeros((frames, 52))
    features[:, 0], features[:, VOICING_INDEX] = angle[20:20 + frames], 0.9
    weights[:, 0] = angle[20 - lag:20 - lag + frames]
    return features.astype(np.float32), weights.astype(np.float32)


def one_hot(frames, lag):
    """Return embeddings that are equal at one lag and at right angles at every other."""
    sound = np.eye(frames + 40, dtype=np.float32)
    return Embeddings(sound[20:20 + frames], sound[20 - lag:20 - lag + frames],
                      np.ones(frames, bool))


@pytest.mark.parametrize('lag', [-15, -3, 0, 1, 15])
def test_the_offset_is_how_far_the_lips_are_behind(lag):
    score = score_embeddings(one_hot(80, lag))
    assert score.offset_s == pytest.approx(lag / 50)
    expected = np.full(31, np.sqrt(2.0))
    expected[MAX_LAG_FRAMES + lag] = 0.0
    assert score.distances == pytest.approx(expected)
    assert score.confidence == pytest.approx(np.sqrt(2.0))
    assert score.at_lag(lag) == 0.0 and score.windows == 50


def test_confidence_is_the_median_minus_the_least_of_the_mean_distances():
    # Two places with speech: at lag 2 one of them is right, elsewhere the distance is sqrt 2.
    both = one_hot(80, 2)
    lips = both.lips.copy()
    lips[40:] = one_hot(80, 20).lips[40:]
    distances, windows = lag_distances(Embeddings(both.audio, lips, both.speech))
    right = 40 - MAX_LAG_FRAMES
    assert windows == 50
    assert distances[MAX_LAG_FRAMES + 2] == pytest.approx((windows - right) / windows * 2 ** 0.5)
    assert score_embeddings(Embeddings(both.audio, lips, both.speech)).confidence == (
        pytest.approx(right / windows * 2 ** 0.5))


def test_lips_that_fit_no_lag_have_no_confidence():
    still = Embeddings(one_hot(80, 0).audio, np.tile(np.eye(1, 120, 119), (80, 1)),
                       np.ones(80, bool))
    assert score_embeddings(still).confidence == pytest.approx(0.0, abs=1e-9)


def test_only_speech_counts_and_too_little_of_it_is_no_score():
    whole = one_hot(80, 0)
    wrong = whole.lips[::-1].copy()
    speech = np.zeros(80, bool)
    speech[30:30 + MIN_WINDOWS] = True
    wrong[speech] = whole.lips[speech]
    score = score_embeddings(Embeddings(whole.audio, wrong, speech))
    assert score.windows == MIN_WINDOWS and score.at_lag(0) == 0.0
    speech[30] = False
    assert score_embeddings(Embeddings(whole.audio, wrong, speech)) is None
    distances, windows = lag_distances(Embeddings(whole.audio[:20], wrong[:20], speech[:20]))
    assert windows == 0 and np.isnan(distances).all()


def test_speech_is_a_fifth_of_voiced_frames():
    assert VOICING_COLUMN % FEATURE_DIM == VOICING_INDEX
    features = np.zeros((12, FEATURE_DIM), np.float32)
    features[3, VOICING_INDEX] = 0.46
    features[9, VOICING_INDEX] = 0.44
    assert holds_speech(features, 5).tolist() == [True] * 4 + [False] * 4


def test_a_clip_is_cut_to_the_shorter_part_and_may_be_too_short():
    features, weights = clip(120, lag=4)
    assert score_clip(Readout(), features, weights[:100]).offset_s == pytest.approx(0.08)
    assert score_clip(Readout(), features[:WINDOW - 1], weights) is None
    assert score_clip(Readout(), features[:50], weights[:50]) is None


@pytest.mark.parametrize('hops', [[5] * 120, [7] * 85, [50] * 12, [600], [3, 40, 1, 1, 55] * 6])
def test_a_meter_scores_the_last_seconds_however_they_arrive(hops):
    features, weights = clip(sum(hops), lag=-6)
    network = Readout()
    meter, start, scores = SyncMeter(network, span_s=2.0, period_s=1.0), 0, []
    for hop in hops:
        meter.add(features[start:start + hop], weights[start:start + hop])
        start += hop
        scores.append(meter.score)
    assert meter.score.offset_s == pytest.approx(-0.12)
    # Every window is embedded once, but for those of the last, unfinished period.
    assert start - 50 < network.windows + WINDOW - 1 <= start
    if len(hops) > 5:
        measured = network.windows + WINDOW - 1
        last = score_clip(Readout(), features[measured - 100:measured],
                          weights[measured - 100:measured])
        assert meter.score.distances == pytest.approx(last.distances)
        assert len({id(score) for score in scores if score}) <= start // 50


def test_a_meter_keeps_its_word_while_nobody_speaks_and_forgets_the_old_stream():
    features, weights = clip(200, lag=5)
    meter = SyncMeter(Readout(), span_s=2.0)
    assert meter.score is None
    meter.add(features, weights)
    assert meter.score.windows == 66
    features[:, VOICING_INDEX] = 0.0
    said = []
    for _ in range(4):
        meter.add(features[:60], weights[:60])
        said.append(meter.score)
    assert said[0].windows < 66 and said[0].offset_s == pytest.approx(0.1)
    assert said[1] is said[0] and said[3] is said[0]
    meter.reset()
    meter.add(*clip(100, lag=-2, seed=9))
    assert meter.score.offset_s == pytest.approx(-0.04) and meter.score.windows == 66


def test_a_file_that_is_no_synchrony_network_is_named(tmp_path: Path):
    pytest.importorskip('onnxruntime')
    path = tmp_path / 'sync.onnx'
    path.write_bytes(b'nothing')
    with pytest.raises(BundleError, match='sync.onnx is no synchrony network'):
        SyncNetwork(path)
    other = Path(__file__).parents[1] / 'data' / 'tiny_bundle' / 'encoder.onnx'
    with pytest.raises(BundleError, match='encoder.onnx is no synchrony network'):
        SyncNetwork(other)
