"""Write URDF and profile of the robots that ``models/NAME/description.yaml`` describes by facts.

``python tools/build_profiles.py --facts FOLDER [NAME ...]`` takes the joints of each robot over
from the facts files into ``models/NAME/kinematics.yaml``. Without ``--facts`` those files are
used as they are: a clone needs nothing else. Then the URDF is written by ``build_models.py`` and
``config/robots/NAME.yaml`` here; ``--check`` only says which of them are stale. The rest posture
is what the retargeter makes of hanging arms.
"""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
import re
import sys

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'tools')]

from build_models import build_urdf, MODELS  # noqa: E402
import numpy as np  # noqa: E402
from profile_text import profile_text  # noqa: E402
from robot_body import links_of  # noqa: E402
from robot_facts import kinematics_text, read_kinematics  # noqa: E402
from robot_tree import RobotTree  # noqa: E402
import yaml  # noqa: E402

from gesture_node.motion.retarget import Retargeter  # noqa: E402
from gesture_node.motion.robot import load_profile  # noqa: E402
from gesture_node.motion.skeleton import rest_pose  # noqa: E402
from gesture_node.ros.generated_files import generator_arguments, update_files  # noqa: E402

PROFILES = ROOT / 'config' / 'robots'
_GROUPS = ['torso', 'head', 'arm', 'hand', 'leg']
_HANGING_FRAMES = 200
_NUMBER = re.compile(r'-?\d+\.\d+(?:e-?\d+)?')
_ROUNDING = 2e-6
_STILL_RAD = 0.0015
_SETTLED_RAD, _ROUNDS = 0.01, 12


def described() -> list[str]:
    """Return the names of the robots that are described by facts."""
    return sorted(path.parent.name for path in MODELS.glob('*/description.yaml')
                  if 'kinematics' in yaml.safe_load(path.read_text(encoding='utf-8')))


def take_over(name: str, facts: Path) -> None:
    """Write the kinematics of one robot from its facts file.

    Raises:
        ValueError: the facts contradict each other or the description.
    """
    path = MODELS / name / 'description.yaml'
    description = yaml.safe_load(path.read_text(encoding='utf-8'))
    kinematics = read_kinematics(
        facts / description['facts'], description.get('mounts', {}),
        description.get('groups', _GROUPS), description.get('left_out', []))
    path.with_name(description['kinematics']).write_text(kinematics_text(kinematics),
                                                         encoding='utf-8')


def resting(profile_path: Path) -> dict[str, float]:
    """Return where the retargeter holds hanging arms [rad], joints near zero left out."""
    profile = load_profile(profile_path)
    retargeter = Retargeter(profile)
    hanging = np.repeat(rest_pose()[None], _HANGING_FRAMES, axis=0)
    positions, _ = retargeter.retarget(hanging, retargeter.initial_state())
    limits = profile.limits
    inside = np.clip(positions[-1].round(3), np.ceil(limits.lower * 1e3) / 1e3,
                     np.floor(limits.upper * 1e3) / 1e3)
    return {joint: float(value) for joint, value in zip(profile.joint_names, inside)
            if abs(value) > _STILL_RAD}


def same_text(one: str, other: str) -> bool:
    """Return whether two files say the same, numbers within 2e-6.

    Another thread count or library rounds the last digit another way.
    """
    if _NUMBER.sub('#', one) != _NUMBER.sub('#', other):
        return False
    numbers = zip(_NUMBER.findall(one), _NUMBER.findall(other))
    return all(a == b or abs(float(a) - float(b)) <= _ROUNDING for a, b in numbers)


def rest_of(path: Path) -> Mapping[str, float]:
    """Return the rest posture a profile states."""
    return dict(yaml.safe_load(path.read_text(encoding='utf-8')).get('rest', {}))


def build(name: str, check: bool, keep_rest: bool) -> int:
    """Write URDF and profile of one robot, or check them; return the exit status."""
    tree = RobotTree(MODELS / name)
    path = PROFILES / f'{name}.yaml'
    files = {MODELS / name / f'{name}.urdf': build_urdf(links_of(tree))}
    if check or keep_rest:
        files[path] = profile_text(tree, rest_of(path))
    status = update_files(files, check, 'python tools/build_profiles.py', same_text)
    if path in files:
        return status
    path.write_text(profile_text(tree, {}), encoding='utf-8')
    rest: dict[str, float] = {}
    # The retargeter leans to the rest posture, so it is sought until it stays where it is.
    for _ in range(_ROUNDS):
        before, rest = rest, resting(path)
        path.write_text(profile_text(tree, rest), encoding='utf-8')
        if all(abs(rest.get(joint, 0.0) - before.get(joint, 0.0)) < _SETTLED_RAD
               for joint in {*rest, *before}):
            break
    print(f'wrote {path}')
    return status


def main(arguments: list[str] | None = None) -> int:
    """Write or check everything; return the exit status."""
    parser = generator_arguments(__doc__)
    parser.add_argument('names', nargs='*', help='robots; all when none is named')
    parser.add_argument('--facts', type=Path, help='folder of facts files to take over')
    parser.add_argument('--keep-rest', action='store_true', help='leave the rest posture as it is')
    options = parser.parse_args(arguments)
    status = 0
    for name in options.names or described():
        if options.facts:
            take_over(name, options.facts)
        status |= build(name, options.check, options.keep_rest)
    return status


if __name__ == '__main__':
    sys.exit(main())
