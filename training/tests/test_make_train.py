"""``make train`` is one command: every stage in order, then a bundle or a clear refusal."""
from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
import yaml

pytest.importorskip('torch')
pytest.importorskip('onnxruntime')

from gesture_training.liveliness import CALLS

from gesture_node.bundle import read_bundle

_ROOT = Path(__file__).parents[2]
_ABLATIONS = sorted(path.stem for path in (_ROOT / 'training/config/ablations').glob('*.yaml'))


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}
    return subprocess.run(['make', '--no-print-directory', *arguments], cwd=_ROOT,
                          env=environment | {'OMP_NUM_THREADS': '1'}, capture_output=True,
                          text=True, timeout=1500, check=False)


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Return a virtual environment that make finds complete: this very Python.

    It packs no corpus (its own tests do); the synthetic one of the training tests is there.
    """
    folder = tmp_path / 'venv'
    (folder / 'bin').mkdir(parents=True)
    python = folder / 'bin' / 'python'
    python.write_text('#!/bin/sh\n[ "$2" = gesture_training.corpora.corpus ] && exit 0\n'
                      f'exec "{sys.executable}" "$@"\n', encoding='utf-8')
    python.chmod(0o755)
    for stamp in ('.requirements', '.requirements-training'):
        (folder / stamp).touch()
    return folder


def test_a_dry_run_names_every_stage_in_order(tmp_path: Path, venv: Path) -> None:
    found = _make('-n', 'train', 'DATA=/data', f'VENV={venv}', f'TRAINING_RUN={tmp_path}/run',
                  f'CORPUS={tmp_path}', 'GPUS=2', 'ABLATION=add', 'DISTILL_MINUTES=3')
    assert found.returncode == 0, found.stderr
    order = ['corpora.corpus', '--stages encoder', '--stages face+body', '--stages body',
             'gesture_training.distill', 'gesture_training.export', 'sync_train --corpus',
             'sync_train --export']
    places = [found.stdout.find(part) for part in order]
    assert -1 not in places
    assert places == sorted(places)
    assert found.stdout.count('ablations/add.yaml') == 3
    assert found.stdout.count('torch.distributed.run') == 4
    assert f"export --run '{tmp_path}/run/few'" in found.stdout


def test_without_data_it_says_so(venv: Path) -> None:
    found = _make('train', f'VENV={venv}')
    assert found.returncode != 0
    assert 'make train DATA=/path/to/data' in found.stderr


@pytest.mark.timeout(1600)
@pytest.mark.parametrize(('steps', 'alive'), [(30, True), (1, False)])
def test_a_small_corpus_becomes_a_bundle_if_it_moves(steps: int, alive: bool, corpus: Path,
                                                     tiny_config: Path, tmp_path: Path,
                                                     venv: Path) -> None:
    quick = tmp_path / 'quick.yaml'
    quick.write_text('optimiser: {learning_rate: 8.0e-3, bf16: false}\n'
                     'windows: {level_bias: 8.0}\nface: {batch: 8}\n', encoding='utf-8')
    found = _make(
        'train', 'DATA=/data', f'VENV={venv}', f'CORPUS={corpus}', f'STEPS={steps}',
        f'TRAINING_RUN={tmp_path}/run', f'CONFIG={tiny_config} {quick}',
        f'LISTEN_CONFIG={quick}', f'BODY_CONFIG={quick}', 'LISTEN_MINUTES=60',
        'SYNC_MINUTES=')  # it has tests of its own
    bundle = tmp_path / 'run' / 'bundle'
    if alive:
        assert found.returncode == 0, found.stderr[-2000:]
        assert read_bundle(bundle).body.steps == CALLS['body']
        stated = yaml.safe_load((bundle / 'bundle.yaml').read_text(encoding='utf-8'))
        assert stated['training']['steps'] == steps
        assert stated['metrics']['liveliness']['aperture_std_speech'] > 0.02
    else:
        assert found.returncode != 0
        assert 'do not follow speech' in found.stderr
        assert not (bundle / 'bundle.yaml').exists()


@pytest.mark.parametrize('name', _ABLATIONS)
def test_every_ablation_changes_what_it_names_and_fits_the_base(name: str) -> None:
    from gesture_training.config import load_config, plain, read_values
    folder = _ROOT / 'training' / 'config'
    base = load_config(folder / 'base.yaml')
    turned = plain(load_config(folder / 'base.yaml', folder / 'ablations' / f'{name}.yaml'))
    for key, value in read_values([folder / 'ablations' / f'{name}.yaml']).items():
        section, field = key.split('.')
        assert turned[section][field] == value
        assert plain(base)[section][field] != value
