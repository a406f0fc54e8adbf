"""Imports flow one way: who may import whom, by reading every import in the source."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = 'gesture_node'
BASE = {'types', 'timeline', 'config', 'exceptions'}
FOUNDATION = BASE | {'resources', 'version'}
ALLOWED = {
    **{name: set() for name in ('types', 'timeline', 'exceptions')},
    'config': {'exceptions'},
    'resources': {'exceptions'},
    'version': {'resources'},
    'launch_logic': FOUNDATION,
    'audio': FOUNDATION,
    'diffusion': FOUNDATION,
    'motion': FOUNDATION,
    'guides': FOUNDATION | {'measures', 'motion'},
    # How a motion is judged needs to know what it is; see docs/decisions/0002.
    'measures': FOUNDATION | {'motion'},
    'face_formats': FOUNDATION | {'motion'},
}
"""Layers with a closed list; a module may always import its own layer."""
NOT_ALLOWED = {'ros': {'demo'}, 'demo': {'ros'}, 'cli': {'ros', 'demo'}}
"""Layers that may import everything but these."""
EVERYTHING_BUT = {'ros', 'demo', 'cli', 'sim'}
"""What the runtime modules (pipeline, bundle, stream, ...) leave alone."""
ROS_PACKAGES = {'rclpy', 'rcl_interfaces', 'lifecycle_msgs', 'builtin_interfaces', 'std_msgs',
                'sensor_msgs', 'trajectory_msgs', 'geometry_msgs', 'diagnostic_msgs', 'std_srvs',
                'rosgraph_msgs', 'audio_common_msgs', 'hri_msgs', 'foxglove_msgs',
                'naoqi_bridge_msgs'}
HEAVY = ('rclpy', 'torch', 'transformers', 'onnxruntime', 'mujoco', 'pinocchio')


def sources(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob('*.py'))


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix('.py')


def imported(path: Path) -> set[str]:
    """Return the absolute name of every module a file imports, anywhere in it."""
    package = path.relative_to(ROOT).with_suffix('').parts[:-1]
    return set(imported_by(path.read_text(encoding='utf-8'), package))


def imported_by(source: str, package: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[:len(package) - node.level + 1] if node.level else ()
            module = '.'.join((*start, *filter(None, [node.module])))
            yield module
            # ``from . import qos`` names the module only here.
            yield from (f'{module}.{alias.name}' for alias in node.names)


def own_layers(path: Path) -> set[str]:
    """Return the layers of this package that a file imports."""
    known = {layer_of(source) for source in sources(PACKAGE)}
    parts = [name.split('.') for name in imported(path)]
    return {part[1] for part in parts if part[0] == PACKAGE and len(part) > 1
            and part[1] in known} - {layer_of(path)}


@pytest.mark.parametrize('path', sources(PACKAGE), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_layers_below(path: Path) -> None:
    layer, found = layer_of(path), own_layers(path)
    if layer in ('__init__', '__main__'):
        return
    if layer in ALLOWED:
        assert found <= ALLOWED[layer]
    else:
        assert not found & NOT_ALLOWED.get(layer, EVERYTHING_BUT - {layer})


@pytest.mark.parametrize('statement, name', [
    ('import gesture_node.ros.node', 'gesture_node.ros.node'),
    ('from ..audio import features', 'gesture_node.audio'),
    ('from . import face', 'gesture_node.motion.face'),
    ('from .. import pipeline', 'gesture_node.pipeline'),
    ('def late():\n    from ..ros.qos import PLAN', 'gesture_node.ros.qos'),
])
def test_the_check_sees_imports_of_every_form(statement: str, name: str) -> None:
    assert name in set(imported_by(statement, (PACKAGE, 'motion')))


@pytest.mark.parametrize('path', sources(PACKAGE), ids=lambda path: str(path.relative_to(ROOT)))
def test_frameworks_stay_where_they_belong(path: Path) -> None:
    roots = {name.split('.')[0] for name in imported(path)}
    assert not roots & {'torch', 'transformers'}
    assert not roots & {'gesture_training', 'training'}
    if layer_of(path) != 'ros':
        assert not roots & ROS_PACKAGES


def test_training_never_imports_ros() -> None:
    for path in sources('training'):
        names = set(imported(path))
        assert not {name for name in names if name.startswith(f'{PACKAGE}.ros')}
        assert not {name.split('.')[0] for name in names} & ROS_PACKAGES


@pytest.mark.parametrize('module', [
    'gesture_node', 'gesture_node.cli.gesture_from_file', 'gesture_node.launch_logic',
    'gesture_node.__main__'])
def test_import_needs_no_framework(module: str) -> None:
    block = '; '.join(f'sys.modules[{name!r}] = None' for name in HEAVY)
    program = f'import sys; {block}; import {module}'
    done = subprocess.run([sys.executable, '-c', program], cwd=ROOT, capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
