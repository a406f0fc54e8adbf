"""What the documents promise exists; what must not be in the repository is not."""
from __future__ import annotations

from pathlib import Path
import re
import subprocess

import pytest

from gesture_node.config import GestureConfig, walk
from gesture_node.motion.robot import profile_names
from gesture_node.resources import share_path

ROOT = Path(__file__).parent.parent
TEXT = {'.py', '.md', '.rst', '.yaml', '.yml', '.toml', '.cfg', '.txt', '.xml', '.sh', '.urdf',
        '.sdf', '.xacro', ''}
LINK = re.compile(r'\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)')
# Written in halves, or this file would be its own offence.
FORBIDDEN = {
    'unfinished work': re.compile(r'\b(TO' r'DO|FIX' r'ME|XX' r'X)\b'),
    'a path of one machine': re.compile(r'(?<![\w.:])/(ro' r'ot|ho' r'me|wo' r'rk)/[\w.]'),
    'a folder beside the repository': re.compile(r'\.\./sha' r'red|/sha' r'red/'),
    'a package index': re.compile(r'index-u' r'rl|find-li' r'nks'),
    'a conflict': re.compile(r'^(<{7}|>{7}) ', re.MULTILINE),
}


def tracked() -> list[Path]:
    """Return the files of the repository; without git, all that are not generated."""
    try:
        names = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, capture_output=True,
                               check=True, text=True).stdout.split('\0')
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob('*')]
    paths = [ROOT / name for name in names if name]
    return [path for path in paths if path.is_file() and not {'.venv', 'out', '.git'} & set(
        path.relative_to(ROOT).parts)]


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == '.md']


@pytest.mark.parametrize('offence', FORBIDDEN)
def test_the_repository_holds_no(offence: str) -> None:
    found = []
    for path in tracked():
        if path.suffix in TEXT:
            text = path.read_text(encoding='utf-8', errors='ignore')
            found += [f'{path.relative_to(ROOT)}: {match[0]}'
                      for match in FORBIDDEN[offence].finditer(text)]
    assert not found


def test_no_large_file_and_no_pointer_to_one() -> None:
    for path in tracked():
        assert path.stat().st_size < 60_000_000, path
        assert not path.read_bytes()[:40].startswith(b'version https://git-lfs')


@pytest.mark.parametrize('path', documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding='utf-8')):
        if '://' not in target:
            assert (path.parent / target).exists(), f'{path.name} links to {target}'


def test_every_module_states_its_contract() -> None:
    for path in tracked():
        if path.suffix == '.py' and path.read_text(encoding='utf-8').strip():
            start = path.read_text(encoding='utf-8').split('\n')
            assert any(line.startswith(('"""', 'r"""')) for line in start[:2]), path


def test_files_stay_small() -> None:
    for path in tracked():
        if path.suffix == '.py' and path.relative_to(ROOT).parts[0] != 'test':
            count = len(path.read_text(encoding='utf-8').splitlines())
            assert count <= 350, f'{path.relative_to(ROOT)} has {count} lines'


def test_parameters_page_names_every_parameter() -> None:
    page = (ROOT / 'docs' / 'parameters.md').read_text(encoding='utf-8')
    for name, _, _ in walk(GestureConfig()):
        assert f'`{name}`' in page, name


def test_readme_lists_every_robot() -> None:
    page = (ROOT / 'README.md').read_text(encoding='utf-8')
    for name in profile_names():
        assert f'| `{name}`' in page, name


def test_changelog_has_an_area_on_every_line() -> None:
    lines = (ROOT / 'CHANGELOG.rst').read_text(encoding='utf-8').splitlines()
    entries = [line for line in lines if line.startswith('*')]
    assert entries
    assert all(re.match(r'\* \[\w+\] \w', entry) for entry in entries)


def test_what_ships_is_where_it_is_looked_for() -> None:
    for parts in (('config', 'gesture_node.yaml'), ('config', 'robots', 'humanoid.yaml'),
                  ('examples', 'hello.wav'), ('launch', 'gesture.launch.py')):
        assert share_path(*parts).is_file()
