"""What a bundle must reach, row by row, from the figures of all sections."""
from __future__ import annotations

from collections.abc import Iterator
import math
from typing import Any

import numpy as np

from gesture_node.cli.bench_targets import outcomes

from .rows import (
    above,
    at_least,
    at_most,
    below,
    Figures,
    listed,
    milliseconds,
    percent,
    plain,
    Row,
    row,
    unit,
    within,
)
from .settings import MODES

LIPS, FACE, ARMS, STYLE = 'Lips', 'Face', 'Arms', 'Style from the voice alone'
ROBUST, STREAMING, SPEED = 'Robustness', 'Streaming', 'Speed and size'
ARM_BASELINES = ('static', 'clip_loop', 'loudness_to_arms')
_LIP_REFERENCES = {'teacher': 'teacher', 'loudness to jaw': 'loudness_to_jaw',
                   'small regression': 'small_regression', 'shuffled audio': 'shuffled_audio',
                   'static': 'static'}


def all_rows(found: Figures, bench: dict[str, Any] | None, bundle: dict[str, Any]) -> list[Row]:
    """Return every row of the report.

    Args:
        found: figures of the sections.
        bench: what ``gesture_bench`` wrote, or None.
        bundle: ``hash`` and ``megabytes`` of the bundle.
    """
    return [*lip_rows(found), *face_rows(found), *arm_rows(found), *style_rows(found),
            *robust_rows(found), *streaming_rows(found), *speed_rows(bench, bundle)]


def _references(found: Figures, name: str, show: Any) -> str:
    return listed({label: found(f'lip_references.{key}.{name}')
                   for label, key in _LIP_REFERENCES.items()}, show)


def lip_rows(found: Figures) -> Iterator[Row]:
    """Yield the rows on labelled speech."""
    for mode in MODES:
        at = f'lips_{mode}'
        pooled = found(f'{at}.reached_pooled')
        yield row(LIPS, f'closures_{mode}', f'closures reached, {mode}', found(f'{at}.reached'),
                  at_least(0.9, percent), percent,
                  f'{_references(found, "reached", percent)}; against the median of all clips '
                  f'{percent(pooled)}')
        yield row(LIPS, f'false_closures_{mode}', f'vowels falsely closed, {mode}',
                  found(f'{at}.falsely_closed'), at_most(0.05, percent), percent,
                  _references(found, 'falsely_closed', percent))
        yield row(LIPS, f'auc_{mode}', f'vowel against closure (AUC), {mode}', found(f'{at}.auc'),
                  at_least(0.97, plain), lambda v: f'{v:.4f}',
                  _references(found, 'auc', lambda v: f'{v:.3f}'))
        yield row(LIPS, f'closure_lag_{mode}', f'median lag of closures, {mode}',
                  found(f'{at}.closure_lag_s'), within(-0.02, 0.02, milliseconds), milliseconds,
                  listed({'teacher': found('lip_references.teacher.closure_lag_s')},
                         milliseconds))
        yield row(LIPS, f'aperture_lag_{mode}', f'median lag behind the teacher, {mode}',
                  found(f'{at}.lag_behind_teacher_s'), within(-0.02, 0.02, milliseconds),
                  milliseconds)
        yield row(LIPS, f'silence_{mode}', f'aperture in silence over vowel median, {mode}',
                  found(f'{at}.silence_ratio'), below(0.05, percent), percent,
                  _references(found, 'silence_ratio', percent))


def face_rows(found: Figures) -> Iterator[Row]:
    """Yield the rows on what the seed decides, on blinks and on rest."""
    shares = {name: found(f'seeds.variance_share.{key}') for name, key in (
        ('lips', 'lips'), ('head', 'head'), ('lids', 'lids'), ('gaze, brows', 'gaze_and_brows'))}
    yield row(FACE, 'lip_variance', 'variance of lips over seeds, over that of the head',
              found('seeds.lips_over_head'), below(0.05, percent), percent,
              f'share of its own variance that the seed decides: {listed(shares, percent)}')
    yield row(FACE, 'blink_rate', 'blinks a minute', found('blinks.rate_per_min'),
              within(8, 30, plain), plain, f'{plain(found("blinks.minutes"))} min of speech')
    yield row(FACE, 'blink_duration', 'median duration of a blink',
              found('blinks.median_duration_s'), within(0.1, 0.4, unit('s')), unit('s'),
              f'{percent(found("blinks.duration_in_range"))} of all within')
    yield row(FACE, 'blink_lids', 'blinks of both lids together', found('blinks.both_lids'),
              ('all', lambda value: value >= 1.0), percent)
    speech, silence = found('blinks.aperture_std_speech'), found('blinks.aperture_std_silence')
    yield row(FACE, 'not_static', 'movement of the mouth in speech over that in silence',
              speech / max(silence, 1e-6), at_least(3.0, plain), plain,
              f'standard deviation of the aperture {plain(speech)} and {plain(silence)}')
    repeats = found.find('seeds.repeats')
    yield row(FACE, 'repeats', 'the same seed gives the same motion, bit by bit',
              math.nan if repeats is None else float(
                  bool(repeats) and all(found.find(f'body_{m}.repeats') is not False
                                        for m in MODES)),
              ('yes', lambda value: value >= 1.0), _yes)
    yield row(FACE, 'sync_offset', 'median offset of lips and sound, by the synchrony network',
              found('sync.matched.offset_s'), within(-0.02, 0.02, milliseconds), milliseconds,
              str(found.find('sync.missing') or percent(found('sync.matched.within_one_frame'))
                  + ' of clips within one frame'))
    yield row(FACE, 'sync_confidence', 'own sound beats foreign sound, by the synchrony network',
              found('sync.shuffled.matched_beats_shuffled'), at_least(0.9, percent), percent,
              str(found.find('sync.missing') or 'confidence ' + listed(
                  {'own': found('sync.matched.confidence'),
                   'foreign': found('sync.shuffled.confidence')}, plain)))


