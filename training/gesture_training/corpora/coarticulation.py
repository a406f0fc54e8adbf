"""The face teacher: phones in time and loudness to jaw, lip and tongue weights at 50 Hz.

Dominance functions (Cohen and Massaro, "Modeling coarticulation in synthetic visual speech",
1993), one per articulator - jaw, lip protrusion, lip opening: every phone pulls every channel to
its target with a strength that decays exponentially away from its core; a channel is the weighted
mean of all pulls. Lip seals of p, b, m are no part of that mean: they are a gate of their own, the
maximum over neighbours, with targets beyond contact (Loefqvist and Gracco, "Lip and jaw kinematics
in bilabial stop consonant production", 1997); so is the tongue at t, d, n, l, th. Every vowel
opens visibly in its middle, however short or quiet. Rules and figures: ``docs/face_teacher.md``;
targets: ``training/config/visemes.yaml``.
"""
from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM, project_face
from gesture_node.timeline import FACE_RATE_HZ, frames_before, SAMPLE_RATE_HZ

from .phones import CLOSURES, PhoneClass, Segment, VOWELS
from .visemes import load_visemes, Viseme

Array = NDArray[np.float64]

_GRID_HZ = 200
_SMOOTH_S = 0.012
_HOLD_S, _RELAX_S = 0.12, 0.25
_PRE_OPEN_S, _POST_CLOSE_S = 0.15, 0.10
_RELAXED_JAW = 0.03
_SEAL_LEAD_S, _SEAL_FLOOR_S = 0.015, 0.06
_SEAL_RAMP_S, _SEAL_FASTEST_S = 0.05, 0.016
_ROOM_IN_VOWEL, _ROOM_IN_CONSONANT = 0.42, 0.7
_LOUD_JAW, _LOUD_LIPS = 0.38, 0.15
_WEAK_VOWEL = 0.8
_VOWEL_SHARE, _LEAST_OPEN, _LEAST_OPEN_CAP = 0.6, 0.18, 0.26
_LIFT_FLANK_S = 0.05
_REACH_S = 0.5
_TEETH_FLOOR_S = 0.04
_SEAL_PRESS, _SEAL_ROLL, _SEAL_JAW = 0.6, 0.4, 0.6
_JAW, _CLOSE = BLENDSHAPE_INDEX['jawOpen'], BLENDSHAPE_INDEX['mouthClose']
_TONGUE = BLENDSHAPE_INDEX['tongueOut']
_PROTRUSION = [BLENDSHAPE_INDEX[name] for name in
               ('mouthPucker', 'mouthFunnel', 'mouthShrugUpper')]
_LOWER_DOWN, _UPPER_UP = ([BLENDSHAPE_INDEX[f'{name}{side}'] for side in ('Left', 'Right')]
                          for name in ('mouthLowerDown', 'mouthUpperUp'))
_ARTICULATOR = np.full(FACE_DIM, 2)
"""Which dominance drives a channel: 0 jaw, 1 lip protrusion, 2 lip opening."""
_ARTICULATOR[_JAW], _ARTICULATOR[_PROTRUSION] = 0, 1
_PRESS = [BLENDSHAPE_INDEX['mouthPressLeft'], BLENDSHAPE_INDEX['mouthPressRight']]
_ROLL = [BLENDSHAPE_INDEX['mouthRollLower'], BLENDSHAPE_INDEX['mouthRollUpper']]


