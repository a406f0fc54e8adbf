"""Catalogues: what is wrong with one is said in one sentence, before anything is read."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from gesture_training.corpora.catalogue import load_catalogues
from gesture_training.corpora.corpus import build_corpus
from gesture_training.corpora.problems import CatalogueError
import pytest
import yaml

CATALOGUE: dict[str, Any] = {
    'name': 'mine', 'licence': 'CC0-1.0', 'speaker': {'pattern': '^([a-z]+)_'},
    'body': {'files': '**/*.bvh', 'format': 'bvh', 'skeleton': 'trinity'},
    'face': {'files': '**/*.json', 'format': 'arkit'}, 'phones': {'files': '**/*_phones.csv'}}


def catalogue(folder: Path, **changes: Any) -> None:
    """Write the catalogue of a folder with other values; None leaves a key out."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {key: value for key, value in (CATALOGUE | changes).items() if value is not None}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(content))


@pytest.mark.parametrize('changes, reason', [
    ({'licence': None}, 'lacks .*licence'),
    ({'licence': ' '}, 'licence must not be empty'),
    ({'speaker': {'pattern': '('}}, 'no regular expression'),
    ({'speaker': {'pattern': 'a'}}, 'needs exactly one group'),
    ({'speaker': {'table': 'a.csv'}}, 'needs a pattern, or a name, or a table'),
    ({'colour': 'red'}, "unknown key 'colour'"),
    ({'body': {'files': '*', 'format': 'fbx', 'skeleton': 'cmu'}}, 'one of bvh, smplx'),
    ({'body': None, 'face': None}, 'names neither body nor face'),
    ({'face': {'files': '*', 'format': 'vertices'}}, 'need a basis and fps'),
    ({'face': {'files': '', 'format': 'teacher'}, 'phones': None}, 'needs phones'),
    ({'held_out': 'some'}, 'must be rule or a list'),
    ({'face': {'files': '*', 'format': 'arkit', 'offset_s': 'late'}}, 'must be a float'),
    ({'copies': 0}, 'at least 1'),
    ({'name': 'composed'}, 'taken or not allowed'),
])
def test_a_malformed_catalogue_is_refused(changes: dict[str, Any], reason: str,
                                          tmp_path: Path) -> None:
    catalogue(tmp_path / 'data' / 'recordings', **changes)
    with pytest.raises(CatalogueError, match=reason):
        build_corpus(tmp_path / 'data', tmp_path / 'out')


def test_speech_for_measuring_is_never_packed(tmp_path: Path) -> None:
    catalogue(tmp_path / 'speech_emodb')
    with pytest.raises(CatalogueError, match='must not be trained on'):
        load_catalogues(tmp_path)


def test_a_list_of_corpora(tmp_path: Path) -> None:
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
    entries = [CATALOGUE | {'name': name, 'folder': name} for name in ('two', 'one')]
    path = tmp_path / 'corpora.yaml'
    path.write_text(yaml.safe_dump({'corpora': entries}))
    assert [corpus.folder.name for corpus in load_catalogues(tmp_path)] == ['one', 'two']
    catalogue(tmp_path / 'two', name='one')
    with pytest.raises(CatalogueError, match="two corpora of .* are named 'one'"):
        load_catalogues(tmp_path)
    path.write_text(yaml.safe_dump({'corpora': [CATALOGUE]}))
    with pytest.raises(CatalogueError, match='every corpus needs a folder'):
        load_catalogues(tmp_path)
    path.write_text('corpora: [')
    with pytest.raises(CatalogueError, match='cannot be read'):
        load_catalogues(tmp_path)
