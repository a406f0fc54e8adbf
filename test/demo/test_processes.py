"""Processes of the demo: ended in order, and their failures explained."""
from __future__ import annotations

import os
from pathlib import Path
import socket
import sys
import time

import pytest

from gesture_node.demo.domain import environment, free_domain
from gesture_node.demo.processes import ProcessGroup
from gesture_node.exceptions import SimulationError

QUIET = 'import time; print("ready", flush=True); time.sleep(60)'
FAILING = 'import sys; print("first line"); print("no such robot"); sys.exit(3)'
STUBBORN = ('import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); '
            'print("ready", flush=True); time.sleep(60)')


def group(folder: Path) -> ProcessGroup:
    return ProcessGroup(os.environ, folder)


def test_a_process_that_fails_shows_its_last_lines(tmp_path: Path) -> None:
    with group(tmp_path) as processes:
        processes.start('node', [sys.executable, '-c', FAILING])
        with pytest.raises(SimulationError, match='node ended with code 3') as caught:
            processes.wait(60.0)
    assert 'no such robot' in str(caught.value)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with group(tmp_path) as processes:
        processes.start('stubborn', [sys.executable, '-c', STUBBORN])
        processes.wait_for_log('stubborn', 'ready', 60.0)
        begun_s = time.monotonic()
        with pytest.raises(SimulationError, match='stubborn did not end'):
            processes.interrupt('stubborn', 0.2)
        assert not processes.is_running('stubborn')
    assert time.monotonic() - begun_s < 50.0


def test_interrupt_is_as_gentle_as_ctrl_c(tmp_path: Path) -> None:
    program = ('import time\ntry:\n print("ready", flush=True); time.sleep(60)\n'
               'except KeyboardInterrupt:\n print("braked")')
    with group(tmp_path) as processes:
        processes.start('node', [sys.executable, '-c', program])
        processes.wait_for_log('node', 'ready', 60.0)
        processes.interrupt('node', 60.0)
    assert 'braked' in (tmp_path / 'node.log').read_text()


def test_waiting_for_words_ends_when_they_cannot_come(tmp_path: Path) -> None:
    with group(tmp_path) as processes:
        processes.start('short', [sys.executable, '-c', 'print("done")'])
        with pytest.raises(SimulationError, match='short ended too early'):
            processes.wait_for_log('short', 'ready', 60.0)
        processes.start('quiet', [sys.executable, '-c', QUIET])
        with pytest.raises(SimulationError, match='quiet was not ready'):
            processes.wait_for_log('quiet', 'never said', 0.2)


def test_domains_in_use_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('gesture_node.demo.domain._DOMAINS', range(90, 92))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(('', 7400 + 250 * 90 + 10))
        assert free_domain() == 91
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as another:
            another.bind(('', 7400 + 250 * 91 + 10))
            with pytest.raises(SimulationError, match='90 to 91'):
                free_domain()
    assert environment(91)['ROS_DOMAIN_ID'] == '91'