def loudness(waveform: NDArray[np.float32], rate_hz: int = _GRID_HZ) -> Array:
    """Return loudness in [0, 1] between the 5th and 95th percentile of the speech level.

    Args:
        waveform: shape (n,), float32, 16 kHz: one speaker.
        rate_hz: of the result.

    Returns:
        shape (ceil(n * rate_hz / 16000),).
    """
    hop = SAMPLE_RATE_HZ // rate_hz
    count = -(-len(waveform) // hop)
    padded = np.zeros(count * hop)
    padded[:len(waveform)] = waveform
    power = gaussian_filter1d((padded.reshape(count, hop) ** 2).mean(axis=1), 0.02 * rate_hz)
    level_db = 10.0 * np.log10(power + 1e-9)
    speech = level_db[level_db > level_db.max() - 40.0]
    low, high = np.percentile(speech, [5.0, 95.0])
    return np.asarray(np.clip((level_db - low) / max(high - low, 6.0), 0.0, 1.0))


def settle_pauses(segments: list[Segment], duration_s: float) -> list[Segment]:
    """Return gapless segments: silences merged, those under 120 ms given to their neighbours.

    Args:
        segments: in time order; gaps between them count as silence.
        duration_s: length of the recording [s].
    """
    filled: list[Segment] = []
    time_s = 0.0
    for segment in [*segments, Segment(duration_s, duration_s, PhoneClass.SIL)]:
        if segment.start_s > time_s + 1e-6:
            filled.append(Segment(time_s, segment.start_s, PhoneClass.SIL))
        if segment.end_s > segment.start_s:
            filled.append(segment)
        time_s = max(time_s, segment.end_s)
    merged: list[Segment] = []
    for segment in filled:
        if merged and segment.phone == merged[-1].phone == PhoneClass.SIL:
            segment = Segment(merged.pop().start_s, segment.end_s, PhoneClass.SIL)
        merged.append(segment)
    return [s for i, s in enumerate(merged)
            if s.phone != PhoneClass.SIL or s.end_s - s.start_s >= _HOLD_S
            or i in (0, len(merged) - 1)]


def _core(segment: Segment) -> tuple[float, float]:
    """Return the interval [s] in which a phone pulls with full strength."""
    duration = segment.end_s - segment.start_s
    if segment.phone == PhoneClass.SIL:
        start = segment.start_s + min(_POST_CLOSE_S, 0.4 * duration)
        return start, max(start, segment.end_s - min(_PRE_OPEN_S, 0.4 * duration))
    share = 0.3 if segment.phone in VOWELS else 0.35
    return segment.start_s + share * duration, segment.end_s - share * duration


def _with_context(segments: list[Segment], index: int) -> Viseme:
    """Return the targets of a phone where it stands: h copies its vowel, short pauses relax."""
    segment, table = segments[index], load_visemes()
    viseme = table[segment.phone]
    if segment.phone == PhoneClass.H:
        following = next((s for s in segments[index + 1:index + 3] if s.phone in VOWELS), None)
        if following is not None:
            vowel = table[following.phone]
            return Viseme(vowel.jaw * 0.8, vowel.lips, 0.0, 0.5, viseme.jaw_decay, 0.5,
                          viseme.lip_decay, False)
    if segment.phone == PhoneClass.SIL and segment.end_s - segment.start_s < _RELAX_S:
        return Viseme(_RELAXED_JAW, viseme.lips, 0.0, 0.8, viseme.jaw_decay, 0.6,
                      viseme.lip_decay, False)
    return viseme


def _rounding_decay(segments: list[Segment], index: int, decay: float) -> float:
    """Return the decay [1/s] before a rounded phone: slower after a long consonant string."""
    string_s = 0.0
    for segment in reversed(segments[:index]):
        if segment.phone in VOWELS or segment.phone == PhoneClass.SIL:
            break
        string_s += segment.end_s - segment.start_s
    lead_s = min(0.3, 0.06 + 0.8 * string_s)
    return float(np.clip(2.0 / lead_s, 7.0, max(decay, 7.0)))


def _pull(time_s: Array, core: tuple[float, float], strength: float, before: float,
          after: float) -> Array:
    early = np.maximum(0.0, core[0] - time_s)
    late = np.maximum(0.0, time_s - core[1])
    return strength * np.exp(-before * early - after * late)


def _ramp(time_s: Array, start_s: float, end_s: float, rise_s: float, fall_s: float) -> Array:
    """Return a gate: 1 in the interval, raised-cosine flanks outside of it."""
    early = (start_s - time_s).clip(0.0, rise_s) / rise_s
    late = (time_s - end_s).clip(0.0, fall_s) / fall_s
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.maximum(early, late)))


def _approach(neighbour: Segment | None, wanted_s: float) -> tuple[float, float]:
    """Return how far a seal reaches into a neighbour [s], and how long lips move inside it.

    Together they stay out of the middle of a vowel, so that it opens however short it is.

    Args:
        neighbour: phone before or after the seal; None at either end of the recording.
        wanted_s: reach that is wanted.
    """
    if neighbour is None:
        return wanted_s, _SEAL_RAMP_S
    share = _ROOM_IN_VOWEL if neighbour.phone in VOWELS else _ROOM_IN_CONSONANT
    room_s = share * (neighbour.end_s - neighbour.start_s)
    reach_s = min(wanted_s, max(0.0, room_s - 1.5 * _SEAL_FASTEST_S))
    return reach_s, float(np.clip(room_s - reach_s, _SEAL_FASTEST_S, _SEAL_RAMP_S))


