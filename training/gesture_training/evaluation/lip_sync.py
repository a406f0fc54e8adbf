"""The synchrony score of the bundle's faces, where the bundle brings a synchrony network."""
from __future__ import annotations

from gesture_node.audio.features import waveform_features
from gesture_node.pipeline import GesturePipeline

from .body import takes_of
from .generate import generate_face
from .settings import Outcome, Settings
from .sync import evaluate_sync


def lip_sync(pipeline: GesturePipeline, settings: Settings) -> Outcome:
    """Return the synchrony of generated faces on held-out speakers, live."""
    if pipeline.bundle.sync is None:
        return Outcome({'missing': 'the bundle has no sync.onnx'}, {})
    config = settings.config(pipeline, 'live')
    clips = [(waveform_features(take.speech.waveform),
              generate_face(pipeline, take.speech.waveform, config))
             for take in takes_of(settings)[:settings.some(8, 2)]]
    return Outcome(evaluate_sync(pipeline.bundle, clips), {})
