"""What a deployment may choose: frozen dataclasses that also become the ROS parameters.

Every field carries its default, description, unit and bounds, so code, YAML,
``ros2 param describe`` and ``docs/parameters.md`` cannot drift apart. What belongs to the model
(rates, window sizes, skeleton, schedule) is not here: it travels in the bundle.
"""
from __future__ import annotations

from dataclasses import dataclass, Field, field, fields, is_dataclass, MISSING, replace
import math
from typing import Any, cast, get_type_hints, TypeVar

from .exceptions import ConfigError

ConfigT = TypeVar('ConfigT')


def param(default: Any, doc: str, *, unit: str = '', bounds: tuple[float, float] | None = None,
          choices: tuple[str, ...] | None = None, read_only: bool = False) -> Any:
    """Return a dataclass field that documents and bounds itself.

    Args:
        default: value when nothing is given; its type is the parameter's type.
        doc: one sentence, saying what changes when the value is turned.
        unit: SI unit, empty for dimensionless.
        bounds: inclusive range for numbers.
        choices: allowed words for strings.
        read_only: true when a change needs the node to be configured again.
    """
    return field(default=default, metadata={
        'doc': doc, 'unit': unit, 'bounds': bounds, 'choices': choices, 'read_only': read_only})


def check(config: Any) -> None:
    """Check every field of a config dataclass against its declaration.

    Raises:
        ConfigError: naming the field, its value and what is allowed.
    """
    hints = get_type_hints(type(config))
    for item in fields(config):
        value = getattr(config, item.name)
        if not is_dataclass(value):
            _check_value(f'{type(config).__name__}.{item.name}', value, hints[item.name], item)


def _check_value(name: str, value: Any, kind: type, item: Field[Any]) -> None:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return _check_value(name, float(value), kind, item)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ConfigError(f'{name} must be {kind.__name__}, got {value!r}')
    bounds, choices = item.metadata.get('bounds'), item.metadata.get('choices')
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f'{name} must be finite, got {value}')
    if bounds is not None and not bounds[0] <= value <= bounds[1]:
        raise ConfigError(f'{name} must be in [{bounds[0]}, {bounds[1]}], got {value}')
    if choices is not None and value not in choices:
        raise ConfigError(f'{name} must be one of {", ".join(choices)}, got {value!r}')


