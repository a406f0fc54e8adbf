"""Who is never trained on: the one rule that splits speakers."""
from __future__ import annotations

HELD_OUT_STEP, HELD_OUT_OFFSET = 10, 3


def held_out_speakers(speakers: list[str]) -> set[str]:
    """Return every tenth of the sorted speakers, from the fourth on: kept for measuring only."""
    ordered = sorted(set(speakers))
    return set(ordered[HELD_OUT_OFFSET::HELD_OUT_STEP])
