"""Fréchet distance between two clouds of codes, each taken as a normal distribution.

``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`` (Dowson and Landau, 1982), as used on motion codes
by Yoon et al., "Speech Gesture Generation from the Trimodal Context", 2020. It depends on the
encoder that makes the codes: compare only within one encoder, and only clouds of similar size.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cloud:
    """Mean (D,) and covariance (D, D) of codes."""

    mean: Array
    covariance: Array

    @classmethod
    def of(cls, codes: NDArray[np.floating]) -> Cloud:
        """Return the cloud of codes ``(N, D)``.

        Raises:
            ValueError: fewer than two codes.
        """
        if len(codes) < 2:
            raise ValueError(f'a cloud needs two codes or more, got {len(codes)}')
        exact = np.asarray(codes, dtype=np.float64)
        return cls(exact.mean(axis=0), np.cov(exact, rowvar=False))


def frechet_distance(one: Cloud, other: Cloud) -> float:
    """Return the squared Fréchet distance of two clouds; 0 for the same, never negative."""
    root = _root(one.covariance)
    cross = np.linalg.eigvalsh(root @ other.covariance @ root)
    shift = one.mean - other.mean
    spread = np.trace(one.covariance) + np.trace(other.covariance)
    distance = shift @ shift + spread - 2.0 * np.sqrt(np.maximum(cross, 0.0)).sum()
    return max(0.0, float(distance))


def _root(matrix: Array) -> Array:
    """Return the symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
