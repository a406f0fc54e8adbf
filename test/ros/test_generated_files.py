"""Generated files: written when stale, left alone when not, only told of with ``--check``."""
from __future__ import annotations

from pathlib import Path

import pytest

from gesture_node.ros.generated_files import update_files

COMMAND = 'python tools/some_tool.py'


def test_only_stale_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fresh, stale, missing = tmp_path / 'fresh', tmp_path / 'stale', tmp_path / 'new' / 'missing'
    fresh.write_text('one\n', encoding='utf-8')
    stale.write_text('old\n', encoding='utf-8')
    files = {fresh: 'one\n', stale: 'two\n', missing: 'thrée\n'}
    written = fresh.stat().st_mtime_ns
    assert update_files(files, True, COMMAND) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == [f'{path} is out of date; run {COMMAND}' for path in (stale, missing)]
    assert stale.read_text(encoding='utf-8') == 'old\n' and not missing.exists()
    assert update_files(files, False, COMMAND) == 0
    assert capsys.readouterr().out.splitlines() == [f'wrote {path}' for path in (stale, missing)]
    assert {path: path.read_text(encoding='utf-8') for path in files} == files
    assert fresh.stat().st_mtime_ns == written
    assert update_files(files, True, COMMAND) == 0


def test_what_is_as_good_is_left(tmp_path: Path) -> None:
    path = tmp_path / 'numbers'
    path.write_text('1.0', encoding='utf-8')
    assert update_files({path: '1.00'}, True, COMMAND) == 1
    assert update_files({path: '1.00'}, False, COMMAND,
                        lambda one, other: float(one) == float(other)) == 0
    assert path.read_text(encoding='utf-8') == '1.0'
