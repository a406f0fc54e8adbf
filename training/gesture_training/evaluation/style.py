"""Style from the voice alone: energetic against calm speech, and a pinned style on another voice.

Emo-DB speakers say the same sentences in anger and happiness, and in sadness and boredom. No label
reaches the bundle: it hears the sound only. What must differ is the size of the gestures and how
many there are, by more than the seed alone makes them differ.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesture_node.audio.features import waveform_features
from gesture_node.config import GestureConfig
from gesture_node.measures.beats import wrist_beats, wrist_speeds
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import BODY_RATE_HZ, SAMPLE_RATE_HZ

from ..corpora.composer import compose_for
from ..corpora.composer_strokes import load_idle_pose, load_strokes
from .body import takes_of
from .generate import generate_body
from .human import wrist_positions
from .settings import OTHER_SEED, Outcome, Settings
from .speech import emodb, renditions

MANNERS = {'energetic': ('anger', 'happiness'), 'calm': ('sadness', 'boredom')}
FIGURES = ('amplitude_m', 'rate_per_min', 'speed_m_s')
_RENDITION_S = 24.0
_TEXT_S = 60.0
"""A minute of text, said again where a speaker says less: gestures come every two seconds, so
in less of it the draw of the clips hides the style."""
_LEAST_EXTENT_S = 2.0


def gesture_size(poses: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return amplitude [m], rate [1/min] and mean speed [m/s] of the wrists of some motion.

    Amplitude is the median over stretches of two seconds of how far the wrist that moves more
    gets: the diagonal of the box around its path.
    """
    wrists = wrist_positions(poses)
    length = round(_LEAST_EXTENT_S * BODY_RATE_HZ)
    count = len(wrists) // length
    cut = wrists[:count * length].reshape(count, length, 2, 3)
    extent = np.linalg.norm(cut.max(axis=1) - cut.min(axis=1), axis=-1).max(axis=-1)
    beats = wrist_beats(wrists, BODY_RATE_HZ).times_s
    return np.array([np.median(extent), 60.0 * len(beats) * BODY_RATE_HZ / len(wrists),
                     wrist_speeds(wrists, BODY_RATE_HZ)[1].mean()])


def style(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return how far apart energetic and calm delivery are, in units of the seed's own spread."""
    said = renditions(emodb(settings.data), MANNERS, settings.some(_TEXT_S, 15))
    speakers = list(said)[:settings.some(7, 1)]
    seeds = settings.some(4, 2)
    values = np.array([[[gesture_size(generate_body(
        pipeline, said[speaker][manner], settings.config(pipeline, 'ahead', OTHER_SEED + seed)))
        for seed in range(seeds)] for manner in MANNERS] for speaker in speakers])
    tokens = {speaker: {manner: pipeline.persona_of(said[speaker][manner], SAMPLE_RATE_HZ)
                        for manner in MANNERS} for speaker in speakers}
    composed = _composed(settings, [said[speaker] for speaker in speakers], seeds)
    pinned = _pinned(pipeline, settings, [tokens[speaker] for speaker in speakers])
    natural = differences(values)
    carried = differences(pinned)
    apart = float(np.mean([np.linalg.norm(t['energetic'] - t['calm']) for t in tokens.values()]))
    return Outcome({
        'speakers': speakers, 'seeds': seeds, 'persona_distance': apart, 'voice': natural,
        'composer': differences(composed), 'pinned': carried,
        'carried': {name: carried_share(natural[name], carried[name]) for name in FIGURES}}, {})


def carried_share(natural: dict[str, Any], pinned: dict[str, Any]) -> float:
    """Return the share of a difference that a pinned persona shows; 0 if there is none to carry.

    A difference within the seed's own spread counts as none.
    """
    if abs(natural['ratio']) < 1.0:
        return 0.0
    return float(pinned['difference'] / natural['difference'])


def _composed(settings: Settings, said: list[dict[str, NDArray[np.float32]]],
              seeds: int) -> NDArray[np.float64]:
    """Return figures (speaker, manner, seed, figure) of composed motion of the same speech."""
    strokes, idle = load_strokes(settings.data), load_idle_pose(settings.data)
    heard = [[waveform_features(one[manner]) for manner in MANNERS] for one in said]
    return np.array([[[gesture_size(compose_for(features, strokes, idle, OTHER_SEED + seed))
                       for seed in range(seeds)] for features in one] for one in heard])


def _pinned(pipeline: GesturePipeline, settings: Settings,
            tokens: list[dict[str, NDArray[np.float32]]]) -> NDArray[np.float64]:
    """Return figures (speaker, manner, seed, figure) of another voice with pinned personas."""
    voices = takes_of(settings)[:2]
    seeds = settings.some(3, 2)
    length = round(_RENDITION_S * SAMPLE_RATE_HZ)

    def run(number: int, token: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
        config: GestureConfig = settings.config(pipeline, 'ahead', OTHER_SEED + seed)
        voice = voices[number % len(voices)].speech.waveform[:length]
        return gesture_size(generate_body(pipeline, voice, config, token))

    return np.array([[[run(number, token[manner], seed) for seed in range(seeds)]
                      for manner in MANNERS] for number, token in enumerate(tokens)])


def differences(values: NDArray[np.float64]) -> dict[str, dict[str, Any]]:
    """Return, per figure, energetic minus calm and its size in units of the seed's spread.

    Args:
        values: shape (speakers, 2, seeds, 3), energetic first.

    Returns:
        ``energetic`` and ``calm`` (means), ``difference``, ``seed_spread`` (standard deviation
        over seeds of one rendition), ``ratio`` (median over speakers of difference over spread)
        and ``same_sign`` (share of speakers whose difference is positive).
    """
    spread = np.sqrt(values.var(axis=2, ddof=1).mean(axis=(0, 1)))
    means = values.mean(axis=2)
    apart = means[:, 0] - means[:, 1]
    return {name: {
        'energetic': float(means[:, 0, i].mean()), 'calm': float(means[:, 1, i].mean()),
        'difference': float(apart[:, i].mean()), 'seed_spread': float(spread[i]),
        'ratio': float(np.median(apart[:, i]) / max(spread[i], 1e-9)),
        'same_sign': float((apart[:, i] > 0.0).mean())} for i, name in enumerate(FIGURES)}
