"""How much motion differs between seeds: distance of arms, and share of variance by channel.

The *share of variance* makes channels of different units comparable: the variance over seeds at
one moment, averaged over time, over the variance that the same channels have over time and seeds
together. 0 is determined by the sound alone; about 1 is independent of it.
"""
from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean_distance_m(positions: Array) -> float:
    """Return the mean distance of a point between two seeds [m].

    Args:
        positions: shape (S, T, P, 3), [m]: S seeds, P points.

    Raises:
        ValueError: fewer than two seeds.
    """
    if len(positions) < 2:
        raise ValueError(f'diversity needs two seeds or more, got {len(positions)}')
    return float(np.mean([np.linalg.norm(one - other, axis=-1).mean()
                          for one, other in combinations(positions, 2)]))


def variance_share(values: NDArray[np.floating]) -> float:
    """Return the share of variance that the seed decides, summed over channels; 0 if all is still.

    Args:
        values: shape (S, T, D): S seeds of one recording.

    Raises:
        ValueError: fewer than two seeds.
    """
    if len(values) < 2:
        raise ValueError(f'diversity needs two seeds or more, got {len(values)}')
    exact = np.asarray(values, dtype=np.float64)
    # Unbiased over seeds: with S seeds the plain variance would miss a share of 1/S.
    between = exact.var(axis=0, ddof=1).mean(axis=0).sum()
    total = exact.reshape(-1, exact.shape[-1]).var(axis=0).sum()
    return float(between / total) if total > 0.0 else 0.0
