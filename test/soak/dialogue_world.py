"""What is around the node in the dialogue soak: clock, robot, voices, a bad line, an auditor."""
from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
import heapq
import sys
import time
from typing import Any, TYPE_CHECKING

from builtin_interfaces.msg import Time
from dialogue_audit import MotionAuditor, NS, Plan
from dialogue_sounds import RATE_HZ
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
import soxr
from std_msgs.msg import String
from trajectory_msgs.msg import JointTrajectory

from gesture_node.motion.robot import load_profile
from gesture_node.ros.audio_messages import AUDIO_TYPES
from gesture_node.ros.sim_messages import trajectory_of
from gesture_node.sim.controller import TrajectoryController, TrajectoryMessage

if TYPE_CHECKING:
    from rclpy.subscription import MessageInfo

PACKET_S = 0.04
CYCLE_NS = NS // 100
LOST_PLANS = 0.05
SLOW_S = 0.03
DELIVERY_NS = NS // 1_000
"""From publishing to the controller."""


class Voice:
    """Somebody who talks into a topic, over a line that may be bad.

    Args:
        world: whose time it is.
        topic: where it is heard.
        seed: of the line.
    """

    def __init__(self, world: World, topic: str, seed: int) -> None:
        self.world, self.topic, self.key, self.rate_hz = world, topic, 'int16', RATE_HZ
        self.loss, self.jitter_s = 0.0, 0.0
        self.is_open = self.is_talking = False
        self.lost = self.sent = 0
        self._publisher: Any = None
        self._random = np.random.default_rng(seed)
        self._waiting: list[tuple[int, int, int, np.ndarray]] = []
        self._left = np.zeros(0, np.float32)
        self._next_ns = self._count = self._due_ns = 0
        self._more: Callable[[], np.ndarray] | None = None

    def open(self, key: str = 'int16', rate_hz: int = RATE_HZ) -> None:
        """Publish as a type; a publisher that is there goes."""
        self.close()
        self.key, self.rate_hz = key, rate_hz
        self._publisher = self.world.node.create_publisher(
            AUDIO_TYPES[key].load(), self.topic, QoSProfile(depth=200))
        self.is_open = True

    def close(self) -> None:
        """Vanish, in the middle of a word if need be."""
        if self._publisher is not None:
            self.world.node.destroy_publisher(self._publisher)
        self._publisher, self.is_open = None, False
        self._waiting.clear()

    def talk(self, more: Callable[[], np.ndarray]) -> None:
        """Begin to talk; ``more`` gives samples ``(n,)`` at 16 kHz whenever they run out."""
        self._more, self.is_talking = more, True
        self._left = np.zeros(0, np.float32)
        self._next_ns = self._due_ns = self.world.now_ns()

    def hush(self) -> None:
        self.is_talking = False
        self._waiting.clear()

    def say_at_once(self, samples: np.ndarray) -> None:
        """Publish a whole utterance in one message, as a synthesiser does."""
        self._publish(self.world.now_ns(), samples)

    def tick(self, now_ns: int) -> None:
        """Send what is due."""
        while self.is_talking and self._next_ns <= now_ns:
            self._schedule()
        while self._waiting and self._waiting[0][0] <= now_ns:
            _, _, stamp_ns, samples = heapq.heappop(self._waiting)
            self._publish(stamp_ns, samples)

    def _schedule(self) -> None:
        count = round(PACKET_S * RATE_HZ)
        while len(self._left) < count:
            assert self._more is not None
            self._left = np.concatenate([self._left, self._more()])
        packet, self._left = self._left[:count], self._left[count:]
        stamp_ns, self._next_ns = self._next_ns, self._next_ns + round(PACKET_S * NS)
        if self._random.uniform() < self.loss:
            self.lost += 1
            return
        late_ns = int(self._random.uniform(0.0, self.jitter_s) * NS)
        self._due_ns = max(self._due_ns, stamp_ns + late_ns)
        self._count += 1
        heapq.heappush(self._waiting, (self._due_ns, self._count, stamp_ns, packet))

    def _publish(self, stamp_ns: int, samples: np.ndarray) -> None:
        if self._publisher is None:
            return
        if self.rate_hz != RATE_HZ:
            samples = soxr.resample(samples, RATE_HZ, self.rate_hz)
        message = AUDIO_TYPES[self.key].load()()
        AUDIO_TYPES[self.key].write(message, (samples * 32_000).astype(np.int16)[:, None],
                                    self.rate_hz, stamp_ns)
        self._publisher.publish(message)
        self.sent += 1


