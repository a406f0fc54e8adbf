"""Prints the arousal that the composer hears in acted speech, by emotion; a check, never training.

    python -m gesture_training.corpora.composer_arousal --data DATA

Utterances of one speaker and emotion of Emo-DB are joined with short pauses, so that the running
window of ``measures.arousal`` fills.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from gesture_node.audio.features import waveform_features
from gesture_node.guides.rules import amplitude_of, spacing_of
from gesture_node.measures.accents import voice_activity
from gesture_node.measures.arousal import arousal_curve
from gesture_node.timeline import FEATURE_RATE_HZ, SAMPLE_RATE_HZ

from .emodb import LabelledUtterance, load_emodb

_PAUSE_S, _SETTLED_S = 0.4, 3.0
_JOINED = 5


def arousal_by_emotion(utterances: list[LabelledUtterance]) -> dict[str, dict[str, float]]:
    """Return mean and deciles of the arousal of each emotion, and what follows from its mean."""
    groups: dict[tuple[str, str], list[LabelledUtterance]] = {}
    for utterance in utterances:
        groups.setdefault((utterance.emotion, utterance.speaker), []).append(utterance)
    heard: dict[str, list[np.ndarray]] = {}
    pause = np.zeros(int(_PAUSE_S * SAMPLE_RATE_HZ), np.float32)
    for (emotion, _), own in sorted(groups.items()):
        parts = [part for utterance in own[:_JOINED] for part in (utterance.waveform, pause)]
        features = waveform_features(np.concatenate(parts))
        speech = voice_activity(features)
        speech[:int(_SETTLED_S * FEATURE_RATE_HZ)] = False
        heard.setdefault(emotion, []).append(arousal_curve(features)[speech])
    table = {}
    for emotion, curves in heard.items():
        values = np.concatenate(curves)
        row = {'mean': values.mean(), 'p10': np.percentile(values, 10),
               'p90': np.percentile(values, 90), 'amplitude': amplitude_of(values).mean(),
               'spacing_s': spacing_of(values).mean()}
        table[emotion] = {name: round(float(value), 2) for name, value in row.items()}
    return table


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description='Print the arousal of acted speech by emotion.')
    parser.add_argument('--data', type=Path, required=True, help='folder of the public data')
    print(json.dumps(arousal_by_emotion(load_emodb(parser.parse_args().data)), indent=1))


if __name__ == '__main__':
    main()
