"""Hears others in a thread of its own, so that a barge-in does not wait for a window.

Knows no ROS. Callbacks only store, as for the robot's own voice. An error is said once and costs
the packet, never the thread.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Condition, Thread

from ..audio.resample import StreamResampler
from ..config import AudioConfig
from ..dialogue.other_voice import Cue, OtherVoice
from ..timeline import NS_PER_S
from .inbox import ReceivedAudio
from .problems import ProblemLog
from .speech_intake import SpeechIntake

MAX_PACKETS = 500
"""That may wait; the oldest are dropped, for what was said long ago interrupts nobody."""
LOST_NS = NS_PER_S
"""A voice whose audio has stopped for so long has ended."""
_WAIT_S = 0.2


@dataclass(slots=True)
class _Voice:
    """One voice and what it takes to hear it."""

    intake: SpeechIntake
    resampler: StreamResampler
    ears: OtherVoice
    arrival_ns: int = 0


class VoiceSink:
    """Where the audio of one voice is stored; an ``AudioSink``.

    Args:
        listener: who hears it.
        name: of the voice.
    """

    def __init__(self, listener: VoiceListener, name: str) -> None:
        self._listener, self._name = listener, name

    def put(self, audio: ReceivedAudio) -> bool:
        """Store a message; the oldest gives way when there is no room."""
        return self._listener.put(self._name, audio)


class VoiceListener:
    """Hears any number of voices and tells what they do.

    Args:
        config: how audio is read whose messages do not say.
        tell: takes cues, and when they came, in the listener's thread. ``BEGINS`` comes when
            the first voice begins, ``ENDS`` when the last one has ended.
        now_ns: reads ROS time [ns].
        problems: takes what is wrong.
    """

    def __init__(self, config: AudioConfig, tell: Callable[[Cue, int], None],
                 now_ns: Callable[[], int], problems: ProblemLog) -> None:
        self.dropped = self.turns = 0
        self._config, self._tell, self._now_ns = config, tell, now_ns
        self._problems = problems
        self._arrived = Condition()
        self._waiting: deque[tuple[str, ReceivedAudio]] = deque()
        self._gone: list[str] = []
        self._voices: dict[str, _Voice] = {}
        self._stopping = False
        self._speaking: set[str] = set()
        self._thread = Thread(target=self._run, name='voice_listener', daemon=True)

    @property
    def other_speaks(self) -> bool:
        """Whether any voice speaks."""
        return bool(self._speaking)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> bool:
        """End the thread; return whether it ended in time."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def put(self, name: str, audio: ReceivedAudio) -> bool:
        """Store a message of a voice; return false if another had to give way."""
        with self._arrived:
            self._waiting.append((name, audio))
            has_room = len(self._waiting) <= MAX_PACKETS
            if not has_room:
                self._waiting.popleft()
                self.dropped += 1
            self._arrived.notify()
        return has_room

    def lose(self, name: str) -> None:
        """Take note that a voice is no longer tracked."""
        with self._arrived:
            self._gone.append(name)
            self._arrived.notify()

    def work(self) -> None:
        """Hear what has arrived; what the thread does again and again."""
        with self._arrived:
            waiting, gone = list(self._waiting), self._gone
            self._waiting.clear()
            self._gone = []
        now_ns = self._now_ns()
        for name, audio in waiting:
            self._hear(name, audio, now_ns)
        for name, voice in list(self._voices.items()):
            is_stale = not -LOST_NS < now_ns - voice.arrival_ns < LOST_NS
            if name in gone or is_stale:
                self._note(name, [heard.cue for heard in voice.ears.lose()], now_ns)
                del self._voices[name]

    def _run(self) -> None:
        while True:
            with self._arrived:
                if not (self._waiting or self._stopping or self._gone):
                    self._arrived.wait(_WAIT_S)
                if self._stopping:
                    return
            try:
                self.work()
            except Exception as error:
                # Whatever it is: others are then not heard, but the robot goes on.
                self._voices.clear()
                self._problems.report(f'listener_{type(error).__name__}', (
                    f'others cannot be heard: {type(error).__name__}: {str(error)[:300]}'))

    def _hear(self, name: str, audio: ReceivedAudio, now_ns: int) -> None:
        voice = self._voices.setdefault(name, _Voice(
            SpeechIntake(self._config, self._problems), StreamResampler(), OtherVoice()))
        voice.arrival_ns = audio.arrival_ns
        heard = voice.intake.decode(audio)
        if heard is None:
            return
        block = heard.block
        cues = voice.ears.accept(voice.resampler.accept(block.samples, block.sample_rate))
        self._note(name, [item.cue for item in cues], now_ns)

    def _note(self, name: str, cues: list[Cue], now_ns: int) -> None:
        """Tell what a voice does, of several the first beginning and the last end."""
        for cue in cues:
            if cue is Cue.BEGINS:
                is_first = not self._speaking
                self._speaking.add(name)
                self.turns += is_first
                if is_first:
                    self._tell(cue, now_ns)
            elif cue is Cue.ENDS:
                self._speaking.discard(name)
                if not self._speaking:
                    self._tell(cue, now_ns)
            else:
                self._tell(cue, now_ns)