def _yes(value: float) -> str:
    return 'yes' if value >= 1.0 else 'no'


def _arms_beside(found: Figures, name: str, show: Any, shuffled: str = '') -> str:
    parts = {label.replace('_', ' '): found(f'baselines.{label}.{name}')
             for label in ('human', 'composer', *ARM_BASELINES)}
    if shuffled:
        parts['shuffled audio'] = found(f'{shuffled}.shuffled_audio.{name}')
    return listed(parts, show)


def _if_known(limit: float, value: float) -> float:
    """Return the value, or nan where there is nothing to compare it with."""
    return math.nan if math.isnan(limit) else value


def arm_rows(found: Figures) -> Iterator[Row]:
    """Yield the rows on held-out speakers."""
    for mode in MODES:
        at = f'body_{mode}'
        own, composer = found(f'{at}.alignment'), found('baselines.composer.alignment')
        yield row(ARMS, f'alignment_{mode}', f'beat alignment over that of the composer, {mode}',
                  own / max(composer, 1e-9), at_least(0.9, percent), percent,
                  f'{plain(own)}; {_arms_beside(found, "alignment", plain, at)}')
        error = found(f'{at}.matched_error')
        yield row(ARMS, f'matched_{mode}', f'own speech fits better than other speech, {mode}',
                  found(f'{at}.matched_share'), at_least(0.8, percent), percent,
                  _arms_beside(found, 'matched_share', percent, at),
                  f'{percent(found(f"{at}.matched_share"))} ± {percent(error)}')
        for name in ('speed', 'acceleration', 'jerk'):
            yield row(ARMS, f'{name}_{mode}', f'wrist {name}: distance to people, {mode}',
                      found(f'{at}.hellinger_{name}'), at_most(0.2, plain), plain,
                      _arms_beside(found, f'hellinger_{name}', plain))
        lowest = float(np.min([found(f'baselines.{name}.frechet') for name in ARM_BASELINES]))
        yield row(ARMS, f'frechet_{mode}', f'Fréchet distance to people, {mode}',
                  _if_known(lowest, found(f'{at}.frechet')), below(lowest, plain), plain,
                  _arms_beside(found, 'frechet', plain))
        half = 0.5 * found('baselines.composer.diversity_m')
        yield row(ARMS, f'diversity_{mode}', f'distance between seeds, {mode}',
                  _if_known(half, found(f'{at}.diversity_m')), at_least(half, unit('m')),
                  unit('m'), listed({'composer': 2.0 * half}, unit('m')))
        human = found('baselines.human.jitter_mm')
        yield row(ARMS, f'jitter_{mode}', f'power of the wrist above 8 Hz, {mode}',
                  _if_known(human, found(f'{at}.jitter_mm')), at_most(human, unit('mm')),
                  unit('mm'), _arms_beside(found, 'jitter_mm', unit('mm')))
    minutes = plain(found('body_minutes.minutes'))
    yield row(ARMS, 'drift', f'torso in the last against the first of {minutes} minutes',
              found('body_minutes.torso_deg'), at_most(2.0, unit('°')), unit('°'),
              f'neck {plain(found("body_minutes.neck_cm"))} cm, minutes differ by up to '
              f'{plain(found("body_minutes.torso_spread_deg"))}°; the pelvis is fixed, so feet '
              'stand')


