"""Why a file of a corpus, or its catalogue, cannot be used."""
from __future__ import annotations

from ..exceptions import TrainingError


class UnusableFile(TrainingError):
    """A file of a corpus is broken or does not fit; the message says what is wrong with it."""


class CatalogueError(TrainingError):
    """A catalogue, or a joint map, says something that cannot be done."""
