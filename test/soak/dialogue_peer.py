"""The dialogue soak as a process: starts nodes, plays the script around them, prints a report.

``dialogue_peer.py FOLDER SECONDS SEED NODE_ARGUMENT...``
"""
from __future__ import annotations

from dataclasses import astuple
import json
from pathlib import Path
import pickle
import sys
import time
from typing import Any

from dialogue_process import NodeProcess
from dialogue_scenes import Scenes
from dialogue_script import events, Life, lives
from dialogue_sounds import data_folder, Sounds
from dialogue_world import World
import numpy as np
import rclpy

WARM_S, LATE_STOP_S = 60.0, 0.1


class Campaign:
    """All lives, one after the other.

    Args:
        folder: where logs go.
        seed: of everything that is drawn.
        arguments: command line of the node.
    """

    def __init__(self, folder: Path, seed: int, arguments: list[str]) -> None:
        self._folder, self._arguments = folder, arguments
        self._random = np.random.default_rng(seed)
        self._world = World(seed)
        self._sounds = Sounds(np.random.default_rng(seed), data_folder())
        self._scenes = Scenes(self._world, self._sounds)
        self._nodes: list[NodeProcess] = []
        self.crashes: list[str] = []
        self.simulated_s = self.real_s = 0.0

    def live(self, life: Life) -> None:
        """Play one life."""
        world, scenes = self._world, self._scenes
        world.begin_clock(life.speed)
        node = NodeProcess([*self._arguments, *[part for item in life.settings
                                                for part in ('-p', item)]],
                           self._folder, len(self._nodes))
        self._nodes.append(node)
        scenes.node, scenes.life, world.watch = node, life, node.look
        if not world.voice.is_open:
            world.voice.open()
        if not world.other.is_open:
            world.other.open()
        begun_s, begun_ns = time.monotonic(), world.now_ns()
        if scenes.born():
            for event in events(life, self._random):
                if time.monotonic() - begun_s > life.seconds or node.has_crashed:
                    break
                scenes.play(event)
        self.real_s += time.monotonic() - begun_s
        # A clock that jumps tells nothing of how much was lived.
        self.simulated_s += (time.monotonic() - begun_s) * max(life.speed, 1.0) if (
            life.speed) else (world.now_ns() - begun_ns) / 1e9
        self._end(node, life)

    def _end(self, node: NodeProcess, life: Life) -> None:
        if node.has_crashed:
            self.crashes.append(f'life {node.number} ended by itself')
        self._world.watch = lambda: None
        if life.ending == 'kill' and not node.has_crashed:
            # In the middle of a word; the robot must come to rest by its last plan.
            self._scenes._speak()
            self._scenes._until_moving()
        if not node.end(life.ending):
            self.crashes.append(f'life {node.number} did not end cleanly')
        if not life.speed:
            self._world.run(2.0)
            self._scenes._check_rest('killed')
        self._world.voice.hush()

    def report(self) -> dict[str, Any]:
        """Return everything that was found."""
        scenes, world = self._scenes, self._world
        for node in self._nodes:
            if 'Traceback' in node.log.read_text():
                self.crashes.append(f'life {node.number} has a traceback in its log')
        self._keep('broken_plans', list(world.broken))
        stops = [(seen, stop) for seen in scenes.seen_stops if (
            stop := seen.judged(world.limits)) is not None]
        self._keep('late_stops', [seen for seen, stop in stops if stop.departs_s > LATE_STOP_S])
        return {
            'real_s': self.real_s, 'dialogue_s': self.simulated_s, 'crashes': self.crashes,
            'violations': {key: count for key, count in world.audit.found.items() if count},
            'plans': world.audit.plans, 'face_frames': world.audit.face_frames,
            'cycles': world.audit.cycles, 'too_late': world.too_late,
            'rejected': dict(world.rejected),
            'growth': [node.growth(WARM_S) for node in self._nodes],
            'rss_mb': [node.rss_mb[-1][1] if node.rss_mb else 0.0 for node in self._nodes],
            'recoveries': scenes.recoveries, 'in_vain': scenes.in_vain,
            'stops': [astuple(stop) for seen, stop in stops if seen.is_final],
            'interrupts': [astuple(stop) for seen, stop in stops if not seen.is_final],
            'detections_s': scenes.detections_s, 'moving_at_rest': scenes.moving_at_rest,
            'played': dict(scenes.played), 'sounds': self._sounds.counts,
            'sent': world.voice.sent, 'lost': world.voice.lost,
            'slow_loops': world.slow_loops, 'longest_loop_s': world.longest_loop_s,
        }

    def _keep(self, name: str, found: list[Any]) -> None:
        """Write what was found: whoever looks for a cause needs the very messages."""
        with (self._folder / f'{name}.pickle').open('wb') as file:
            pickle.dump(found, file)

    def close(self) -> None:
        for node in self._nodes:
            if node.is_expected_to_live:
                node.end('kill')
        self._world.close()


def main() -> None:
    folder, seconds, seed = Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    # The other arguments are the node's, not mine.
    rclpy.init(args=[])
    campaign = Campaign(folder, seed, sys.argv[4:])
    try:
        for life in lives(seconds):
            campaign.live(life)
        print(json.dumps(campaign.report()))
    finally:
        campaign.close()


if __name__ == '__main__':
    main()
