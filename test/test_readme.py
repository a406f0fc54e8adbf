"""The README's code runs, and its commands exist with the options it uses."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import re
import shlex
from typing import Any

import pytest

from gesture_node import GesturePipeline
from gesture_node.cli import gesture_bench, gesture_from_file

ROOT = Path(__file__).parent.parent
TINY = ROOT / 'test' / 'data' / 'tiny_bundle'
README = (ROOT / 'README.md').read_text(encoding='utf-8')
PAGES = [README, *(path.read_text(encoding='utf-8') for path in (ROOT / 'docs').glob('*.md'))]
PARSERS = {'gesture_from_file': gesture_from_file.make_parser,
           'gesture_bench': gesture_bench.make_parser}


def blocks(language: str) -> list[str]:
    return re.findall(rf'```{language}\n(.*?)```', README, re.DOTALL)


def commands(name: str) -> set[str]:
    """Return the command lines of a program in the documents, in blocks and in line."""
    pattern = re.compile(rf'(?:^|`|bin/){name}((?: +[^`\n]+)?)', re.MULTILINE)
    return {match[1].strip() for page in PAGES for match in pattern.finditer(page)}


@pytest.mark.parametrize('code', blocks('python'))
def test_python_blocks_run(code: str, monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    original: Callable[..., Any] = GesturePipeline.from_bundle
    monkeypatch.setattr(GesturePipeline, 'from_bundle',
                        lambda path=None, **options: original(path or TINY, **options))
    exec(compile(code, 'README.md', 'exec'), {'__name__': 'readme'})
    assert capsys.readouterr().out


def test_make_targets_exist() -> None:
    makefile = (ROOT / 'Makefile').read_text(encoding='utf-8')
    targets = set(re.findall(r'^([\w\-]+):', makefile, re.MULTILINE))
    variables = set(re.findall(r'\$\((\w+)[):]', makefile))
    for page in PAGES:
        for line in re.findall(r'(?:^|`)make ([^`\n|]*)', page, re.MULTILINE):
            for word in line.split('#')[0].split():
                if '=' in word:
                    assert word.partition('=')[0] in variables, line
                elif re.fullmatch(r'[a-z][\w\-]*', word):
                    assert word in targets, line


@pytest.mark.parametrize('name', PARSERS)
def test_options_in_the_documents_exist(name: str) -> None:
    known = {option for action in PARSERS[name]()._actions for option in action.option_strings}
    used = {word for line in commands(name) for word in shlex.split(line, comments=True)
            if word.startswith('--')}
    assert used and used <= known


def test_every_command_line_in_the_readme_parses() -> None:
    lines = [line for line in commands('gesture_from_file') if '--out' in line]
    assert lines
    for line in lines:
        assert PARSERS['gesture_from_file']().parse_args(shlex.split(line, comments=True))
