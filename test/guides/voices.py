"""A synthetic voice with strong syllables at known times."""
import numpy as np

RATE = 16_000
STRESSED_S = np.arange(1.1, 7.5, 1.3)


def voice(seconds=8.0, strong_gain=0.16):
    """Return weak syllables with a strong, longer and higher one every 1.3 s; shape (n,)."""
    sound = 1e-4 * np.random.default_rng(0).standard_normal(int(seconds * RATE))
    for onset in np.arange(0.4, seconds - 0.4, 0.325):
        strong = np.abs(STRESSED_S - onset).min() < 0.16
        time = np.arange(int((0.24 if strong else 0.13) * RATE)) / RATE
        wave = sum(np.sin(2 * np.pi * (160.0 if strong else 130.0) * k * time)
                   for k in range(1, 25))
        edge = np.clip(np.minimum(time, time[-1] - time) / 0.02, 0.0, 1.0)
        start = int(onset * RATE)
        sound[start:start + len(time)] += (strong_gain if strong else 0.05) * wave * edge
    return sound.astype(np.float32)
