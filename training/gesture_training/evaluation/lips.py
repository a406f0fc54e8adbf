"""Lips on real German speech with manual phone times, in noise, in unseen languages, for minutes.

Emo-DB measures and never trains. The ceiling is the teacher on the manual phones; floors are a jaw
that follows loudness and a small regression from sound to the teacher's aperture.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesture_node.audio.features import waveform_features
from gesture_node.config import GestureConfig
from gesture_node.measures.closures import aperture_lag_s, score_lips
from gesture_node.measures.mouth import mouth_aperture, PhoneInterval
from gesture_node.pipeline import GesturePipeline
from gesture_node.timeline import FACE_RATE_HZ, SAMPLE_RATE_HZ

from ..corpora.coarticulation import articulate
from ..corpora.emodb import loudness_aperture
from ..corpora.facegood import facegood_clips
from ..corpora.voices import unseen_language_takes, unseen_languages, voice_takes
from .generate import generate_face
from .settings import Outcome, Settings
from .speech import emodb, in_noise, intervals_of, joined, labelled_speech, LabelledSpeech

Aperture = NDArray[np.float64]
NOISE_DB = 10.0
FORESIGHTS_S = (0.0, 0.04, 0.08, 0.1, 0.16, 0.32)
_REGRESSION_REACH = (-6, -4, -2, 0, 2, 4, 6)
"""Feature frames around the one that is estimated: 120 ms to either side."""


def lip_figures(speech: Sequence[LabelledSpeech], apertures: Sequence[Aperture]
                ) -> dict[str, Any]:
    """Return all figures of some apertures against phones and against the teacher."""
    score = asdict(score_lips(zip(apertures, (s.intervals for s in speech)), FACE_RATE_HZ))
    lags = [aperture_lag_s(aperture, mouth_aperture(articulate(s.segments, s.waveform)),
                           FACE_RATE_HZ) for aperture, s in zip(apertures, speech)]
    found = [lag for lag in lags if np.isfinite(lag)]
    return {**score, 'lag_behind_teacher_s': float(np.median(found)) if found else float('nan')}


def generate_apertures(pipeline: GesturePipeline, speech: Sequence[LabelledSpeech],
                       config: GestureConfig, solver: str = 'dpm') -> list[Aperture]:
    """Return the apertures ``(T,)`` at 50 Hz that a bundle makes for some speech."""
    return [mouth_aperture(generate_face(pipeline, s.waveform, config, solver=solver))
            for s in speech]


def lips(pipeline: GesturePipeline, settings: Settings, mode: str) -> Outcome:
    """Return figures on all labelled speech, and one utterance to draw."""
    speech = labelled_speech(settings.data)[::settings.some(1, 16)]
    config = settings.config(pipeline, mode)
    apertures = generate_apertures(pipeline, speech, config)
    shown = max(range(len(speech)),
                key=lambda i: sum(p.kind == 'closure' for p in speech[i].intervals))
    return Outcome(
        {**lip_figures(speech, apertures), 'hop_s': config.face.hop_s,
         'foresight_s': config.face.foresight_s,
         'speakers': sorted({s.name[:2] for s in speech})},
        {'aperture': apertures[shown], 'phones': drawn_phones(speech[shown])})


def drawn_phones(speech: LabelledSpeech) -> NDArray[Any]:
    """Return ``(start, end, kind)`` of each phone (P, 3): kind 1 is a closure, 2 a vowel."""
    kinds = {'closure': 1.0, 'vowel': 2.0}
    return np.array([(p.start_s, p.end_s, kinds.get(p.kind, 0.0)) for p in speech.intervals])


def lip_references(_pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return the ceiling and the floors: teacher, loudness, regression, other speech, still."""
    speech = labelled_speech(settings.data)[::settings.some(1, 16)]
    teacher = [mouth_aperture(articulate(s.segments, s.waveform)) for s in speech]
    shown = max(range(len(speech)),
                key=lambda i: sum(p.kind == 'closure' for p in speech[i].intervals))
    loudness = [loudness_aperture(s.waveform) for s in speech]
    systems = {'teacher': teacher, 'loudness_to_jaw': loudness,
               'static': [np.zeros_like(aperture) for aperture in teacher],
               'shuffled_audio': _of_other_speech(teacher)}
    regression = small_regression(settings)
    if regression is not None:
        systems['small_regression'] = [regression(s.waveform) for s in speech]
    figures = {name: lip_figures(speech, apertures) for name, apertures in systems.items()}
    return Outcome(figures, {'teacher': teacher[shown], 'loudness': loudness[shown]})


