"""What a pack holds, in numbers and names: the content of ``summary.json``."""
from __future__ import annotations

from typing import Any

from gesture_node.timeline import FEATURE_RATE_HZ

from .catalogue import Corpus
from .pack import Take
from .splits import HELD_OUT_OFFSET, HELD_OUT_STEP

HELD_OUT_RULE = (f'of the sorted speakers of each corpus every {HELD_OUT_STEP}th from number '
                 f'{HELD_OUT_OFFSET + 1} on, unless its catalogue names them; never trained on, '
                 'packed once without augmentation')
_RECORDED_MOUTHS = frozenset({'facegood'})
"""Sources of the composed face pack whose mouths were recorded."""


def summarise(takes: dict[str, list[Take]], corpora: list[Corpus],
              problems: dict[str, str]) -> dict[str, Any]:
    """Return the summary of a pack.

    Args:
        takes: records by channel.
        corpora: the recorded corpora.
        problems: what was left out, and why.
    """
    named = {corpus.name: corpus for corpus in corpora}
    channels = {channel: _channel(records, named)
                for channel, records in takes.items() if records}
    names = sorted({take.source for records in takes.values() for take in records} | set(named))
    return {
        'channels': channels,
        'sources': {name: _source(name, takes, named.get(name), problems) for name in names},
        'held_out_rule': HELD_OUT_RULE,
        'licences': sorted({take.licence for records in takes.values() for take in records}),
        'skipped': dict(sorted(problems.items()))}


def _hours(takes: list[Take]) -> float:
    return round(sum(take.features for take in takes) / FEATURE_RATE_HZ / 3600.0, 4)


def _channel(takes: list[Take], named: dict[str, Corpus]) -> dict[str, Any]:
    recorded = [take for take in takes if take.source in named]
    return {
        'takes': len(takes),
        'hours': {split: _hours([t for t in takes if t.split == split])
                  for split in ('train', 'held_out')},
        'recorded_hours': _hours(recorded),
        'composed_hours': _hours([take for take in takes if take.source not in named])}


def _source(name: str, takes: dict[str, list[Take]], corpus: Corpus | None,
            problems: dict[str, str]) -> dict[str, Any]:
    own = {channel: [take for take in records if take.source == name]
           for channel, records in takes.items()}
    everything = [take for records in own.values() for take in records]
    summary: dict[str, Any] = {
        'nature': _nature(name, corpus),
        'licences': sorted({take.licence for take in everything}),
        'speakers': len({take.speaker for take in everything}),
        'held_out': sorted({take.speaker for take in everything if take.split == 'held_out'})}
    for channel, records in own.items():
        if records:
            clean = [take for take in records if take.variant == 'clean']
            summary[channel] = {'takes': len(records), 'hours': _hours(records),
                                'clean_takes': len(clean), 'clean_hours': _hours(clean)}
    if corpus is not None:
        prefix = f'{corpus.folder.name}/'
        summary['skipped'] = sum(key.startswith(prefix) or key == corpus.folder.name
                                 for key in problems)
        summary['catalogue'] = 'none, layout recognised' if corpus.recognised else 'given'
    return summary


def _nature(name: str, corpus: Corpus | None) -> str:
    if corpus is None:
        return 'recorded mouth, sampled upper face' if name in _RECORDED_MOUTHS else 'composed'
    parts = ['recorded body'] if corpus.body is not None else []
    if corpus.face is not None:
        parts.append('face by the teacher' if corpus.face.format == 'teacher' else
                     'recorded face' if corpus.face.upper_face == 'recorded' else
                     'recorded mouth, sampled upper face')
    return ', '.join(parts)
