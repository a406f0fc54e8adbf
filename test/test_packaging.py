"""The package as others install it: version, scripts, data files, outside the checkout."""
from __future__ import annotations

from importlib.util import find_spec
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from gesture_node.__main__ import EXECUTABLES
from gesture_node.exceptions import ConfigError
from gesture_node.resources import share_path
from gesture_node.version import version

ROOT = Path(__file__).parent.parent
VERSION = re.compile(r'\d+\.\d+\.\d+')


@pytest.fixture(scope='module')
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prefix into which the package was installed as pip does it."""
    if find_spec('setuptools') is None or find_spec('pip') is None:
        pytest.skip('needs pip and setuptools')
    prefix, source = (tmp_path_factory.mktemp(name) for name in ('prefix', 'source'))
    # From a copy: pip builds in the tree and would leave its products there.
    shutil.copytree(ROOT, source, dirs_exist_ok=True, ignore=shutil.ignore_patterns(
        '.*', 'build', 'install', 'log', 'out', 'runs', 'corpus', '*.egg-info', '__pycache__'))
    done = subprocess.run(
        [sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-build-isolation',
         '--ignore-installed', '--disable-pip-version-check', '--prefix', str(prefix),
         str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return prefix


def site_packages(prefix: Path) -> Path:
    return next(path.parents[1] for path in prefix.rglob('gesture_node/__init__.py'))


def test_version_is_stated_once() -> None:
    assert VERSION.fullmatch(version())
    element = ElementTree.parse(ROOT / 'package.xml').find('version')
    assert element is not None and element.text == version()
    for name in ('setup.py', 'setup.cfg', 'pyproject.toml', 'gesture_node/version.py'):
        assert version() not in (ROOT / name).read_text(encoding='utf-8')


def test_an_installed_copy_runs_elsewhere(installed: Path, tmp_path: Path) -> None:
    program = ('from gesture_node.resources import share_path; '
               'from gesture_node.motion.robot import load_profile; '
               'from gesture_node.version import version; '
               'print(version(), len(load_profile("unitree_g1").joint_names)); '
               'print(share_path())')
    environment = {**os.environ, 'PYTHONPATH': str(site_packages(installed))}
    done = subprocess.run([sys.executable, '-c', program], cwd=tmp_path, capture_output=True,
                          text=True, env=environment)
    assert done.returncode == 0, done.stderr
    first, share = done.stdout.split('\n')[:2]
    assert first.split()[0] == version()
    assert Path(share) == installed / 'share' / 'gesture_node'


def test_every_shipped_file_is_installed(installed: Path) -> None:
    share = installed / 'share' / 'gesture_node'
    for folder in ('config', 'models', 'launch', 'examples', 'bundles/base'):
        for path in (ROOT / folder).rglob('*'):
            if path.is_file() and not any(p.startswith(('.', '__')) for p in path.parts[-3:]):
                assert (share / path.relative_to(ROOT)).is_file(), path
    assert (installed / 'share/ament_index/resource_index/packages/gesture_node').is_file()


def test_every_executable_is_installed(installed: Path) -> None:
    scripts = {path.name for path in installed.rglob('*') if path.name in EXECUTABLES}
    assert scripts == set(EXECUTABLES)


def test_scripts_and_modules_are_the_same() -> None:
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    found = dict(re.findall(r"'(\w+) = ([\w.]+):main'", setup))
    assert found == EXECUTABLES


def test_requirements_are_pinned() -> None:
    for path in ROOT.glob('requirements*.txt'):
        for line in path.read_text(encoding='utf-8').splitlines():
            if line and not line.startswith('#'):
                assert re.match(r'[\w.\-\[\]]+==\d', line), line


def test_pip_and_rosdep_agree_on_what_is_needed() -> None:
    """What ``pip install .`` asks for is pinned for ``make venv`` too."""
    setup = (ROOT / 'setup.py').read_text(encoding='utf-8')
    block = re.search(r'install_requires=\[(.*?)\]', setup, re.DOTALL)
    assert block is not None
    pinned = (ROOT / 'requirements.txt').read_text(encoding='utf-8').lower()
    for name in re.findall(r"'([\w\-]+)'", block[1]):
        assert re.search(rf'^{re.escape(name.lower())}==', pinned, re.MULTILINE), name


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigError, match='config/robots/none.yaml'):
        share_path('config', 'robots', 'none.yaml')