def _runs(segments: list[Segment]) -> list[tuple[int, int]]:
    """Return first and last index of each run of closures without a gap between them."""
    runs: list[tuple[int, int]] = []
    for index, segment in enumerate(segments):
        if segment.phone not in CLOSURES:
            continue
        if runs and runs[-1][1] == index - 1:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def seal_gate(time_s: Array, segments: list[Segment]) -> Array:
    """Return how far the lips are sealed, in [0, 1]: the maximum over all closures.

    Lips meet at the start of the phone, or up to 15 ms earlier where what is before is long
    enough, part at its burst, and stay together for 60 ms at least where there is room.

    Args:
        time_s: shape (T,), increasing [s].
        segments: phones without gaps.
    """
    gate = np.zeros(len(time_s))
    for first, last in _runs(segments):
        before = segments[first - 1] if first else None
        after = segments[last + 1] if last + 1 < len(segments) else None
        start, end = segments[first].start_s, segments[last].end_s
        end -= min(0.02, 0.2 * (end - start))
        missing_s = max(0.0, _SEAL_FLOOR_S - (end - start))
        reach_s, rise = _approach(before, max(_SEAL_LEAD_S, 0.5 * missing_s))
        start -= reach_s
        reach_s, fall = _approach(after, max(0.0, missing_s - reach_s))
        end += reach_s
        near = slice(*np.searchsorted(time_s, [start - rise, end + fall]))
        gate[near] = np.maximum(gate[near], _ramp(time_s[near], start, end, rise, fall))
    return gate


@lru_cache(maxsize=1)
def _blended_channels() -> NDArray[np.int64]:
    """Return the channels that any phone moves, but for the tongue."""
    moved = sum((np.abs(viseme.lips) for viseme in load_visemes().values()), np.zeros(FACE_DIM))
    moved[_JAW] = 1.0
    return np.flatnonzero(moved)


def _blend(time_s: Array, segments: list[Segment]) -> Array:
    """Return the dominance mean of all channels ``(len(time_s), 52)``."""
    channels = _blended_channels()
    articulator = _ARTICULATOR[channels]
    blended, sums = np.zeros((len(time_s), len(channels))), np.full((len(time_s), 3), 1e-9)
    tongue = np.zeros(len(time_s))
    for index, segment in enumerate(segments):
        viseme = _with_context(segments, index)
        core = _core(segment)
        near = slice(*np.searchsorted(time_s, [core[0] - _REACH_S, core[1] + _REACH_S]))
        time = time_s[near]
        weak = _WEAK_VOWEL if segment.phone in VOWELS and segment.stress < 0.25 else 1.0
        early = viseme.lip_decay
        if viseme.rounded:
            early = _rounding_decay(segments, index, early)
        pulls = np.stack([
            _pull(time, core, viseme.jaw_strength, viseme.jaw_decay, viseme.jaw_decay),
            _pull(time, core, viseme.lip_strength, early, viseme.lip_decay),
            _pull(time, core, viseme.lip_strength, viseme.lip_decay, viseme.lip_decay)], axis=1)
        targets = viseme.lips * (0.5 + 0.5 * weak)
        targets[_JAW] = viseme.jaw * weak
        blended[near] += pulls[:, articulator] * targets[channels]
        sums[near] += pulls
        if viseme.tongue:
            gate = _ramp(time, core[0] - 0.01, core[1] + 0.01, 0.06, 0.06)
            tongue[near] = np.maximum(tongue[near], viseme.tongue * gate)
    face = np.zeros((len(time_s), FACE_DIM))
    face[:, channels] = blended / sums[:, articulator]
    face[:, _TONGUE] = tongue
    return face


def _open(face: Array) -> Array:
    """Return the aperture of lips that are not sealed, not cut at zero."""
    pairs = 0.5 * (face[:, _LOWER_DOWN] * 0.35 + face[:, _UPPER_UP] * 0.25).sum(axis=1)
    return np.asarray(face[:, _JAW] + pairs - 0.1 * face[:, _ROLL].sum(axis=1))


