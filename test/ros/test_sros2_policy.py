"""The SROS 2 policy allows what is documented and nothing more."""
from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from gesture_node.ros.sros2_policy import documented, INFRASTRUCTURE, main, policy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'ros_interface.md').read_text(encoding='utf-8')
SHIPPED = ElementTree.parse(ROOT / 'config' / 'sros2' / 'gesture_node.xml').getroot()


def allowed(root, way):
    found = [group for kind in ('topics', 'services') for group in root.iter(kind)
             if group.get(way) == 'ALLOW']
    assert len(found) == 1
    return [item.text for item in found[0]]


@pytest.mark.parametrize('way', ['subscribe', 'publish', 'reply'])
def test_nothing_is_allowed_that_is_not_documented(way):
    assert set(allowed(SHIPPED, way)) <= {*documented(PAGE)[way], *INFRASTRUCTURE[way]}


def test_what_the_node_cannot_do_without_is_allowed():
    assert {'audio', 'joint_states', '/clock'} <= set(allowed(SHIPPED, 'subscribe'))
    assert {'joint_trajectory', 'face/blendshapes', '~/state', '~/quality', '/diagnostics',
            'audio_out'} <= set(allowed(SHIPPED, 'publish'))
    assert {'~/stop', '~/reset', '~/dump', '~/change_state'} <= set(allowed(SHIPPED, 'reply'))


def test_rows_of_the_page_are_read():
    page = ('# x\n\n## gesture_node\n\n| `a/b`, `c` (out) | t | `no` |\n'
            '| `d` (in, latched) | t |\n| `<e>/f` (out) | t |\n| `~/g` | t |\n\n'
            '## other\n| `h` (in) | t |\n')
    assert documented(page) == {'subscribe': ['d'], 'publish': ['a/b', 'c'], 'reply': ['~/g']}
    root = ElementTree.fromstring(policy(page).encode())
    assert set(allowed(root, 'publish')) == {'a/b', 'c', *INFRASTRUCTURE['publish']}


def test_an_outdated_file_is_noticed(tmp_path, capsys):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs' / 'ros_interface.md').write_text(PAGE)
    assert main(['--check', '--root', str(tmp_path)]) == 1
    assert 'out of date' in capsys.readouterr().err
    assert main(['--root', str(tmp_path)]) == 0 == main(['--check', '--root', str(tmp_path)])
