"""Builds ROS message packages that are not installed, from their published fields.

The generators that come with ROS write C and Python from the definitions, and the C compiler makes
the libraries. Only what a middleware needs is made, so a package takes seconds.
"""
from __future__ import annotations

from collections.abc import Mapping
import importlib.util
import json
import os
from pathlib import Path
import shutil
import subprocess
import sys
import sysconfig
from typing import Any

SHARE = Path(sys.prefix) / 'share'
INCLUDE = Path(sys.prefix) / 'include'
LIBRARIES = Path(sys.prefix) / 'lib'
ROS_DRIVERS_AUDIO = {'audio_common_msgs': {
    'AudioData': 'uint8[] data\n',
    'AudioInfo': 'uint8 channels\nuint32 sample_rate\nstring sample_format\nuint32 bitrate\n'
                 'string coding_format\n'}}
"""Of ros-drivers/audio_common."""
HRI = {'hri_msgs': {'IdsList': 'std_msgs/Header header\nstring[] ids\n'}}
"""Of ros4hri/hri_msgs."""
_KNOWN = ('std_msgs', 'builtin_interfaces')
_PARTS = ('rosidl_generator_c', 'rosidl_typesupport_fastrtps_c', 'rosidl_typesupport_c',
          'rosidl_generator_py')


def can_build() -> bool:
    """Return whether compiler, headers and generators are there."""
    headers = Path(sysconfig.get_paths()['include']) / 'Python.h'
    return bool(shutil.which('g++')) and headers.is_file() and (
        INCLUDE / 'rosidl_runtime_c').is_dir() and all(
            importlib.util.find_spec(part) for part in ('rosidl_adapter', *_PARTS))


def build(packages: Mapping[str, Mapping[str, str]], root: Path) -> dict[str, str]:
    """Build packages into a folder and return what the environment needs to find them."""
    for package, messages in packages.items():
        _generate(package, messages, root)
        _compile(package, list(messages), root)
    found = {'PYTHONPATH': str(root / 'python'), 'LD_LIBRARY_PATH': str(root / 'lib'),
             'AMENT_PREFIX_PATH': str(root)}
    return {name: os.pathsep.join(filter(None, [path, os.environ.get(name)]))
            for name, path in found.items()}


def _generate(package: str, messages: Mapping[str, str], root: Path) -> None:
    """Write the sources of a package."""
    from rosidl_adapter.msg import convert_msg_to_idl
    from rosidl_generator_c import generate_c
    from rosidl_generator_py import generate_py
    from rosidl_generator_type_description import generate_type_hash
    from rosidl_typesupport_c import generate_c as generate_typesupport_c
    from rosidl_typesupport_fastrtps_c import generate_typesupport_fastrtps_c

    source = root / 'source' / package
    (source / 'msg').mkdir(parents=True)
    for name, text in messages.items():
        (source / 'msg' / f'{name}.msg').write_text(text, encoding='utf-8')
        convert_msg_to_idl(source, package, Path('msg') / f'{name}.msg', source / 'msg')
    idl = [f'{source}:msg/{name}.idl' for name in messages]
    known = [f'{other}:{path}' for other in _KNOWN
             for path in (SHARE / other / 'msg').glob('*.idl')]
    hashed = root / 'hash' / package

    def arguments(part: str, output: Path) -> str:
        path = root / f'{package}_{part}.json'
        path.write_text(json.dumps({
            'package_name': package, 'output_dir': str(output),
            'template_dir': str(SHARE / part / 'resource'), 'idl_tuples': idl,
            'ros_interface_dependencies': known, 'target_dependencies': [],
            'include_paths': [f'{other}:{SHARE / other}' for other in _KNOWN],
            'type_description_tuples': [f'msg/{name}.idl:{hashed}/msg/{name}.json'
                                        for name in messages]}), encoding='utf-8')
        return str(path)

    sources = root / 'include' / package / package
    generate_type_hash(arguments('rosidl_generator_type_description', hashed))
    generate_c(arguments('rosidl_generator_c', sources))
    generate_typesupport_fastrtps_c(arguments('rosidl_typesupport_fastrtps_c', sources))
    generate_typesupport_c(arguments('rosidl_typesupport_c', sources),
                           ['rosidl_typesupport_fastrtps_c'])
    generate_py(arguments('rosidl_generator_py', root / 'python' / package),
                ['rosidl_typesupport_c'])
    for part in ('rosidl_generator_c', 'rosidl_typesupport_fastrtps_c'):
        template = SHARE / part / 'resource' / f'{part}__visibility_control.h.in'
        text = template.read_text(encoding='utf-8').replace('@PROJECT_NAME@', package)
        (sources / 'msg' / f'{part}__visibility_control.h').write_text(
            text.replace('@PROJECT_NAME_UPPER@', package.upper()), encoding='utf-8')


def _compile(package: str, messages: list[str], root: Path) -> None:
    """Make the libraries of a package and its Python extension."""
    (root / 'lib').mkdir(exist_ok=True)
    sources, python = root / 'include' / package / package, root / 'python' / package
    import numpy as np
    flags = ['-shared', '-fPIC', '-O0', '-w', f'-I{root / "include" / package}',
             f'-I{sysconfig.get_paths()["include"]}', f'-I{np.get_include()}',
             *(f'-I{path}' for path in INCLUDE.iterdir() if path.is_dir()), f'-I{INCLUDE}',
             f'-L{LIBRARIES}', f'-L{root / "lib"}', f'-Wl,-rpath,{LIBRARIES}']
    runtime = ['-lrosidl_runtime_c', '-lrcutils', '-lrosidl_typesupport_c',
               '-lrosidl_typesupport_fastrtps_c', '-lrosidl_typesupport_fastrtps_cpp',
               '-lfastcdr', *(f'-l{other}__{part}' for other in _KNOWN for part in _PARTS)]
    own: list[str] = []
    found = {
        'rosidl_generator_c': sorted((sources / 'msg').rglob('*.c')),
        'rosidl_typesupport_fastrtps_c': sorted((sources / 'msg').rglob('*__type_support_c.cpp')),
        'rosidl_typesupport_c': [path for path in sorted((sources / 'msg').rglob('*.cpp'))
                                 if 'type_support_c' not in path.name],
        'rosidl_generator_py': sorted((python / 'msg').rglob('*.c'))}
    for part in _PARTS:
        _run([_compiler(found[part]), *map(str, found[part]), *flags, *own, *runtime, '-o',
              str(root / 'lib' / f'lib{package}__{part}.so')])
        own.append(f'-l{package}__{part}')
    extension = next(python.rglob('*.ep.rosidl_typesupport_c.c'))
    suffix = sysconfig.get_config_var('EXT_SUFFIX')
    _run(['gcc', str(extension), *flags, *own, *runtime, '-o',
          str(python / f'{package}_s__rosidl_typesupport_c{suffix}')])


def _compiler(paths: list[Path]) -> str:
    return 'g++' if any(path.suffix == '.cpp' for path in paths) else 'gcc'


def _run(command: list[Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f'{" ".join(command[:2])}: {done.stderr[-2_000:]}')
