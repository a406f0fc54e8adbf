"""The controller files of ros2_control against the robot profiles, and what ROS can parse."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gesture_node.motion.robot import load_profile

CONFIG = Path(__file__).parents[2] / 'config'
NAMES = sorted(path.stem for path in (CONFIG / 'robots').glob('*.yaml'))


def read(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the manager's and the trajectory controllers' parameters."""
    found = yaml.safe_load((CONFIG / 'controllers' / f'{name}.yaml').read_text(encoding='utf-8'))
    manager = found.pop('controller_manager')['ros__parameters']
    kinds = {key: part['type'] for key, part in manager.items() if isinstance(part, dict)}
    followers = {key for key, kind in kinds.items() if kind.endswith('/JointTrajectoryController')}
    assert followers == set(found)
    return manager, {key: part['ros__parameters'] for key, part in found.items()}


def test_every_robot_has_a_file_and_no_other() -> None:
    assert sorted(path.stem for path in (CONFIG / 'controllers').glob('*.yaml')) == NAMES


@pytest.mark.parametrize('name', NAMES)
def test_joints_are_those_of_the_profile_each_in_one_controller(name: str) -> None:
    profile = load_profile(name)
    manager, controllers = read(name)
    joints = [joint for part in controllers.values() for joint in part['joints']]
    assert len(joints) == len(set(joints)) and set(joints) == set(profile.joint_names)
    own = profile.interface.controllers
    if own:
        assert {controller.name: list(controller.joints) for controller in own} == {
            key: part['joints'] for key, part in controllers.items()}
    assert manager['update_rate'] >= 100 and 'joint_state_broadcaster' in manager


@pytest.mark.parametrize('name', NAMES)
def test_settings_are_those_that_splice(name: str) -> None:
    _, controllers = read(name)
    for part in controllers.values():
        assert part['command_interfaces'] == ['position']
        assert part['allow_partial_joints_goal'] is False
        assert part['allow_trajectory_replacement'] is False
        assert part['allow_nonzero_velocity_at_trajectory_end'] is False
        assert part['interpolate_from_desired_state'] is part['open_loop_control'] is True
        # Tolerances would make the controller hold in the middle of a gesture.
        assert all(value == 0.0 for value in part['constraints'].values())


@pytest.mark.parametrize('name', NAMES)
def test_ros_can_read_them(name: str) -> None:
    """The parser of ROS parameters knows no aliases, and neither null nor empty lists."""
    text = (CONFIG / 'controllers' / f'{name}.yaml').read_text(encoding='utf-8')
    assert not [token for token in yaml.scan(text)
                if isinstance(token, (yaml.AliasToken, yaml.AnchorToken))]
    values = [value for part in read(name)[1].values() for value in part.values()]
    assert all(value is not None and value != [] for value in values)
