"""Plans the guides of a stream: window by window, from what was heard.

Guides whose apex lies before the first frame to be committed are settled and stay; the others are
planned anew in every window, from the accents that are known by then. The n-th stroke of a stream
has the pose of its number, so planning again moves a guide a little and changes nothing else.
"""
from __future__ import annotations

import numpy as np

from ..measures.accents import accented, find_nuclei, Loudness
from ..measures.alignment import BEAT_LAG_S
from ..measures.arousal import arousal_curve
from ..timeline import BODY_RATE_HZ, FEATURE_RATE_HZ
from ..types import Float32Array, Float64Array
from .cues import guide_cues, GUIDE_DIM, no_cues, STROKE, TIME
from .poses import GuidePoses
from .rules import pulse_bar, pulse_sizes, spacing_of, Span, speech_spans, stroke_accents

MEL_FEATURES = 83
"""Features that accents are found in; of those of another front end nothing is known."""
KEPT_S = 12.0
APEX_LAG_S = BEAT_LAG_S - 0.02
"""When an apex is told, after its vowel onset: generated strokes come to rest a little later."""
PULSE_GAIN = 2.0
"""A denoiser with two calls gives half of a small beat; it is told twice its size."""
_LEAST_FRAMES = 8
_LEAST_GAP_S = 0.2
_REST_S, _STAY_S = 3.5, 0.25
_PREPARATION_S = (0.4, 0.8)
_AROUSAL_STEPS = 8


def arousal_now(features: Float32Array) -> float:
    """Return the arousal in [0, 1] of the last 8 s of features ``(F, 83)``; 0 if unknown."""
    if features.shape[1] != MEL_FEATURES or len(features) < _LEAST_FRAMES:
        return 0.0
    return float(arousal_curve(features)[-1])


class GuidePlanner:
    """The guides of one stream.

    Args:
        poses: to draw from.
        seed: of the stream.
    """

    def __init__(self, poses: GuidePoses, seed: int) -> None:
        self._poses, self._seed = poses, seed
        self._settled: list[Float64Array] = []
        self._planned: list[tuple[Float64Array, int]] = []
        self._recent: list[int] = []
        self._strokes = 0
        self._here_m = np.zeros(6)

    def skip(self) -> None:
        """Forget what was planned and not settled: no window will show it."""
        self._planned = []

    def cues(self, history: Float32Array, heard: Float32Array, heard_end: int, first_frame: int,
             next_frame: int, frames: int, arousal: float | None = None) -> Float32Array:
        """Return the cues of a window, shape (frames, 131).

        Args:
            history: shape (P, 83), features up to the end of what the window hears.
            heard: shape (P,), 1 where there was a stream.
            heard_end: feature frame at which ``history`` ends.
            first_frame: first body frame of the window.
            next_frame: first body frame it will commit.
            frames: body frames of the window.
            arousal: in [0, 1], to be shown instead of the voice's own.
        """
        self._settle(next_frame / BODY_RATE_HZ)
        known = np.flatnonzero(heard > 0.5)
        if history.shape[1] != MEL_FEATURES or len(known) < _LEAST_FRAMES:
            return no_cues(frames)
        features = history[known[0]:known[-1] + 1]
        start_s = (heard_end - len(history) + known[0]) / FEATURE_RATE_HZ
        loudness = Loudness(features)
        nuclei = find_nuclei(features, loudness)
        shown = arousal
        if shown is None:
            shown = float(arousal_curve(features, nuclei, loudness)[-1])
        accents = accented(nuclei)
        spans = [Span(span.start + start_s, span.stop + start_s)
                 for span in speech_spans(loudness.speech)]
        self._plan(accents.onsets_s + start_s, accents.prominences, spans, shown,
                   next_frame / BODY_RATE_HZ)
        times_s = (first_frame + np.arange(frames)) / BODY_RATE_HZ
        return guide_cues(self._rows(), times_s, shown)

    def _settle(self, until_s: float) -> None:
        """Keep what was planned for before a moment; of the rest nothing is certain."""
        for row, pose in self._planned:
            if row[TIME] < until_s:
                self._settled.append(row)
                if row[STROKE] > 0.5:
                    self._here_m = self._poses.wrists_m[pose]
                    self._strokes += 1
                    self._recent = [*self._recent, pose][-16:]
        self._planned = []
        self._settled = [row for row in self._settled if row[TIME] > until_s - KEPT_S]

    def _plan(self, onsets_s: Float64Array, prominences: Float64Array, speech: list[Span],
              arousal: float, from_s: float) -> None:
        last_s = self._settled[-1][TIME] if self._settled else -np.inf
        new = (onsets_s + APEX_LAG_S >= from_s) & (onsets_s + APEX_LAG_S > last_s + _LEAST_GAP_S)
        onsets_s, prominences = onsets_s[new], prominences[new]
        strokes = [row for row in self._settled if row[STROKE] > 0.5]
        stroke_s = strokes[-1][TIME] - APEX_LAG_S if strokes else -np.inf
        spacing_s = np.full(len(onsets_s), float(spacing_of(arousal)))
        chosen = set(stroke_accents(onsets_s, prominences, spacing_s, speech, stroke_s))
        sizes = PULSE_GAIN * pulse_sizes(prominences, arousal)
        for i, apex_s in enumerate(onsets_s + APEX_LAG_S):
            if i in chosen:
                self._planned.append(self._stroke(float(apex_s), float(sizes[i]), arousal))
            elif prominences[i] > pulse_bar(arousal):
                row = np.zeros(GUIDE_DIM)
                row[:3] = apex_s, sizes[i], 0.0
                self._planned.append((row, -1))

    def _stroke(self, apex_s: float, size: float, arousal: float) -> tuple[Float64Array, int]:
        """Return the guide of the next stroke and the number of its pose."""
        planned = [(row, pose) for row, pose in self._planned if row[STROKE] > 0.5]
        before = [row for row in self._settled if row[STROKE] > 0.5] + [r for r, _ in planned]
        here_m = np.zeros(6)
        if before and apex_s - before[-1][TIME] < _REST_S:
            here_m = self._poses.wrists_m[planned[-1][1]] if planned else self._here_m
        free_s = before[-1][TIME] + _STAY_S if before else -np.inf
        recent = [*self._recent, *(pose for _, pose in planned)]
        time_s = float(np.clip(apex_s - free_s, *_PREPARATION_S))
        # In steps, so that the pose stays while the voice changes a little between two windows.
        steady = round(arousal * _AROUSAL_STEPS) / _AROUSAL_STEPS
        pose = self._poses.draw(self._seed, self._strokes + len(planned), steady, here_m, time_s,
                                recent)
        return np.array([apex_s, size, 1.0, *self._poses.arms[pose]]), pose

    def _rows(self) -> Float64Array:
        rows = [*self._settled, *(row for row, _ in self._planned)]
        return np.array(rows, dtype=np.float64).reshape(-1, GUIDE_DIM)
