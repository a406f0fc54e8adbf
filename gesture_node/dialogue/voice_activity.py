"""Whether somebody speaks, frame by frame, in whatever noise there is.

Works on the 50 Hz features of :mod:`gesture_node.audio.features`. The power of 12 bands between
150 Hz and 4.3 kHz is compared with a background that is learnt whenever nobody speaks: the mean
level of each band, and how far the whole swings about it. Speech must stand out of the background
by more than that swing, so the same rule serves the even hiss of a fan, where 3 dB are much, and
the murmur of a crowd, where they are nothing. Bands count the less the louder their background
is. Speech must also be voiced: rain is loud without pitch. What stays loud for seconds without
the dips that syllables make is a new background (the idea of minimum statistics; Martin, IEEE
TSAP 2001), so that a fan that is switched on does not count as a speaker for ever.

It begins when enough of the last frames are speech-like and ends after a hangover without them.
"""
from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..audio.features import MEL_BANDS, VOICING_INDEX
from ..timeline import FEATURE_RATE_HZ, s_to_frames
from ..types import Float64Array

_GROUP = 5
_BANDS = slice(1, 13)
_LEAST_POWER = 2e-6
"""Power of a band that counts as background even in digital silence."""
_KEENNESS, _LARGEST_STEP_DB = 0.05, 0.3
_WHITENING = 0.5
_SWING_KEEP, _FIRST_SWING_DB = 0.98, 2.2
_LARGEST_CHANGE_DB, _LARGEST_SIZE_DB = 5.0, 3.0
_SWINGS, _LEAST_ONSET_DB, _STAY_SHARE = 2.6, 3.0, 0.75
_VOICED, _VOICED_SHARE = 0.58, 0.6
_DIP_S = 2.5
_WARM_UP_FRAMES = 10


class Background:
    """Level of what is heard when nobody speaks, and how far it swings.

    Args:
        bands: B.
    """

    def __init__(self, bands: int) -> None:
        self._level_db = np.zeros(bands)
        self._count = 0
        self._mean_db = 0.0
        self._swing_db = self._size_db = _FIRST_SWING_DB

    @property
    def reach_db(self) -> float:
        """How far the background by itself may stand out of its mean level [dB]."""
        return min(_SWINGS * self._size_db, self._mean_db + _SWINGS * self._swing_db)

    def above_db(self, power: Float64Array) -> float:
        """Return how far the power of a frame, shape (B,), stands out of the background [dB]."""
        if not self._count:
            return 0.0
        floor = 10.0 ** (0.1 * self._level_db)
        weights = floor ** -_WHITENING
        return float(10.0 * np.log10((weights * power).sum() / (weights * floor).sum()))

    def learn(self, power: Float64Array, above_db: float) -> None:
        """Take in a frame in which nobody speaks."""
        level_db = 10.0 * np.log10(power)
        self._count += 1
        if self._count <= _WARM_UP_FRAMES:
            self._level_db = self._level_db + (level_db - self._level_db) / self._count
            return
        self._level_db = self._level_db + np.clip(
            _KEENNESS * (level_db - self._level_db), -_LARGEST_STEP_DB, _LARGEST_STEP_DB)
        keep, change_db = _SWING_KEEP, float(np.clip(above_db - self._mean_db,
                                                    -_LARGEST_CHANGE_DB, _LARGEST_CHANGE_DB))
        self._mean_db += (1.0 - keep) * change_db
        self._swing_db = keep * self._swing_db + (1.0 - keep) * abs(change_db)
        size_db = min(abs(above_db), 2.0 * _LARGEST_CHANGE_DB)
        self._size_db = min(keep * self._size_db + (1.0 - keep) * size_db, _LARGEST_SIZE_DB)

    def replace(self, level_db: Float64Array) -> None:
        """Begin again with another background, shape (B,) [dB]."""
        self._level_db, self._mean_db = level_db, 0.0
        self._swing_db = self._size_db = _FIRST_SWING_DB


class VoiceActivity:
    """Follows one voice; the same whatever pieces its frames come in.

    Args:
        onset_s: how much of speech is heard before it counts [s]; a cough is shorter.
        hangover_s: how long a gap between words may be [s].
    """

    def __init__(self, onset_s: float = 0.14, hangover_s: float = 0.4) -> None:
        count = _BANDS.stop - _BANDS.start
        self._background = Background(count)
        self._needed = max(1, s_to_frames(onset_s, FEATURE_RATE_HZ))
        self._hangover = s_to_frames(hangover_s, FEATURE_RATE_HZ)
        self._recent = np.zeros((3 * self._needed, 2), dtype=bool)
        dip = s_to_frames(_DIP_S, FEATURE_RATE_HZ)
        self._above_db, self._levels_db = np.zeros(dip), np.zeros((dip, count))
        self._score_db = 0.0
        self._frames = self._quiet = self._active_frames = 0

    @property
    def is_active(self) -> bool:
        """Whether somebody spoke in the last frame."""
        return self._active_frames > 0

    @property
    def onset_db(self) -> float:
        """How far speech must stand out of the background to be heard [dB]."""
        return max(_LEAST_ONSET_DB, self._background.reach_db)

    def accept(self, features: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return for each frame whether somebody speaks, shape (F,).

        Args:
            features: shape (F, 83), the frames that follow those before.
        """
        power = np.exp(features[:, :MEL_BANDS].astype(np.float64))
        bands = power.reshape(len(features), -1, _GROUP).mean(axis=2)[:, _BANDS]
        voicing = features[:, VOICING_INDEX]
        return np.array([self._step(np.maximum(row, _LEAST_POWER), float(voice))
                         for row, voice in zip(bands, voicing)], dtype=bool)

    def _step(self, power: Float64Array, voicing: float) -> bool:
        above_db = self._background.above_db(power)
        self._score_db += 0.5 * (above_db - self._score_db)
        row = self._frames % len(self._above_db)
        self._above_db[row], self._levels_db[row] = self._score_db, 10.0 * np.log10(power)
        loud = self._score_db > self.onset_db
        self._recent[self._frames % len(self._recent)] = loud, loud and voicing > _VOICED
        self._frames += 1
        if self.is_active:
            self._go_on(loud or self._score_db > _STAY_SHARE * self.onset_db)
        elif self._frames > _WARM_UP_FRAMES and self._begins():
            self._active_frames, self._quiet = 1, 0
        if not self.is_active:
            self._background.learn(power, self._score_db)
        return self.is_active

    def _begins(self) -> bool:
        heard, voiced = self._recent.sum(axis=0)
        return bool(heard >= self._needed and voiced >= _VOICED_SHARE * self._needed)

    def _go_on(self, is_loud: bool) -> None:
        """Take in another frame of speech, which may turn out to be none."""
        self._active_frames += 1
        self._quiet = 0 if is_loud else self._quiet + 1
        if self._quiet > self._hangover:
            self._active_frames = 0
        elif self._active_frames >= len(self._above_db) and (
                self._above_db.min() > _STAY_SHARE * self.onset_db):
            self._background.replace(self._levels_db.mean(axis=0))
            self._active_frames, self._score_db = 0, 0.0
            self._recent[:] = False
