"""Targets of the face teacher: one row of ``training/config/visemes.yaml`` per phone class."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import yaml

from gesture_node.motion.face import BLENDSHAPE_INDEX, FACE_DIM

from .phones import PhoneClass

Array = NDArray[np.float64]
VISEMES_PATH = Path(__file__).parents[2] / 'config' / 'visemes.yaml'


@dataclass(frozen=True, slots=True)
class Viseme:
    """Targets of one phone class.

    Attributes:
        jaw: jawOpen target.
        lips: shape (52,), targets of all other channels but the tongue.
        tongue: tongueOut target.
        jaw_strength, lip_strength: dominance at the core.
        jaw_decay, lip_decay: decay of the dominance away from the core [1/s].
        rounded: rounding may start early.
    """

    jaw: float
    lips: Array
    tongue: float
    jaw_strength: float
    jaw_decay: float
    lip_strength: float
    lip_decay: float
    rounded: bool


def _lip_targets(lips: dict[str, float]) -> Array:
    targets = np.zeros(FACE_DIM)
    for name, value in lips.items():
        for full in (name, f'{name}Left', f'{name}Right'):
            if full in BLENDSHAPE_INDEX:
                targets[BLENDSHAPE_INDEX[full]] = value
    return targets


def _viseme(row: dict[str, Any]) -> Viseme:
    return Viseme(jaw=row['jaw'], lips=_lip_targets(row['lips']), tongue=row.get('tongue', 0.0),
                  jaw_strength=row['jaw_strength'], jaw_decay=1000.0 * row['jaw_decay'],
                  lip_strength=row['lip_strength'], lip_decay=1000.0 * row['lip_decay'],
                  rounded=row.get('rounded', False))


@lru_cache(maxsize=1)
def load_visemes() -> dict[PhoneClass, Viseme]:
    """Return the target table, one entry per class."""
    rows = yaml.safe_load(VISEMES_PATH.read_text(encoding='utf-8'))
    return {PhoneClass[name]: _viseme(row) for name, row in rows.items()}
