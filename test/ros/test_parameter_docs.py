"""The generated pages are those in the repository."""
from pathlib import Path

import yaml

from gesture_node.config import walk
from gesture_node.ros.node_config import NodeConfig, ros_name
from gesture_node.ros.parameter_docs import main, parameters_page, parameters_yaml

ROOT = Path(__file__).parents[2]


def test_generated_files_are_up_to_date():
    assert main(['--check', '--root', str(ROOT)]) == 0


def test_an_outdated_file_is_noticed(tmp_path, capsys):
    assert main(['--check', '--root', str(tmp_path)]) == 1
    assert 'is out of date' in capsys.readouterr().err
    assert main(['--root', str(tmp_path)]) == 0
    assert main(['--check', '--root', str(tmp_path)]) == 0


def test_the_yaml_holds_every_default():
    loaded = yaml.safe_load(parameters_yaml())['/**']['ros__parameters']
    for name, value, _ in walk(NodeConfig()):
        found = loaded
        for part in ros_name(name).split('.'):
            found = found[part]
        assert found == value and type(found) is type(value)


def test_lines_fit_and_every_parameter_has_a_row():
    assert max(map(len, parameters_yaml().splitlines())) <= 99
    page = parameters_page()
    assert all(f'| `{ros_name(name)}` |' in page for name, _, _ in walk(NodeConfig()))
