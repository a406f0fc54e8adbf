"""What the features of a corpus were computed with, when it is not the mel front end.

Such a corpus holds ``frontend.onnx``, the very network that a bundle trained on it will carry, and
``frontend.yaml``: sizes, SHA-256 and where the weights come from.
"""
from __future__ import annotations

from dataclasses import asdict, dataclass
import hashlib
from pathlib import Path
import shutil
from typing import Any

import numpy as np
from numpy.typing import NDArray
import yaml

from gesture_node.audio.block_features import BlockGrid
from gesture_node.audio.features import FEATURE_DIM
from gesture_node.bundle import FRONT_END_NETWORK, WAVLM_FEATURE_VERSION
from gesture_node.timeline import FEATURE_RATE_HZ

from .exceptions import TrainingError

RECORD_NAME = 'frontend.yaml'


@dataclass(frozen=True, slots=True)
class FrontEndRecord:
    """A network that makes features of sound.

    Attributes:
        kind: ``wavlm``.
        dim: numbers per feature frame.
        grid: windows in which it hears.
        sha256: of the network's file.
        origin: where the weights come from: source, layer, normalisation, licence.
        silence: shape (dim,), float32, features of digital silence.
    """

    kind: str
    dim: int
    grid: BlockGrid
    sha256: str
    origin: dict[str, Any]
    silence: NDArray[np.float32]

    def metadata(self) -> dict[str, Any]:
        """Return the ``features`` of a ``bundle.yaml``."""
        return {'dim': self.dim, 'rate_hz': FEATURE_RATE_HZ, 'version': WAVLM_FEATURE_VERSION,
                **asdict(self.grid)}

    def statement(self) -> dict[str, Any]:
        """Return what to say of it beside the corpus."""
        return {'kind': self.kind, 'sha256': self.sha256, **self.origin}


def write_front_end(folder: Path, record: FrontEndRecord) -> Path:
    """Write ``frontend.yaml`` beside the network; returns its path."""
    values = {'kind': record.kind, 'features': record.metadata(), 'sha256': record.sha256,
              'origin': record.origin, 'silence': [round(float(v), 6) for v in record.silence]}
    path = folder / RECORD_NAME
    path.write_text(yaml.safe_dump(values, sort_keys=False, width=99, default_flow_style=None),
                    encoding='utf-8')
    return path


def read_front_end(folder: Path) -> FrontEndRecord | None:
    """Return what the corpus in a folder was computed with; None for the mel front end.

    Raises:
        TrainingError: the record is not one of ours.
    """
    path = folder / RECORD_NAME
    if not path.is_file():
        return None
    try:
        values = yaml.safe_load(path.read_text(encoding='utf-8'))
        sizes = dict(values['features'])
        version, dim = sizes.pop('version'), int(sizes.pop('dim'))
        sizes.pop('rate_hz')
        if version != WAVLM_FEATURE_VERSION:
            raise ValueError(f'version is {version}, not {WAVLM_FEATURE_VERSION}')
        return FrontEndRecord(values['kind'], dim, BlockGrid(**sizes), values['sha256'],
                              dict(values['origin']), np.asarray(values['silence'], np.float32))
    except (KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        raise TrainingError(f'{path} is malformed: {error}') from error


def copy_front_end(corpus: Path, folder: Path, record: FrontEndRecord) -> str:
    """Copy ``frontend.onnx`` of a corpus into a bundle folder; returns its SHA-256.

    Raises:
        TrainingError: the file is missing, or is not the one the features were computed with.
    """
    source = corpus / FRONT_END_NETWORK
    if not source.is_file():
        raise TrainingError(f'corpus {corpus} holds no {FRONT_END_NETWORK}')
    found = hashlib.sha256(source.read_bytes()).hexdigest()
    if found != record.sha256:
        raise TrainingError(f'{source} is not the front end of the corpus: its SHA-256 is '
                            f'{found[:12]}, {RECORD_NAME} states {record.sha256[:12]}')
    shutil.copyfile(source, folder / FRONT_END_NETWORK)
    return found


def front_end_of_run(corpus: Path, feature_dim: int,
                     statement: dict[str, Any]) -> FrontEndRecord | None:
    """Return the front end of a run's features, read from its corpus; None for mel.

    Args:
        corpus: folder of the corpus.
        feature_dim: numbers per feature frame that the run's encoder takes.
        statement: what the run was trained on, by channel (see ``trainer.describe_corpus``).

    Raises:
        TrainingError: the corpus is of another front end than the run.
    """
    record = read_front_end(corpus)
    found = FEATURE_DIM if record is None else record.dim
    if found != feature_dim:
        raise TrainingError(f'corpus {corpus} has {found} numbers per feature frame, the run was '
                            f'trained with {feature_dim}')
    for channel, described in statement.items():
        trained = described.get('front_end', {}).get('sha256')
        if trained != (None if record is None else record.sha256):
            raise TrainingError(f'the {channel} of the run was trained with another front end '
                                f'than that of corpus {corpus}')
    return record
