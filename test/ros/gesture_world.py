"""A driver that takes requests for gestures, on a clock of the test's own: no thread, no ROS."""
from driver_bench import config, DriverBench, knots, NS, PIPELINE, PROFILE
import numpy as np

from gesture_node.exceptions import RequestError
from gesture_node.gestures.choice import GestureChooser
from gesture_node.gestures.library import load_library
from gesture_node.ros.dialogue_config import DialogueConfig
from gesture_node.ros.gesture_desk import GestureDesk

LIBRARY = load_library()
RIGHT_ARM = [i for i, name in enumerate(PROFILE.joint_names) if name.startswith('right_')]


def lookup(frame, target):
    """Know one frame, a metre ahead of the root; one needs tf2, all others never come."""
    if frame == 'table':
        return (target[0] + 1.0, *target[1:])
    if frame == 'no_tf':
        raise RequestError('targets need the package tf2_ros')
    return None


class Asker(DriverBench):
    """A driver, its robot and its answers."""

    def __init__(self, robot=PROFILE, idles=False, **output):
        self.results = []
        desk = GestureDesk(lambda: GestureChooser(LIBRARY, robot, PIPELINE.bundle.body.idle),
                           self.results.append, lookup)
        dialogue = DialogueConfig(motion_budget_rad=0.05 if idles else 0.0)
        super().__init__(config(**output), robot, dialogue=dialogue, gestures=desk)

    def speak(self, seconds):
        """Speak in real time; when it was recorded nobody says."""
        super().speak(seconds, stamped=False)

    def ask(self, text):
        self.driver.gestures.ask(text, self.now)

    def statuses(self):
        return [result['status'] for result in self.results]

    def swing(self, start_s, end_s):
        """Return how far the right arm went in a stretch of ROS time [rad]."""
        rows = [p for t, (p, _) in knots(self).items() if start_s * NS <= t <= end_s * NS]
        return np.ptp(np.array(rows)[:, RIGHT_ARM], axis=0).max()