class World:
    """Everything but the node and the script.

    Args:
        seed: of all chance.
    """

    def __init__(self, seed: int) -> None:
        self.node = Node('soak_world')
        self.random = np.random.default_rng(seed)
        profile = load_profile('humanoid')
        self.names, self.limits = tuple(profile.joint_names), profile.limits
        self.position = np.array(profile.rest_positions)
        self.running: Plan | None = None
        self.too_late = 0
        self.audit = MotionAuditor(self.limits)
        self.rejected: Counter[str] = Counter()
        self.plans: deque[Plan] = deque(maxlen=600)
        self.states: deque[tuple[int, str]] = deque(maxlen=600)
        self.answers: Counter[str] = Counter()
        self.broken: deque[TrajectoryMessage] = deque(maxlen=50)
        self.speed, self.slow_loops, self.longest_loop_s = 0.0, 0, 0.0
        self.is_measured = True
        self.is_clock_running = True
        self.watch: Callable[[], None] = lambda: None
        self._sim_ns, self._looped_s = 0, time.monotonic()
        self._cycle_ns = self._watched_ns = 0
        self._said: JointTrajectory | None = None
        self._clients: dict[str, Any] = {}
        self._sent: deque[tuple[int, Plan]] = deque()
        self._wire()
        self.restart_controller()
        self.voice, self.other = Voice(self, 'audio', seed), Voice(self, 'audio_other', seed + 1)

    def _wire(self) -> None:
        node, deep = self.node, QoSProfile(depth=100)
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._clock = node.create_publisher(Clock, '/clock', 10)
        self._joints = node.create_publisher(JointState, 'joint_states', 10)
        self.yields = node.create_publisher(String, '/gesture_node/yield', 10)
        self.requests = node.create_publisher(String, 'gesture_request', 10)
        node.create_subscription(JointTrajectory, 'joint_trajectory', self._obey, deep)
        node.create_subscription(JointState, 'face/blendshapes',
                                 lambda message: self.audit.take_face(message.position), deep)
        node.create_subscription(String, '/gesture_node/state', self._note_state, latched)
        node.create_subscription(String, '/gesture_node/yielded', self._count, latched)
        node.create_subscription(String, 'gesture_result', self._count, deep)

    @property
    def state(self) -> str:
        """What the node last said it is doing."""
        return self.states[-1][1] if self.states else ''

    def now_ns(self) -> int:
        """Return ROS time, simulated or not."""
        return self._sim_ns if self.speed else time.time_ns()

    def is_over(self) -> bool:
        """Return whether the controller has played the last plan, and the one it runs, to the end.

        Those differ where the last one was lost. How far it has played counts, not what time it
        is: this process may have been kept waiting.
        """
        ends_ns = [plan.end_ns for plan in (self.running, *list(self.plans)[-1:]) if plan]
        return self._cycle_ns > max(ends_ns, default=-NS) + NS // 50

    def begin_clock(self, speed: float) -> None:
        """Rule the clock at a speed; 0 leaves time to the machine."""
        self.speed, self._sim_ns = speed, 1_000 * NS
        self._looped_s, self._cycle_ns = time.monotonic(), 0
        self.states.clear()
        self.plans.clear()
        self.restart_controller()

    def jump(self, seconds: float) -> None:
        """Let simulated time jump; controllers restart where the robot is, as simulators do."""
        self._sim_ns += round(seconds * NS)
        self._cycle_ns = 0
        self.plans.clear()
        self.restart_controller()

    def restart_controller(self) -> None:
        self.controller = TrajectoryController(self.names, self.position)
        self.running = None
        self._sent.clear()
        self.audit.forget()

    def loop(self) -> None:
        """Let a few milliseconds pass."""
        now_s = time.monotonic()
        spent_s, self._looped_s = now_s - self._looped_s, now_s
        self.longest_loop_s = max(self.longest_loop_s, spent_s)
        self.slow_loops += spent_s > SLOW_S
        if self.speed and self.is_clock_running:
            self._sim_ns += round(min(spent_s, SLOW_S) * self.speed * NS)
            self._clock.publish(Clock(clock=_time(self._sim_ns)))
        self._executor.spin_once(timeout_sec=0.002)
        now_ns = self.now_ns()
        self._control(now_ns)
        self.voice.tick(now_ns)
        self.other.tick(now_ns)
        if now_s * NS - self._watched_ns > NS:
            self._watched_ns = round(now_s * NS)
            self.watch()

    def run(self, seconds: float) -> None:
        """Let ROS time pass."""
        end_ns, wall_s = self.now_ns() + round(seconds * NS), time.monotonic() + seconds + 2.0
        while self.now_ns() < end_ns and time.monotonic() < wall_s:
            self.loop()

    def until(self, holds: Callable[[], bool], limit_s: float) -> bool:
        """Wait until something holds; return false if it did not within real seconds."""
        end_s = time.monotonic() + limit_s
        while not holds():
            if time.monotonic() > end_s:
                return False
            self.loop()
        return True

    def speed_rad_s(self) -> float:
        """Return how fast the fastest joint is commanded to move now."""
        last = self.audit._last
        return 0.0 if last is None else float(np.abs(last[1].velocities).max())

    def call(self, kind: Any, name: str, request: Any, limit_s: float = 5.0) -> Any:
        """Call a service of the node; return its answer, ``None`` if none came."""
        client = self.client(kind, name)
        if not self.until(client.service_is_ready, limit_s):
            return None
        future = client.call_async(request)
        return future.result() if self.until(future.done, limit_s) else None

    def client(self, kind: Any, name: str) -> Any:
        """Return the client of a service, made once: finding the service takes a while."""
        if name not in self._clients:
            self._clients[name] = self.node.create_client(kind, f'/gesture_node/{name}')
        return self._clients[name]

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown()

    def _control(self, now_ns: int) -> None:
        """Run the control cycles that are due, each with the messages that were there by then.

        A controller runs in real time; that this process may be late is no fault of the node.
        """
        period_ns = CYCLE_NS * (2 if self.speed > 1.0 else 1)
        if now_ns - self._cycle_ns < period_ns:
            return
        if self.speed or now_ns - self._cycle_ns > NS:
            self._cycle_ns = now_ns - period_ns
        while self._cycle_ns + period_ns <= now_ns:
            self._cycle_ns += period_ns
            self._cycle(self._cycle_ns)
        if self.is_measured:
            state = JointState(name=list(self.names), position=self.position.tolist())
            state.header.stamp = _time(self._cycle_ns)
            self._joints.publish(state)

    def _cycle(self, now_ns: int) -> None:
        while self._sent and self._sent[0][0] <= now_ns:
            plan = self._sent.popleft()[1]
            refusal = self.controller.accept(plan.message, now_ns)
            if refusal is not None:
                self.rejected[refusal.value] += 1
                continue
            if self.running is not None and not self.running.agrees(plan, now_ns):
                self.too_late += 1
                print(f'{time.time():.3f} plan of {plan.message.stamp_ns} came at {now_ns}, '
                      'after it had parted from the one before', file=sys.stderr, flush=True)
            self.running = plan
        command = self.controller.sample(now_ns, self.position)
        self.position = command.positions
        if self.audit.take_command(now_ns, command):
            newest_ns = self.plans[-1].arrival_ns if self.plans else 0
            print(f'{time.time():.3f} violation {(now_ns - newest_ns) / 1e6:.0f} ms after the '
                  f'newest plan, acceleration {self.audit.acceleration_share:.3f} of its limit, '
                  f'state {self.state}: {dict(self.audit.found)}',
                  file=sys.stderr, flush=True)

    def _obey(self, message: JointTrajectory, info: MessageInfo) -> None:
        now_ns, steady_ns = self.now_ns(), time.monotonic_ns()
        late_ns = max(0, time.time_ns() - int(info['source_timestamp']))
        if not self.speed:
            now_ns -= late_ns
        plan = Plan(trajectory_of(message), now_ns, steady_ns - late_ns)
        if self._said != message:
            self._said = message
            self.plans.append(plan)
            if self.audit.take_plan(plan.message):
                self.broken.append(plan.message)
        if self.random.uniform() >= LOST_PLANS:
            self._sent.append((now_ns + DELIVERY_NS, plan))

    def _note_state(self, message: String) -> None:
        self.states.append((time.monotonic_ns(), message.data))

    def _count(self, message: String) -> None:
        self.answers['error' if '"error": ""' not in message.data else 'granted'] += 1


def _time(time_ns: int) -> Time:
    return Time(sec=time_ns // NS, nanosec=time_ns % NS)
