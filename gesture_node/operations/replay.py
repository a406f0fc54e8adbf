"""Plays a take of a black box again and compares every window with what it gave then."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..config import GestureConfig, with_values
from ..exceptions import BlackBoxError, GestureError
from ..motion.robot import load_profile, RobotProfile
from ..pipeline import GesturePipeline
from ..stream import GestureStream
from ..types import StepResult
from .black_box import digest_of, Take
from .recorded_stream import skip_again

_STREAM_CALLS = ('accept_waveform', 'finish', 'set_steps')
_ROBOT_CALLS = ('reset', 'rebase', 'place', 'retune', 'skip')


@dataclass(slots=True)
class Replayed:
    """What a replay gave.

    Attributes:
        results: of every step.
        differing: numbers of the steps whose motion differs from the recorded one by any bit.
        failure: how the last step failed, which then gave nothing either; empty if none did.
    """

    results: list[StepResult] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)
    failure: str = ''

    @property
    def is_identical(self) -> bool:
        """Whether there was motion and every bit of it is the same."""
        return bool(self.results) and not self.differing


def replay(take: Take, make_pipeline: Callable[[str], GesturePipeline]) -> Replayed:
    """Play a take again.

    Args:
        take: of a file or of a running black box.
        make_pipeline: loads the bundle in a folder.

    Raises:
        BlackBoxError: the take cannot be replayed, or has a call that is not known here.
        GestureError: its bundle or robot cannot be loaded.
    """
    if take.why_not:
        raise BlackBoxError(f'the take cannot be replayed: {take.why_not}')
    stream = _stream_of(take, make_pipeline)
    replayed = Replayed()
    for call in take.calls:
        if call.name == 'step':
            if len(replayed.results) == len(take.digests):
                # The one that failed or never came back; nothing follows it.
                replayed.failure = _failure(stream)
                break
            result = _step(stream)
            number = len(replayed.results)
            replayed.results.append(result)
            if digest_of(result) != take.digests[number]:
                replayed.differing.append(number)
        else:
            try:
                _make_call(stream, call.name, call.arguments, call.named)
            except (TypeError, ValueError, AttributeError, IndexError) as error:
                raise BlackBoxError(f'call {call.name!r} of the take cannot be made: '
                                    f'{error}') from error
    return replayed


def _stream_of(take: Take, make_pipeline: Callable[[str], GesturePipeline]) -> GestureStream:
    settings = take.settings
    try:
        config = with_values(GestureConfig(), dict(settings['config']))
        persona, urdf = settings['persona'], str(settings['urdf'])
    except (KeyError, TypeError, ValueError) as error:
        raise BlackBoxError(f'the take does not say with what it was made: {error}') from None
    profile: RobotProfile | None = None
    if settings.get('robot'):
        profile = load_profile(str(settings['robot']), urdf_text=urdf)
    return make_pipeline(config.bundle).create_stream(profile, config, persona=persona)


def _step(stream: GestureStream) -> StepResult:
    try:
        return stream.step()
    except GestureError as error:
        raise BlackBoxError(f'the take asks for a window that is not ready: {error}') from error


def _failure(stream: GestureStream) -> str:
    """Return how a step fails, empty if it does not."""
    try:
        stream.step()
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return ''


def _make_call(stream: GestureStream, name: str, arguments: tuple[Any, ...],
               named: dict[str, Any]) -> None:
    """Make one call; a file cannot ask for others than these."""
    if name == 'reset':
        stream.reset(*arguments, **named)
    elif name == 'skip_overdue':
        skip_again(stream, *arguments)
    elif name in _STREAM_CALLS:
        getattr(stream, name)(*arguments, **named)
    elif name.startswith('robot.') and stream.robot is not None:
        target, _, method = name.removeprefix('robot.').rpartition('.')
        owner = {'': stream.robot, 'ramp': stream.robot.ramp}.get(target)
        if owner is None or method.startswith('_') or (
                not target and method not in _ROBOT_CALLS):
            raise BlackBoxError(f'call {name!r} of the take is not known to this version')
        getattr(owner, method)(*arguments, **named)
    else:
        raise BlackBoxError(f'call {name!r} of the take is not known to this version')
