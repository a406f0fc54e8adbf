"""Streams: packets never change the output, the future never changes the committed past."""
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.channel import Emotion
from gesture_node.config import AudioConfig, BodyConfig, FaceConfig, GestureConfig
from gesture_node.diffusion.denoiser import Conditioning
from gesture_node.exceptions import AudioError, ConfigError, StreamError
from gesture_node.guides.cues import AROUSAL
from gesture_node.measures.seams import seam_ratio
from gesture_node.motion.face import seal_is_valid
from gesture_node.motion.skeleton import project_pose
from gesture_node.pipeline import GesturePipeline
from gesture_node.stream import GestureStream, SETTLE_S

PIPELINE = GesturePipeline.from_bundle(
    Path(__file__).parent / 'data' / 'tiny_bundle', provider='cpu', threads=1)


def _speech(seconds: float = 2.0, rate_hz: int = 16_000) -> np.ndarray:
    """Return bursts of a buzzing voice with pauses."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    pitch_hz = 120 + 30 * np.sin(3 * time_s)
    voice = sum(np.sin(k * 2 * np.pi * np.cumsum(pitch_hz) / rate_hz) / k for k in range(1, 8))
    return (0.1 * voice * (np.sin(2 * np.pi * 1.5 * time_s) > -0.3)).astype(np.float32)


def _drain(stream: GestureStream) -> tuple[list[np.ndarray], list[np.ndarray]]:
    body, face = [], []
    while stream.is_ready():
        result = stream.step()
        if result.body is not None:
            body.append(result.body.poses[:result.body.committed])
        if result.face is not None:
            face.append(result.face.weights)
    return body, face


def _run(packets: Iterable[np.ndarray], rate_hz: int = 16_000,
         config: GestureConfig | None = None) -> tuple[np.ndarray, np.ndarray]:
    stream = PIPELINE.create_stream(config=config)
    body, face = [], []
    for packet in packets:
        stream.accept_waveform(packet, rate_hz)
        new = _drain(stream)
        body, face = body + new[0], face + new[1]
    stream.finish()
    new = _drain(stream)
    assert stream.finished and not stream.is_ready()
    return np.concatenate(body + new[0]), np.concatenate(face + new[1])


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.floats(0, 1), max_size=25), rate_hz=st.sampled_from([16_000, 44_100]))
def test_any_packets_give_the_same_bits(cuts: list[float], rate_hz: int) -> None:
    wave = _speech(1.2, rate_hz)
    bounds = [0, *sorted(int(c * len(wave)) for c in cuts), len(wave)]
    whole = _run([wave], rate_hz)
    cut = _run([wave[a:b] for a, b in zip(bounds, bounds[1:])], rate_hz)
    assert np.array_equal(whole[0], cut[0]) and np.array_equal(whole[1], cut[1])


@pytest.mark.parametrize('cut_s', [0.3, 0.97, 1.5])
def test_the_future_never_changes_what_was_committed(cut_s: float) -> None:
    wave, other = _speech(), _speech()
    other[int(cut_s * 16_000):] = 0.3 * np.random.default_rng(5).standard_normal(
        len(other) - int(cut_s * 16_000))
    for first, second, rate_hz, config in zip(
            _run([wave]), _run([other]), (25, 50), (BodyConfig(), FaceConfig())):
        hop = round(config.hop_s * rate_hz)
        heard = int((cut_s - config.foresight_s) * rate_hz)
        same = heard // hop * hop
        assert np.array_equal(first[:same], second[:same])
        assert not np.array_equal(first, second)


def test_seeds_repeat_and_differ() -> None:
    wave = _speech(1.0)
    first, again = _run([wave]), _run([wave])
    other = _run([wave], config=GestureConfig(seed=1))
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert np.abs(first[0] - other[0]).mean() > 1e-3


def test_output_is_valid_and_as_long_as_the_audio_and_its_easing() -> None:
    body, face = _run([_speech(1.5)])
    assert len(body) / 25 == pytest.approx(1.5 + SETTLE_S, abs=0.21)
    assert len(face) / 50 == pytest.approx(1.5 + SETTLE_S, abs=0.11)
    assert np.isfinite(body).all() and np.allclose(project_pose(body), body, atol=1e-5)
    assert face.min() >= 0 and face.max() <= 1 and seal_is_valid(face).all()


def test_it_ends_at_idle() -> None:
    body, face = _run([_speech(1.0)])
    assert np.allclose(body[-1], project_pose(PIPELINE.bundle.body.idle), atol=1e-5)
    assert np.allclose(face[-1], PIPELINE.bundle.face.idle, atol=1e-6)


@pytest.mark.parametrize('hop_s', [0.08, 0.4, 0.8])
def test_one_model_serves_every_hop(hop_s: float) -> None:
    config = GestureConfig(body=BodyConfig(hop_s=hop_s), face=FaceConfig(hop_s=hop_s))
    body, face = _run([_speech(1.0)], config=config)
    assert len(body) * 2 == len(face) and np.isfinite(body).all()
    assert seam_ratio(body, round(hop_s * 25), 25).velocity < 4.0


def test_hostile_audio_is_repaired_and_counted() -> None:
    stream = PIPELINE.create_stream()
    wave = _speech(0.5)
    wave[100:200], wave[300] = np.nan, np.inf
    wave[400:500] = 7.0
    stream.accept_waveform(wave, 16_000)
    stream.accept_waveform(np.zeros(0, np.float32), 16_000)
    stream.accept_waveform((_speech(0.5) * 32_767).astype(np.int16), 16_000)
    for bad in (lambda: stream.accept_waveform(wave, 3), lambda: stream.accept_waveform(
            np.zeros((2, 2, 2)), 16_000)):
        with pytest.raises(AudioError):
            bad()
    body, face = _drain(stream)
    assert np.isfinite(np.concatenate(body)).all() and np.isfinite(np.concatenate(face)).all()
    report = stream.report
    assert (report.non_finite_samples, report.clipped_samples) == (101, 100)
    assert report.audio_s == 1.0


def test_too_much_waiting_audio_is_refused_and_counted() -> None:
    stream = PIPELINE.create_stream(config=GestureConfig(audio=AudioConfig(max_buffer_s=1.0)))
    stream.accept_waveform(np.zeros(10 * 16_000, np.float32), 16_000)
    assert stream.report.dropped_audio_s > 8.0
    assert stream.report.audio_s + stream.report.dropped_audio_s == 10.0


def _steps_of(stream: GestureStream) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
    """Return committed frames by index, body and face."""
    body: dict[int, np.ndarray] = {}
    face: dict[int, np.ndarray] = {}
    while stream.is_ready():
        result = stream.step()
        if result.body is not None:
            rows = result.body.poses[:result.body.committed]
            body |= {result.body.first_frame + k: row for k, row in enumerate(rows)}
        if result.face is not None:
            face |= {result.face.first_frame + k: row for k, row in enumerate(result.face.weights)}
    return body, face


def test_what_is_over_is_skipped_and_motion_goes_on_from_where_it_stood() -> None:
    stream = PIPELINE.create_stream()
    wave = _speech(4.0)
    stream.accept_waveform(wave[:16_000], 16_000)
    before = _steps_of(stream)
    stream.accept_waveform(wave[16_000:], 16_000)
    stream.latency.add('body_hop', 0.0)
    stream.latency.add('face_hop', 0.0)
    skipped = stream.skip_overdue(3.05)
    after = _steps_of(stream)
    assert (min(after[0]), min(after[1])) == (76, 150)  # the last hops that begin before 3.05 s
    assert skipped == 76 - 1 - max(before[0]) + 150 - 1 - max(before[1])
    assert stream.report.skipped_frames == {'body': 76 - 1 - max(before[0]),
                                            'face': 150 - 1 - max(before[1])}
    for old, new in zip(before, after):
        rows = np.array([old[k] for k in sorted(old)])
        usual = np.abs(np.diff(rows, axis=0)).max()
        assert np.abs(new[min(new)] - old[max(old)]).max() < 2.0 * usual


def test_nothing_is_skipped_that_may_still_be_seen_or_is_the_newest() -> None:
    stream = PIPELINE.create_stream()
    stream.accept_waveform(_speech(1.0), 16_000)
    assert stream.skip_overdue(-0.5) == stream.skip_overdue(0.05) == 0
    assert stream.skip_overdue(60.0) > 0 and stream.is_ready()
    body, face = _steps_of(stream)
    assert len(body) == round(BodyConfig().hop_s * 25) and len(face) >= 1
    assert stream.skip_overdue(60.0) == 0


def test_a_stream_whose_end_was_skipped_still_comes_to_idle() -> None:
    stream = PIPELINE.create_stream()
    stream.accept_waveform(_speech(1.0), 16_000)
    _steps_of(stream)
    stream.finish()
    assert stream.skip_overdue(2.2) > 0
    body, face = _steps_of(stream)
    assert stream.finished
    assert np.allclose(body[max(body)], project_pose(PIPELINE.bundle.body.idle), atol=1e-5)
    assert np.allclose(face[max(face)], PIPELINE.bundle.face.idle, atol=1e-6)


@pytest.mark.parametrize('seconds', [1.0, 4.0])
def test_denoiser_calls_per_window_do_not_depend_on_length(
        seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(type(PIPELINE.body.denoiser), '__call__',
                        lambda self, x_t, *_: calls.append(len(x_t)) or x_t)
    stream = PIPELINE.create_stream()
    stream.accept_waveform(_speech(seconds), 16_000)
    found: dict[int, set[int]] = {0: set(), 1: set()}
    while stream.is_ready():
        calls.clear()
        found[int(stream.step().face is not None)].add(len(calls))
    assert found == {0: {stream.steps[0]}, 1: {stream.steps[1]}}


def test_order_of_calls_is_checked() -> None:
    stream = PIPELINE.create_stream()
    with pytest.raises(StreamError, match='is_ready'):
        stream.step()
    stream.finish()
    with pytest.raises(StreamError, match='after finish'):
        stream.accept_waveform(np.zeros(10), 16_000)
    stream.reset()
    stream.accept_waveform(np.zeros(10), 16_000)
    assert stream.generation == 1


def test_reset_gives_a_fresh_stream() -> None:
    stream = PIPELINE.create_stream()
    stream.accept_waveform(_speech(0.7), 16_000)
    first = _drain(stream)
    stream.reset()
    stream.accept_waveform(_speech(0.7), 16_000)
    again = _drain(stream)
    assert np.array_equal(np.concatenate(first[0]), np.concatenate(again[0]))


def test_networks_that_return_nan_are_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = PIPELINE.create_stream()
    monkeypatch.setattr(type(PIPELINE.body.denoiser), '__call__',
                        lambda self, x_t, *_: np.full_like(x_t, np.nan))
    stream.accept_waveform(_speech(1.0), 16_000)
    body, face = _drain(stream)
    assert np.isfinite(np.concatenate(body)).all() and np.isfinite(np.concatenate(face)).all()
    assert stream.report.nan_count > 0


def _tokens(monkeypatch: pytest.MonkeyPatch, **pinned: object) -> list[Conditioning]:
    """Return what the networks are conditioned on, window by window."""
    found: list[Conditioning] = []
    monkeypatch.setattr(type(PIPELINE.body.denoiser), '__call__',
                        lambda self, x_t, level, item, guidance: found.append(item) or x_t)
    stream = PIPELINE.create_stream(**pinned)
    stream.accept_waveform(_speech(1.0), 16_000)
    _drain(stream)
    monkeypatch.undo()
    assert len(found) > 10
    return found


def test_a_pinned_persona_is_that_of_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    other = _speech(3.0) + 0.05 * np.random.default_rng(1).standard_normal(48_000)
    persona = PIPELINE.persona_of(other, 16_000)
    assert np.array_equal(persona, PIPELINE.persona_of(other, 16_000))
    for item in _tokens(monkeypatch, persona=persona):
        assert np.array_equal(item.persona, persona[:PIPELINE.bundle.encoder.persona_dim])
        if item.cues is not None:
            assert np.allclose(item.cues[:, AROUSAL], 2.0 * persona[-1] - 1.0)
    inferred = [item.persona for item in _tokens(monkeypatch)]
    assert not any(np.array_equal(one, persona[:-1]) for one in inferred)


def test_a_pinned_persona_changes_the_motion() -> None:
    stream = PIPELINE.create_stream(persona=PIPELINE.persona_of(_speech(3.0), 16_000) + 1.0)
    stream.accept_waveform(_speech(1.0), 16_000)
    pinned = np.concatenate(_drain(stream)[0])
    assert not np.array_equal(pinned, _run([_speech(1.0)])[0][:len(pinned)])


def test_an_emotion_replaces_what_is_heard_as_far_as_it_is_strong(
        monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = np.arange(PIPELINE.bundle.encoder.emotion_dim, dtype=np.float32)
    heard = [item.emotion for item in _tokens(monkeypatch)]
    for intensity in (0.0, 0.25, 1.0):
        shown = [item.emotion for item in _tokens(
            monkeypatch, emotion=Emotion(wanted, intensity))]
        for one, other in zip(heard, shown, strict=True):
            assert np.allclose(other, (1 - intensity) * one + intensity * wanted, atol=1e-5)
            assert intensity > 0.0 or np.array_equal(one, other)
            assert intensity < 1.0 or np.array_equal(wanted, other)
    reference = PIPELINE.emotion_of(_speech(2.0), 16_000)
    assert reference.shape == wanted.shape and np.isfinite(reference).all()


@pytest.mark.parametrize(('pinned', 'message'), [
    ({'persona': np.zeros(3)}, 'persona must be .* finite numbers'),
    ({'emotion': Emotion(np.full(PIPELINE.bundle.encoder.emotion_dim, np.nan, np.float32))},
     'emotion must be .* finite numbers'),
    ({'emotion': Emotion(np.zeros(PIPELINE.bundle.encoder.emotion_dim, np.float32), 1.5)},
     r'emotion intensity must be in \[0, 1\], got 1.5')])
def test_tokens_that_do_not_fit_are_refused(pinned: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PIPELINE.create_stream(**pinned)


def test_a_reference_must_be_long_enough_to_have_a_style() -> None:
    with pytest.raises(AudioError, match='at least 1 s long, got 0.40 s'):
        PIPELINE.persona_of(_speech(0.4), 16_000)


def test_windows_that_do_not_fit_the_bundle_are_named() -> None:
    with pytest.raises(ConfigError, match='body.hop_s'):
        PIPELINE.create_stream(config=GestureConfig(body=BodyConfig(hop_s=1.6, foresight_s=1.6)))


def test_sharper_lips_are_shown_and_not_fed_back() -> None:
    voice = _speech()
    finish, shown = PIPELINE.face.finish, _run([voice])[1]
    assert finish is not None
    blunt = GesturePipeline(PIPELINE.bundle, PIPELINE.provider, PIPELINE.body,
                            replace(PIPELINE.face, finish=None), PIPELINE.front_end)
    stream = blunt.create_stream()
    stream.accept_waveform(voice, 16_000)
    stream.finish()
    raw = np.concatenate(_drain(stream)[1])
    hop = round(GestureConfig().face.hop_s * 50)
    inner = slice(4 * hop, 5 * hop)
    whole = finish(raw, 50.0)
    assert not np.allclose(shown, raw, atol=1e-3)
    # Seams aside, where the window's own future differed a little, they are what was filtered.
    assert np.abs(shown[inner] - whole[inner]).mean() < 0.25 * np.abs(raw - whole).mean()
