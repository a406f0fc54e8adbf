"""Two robots on one machine: names, parameters and remaps of what the launch files start."""
from __future__ import annotations

import ast
from pathlib import Path

from gesture_node.launch_logic import defaults, GESTURE_ARGUMENTS, gesture_node

ROOT = Path(__file__).parents[2]
SHARED = {'/diagnostics', '/clock', '/tf', '/tf_static'}
MAKERS = {'create_publisher', 'create_subscription', 'create_lifecycle_publisher',
          'create_service', 'create_client'}


def absolute_names() -> set[str]:
    """Return every absolute name that the node's code gives to a topic or service."""
    found = set()
    for path in (ROOT / 'gesture_node' / 'ros').glob('*.py'):
        for call in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and (
                    call.func.attr in MAKERS):
                found |= {item.value for item in call.args if isinstance(item, ast.Constant)
                          and isinstance(item.value, str) and item.value.startswith('/')}
    return found


def test_no_name_is_shared_but_those_that_all_nodes_share():
    assert '/diagnostics' in absolute_names() and absolute_names() <= SHARED


def test_each_robot_has_its_own_namespace_parameters_and_remaps():
    left, right = (gesture_node({
        **defaults(GESTURE_ARGUMENTS), 'namespace': name, 'robot': robot,
        'trajectory_topic': f'{robot}_controller/joint_trajectory'})
        for name, robot in (('left', 'nao'), ('right', 'pepper')))
    assert (left.namespace, right.namespace) == ('left', 'right')
    assert left.parameters[-1]['robot'] == 'nao' and right.parameters[-1]['robot'] == 'pepper'
    assert ('joint_trajectory', 'nao_controller/joint_trajectory') in left.remappings
    for spec in (left, right):
        assert all(not own.startswith('/') and not given.startswith('/')
                   for own, given in spec.remappings)


def test_a_composition_is_by_remaps_alone():
    values = {**defaults(GESTURE_ARGUMENTS), 'audio_topic': '/tts/audio',
              'joint_states_topic': '/robot/joint_states',
              'trajectory_topic': '/arms/joint_trajectory'}
    assert dict(gesture_node(values).remappings) == {
        'audio': '/tts/audio', 'joint_states': '/robot/joint_states',
        'joint_trajectory': '/arms/joint_trajectory'}