def _of_other_speech(apertures: list[Aperture]) -> list[Aperture]:
    """Return each clip's aperture replaced by that of another, half of the corpus away."""
    shift = max(1, len(apertures) // 2)
    return [np.resize(apertures[(i + shift) % len(apertures)], len(own))
            for i, own in enumerate(apertures)]


def small_regression(settings: Settings) -> Callable[[NDArray[np.float32]], Aperture] | None:
    """Return ridge regression from 240 ms of features to the teacher's aperture.

    Learnt on ten minutes of synthesised voices; None where no synthesiser is installed.
    """
    takes = list(islice(voice_takes(settings.random(1), {}), settings.some(32, 8)))
    if not takes:
        return None
    inputs = [_around(waveform_features(take.waveform)) for take in takes]
    wanted = [mouth_aperture(articulate(take.segments, take.waveform)) for take in takes]
    x = np.concatenate([one[:len(two)] for one, two in zip(inputs, wanted)])
    y = np.concatenate([two[:len(one)] for one, two in zip(inputs, wanted)])
    mean, std = x.mean(axis=0), x.std(axis=0) + 1e-3
    z = (x - mean) / std
    weights = np.linalg.solve(z.T @ z + 1e-3 * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean()))

    def estimate(waveform: NDArray[np.float32]) -> Aperture:
        features = (_around(waveform_features(waveform)) - mean) / std
        return np.asarray(np.maximum(0.0, features @ weights + y.mean()))

    return estimate


def _around(features: NDArray[np.float32]) -> Aperture:
    """Return features beside those of the frames around, shape (F, 7 * 83)."""
    index = np.arange(len(features))
    return np.concatenate([features[np.clip(index + shift, 0, len(features) - 1)]
                           for shift in _REGRESSION_REACH], axis=1).astype(np.float64)