def style_rows(found: Figures) -> Iterator[Row]:
    """Yield the rows on energetic and calm delivery."""
    names = {'amplitude': ('amplitude_m', 'm'), 'rate': ('rate_per_min', '/min')}
    for name, (key, si) in names.items():
        at = f'style.voice.{key}'
        yield row(STYLE, f'style_{name}', f"{name}: energetic minus calm, over the seed's spread",
                  found(f'{at}.ratio'), above(3.0, plain), plain,
                  f'{plain(found(f"{at}.energetic"))} and {plain(found(f"{at}.calm"))} {si}, '
                  f'spread {plain(found(f"{at}.seed_spread"))}; the right way in '
                  f'{percent(found(f"{at}.same_sign"))} of speakers; '
                  + listed({'composer': found(f'style.composer.{key}.ratio')}, plain))
    pinned = 'style.pinned.amplitude_m'
    yield row(STYLE, 'style_pinned', 'share of the difference in amplitude that a pinned persona '
              'carries to another voice', found('style.carried.amplitude_m'),
              at_least(0.5, percent), percent,
              f'{plain(found(f"{pinned}.energetic"))} and {plain(found(f"{pinned}.calm"))} m, '
              f'ratio {plain(found(f"{pinned}.ratio"))}')


def robust_rows(found: Figures) -> Iterator[Row]:
    """Yield the rows on noise, unseen languages and long streams."""
    yield row(ROBUST, 'noise_auc', 'AUC of live lips at 10 dB noise', found('lips_noise.live.auc'),
              at_least(0.92, plain), lambda v: f'{v:.4f}', 'closures '
              + listed({'reached': found('lips_noise.live.reached'),
                        'loudness to jaw': found('lips_noise.loudness_to_jaw.reached')}, percent))
    languages = found.find('languages.languages') or []
    yield row(ROBUST, 'language_auc', f'AUC of live lips in unseen languages '
              f'({", ".join(languages)})', found('languages.live.auc'), at_least(0.95, plain),
              lambda v: f'{v:.4f}', str(found.find('languages.missing') or listed(
                  {name: found(f'languages.{name}.auc') for name in languages}, plain)
                  + '; closures ' + percent(found('languages.live.reached'))))
    yield row(ROBUST, 'noise_body', 'takes whose arms at 10 dB noise stay nearer to those without '
              'noise than to other motion', found('body_noise.nearer_to_clean'),
              ('all', lambda value: value >= 1.0), percent, listed(
                  {'to clean': found('body_noise.distance_to_clean_m'),
                   'to other': found('body_noise.distance_to_other_m')}, unit('m')))
    for name, show, key in (('closures', percent, 'reached'), ('AUC', plain, 'auc')):
        first, later = (found(f'lips_minutes.{part}.{key}')
                        for part in ('first_20_s', 'minute_two'))
        yield row(ROBUST, f'minute_two_{key}', f'{name} in minute two less than in the first 20 s',
                  first - later, at_most(0.02, show), show,
                  listed({'first 20 s': first, 'minute two': later}, show))
    early, late = (found(f'body_live.beat_lag_{part}_s') for part in ('early', 'late'))
    yield row(ROBUST, 'constant_lag', 'lag of beats late in a take against early', late - early,
              within(-0.04, 0.04, milliseconds), milliseconds,
              listed({'early': early, 'late': late}, milliseconds))


def streaming_rows(found: Figures) -> Iterator[Row]:
    """Yield the rows on what streaming costs."""
    live, ahead = found('lips_live.reached'), found('lips_ahead.reached')
    yield row(STREAMING, 'live_closures', 'closures that live lips lose against ahead',
              ahead - live, at_most(0.05, percent), percent,
              f'live hears {plain(found("lips_live.foresight_s"))} s beyond its hop')
    for mode in MODES:
        for name in ('velocity', 'acceleration'):
            yield row(STREAMING, f'seam_{name}_{mode}',
                      f'{name} jumps at seams over those within chunks (99th percentiles), {mode}',
                      found(f'body_{mode}.seams.{name}_p99'), at_most(1.0, plain),
                      lambda value: f'{value:.3f}')


def speed_rows(bench: dict[str, Any] | None, bundle: dict[str, Any]) -> Iterator[Row]:
    """Yield the targets of ``gesture_bench``, and the size of the bundle."""
    note = 'run make bench' if bench is None else (
        '' if bench.get('bundle_hash') == bundle['hash'] else
        f'measured with bundle {bench.get("bundle_hash")}: run make bench again')
    for found in outcomes(bench or {}):
        if found.figure == 'bundle_mb':
            continue
        show = unit(found.unit) if found.unit else plain
        value = math.nan if found.value is None else found.value
        yield row(SPEED, found.figure.replace('.', '_'), found.what, value,
                  at_most(found.limit, show), show, note)
    yield row(SPEED, 'size', 'size of the bundle', bundle['megabytes'],
              below(40.0, unit('MB')), unit('MB'))
