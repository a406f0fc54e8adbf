"""Readers of phone times: TextGrid and CSV, in ARPABET, SAMPA or IPA."""
from __future__ import annotations

import csv
from pathlib import Path

from ..phones import (
    arpabet_classes,
    arpabet_stress,
    ipa_classes,
    PhoneClass,
    sampa_classes,
    Segment,
    spread,
)
from ..problems import UnusableFile
from ..textgrid import Interval, read_textgrid

PHONE_SETS = ('arpabet', 'sampa', 'ipa')
_SILENCES = frozenset({'', 'sil', 'sp', 'spn', 'sps', 'pau', '_', '-', '#', '<eps>', '<unk>',
                       '<sil>', 'noise', 'silence'})
_START, _END = ('start_s', 'start', 'begin', 'xmin'), ('end_s', 'end', 'stop', 'xmax')
_LABEL = ('phone', 'label', 'text', 'symbol')


def read_phones(path: Path, phone_set: str = 'arpabet', tier: str | None = None) -> list[Segment]:
    """Return the phones of a recording as visual classes in time order.

    Args:
        path: a TextGrid, or a CSV with columns for start and end [s] and label.
        phone_set: one of ``PHONE_SETS``.
        tier: name of the TextGrid's tier; None takes the one that is called phones (or MAU).

    Raises:
        UnusableFile: the file does not follow its format, or a label is not in the phone set.
        AudioError: the TextGrid cannot be read.
    """
    if phone_set not in PHONE_SETS:
        raise UnusableFile(f'phone set must be one of {", ".join(PHONE_SETS)}, got {phone_set!r}')
    intervals = _from_csv(path) if path.suffix.lower() == '.csv' else _from_textgrid(path, tier)
    segments: list[Segment] = []
    for interval in intervals:
        if interval.end_s < interval.start_s:
            raise UnusableFile(f'{path}: {interval.label!r} ends at {interval.end_s} s before it '
                               f'starts at {interval.start_s} s')
        segments += _classified(path, interval, phone_set)
    if not segments:
        raise UnusableFile(f'{path} holds no phones')
    return sorted(segments, key=lambda segment: segment.start_s)


def _classified(path: Path, interval: Interval, phone_set: str) -> list[Segment]:
    label = interval.label.strip()
    if label.lower() in _SILENCES:
        return [Segment(interval.start_s, interval.end_s, PhoneClass.SIL)]
    try:
        if phone_set == 'arpabet':
            classes, stress = arpabet_classes(label), arpabet_stress(label)
        else:
            classes = sampa_classes(label) if phone_set == 'sampa' else ipa_classes(label)
            stress = 0.5
    except KeyError:
        classes = ()
    if not classes:
        raise UnusableFile(f'{path}: {label!r} at {interval.start_s:.2f} s is not in the phone '
                           f'set {phone_set}')
    return spread(interval.start_s, interval.end_s, classes, stress)


def _from_textgrid(path: Path, tier: str | None) -> list[Interval]:
    tiers = read_textgrid(path)
    wanted = [tier] if tier is not None else [
        name for name in tiers if 'phone' in name.lower() or name == 'MAU']
    if not wanted or wanted[0] not in tiers:
        raise UnusableFile(f'{path} has no tier {tier or "phones"!r}; tiers are '
                           f'{", ".join(tiers) or "none"}')
    return tiers[wanted[0]]


def _from_csv(path: Path) -> list[Interval]:
    try:
        with open(path, encoding='utf-8-sig', newline='') as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableFile(f'{path}: cannot be read as CSV ({error})') from None
    columns = {name.strip().lower(): name for name in (rows[0] if rows else {})
               if name is not None}
    chosen = [next((columns[n] for n in names if n in columns), None)
              for names in (_START, _END, _LABEL)]
    if None in chosen:
        raise UnusableFile(f'{path} needs columns start_s, end_s and phone; it has '
                           f'{", ".join(columns) or "none"}')
    start, end, label = chosen
    try:
        return [Interval(float(row[start]), float(row[end]), (row[label] or '').strip())
                for row in rows]
    except (TypeError, ValueError) as error:
        raise UnusableFile(f'{path} holds a time that is not a number ({error})') from None
