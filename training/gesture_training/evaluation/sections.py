"""The parts of an evaluation, run by several processes: one bundle loaded in each."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import as_completed, ProcessPoolExecutor
from functools import partial
import multiprocessing
import os
import time

from tqdm import tqdm

from gesture_node.pipeline import GesturePipeline

from . import baselines, body, face_life, lip_sync, lips, steps, style
from .settings import Outcome, Settings

Section = Callable[[GesturePipeline, Settings], Outcome]
SECTIONS: dict[str, Section] = {
    # The longest first, so that none is left over at the end.
    'body_live': partial(body.body, mode='live'),
    'style': style.style,
    'lips_live': partial(lips.lips, mode='live'),
    'steps_body': steps.body_steps,
    'baselines': baselines.baselines,
    'lips_minutes': lips.lips_for_minutes,
    'body_ahead': partial(body.body, mode='ahead'),
    'blinks': face_life.blinks_and_rest,
    'body_minutes': body.body_for_ten_minutes,
    'seeds': face_life.seeds,
    'lips_noise': lips.lips_in_noise,
    'lips_ahead': partial(lips.lips, mode='ahead'),
    'languages': lips.lips_unseen_languages,
    'sync': lip_sync.lip_sync,
    'body_noise': body.body_in_noise,
    'foresight': lips.lips_by_foresight,
    'steps_face': steps.face_steps,
    'lip_references': lips.lip_references,
    'lips_recorded': lips.lips_recorded,
}
_THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')
_pipelines: dict[str, GesturePipeline] = {}


def run_section(name: str, settings: Settings) -> tuple[Outcome, float]:
    """Return what a section found and how long it took [s]."""
    begun_s = time.monotonic()
    key = str(settings.bundle)
    if key not in _pipelines:
        _pipelines[key] = GesturePipeline.from_bundle(settings.bundle, provider='cpu', threads=1)
    return SECTIONS[name](_pipelines[key], settings), time.monotonic() - begun_s


def run_sections(settings: Settings, names: list[str], processes: int
                 ) -> Iterator[tuple[str, Outcome, float]]:
    """Yield name, outcome and duration [s] of each section, in the order in which they finish.

    Args:
        settings: what to evaluate.
        names: sections to run.
        processes: how many at a time; each has one thread.
    """
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, '1'))
    try:
        # Spawned and not forked: threads of numerical libraries do not survive a fork.
        with ProcessPoolExecutor(processes, multiprocessing.get_context('spawn')) as pool:
            waiting = {pool.submit(run_section, name, settings): name for name in names}
            bar = tqdm(as_completed(waiting), 'evaluate', len(waiting), unit='section',
                       disable=None)
            for done in bar:
                outcome, duration_s = done.result()
                bar.write(f'{waiting[done]}: {duration_s:.0f} s')
                yield waiting[done], outcome, duration_s
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
