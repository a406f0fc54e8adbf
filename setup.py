"""Packaging for ament (colcon) and pip alike; metadata that has one home is read from there."""
from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
SHARE = 'share/gesture_node'
DATA_FOLDERS = ('bundles/base', 'config', 'examples', 'launch', 'models', 'worlds')


def data_files() -> list[tuple[str, list[str]]]:
    """Return ``(target folder, files)`` of everything that is not Python, folder by folder."""
    found: dict[str, list[str]] = {}
    for folder in DATA_FOLDERS:
        for path in sorted((ROOT / folder).rglob('*')):
            relative = path.relative_to(ROOT)
            if path.is_file() and not any(p.startswith(('.', '__')) for p in relative.parts):
                found.setdefault(f'{SHARE}/{relative.parent.as_posix()}', []).append(str(relative))
    return [('share/ament_index/resource_index/packages', ['resource/gesture_node']),
            (SHARE, ['package.xml']), *found.items()]


package = ElementTree.parse(ROOT / 'package.xml')

setup(
    name='gesture_node',
    version=package.findtext('version'),
    description=' '.join(package.findtext('description', '').split()),
    author='gesture_node contributors',
    maintainer=package.findtext('maintainer'),
    maintainer_email=package.find('maintainer').get('email'),
    license='Apache-2.0',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    python_requires='>=3.10',
    packages=find_packages(include=['gesture_node', 'gesture_node.*']),
    data_files=data_files(),
    # colcon builds against system packages that rosdep installs from package.xml; pip reads this.
    install_requires=[
        'av', 'matplotlib', 'mujoco', 'numpy', 'onnxruntime', 'pillow', 'pin', 'PyYAML', 'rosbags',
        'scipy', 'sounddevice', 'soundfile', 'soxr', 'threadpoolctl', 'tqdm'],
    extras_require={'test': ['daqp', 'hypothesis', 'onnx', 'pin-pink', 'pytest',
                             'pytest-timeout']},
    zip_safe=False,
    entry_points={'console_scripts': [
        'gesture_node = gesture_node.ros.node:main',
        'audio_source = gesture_node.ros.audio_source:main',
        'gesture_sim = gesture_node.ros.sim_node:main',
        'trajectory_player = gesture_node.ros.player_node:main',
        'gesture_from_file = gesture_node.cli.gesture_from_file:main',
        'gesture_bench = gesture_node.cli.gesture_bench:main',
        'gesture_replay = gesture_node.cli.gesture_replay:main',
        'gesture_demo = gesture_node.demo.gesture_demo:main',
    ]},
)