def _lift_vowels(face: Array, time_s: Array, segments: list[Segment]) -> None:
    """Lower the jaw in vowels whose middle would hardly open: quiet, short or among stops."""
    table, aperture, raised = load_visemes(), _open(face), np.zeros(len(time_s))
    for segment in segments:
        if segment.phone not in VOWELS:
            continue
        viseme = table[segment.phone]
        target = viseme.lips.copy()
        target[_JAW] = viseme.jaw
        least = np.clip(_VOWEL_SHARE * _open(target[None])[0], _LEAST_OPEN, _LEAST_OPEN_CAP)
        middle_s = 0.5 * (segment.start_s + segment.end_s)
        middle = min(int(round(middle_s * _GRID_HZ)), len(time_s) - 1)
        missing = least - aperture[middle]
        if missing > 0.0:
            core = _core(segment)
            near = slice(*np.searchsorted(
                time_s, [core[0] - _LIFT_FLANK_S, core[1] + _LIFT_FLANK_S]))
            lift = missing * _ramp(time_s[near], *core, _LIFT_FLANK_S, _LIFT_FLANK_S)
            raised[near] = np.maximum(raised[near], lift)
    face[:, _JAW] += raised


def _touch_teeth(face: Array, time_s: Array, segments: list[Segment]) -> None:
    """Bring the lower lip to the upper teeth at f and v, for 40 ms at least, jaw nearly shut."""
    gate = np.zeros(len(time_s))
    for index, segment in enumerate(segments):
        if segment.phone != PhoneClass.FF:
            continue
        start_s, end_s = _core(segment)
        missing_s = max(0.0, _TEETH_FLOOR_S - (end_s - start_s))
        flanks = []
        for neighbour in (segments[index - 1] if index else None,
                          segments[index + 1] if index + 1 < len(segments) else None):
            flanks.append(_approach(neighbour, 0.0)[1] + start_s - segment.start_s)
        near = slice(*np.searchsorted(time_s, [start_s - 0.2, end_s + 0.2]))
        gate[near] = np.maximum(gate[near], _ramp(
            time_s[near], start_s - 0.5 * missing_s, end_s + 0.5 * missing_s,
            max(_SEAL_FASTEST_S, flanks[0] - 0.5 * missing_s),
            max(_SEAL_FASTEST_S, flanks[1] - 0.5 * missing_s)))
    teeth = load_visemes()[PhoneClass.FF]
    # A jaw is slower than a lip.
    soft = gaussian_filter1d(gate, 1.5 * _SMOOTH_S * _GRID_HZ)
    face[:, _JAW] += soft * (np.minimum(face[:, _JAW], teeth.jaw) - face[:, _JAW])
    face[:, _LOWER_DOWN] *= (1.0 - gate)[:, None]
    lower = _ROLL[0]
    face[:, lower] = np.maximum(face[:, lower], gate * teeth.lips[lower])


def articulate(segments: list[Segment], waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return jaw, lip and tongue weights for a recording whose phones are known.

    Args:
        segments: phones in time order; gaps count as silence.
        waveform: shape (n,), float32, 16 kHz, for the loudness of jaw and lips.

    Returns:
        shape (n // 320, 52), float32, [0, 1]; frame k is the face at ``k / 50`` s.
    """
    frames = frames_before(len(waveform), FACE_RATE_HZ)
    step = _GRID_HZ // FACE_RATE_HZ
    time_s = np.arange(frames * step) / _GRID_HZ
    settled = settle_pauses(segments, len(waveform) / SAMPLE_RATE_HZ)
    face = gaussian_filter1d(_blend(time_s, settled), _SMOOTH_S * _GRID_HZ, axis=0)
    level = loudness(waveform)[:len(time_s), None]
    jaw = face[:, _JAW:_JAW + 1] * (1.0 - _LOUD_JAW + _LOUD_JAW * level)
    face *= 1.0 - _LOUD_LIPS + _LOUD_LIPS * level
    face[:, _JAW:_JAW + 1] = jaw
    _touch_teeth(face, time_s, settled)
    _lift_vowels(face, time_s, settled)
    jaw, seal = face[:, _JAW].copy(), seal_gate(time_s, settled)
    face *= (1.0 - seal)[:, None]
    face[:, _JAW] = jaw * (1.0 - (1.0 - _SEAL_JAW) * seal)
    face[:, _CLOSE] = face[:, _JAW] * seal
    face[:, _PRESS] += _SEAL_PRESS * seal[:, None]
    face[:, _ROLL] += _SEAL_ROLL * seal[:, None]
    return np.asarray(project_face(face[::step]), dtype=np.float32)


def frame_classes(segments: list[Segment], frames: int) -> NDArray[np.uint8]:
    """Return the phone class of each 50 Hz frame ``(frames,)``; gaps are silence."""
    classes = np.full(frames, int(PhoneClass.SIL), np.uint8)
    for segment in segments:
        first, last = (int(round(t * FACE_RATE_HZ)) for t in (segment.start_s, segment.end_s))
        classes[first:max(last, first + 1)] = int(segment.phone)
    return classes
