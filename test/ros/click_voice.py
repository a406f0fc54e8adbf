"""The voice of the synchrony test: bursts of a tone, after a murmur that begins the stream."""
from __future__ import annotations

import os

import numpy as np

RATE = 16_000
BURSTS = int(os.environ.get('SYNC_BURSTS', '3'))
EVERY_S = 1.3
LONG_S, END_S = 0.06, 0.7 + EVERY_S * BURSTS
MURMUR_S = (0.1, 0.4)


def clicks() -> np.ndarray:
    """Return int16 samples ``(n, 1)``."""
    t = np.arange(round(END_S * RATE)) / RATE
    since = (t - 0.8) % EVERY_S
    loud = (t >= 0.8) & (since < LONG_S) & (t < 0.75 + EVERY_S * BURSTS)
    soft = (t >= MURMUR_S[0]) & (t < MURMUR_S[1])
    return (16_384 * loud * np.sin(2 * np.pi * 1_000 * t)
            + 300 * soft * np.sin(2 * np.pi * 200 * t)).astype(np.int16)[:, None]
