"""``gesture_node``: speech in, body and face out, as a lifecycle node.

configure loads bundle and robot and warms up; activate subscribes and starts the worker;
deactivate brakes to rest; cleanup frees everything. With the parameter ``autostart`` the node
takes the first two steps itself.
"""
from __future__ import annotations

from collections.abc import Callable
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from ..exceptions import GestureError
from ..operations.memory import share_heaps
from . import qos
from .diagnostics import DiagnosticReporter, NodeHealth
from .engine import Engine
from .node_config import NodeConfig
from .parameters import ConfigParameters
from .runner import run_node
from .steady_clock import steady_clock

_PLAYOUT_PERIOD_S = 0.01
_PLAYOUT_EARLY_NS = 5_000_000
"""A frame leaves at the tick nearest to its time, half a period early or late."""
_NOT_ACTIVE = 'not active: configure and activate the node first'


class GestureNode(LifecycleNode):
    """The node; see ``docs/parameters.md`` for its parameters."""

    def __init__(self) -> None:
        super().__init__('gesture_node')
        self.done = False
        self._settings: ConfigParameters[NodeConfig] = ConfigParameters(self, NodeConfig())
        self._settings.on_change(self._check_change, self._apply_change)
        self._engine: Engine | None = None
        self._playout: Any = None
        self._active = False
        self._error: GestureError | None = None
        self._state_shown = ''
        self._state_publisher = self.create_publisher(String, '~/state', qos.LATCHED)
        self._quality_shown = ''
        self._quality_publisher = self.create_publisher(String, '~/quality', qos.LATCHED)
        self._diagnostics = self.create_publisher(
            DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
        self._reporter = DiagnosticReporter(self.get_fully_qualified_name())
        self.create_service(Trigger, '~/stop', self._on_stop)
        self.create_service(Trigger, '~/reset', self._on_reset)
        self.create_service(Trigger, '~/interrupt', self._on_interrupt)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.create_service(Trigger, '~/dump', self._on_dump)
        self._steady = steady_clock()
        self.create_timer(1.0 / self._settings.config.diagnostics_hz, self._report,
                          clock=self._steady)
        self._show_state('unconfigured')

    def start(self) -> None:
        """Configure and activate, if the parameter ``autostart`` says so.

        Raises:
            GestureError: the node cannot be configured or activated.
        """
        if not self._settings.config.autostart:
            return
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                raise self._error or GestureError('the node cannot be activated')

    def close(self) -> None:
        """Brake to rest and free everything."""
        if self._active:
            self.trigger_deactivate()
        self._free()

    def now_ns(self) -> int:
        """Return ROS time [ns]; 0 while a simulated clock has not started."""
        return int(self.get_clock().now().nanoseconds)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load bundle and robot, and run a first window."""
        return self._attempt('configured', lambda: self._configure(state))

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start the worker."""
        return self._attempt('activated', lambda: self._activate(state))

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Brake to rest, then stop publishing."""
        return self._attempt('deactivated', lambda: self._deactivate(state))

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free bundle and robot."""
        return self._attempt('cleaned up', self._clean_up)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Brake to rest and free everything; the process ends."""
        self._free()
        self._show_state('finalized')
        self.done = True
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Brake to rest and free everything; the node may be configured again."""
        try:
            self._free()
        except Exception as error:
            # Freeing may fail for the very reason that led here; the rest of it must go on.
            self.get_logger().error(f'not everything could be freed: {error}')
        self._engine, self._playout, self._active = None, None, False
        self._show_state('unconfigured')
        return TransitionCallbackReturn.SUCCESS

    def _configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._free()
        self._engine = Engine(self, self._settings.config, self.now_ns)
        self._show_state('inactive')
        return super().on_configure(state)

    def _deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._halt()
        self._show_state('inactive')
        return super().on_deactivate(state)

    def _clean_up(self) -> TransitionCallbackReturn:
        self._free()
        self._show_state('unconfigured')
        return TransitionCallbackReturn.SUCCESS

    def _activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        assert self._engine is not None
        result = super().on_activate(state)
        self._engine.start()
        self._active = True
        self._playout = self.create_timer(_PLAYOUT_PERIOD_S, self._play, clock=self._steady)
        return result

    def _attempt(self, done: str, act: Callable[[], TransitionCallbackReturn],
                 ) -> TransitionCallbackReturn:
        """Run a transition; a mistake of the user becomes one sentence in the log."""
        try:
            return act()
        except Exception as error:
            # rclpy would swallow anything that is raised here without a word.
            expected = isinstance(error, GestureError)
            self._error = error if isinstance(error, GestureError) else GestureError(
                f'{type(error).__name__}: {error}')
            if not self._settings.config.autostart or not expected:
                self.get_logger().error(f'cannot be {done}: {self._error}')
            # A mistake of the user leaves the node where it was; all else goes to on_error.
            return (TransitionCallbackReturn.FAILURE if expected
                    else TransitionCallbackReturn.ERROR)

    def _halt(self) -> None:
        self._active = False
        if self._playout is not None:
            self.destroy_timer(self._playout)
            self._playout = None
        if self._engine is not None and not self._engine.halt(self.now_ns()):
            self.get_logger().error('the worker did not stop in time')

    def _free(self) -> None:
        self._halt()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _play(self) -> None:
        """Publish what is to be shown and heard now."""
        if self._engine is not None:
            self._engine.play(self.now_ns() + _PLAYOUT_EARLY_NS)
            self._show_state(self._engine.driver.state.value)
            self._show_quality(self._engine.quality)

    def _show_quality(self, quality: str) -> None:
        if quality != self._quality_shown:
            self._quality_shown = quality
            self._quality_publisher.publish(String(data=quality))

    def _show_state(self, state: str) -> None:
        if state != self._state_shown:
            self._state_shown = state
            self._state_publisher.publish(String(data=state))

    def _report(self) -> None:
        now_ns = self.now_ns()
        health = NodeHealth(self._state_shown) if self._engine is None else (
            self._engine.health(self._state_shown, now_ns))
        self._diagnostics.publish(self._reporter.message(health, now_ns))

    def _check_change(self, config: NodeConfig) -> None:
        if self._engine is not None:
            self._engine.check(config.gesture)

    def _apply_change(self, config: NodeConfig) -> None:
        if self._engine is not None:
            self._engine.configure(config)

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(response, lambda engine: engine.driver.stop(self.now_ns()),
                            'braked; call ~/reset to go on')

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(response, lambda engine: engine.reset(self.now_ns()),
                            'ready for speech')

    def _on_interrupt(self, request: Trigger.Request, response: Trigger.Response,
                      ) -> Trigger.Response:
        return self._answer(response, lambda engine: engine.driver.interrupt(self.now_ns()),
                            'what was said is broken off, if anything was')

    def _on_dump(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Write the black box; answers at once, with the path that is being written."""
        if self._engine is None:
            response.success, response.message = False, 'not configured: nothing is remembered'
        else:
            response.success, response.message = self._engine.dump()
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response,
                   ) -> SetBool.Response:
        enabled = bool(request.data)
        return self._answer(
            response, lambda engine: engine.driver.enable(enabled, self.now_ns()),
            'enabled' if enabled else 'disabled')

    def _answer(self, response: Any, act: Callable[[Engine], object], done: str) -> Any:
        if self._engine is None or not self._active:
            response.success, response.message = False, _NOT_ACTIVE
            return response
        act(self._engine)
        self._show_state(self._engine.driver.state.value)
        response.success, response.message = True, done
        return response


def main(arguments: list[str] | None = None) -> int:
    """Run the node; return the exit code."""
    share_heaps()
    return run_node(GestureNode, arguments)


if __name__ == '__main__':
    sys.exit(main())
