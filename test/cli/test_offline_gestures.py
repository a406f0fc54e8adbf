"""Gestures by name in a recording."""
from pathlib import Path

import numpy as np
import pytest

from gesture_node.cli.audio_file import AudioFile
from gesture_node.cli.offline import generate, offline_config
from gesture_node.cli.offline_gestures import timed_gestures
from gesture_node.config import GestureConfig
from gesture_node.exceptions import RequestError
from gesture_node.motion.robot import load_profile
from gesture_node.pipeline import GesturePipeline

TINY = Path(__file__).parents[1] / 'data' / 'tiny_bundle'
PROFILE = load_profile('humanoid')
PIPELINE = GesturePipeline.from_bundle(TINY, threads=1)
IDLE = PIPELINE.bundle.body.idle


def test_a_gesture_is_laid_over_a_recording_and_not_cut_off_at_its_end() -> None:
    audio = AudioFile(Path('quiet.wav'), np.zeros(25_600, np.float32), 16_000)
    config = offline_config(GestureConfig(), PIPELINE.bundle)
    plain = generate(PIPELINE, audio, PROFILE, config)
    for side_by_side in (False, True):
        shown = generate(PIPELINE, audio, PROFILE, config, side_by_side=side_by_side,
                         gestures=timed_gestures(['think hand=right@1.5'], PROFILE, IDLE, 1.6))
        assert len(shown.poses) > len(plain.poses)
        # The chin is reached at 1.5 s and kept until 2.8 s; retraction takes 0.6 s more.
        far = np.abs(shown.poses - shown.poses[-1]).max(axis=1)
        assert far[39:70].min() > 0.5 and far[-5:].max() < 0.2
        assert np.abs(shown.poses[:3] - plain.poses[:3]).max() < 0.01


@pytest.mark.parametrize('text, words', [
    ('greet', 'such as greet@1.0'), ('greet@9', r'in \[0, 1.00\] s'), ('greet@nan', 'such as'),
    ('greet at=1@0.5', 'after the @ alone'), ('point_at 1 0 0 frame=map@0.5', 'pelvis'),
    ('dance@0.5', 'no gesture'), ('greet@0.1', 'too late')])
def test_what_cannot_be_placed(text: str, words: str) -> None:
    audio = AudioFile(Path('quiet.wav'), np.zeros(16_000, np.float32), 16_000)
    with pytest.raises(RequestError, match=words):
        generate(PIPELINE, audio, PROFILE, offline_config(GestureConfig(), PIPELINE.bundle),
                 gestures=timed_gestures([text], PROFILE, IDLE, 1.0))
