"""A node driven through its life in one process, run by its test: prints what it saw as JSON."""
from __future__ import annotations

import json
from pathlib import Path
import sys
import time
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn

from gesture_node.ros import node as node_module
from gesture_node.ros.engine import Engine
from gesture_node.ros.node import GestureNode


def make(*parameters: str) -> GestureNode:
    given = [part for item in ('autostart:=false', 'body.steps:=1', 'face.steps:=1', *parameters)
             for part in ('-p', item)]
    rclpy.init(args=['--ros-args', *given])
    return GestureNode()


def end(node: GestureNode) -> None:
    node.close()
    node.destroy_node()
    rclpy.try_shutdown()


def state(node: GestureNode) -> str:
    return str(node._state_machine.current_state[1])


def topics(node: GestureNode) -> list[str]:
    return [name for name, _ in node.get_publisher_names_and_types_by_node(
        node.get_name(), node.get_namespace())]


def mistakes(bundle: str, folder: Path) -> dict[str, Any]:
    """Configure with what a user got wrong."""
    robot = folder / 'robot.yaml'
    robot.write_text('name: [\n')
    seen = {}
    for name, parameters in (('bundle', (f'bundle:={folder}/none',)),
                             ('robot', (f'bundle:={bundle}', f'robot:={robot}'))):
        node = make(*parameters)
        result = node.trigger_configure()
        seen[name] = {'failed': result == TransitionCallbackReturn.FAILURE, 'state': state(node),
                      'error': str(node._error), 'dump': node._engine is None}
        end(node)
    return seen


class Broken(Exception):
    pass


def broken(*args: Any) -> Any:
    raise Broken('something that nobody expects')


def life(bundle: str, folder: Path) -> dict[str, Any]:
    """Go every way, with errors on each of them."""
    node = make(f'bundle:={bundle}', f'operations.black_box_folder:={folder}')
    seen: dict[str, Any] = {}
    node_module.Engine = broken
    seen['configure error'] = [node.trigger_configure().name, state(node)]
    node_module.Engine = Engine
    seen['configured'] = [node.trigger_configure().name, state(node)]
    start, Engine.start = Engine.start, broken
    seen['activate error'] = [node.trigger_activate().name, state(node)]
    Engine.start = start
    seen['left'] = 'joint_trajectory' in ' '.join(topics(node))
    node.trigger_configure()
    seen['activated'] = [node.trigger_activate().name, state(node)]
    halt, Engine.halt = Engine.halt, broken
    seen['deactivate error'] = [node.trigger_deactivate().name, state(node)]
    Engine.halt = halt
    seen['freed'] = node._engine is None and node._playout is None
    for name in ('configure', 'activate', 'deactivate', 'activate'):
        getattr(node, f'trigger_{name}')()
        seen[name] = state(node)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        executor.spin_once(timeout_sec=0.05)
    seen['quality'] = node._quality_shown
    assert node._engine is not None
    done, path = node._engine.dump()
    node._engine.halt(node.now_ns())
    node._engine.close()
    seen['dump'] = [done, path, Path(path).is_file()]
    health = node._engine.health('x', node.now_ns())
    seen['keys'] = [item.key for item in
                    node._reporter.message(health, 1).status[0].values]
    node.trigger_deactivate()
    node._engine = None
    seen['cleaned up'] = [node.trigger_cleanup().name, state(node)]
    seen['shut down'] = [node.trigger_shutdown().name, state(node), node.done]
    end(node)
    return seen


if __name__ == '__main__':
    where = Path(sys.argv[2])
    print(json.dumps({'mistakes': mistakes(sys.argv[1], where), 'life': life(sys.argv[1], where)}))