@dataclass(frozen=True, kw_only=True, slots=True)
class AudioConfig:
    """How incoming audio is read when the message itself does not say."""

    sample_rate: int = param(16_000, 'Sample rate of audio whose messages carry none.',
                             unit='Hz', bounds=(4_000, 192_000))
    channels: int = param(1, 'Interleaved channels of audio whose messages carry none; '
                             'they are averaged.', bounds=(1, 32))
    sample_format: str = param('S16LE', 'Sample format of raw byte audio.',
                               choices=('S16LE', 'S32LE', 'F32LE', 'U8', 'S8'))
    max_buffer_s: float = param(900.0, 'Audio that may wait unprocessed; more is refused, counted '
                                       'and reported.', unit='s', bounds=(1.0, 3_600.0))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyConfig:
    """The sliding window of the body."""

    hop_s: float = param(0.16, 'Motion committed per window. Smaller reacts sooner and costs '
                               'more computation; a multiple of 0.04.',
                         unit='s', bounds=(0.08, 1.6))
    foresight_s: float = param(0.16, 'Speech beyond the hop that a window hears. 0 reacts '
                                     'soonest; more places strokes better and adds latency.',
                               unit='s', bounds=(0.0, 1.6))
    steps: int = param(0, 'Denoiser calls per window; computation is linear in it. 0 takes what '
                          'the bundle is made for.', bounds=(0, 50))
    sampler: str = param('dpm', 'How denoiser calls become motion: "dpm" is DPM-Solver++(2M), '
                                'second order, best at few steps; "ddim" is first order.',
                         choices=('dpm', 'ddim'))
    guidance: float = param(-1.0, 'Strength of the speech conditioning; 1 turns guidance off, 0 '
                                  'does not listen, all else doubles the calls. Below 0 takes '
                                  'what the bundle is made for.', bounds=(-1.0, 5.0))
    smoothing_s: float = param(0.015, 'Width of the low-pass on generated motion (standard '
                                     'deviation of a Gaussian, without delay); more is calmer '
                                     'and blunter.',
                               unit='s', bounds=(0.0, 0.2))
    amplitude: float = param(1.0, 'Size of gestures against the rest pose; 0 stands still.',
                             bounds=(0.0, 1.5))
    lead_s: float = param(0.0, 'How much earlier than its sound a live body is commanded, to make '
                               'up for slow drives; negative is later. See docs/timing.md.',
                          unit='s', bounds=(-0.5, 0.5))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class FaceConfig:
    """The sliding window of the face."""

    hop_s: float = param(0.1, 'Face motion committed per window; a multiple of 0.02.',
                         unit='s', bounds=(0.04, 3.2))
    foresight_s: float = param(0.08, 'Speech beyond the hop that a window hears.',
                               unit='s', bounds=(0.0, 0.8))
    steps: int = param(0, 'Denoiser calls per window; lips are settled by the first, lids, gaze '
                          'and brows by all. 0 takes what the bundle is made for.',
                       bounds=(0, 50))
    sampler: str = param('dpm', 'As body.sampler.', choices=('dpm', 'ddim'))
    blinks_per_minute: float = param(15.0, 'Mean rate of blinks, drawn apart from the network; 0 '
                                           'leaves the lids to the network.',
                                     unit='1/min', bounds=(0.0, 60.0))
    lip_strength: float = param(1.0, 'Gain on jaw, lips and tongue; seals stay sealed.',
                                bounds=(0.0, 1.5))
    style: str = param('', 'Face style of the bundle; empty takes its first, a name it does not '
                           'know its mean.')
    lead_s: float = param(0.0, 'How much earlier than its sound a live face is shown, to make up '
                               'for a slow screen; negative is later.',
                          unit='s', bounds=(-0.5, 0.5))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputConfig:
    """How motion is placed on the clock and published."""

    presentation_delay_s: float = param(
        0.55, "Time from a sample's stamp to when its sound is heard and its motion is shown. "
              'Must cover hop, foresight, computation and the frozen horizon.',
        unit='s', bounds=(0.0, 5.0))
    player_latency_s: float = param(
        0.0, 'Time from the arrival of audio_out at its player to its sound; audio_out is '
             'published so much earlier. Its stamps stay the times at which it is heard.',
        unit='s', bounds=(0.0, 4.0))
    frozen_horizon_s: float = param(0.06, 'Motion nearer to now than this never changes once '
                                          'published.', unit='s', bounds=(0.0, 1.0))
    tail_s: float = param(0.6, 'Provisional motion published beyond the committed part, brake '
                               'included.', unit='s', bounds=(0.3, 2.0))
    repeat_hz: float = param(5.0, 'How often the plan is published again when nothing new came.',
                             unit='Hz', bounds=(1.0, 50.0))
    stamp_policy: str = param('past', 'Header stamps: "past" anchors at the last knot before '
                                      'now and fits most controllers, "future" at a knot ahead, '
                                      '"zero" leaves 0; see docs/trajectories.md.',
                              choices=('past', 'future', 'zero'))
    controllers: str = param(
        'profile', 'Trajectory controllers that get a message of their own: "profile" takes those '
                   'of the robot profile, "none" publishes joint_trajectory alone, a YAML mapping '
                   'such as {head_controller: [head_yaw, head_pitch]} names them with all their '
                   'joints; their topics are <name>/joint_trajectory.', read_only=True)
    require_joint_states: bool = param(True, 'Wait for joint_states before the first trajectory, '
                                             'ramp from what they measure, and brake when they '
                                             'stop coming.')
    accelerations: bool = param(
        False, 'Publish accelerations too. The acceleration is then continuous and the jerk '
               'inside its limit at every instant, and motion comes 0.01 s later; see '
               'docs/safety.md.')
    idle_release_s: float = param(4.0, 'Silence after which the robot has eased to idle and '
                                       'publishing stops until speech returns.',
                                  unit='s', bounds=(0.5, 3_600.0))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitsConfig:
    """How far inside the robot's limits to stay."""

    scale: float = param(1.0, "Fraction of the profile's velocity, acceleration and jerk limits "
                              'to use; the two scales below multiply it.', bounds=(0.05, 1.0))
    velocity_scale: float = param(1.0, "Fraction of the profile's velocity limits to use.",
                                  bounds=(0.05, 1.0))
    acceleration_scale: float = param(1.0, "Fraction of the profile's acceleration and jerk "
                                           'limits to use.', bounds=(0.05, 1.0))
    position_margin_rad: float = param(0.02, 'Distance kept from every hard position limit.',
                                       unit='rad', bounds=(0.0, 0.5))
    hand_speed_m_s: float = param(10.0, 'Cap on the speed of every point of the hands, for people '
                                        'within reach; 0.25 is the reduced speed of ISO 10218-1. '
                                        '10 is no cap. A change slows moving hands down smoothly.',
                                  unit='m/s', bounds=(0.05, 10.0))
    hand_reach_m: float = param(10.0, 'Largest distance of a wrist from the vertical line through '
                                      'the pelvis of the profile. 10 is no limit.',
                                unit='m', bounds=(0.1, 10.0))
    hand_height_m: float = param(10.0, 'Largest height of a wrist above the pelvis of the '
                                       'profile. 10 is no limit.', unit='m', bounds=(-2.0, 10.0))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class GestureConfig:
    """Everything a deployment may choose about one robot."""

    robot: str = param('humanoid', 'Name of a profile in config/robots or path of a profile YAML.',
                       read_only=True)
    bundle: str = param('', 'Folder of the model bundle; empty takes the shipped one.',
                        read_only=True)
    provider: str = param('auto', 'ONNX Runtime provider; auto takes CUDA when present.',
                          choices=('auto', 'cpu', 'cuda', 'tensorrt'), read_only=True)
    threads: int = param(1, 'Threads of ONNX Runtime on the CPU. Two take twice the processor for '
                            'little, and wait for each other where it is busy.',
                         bounds=(1, 64), read_only=True)
    seed: int = param(0, 'Seed of everything sampled; the same seed repeats the same motion.',
                      bounds=(0, 2_147_483_647))
    audio: AudioConfig = field(default_factory=AudioConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    face: FaceConfig = field(default_factory=FaceConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    limits: LimitsConfig = field(default_factory=LimitsConfig)

    def __post_init__(self) -> None:
        check(self)


def walk(config: Any, prefix: str = '') -> list[tuple[str, Any, Field[Any]]]:
    """Return ``(dotted name, value, field)`` of every leaf of a config dataclass, in order."""
    leaves: list[tuple[str, Any, Field[Any]]] = []
    for item in fields(config):
        value = getattr(config, item.name)
        if is_dataclass(value):
            leaves += walk(value, f'{prefix}{item.name}.')
        else:
            leaves.append((prefix + item.name, value, item))
    return leaves


def with_values(config: ConfigT, values: dict[str, Any]) -> ConfigT:
    """Return the config with dotted names replaced, integers widened where a float is meant.

    Raises:
        ConfigError: a name is unknown, or a value is of the wrong type or out of range.
    """
    nested: dict[str, Any] = {}
    for name, value in values.items():
        head, _, rest = name.partition('.')
        nested.setdefault(head, {})[rest] = value
    known = {item.name: item for item in fields(cast(Any, config))}
    changes: dict[str, Any] = {}
    for head, inner in nested.items():
        if head not in known:
            raise ConfigError(f'unknown parameter {head!r}; known: {", ".join(sorted(known))}')
        changes[head] = _changed(getattr(config, head), inner, head)
    return cast(ConfigT, replace(cast(Any, config), **changes))


def _changed(current: Any, inner: dict[str, Any], head: str) -> Any:
    if is_dataclass(current):
        if '' in inner:
            raise ConfigError(f'parameter {head!r} is a group and takes no value of its own')
        return with_values(current, inner)
    if set(inner) != {''}:
        raise ConfigError(f'parameter {head!r} has no parts, got {head}.{next(iter(inner))}')
    value = inner['']
    widen = isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool)
    return float(value) if widen else value


def default_of(item: Field[Any]) -> Any:
    """Return the default of a leaf field."""
    return item.default if item.default is not MISSING else None