def lips_in_noise(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return figures of live lips with environmental noise 10 dB below the speech."""
    speech = labelled_speech(settings.data)[::settings.some(2, 16)]
    noisy = in_noise(speech, settings.data, NOISE_DB, settings.random(2))
    apertures = generate_apertures(pipeline, noisy, settings.config(pipeline, 'live'))
    loudness = [loudness_aperture(s.waveform) for s in noisy]
    return Outcome({'snr_db': NOISE_DB, 'live': lip_figures(speech, apertures),
                    'loudness_to_jaw': lip_figures(speech, loudness)}, {})


def lips_unseen_languages(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return figures of live lips on synthesised speech of languages never trained on."""
    takes = list(unseen_language_takes(settings.random(3)))[::settings.some(2, 12)]
    speech = [LabelledSpeech(t.name, t.waveform, intervals_of(t.segments), t.segments)
              for t in takes]
    if not speech:
        return Outcome({'languages': list(unseen_languages()), 'missing': 'espeak-ng'}, {})
    config = settings.config(pipeline, 'live')
    figures: dict[str, Any] = {'languages': list(unseen_languages()), 'takes': len(speech)}
    apertures = generate_apertures(pipeline, speech, config)
    figures['live'] = lip_figures(speech, apertures)
    for language in unseen_languages():
        own = [i for i, s in enumerate(speech) if s.name.startswith(f'espeak-{language}')]
        if own:
            figures[language] = lip_figures([speech[i] for i in own],
                                            [apertures[i] for i in own])
    return Outcome(figures, {})


def lips_for_minutes(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return figures of the first 20 s and of minute two of one stream, on the same sentences."""
    utterances = emodb(settings.data)
    by_name = {s.name: s for s in labelled_speech(settings.data)}
    first: list[tuple[Aperture, list[PhoneInterval]]] = []
    later: list[tuple[Aperture, list[PhoneInterval]]] = []
    for speaker in sorted({u.speaker for u in utterances})[:settings.some(5, 1)]:
        own = [by_name[u.name] for u in utterances if u.speaker == speaker]
        head = own[::max(1, len(own) // 10)][:10]
        filling = [s for s in own if s not in head]
        filling = [filling[i % len(filling)] for i in range(20)]
        take = joined([*head, *filling, *head], speaker)
        aperture = generate_apertures(pipeline, [take], settings.config(pipeline, 'live'))[0]
        length_s = sum(len(s.waveform) for s in head) / SAMPLE_RATE_HZ
        offset_s = len(take.waveform) / SAMPLE_RATE_HZ - length_s
        first.append(_cut(aperture, take, 0.0, length_s))
        later.append(_cut(aperture, take, offset_s, length_s))
    return Outcome({'first_20_s': asdict(score_lips(first, FACE_RATE_HZ)),
                    'minute_two': asdict(score_lips(later, FACE_RATE_HZ))}, {})


def _cut(aperture: Aperture, take: LabelledSpeech, start_s: float,
         length_s: float) -> tuple[Aperture, list[PhoneInterval]]:
    """Return a stretch of an aperture with its phones, on its own clock."""
    first = round(start_s * FACE_RATE_HZ)
    phones = [PhoneInterval(p.start_s - start_s, p.end_s - start_s, p.kind)
              for p in take.intervals if start_s <= p.start_s and p.end_s <= start_s + length_s]
    return aperture[first:first + round(length_s * FACE_RATE_HZ)], phones


def lips_by_foresight(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return closures and AUC of live lips by how much speech beyond the hop they hear."""
    speech = labelled_speech(settings.data)[::settings.some(9, 32)]
    live = settings.config(pipeline, 'live')
    figures = {}
    for foresight_s in FORESIGHTS_S:
        config = replace(live, face=replace(live.face, foresight_s=foresight_s))
        found = lip_figures(speech, generate_apertures(pipeline, speech, config))
        figures[f'{foresight_s:g}'] = {name: found[name] for name in (
            'reached', 'falsely_closed', 'auc', 'lag_behind_teacher_s')}
    return Outcome(figures, {})


def lips_recorded(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return how model and loudness agree with recorded mouths (which the bundle learnt from)."""
    config = settings.config(pipeline, 'ahead')
    model, floor, lags = [], [], []
    clips = sorted(facegood_clips(settings.data), key=lambda clip: clip.name)
    for clip in clips[:settings.some(4, 1)]:
        frames = 20 * FACE_RATE_HZ
        waveform = clip.waveform[:frames * SAMPLE_RATE_HZ // FACE_RATE_HZ]
        recorded = mouth_aperture(clip.weights[:frames])
        style = pipeline.bundle.face.styles.index('facegood') if (
            'facegood' in pipeline.bundle.face.styles) else 0
        made = mouth_aperture(generate_face(pipeline, waveform, config, style))
        model.append(_correlation(made, recorded))
        floor.append(_correlation(loudness_aperture(waveform), recorded))
        lags.append(aperture_lag_s(made, recorded, FACE_RATE_HZ))
    return Outcome({'clips': len(model), 'correlation': float(np.mean(model)),
                    'loudness_to_jaw_correlation': float(np.mean(floor)),
                    'lag_behind_recording_s': float(np.median(lags))}, {})


def _correlation(one: Aperture, other: Aperture) -> float:
    count = min(len(one), len(other))
    return float(np.corrcoef(one[:count], other[:count])[0, 1])
