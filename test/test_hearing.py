"""Windows hear for themselves, or sound is heard once for all of them; packets never matter."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from gesture_node.cli.offline import offline_config
from gesture_node.config import GestureConfig
from gesture_node.hearing import BLOCK_FRAMES, BlockHearing, FORESIGHT_FRAMES, WindowHearing
from gesture_node.inference import SpeechTokens
from gesture_node.pipeline import GesturePipeline
from gesture_node.stream import GestureStream

PIPELINE = GesturePipeline.from_bundle(
    Path(__file__).parent / 'data' / 'tiny_bundle', provider='cpu', threads=1)
LIVE, LONG = GestureConfig(), offline_config(GestureConfig(), PIPELINE.bundle)
RATE_HZ, FEATURE_SAMPLES = 16_000, 320


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    loud = np.repeat(random.uniform(0.0, 0.3, int(seconds * 8) + 1), RATE_HZ // 8)
    count = int(seconds * RATE_HZ)
    return (loud[:count] * random.standard_normal(count)).astype(np.float32)


class Counting:
    """An encoder that remembers how many frames it was asked to hear."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def __call__(self, features: np.ndarray, *more: np.ndarray) -> SpeechTokens:
        self.frames.append(len(features))
        return PIPELINE.body.encoder(features, *more)


def counted() -> tuple[GesturePipeline, Counting]:
    encoder: Any = Counting()
    return replace(PIPELINE, body=replace(PIPELINE.body, encoder=encoder),
                   face=replace(PIPELINE.face, encoder=encoder)), encoder


def run(stream: GestureStream, packets: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return what was committed, without the end of the stream."""
    found: dict[str, list[np.ndarray]] = {'body': [], 'face': []}
    for packet in packets:
        stream.accept_waveform(packet, RATE_HZ)
        while stream.is_ready():
            result = stream.step()
            if result.body is not None:
                found['body'].append(result.body.poses[:result.body.committed])
            if result.face is not None:
                found['face'].append(result.face.weights)
    return {name: np.concatenate(rows) for name, rows in found.items()}


def test_long_hops_hear_sound_once_and_short_ones_many_times() -> None:
    seconds = 20.0
    heard = {}
    for name, config in (('live', LIVE), ('long', LONG)):
        pipeline, encoder = counted()
        run(pipeline.create_stream(None, config), [voice(seconds)])
        heard[name] = sum(encoder.frames) / (50 * seconds)
    assert heard['long'] < 1.7 < 10.0 < heard['live']


def test_only_streams_that_wait_anyway_wait_for_blocks() -> None:
    medium = replace(LIVE, body=replace(LIVE.body, hop_s=1.2), face=replace(LIVE.face, hop_s=0.48))
    for config, kind in ((LIVE, WindowHearing), (medium, WindowHearing), (LONG, BlockHearing)):
        stream = PIPELINE.create_stream(None, config)
        assert all(isinstance(hearing, kind) for hearing in stream._hearing)


@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.floats(0, 1), max_size=25))
def test_packets_do_not_matter_to_blocks(cuts: list[float]) -> None:
    wave = voice(9.0)
    whole = run(PIPELINE.create_stream(None, LONG), [wave])
    parts = run(PIPELINE.create_stream(None, LONG),
                np.split(wave, sorted(int(cut * len(wave)) for cut in cuts)))
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


def test_what_is_committed_never_changes_with_what_comes_later() -> None:
    one, other = voice(14.0, 1), voice(14.0, 2)
    other[:9 * RATE_HZ] = one[:9 * RATE_HZ]
    known = run(PIPELINE.create_stream(None, LONG), [one[:9 * RATE_HZ]])
    for wave in (one, other):
        made = run(PIPELINE.create_stream(None, LONG), [wave])
        for name in known:
            assert len(made[name]) > len(known[name]) > 0
            np.testing.assert_array_equal(made[name][:len(known[name])], known[name])


@pytest.mark.parametrize('config', [LIVE, LONG])
def test_the_latency_is_the_longest_wait_for_a_hop(config: GestureConfig) -> None:
    stream, wave = PIPELINE.create_stream(None, config), voice(24.0)
    longest = {'body': 0.0, 'face': 0.0}
    for first in range(0, len(wave), FEATURE_SAMPLES):
        stream.accept_waveform(wave[first:first + FEATURE_SAMPLES], RATE_HZ)
        while stream.is_ready():
            result = stream.step()
            for name, chunk in (('body', result.body), ('face', result.face)):
                if chunk is not None:
                    waited_s = (first + FEATURE_SAMPLES) / RATE_HZ - (
                        chunk.first_frame / chunk.rate_hz)
                    longest[name] = max(longest[name], waited_s)
    assert longest['body'] == pytest.approx(stream.body_latency_s)
    assert longest['face'] == pytest.approx(stream.face_latency_s)


def test_blocks_are_forgotten() -> None:
    stream = PIPELINE.create_stream(None, LONG)
    run(stream, [voice(60.0)])
    hearing = stream._hearing[0]
    assert isinstance(hearing, BlockHearing) and hearing is stream._hearing[1]
    assert len(hearing._blocks) < 8


def test_threads_hear_a_block_once() -> None:
    encoder: Any = Counting()
    hearing = BlockHearing(encoder, PIPELINE.bundle.encoder)
    features = PIPELINE.front_end()
    features.append(voice(20.0))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda first: hearing.hear(features, first, 120, 0).local,
                              [0, 60, 120, 180] * 8))
    assert len(encoder.frames) == 2
    for number, local in enumerate(found):
        np.testing.assert_array_equal(local, found[number % 4])


def test_frames_of_a_window_are_those_of_its_blocks() -> None:
    hearing = BlockHearing(PIPELINE.body.encoder, PIPELINE.bundle.encoder)
    features = PIPELINE.front_end()
    features.append(voice(12.0))
    first, count = BLOCK_FRAMES - 30, 90
    assert hearing.needed(first, count, 0) == 2 * BLOCK_FRAMES + FORESIGHT_FRAMES
    across = hearing.hear(features, first, count, 0)
    blocks = [hearing.hear(features, number * BLOCK_FRAMES, BLOCK_FRAMES, 0)
              for number in range(2)]
    rows = np.concatenate([block.local for block in blocks])
    np.testing.assert_array_equal(across.local, rows[first:first + count])
    np.testing.assert_array_equal(across.persona, blocks[1].persona)
    assert np.abs(blocks[0].persona - blocks[1].persona).max() > 0.0
