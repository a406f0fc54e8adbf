"""What an evaluation runs on, and how it generates: live like the node, or ahead as for files."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gesture_node.cli.offline import offline_config
from gesture_node.config import GestureConfig
from gesture_node.pipeline import GesturePipeline

MODES = ('live', 'ahead')
OTHER_SEED = 1_000
"""Seeds of comparisons start here, far from the seed of the figures themselves."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to evaluate.

    Attributes:
        data: corpora folder.
        bundle: folder of the bundle; None for the shipped one.
        seed: seed of everything that is sampled or drawn.
        quick: small samples, for a look in two minutes; its figures are no proof.
    """

    data: Path
    bundle: Path | None = None
    seed: int = 0
    quick: bool = False

    def some(self, full: int, quick: int) -> int:
        """Return a sample size: the full one, or the one for a quick look."""
        return quick if self.quick else full

    def random(self, number: int) -> np.random.Generator:
        """Return the generator of one purpose, named by a number."""
        return np.random.default_rng((self.seed, number))

    def config(self, pipeline: GesturePipeline, mode: str, seed: int | None = None
               ) -> GestureConfig:
        """Return the configuration of a mode.

        Args:
            pipeline: the bundle, whose windows bound what can be heard ahead.
            mode: ``live`` (the node's defaults) or ``ahead`` (as ``gesture_from_file`` runs).
            seed: another seed than that of the figures.
        """
        live = GestureConfig(seed=self.seed if seed is None else seed)
        return live if mode == 'live' else offline_config(live, pipeline.bundle)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a section found.

    Attributes:
        figures: numbers, words and nested mappings of them, as they go into the report.
        series: curves for plots, by name.
    """

    figures: dict[str, Any]
    series: dict[str, NDArray[Any]]


def with_steps(config: GestureConfig, steps: int) -> GestureConfig:
    """Return the config with a number of denoiser calls for body and face."""
    return replace(config, body=replace(config.body, steps=steps),
                   face=replace(config.face, steps=steps))
