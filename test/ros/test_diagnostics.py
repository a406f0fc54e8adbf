"""What the node says about itself."""
from dataclasses import replace

import pytest

pytest.importorskip('diagnostic_msgs.msg')
from diagnostic_msgs.msg import DiagnosticStatus

from gesture_node.ros.diagnostics import (
    DiagnosticReporter,
    NodeHealth,
    realtime_factor,
    resident_mb,
)

HEALTH = NodeHealth('speaking', robot='nao', counts={'underruns': 0},
                    latency_s={'body_hop': {'p50': 0.04, 'p95': 0.05, 'p99': 0.06},
                               'face_hop': {'p50': 0.01, 'p95': 0.02, 'p99': 0.03}},
                    hop_s={'body_hop': 0.2, 'face_hop': 0.1}, values={'audio backlog ms': 12.0})


def report(*healths):
    reporter = DiagnosticReporter('/gesture_node')
    return [reporter.message(health, 5).status[0] for health in healths]


def test_keys_and_values():
    [status] = report(HEALTH)
    values = {item.key: item.value for item in status.values}
    assert status.level == DiagnosticStatus.OK and status.hardware_id == 'nao'
    assert values['body_hop p95 ms'] == '50.00' and values['audio backlog ms'] == '12.000'
    assert values['realtime factor'] == '0.300' and values['underruns'] == '0'


def test_a_count_that_grew_is_a_warning_once():
    grown = replace(HEALTH, counts={'underruns': 2})
    levels = [status.level for status in report(HEALTH, grown, grown)]
    assert levels == [DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.OK]
    assert 'underruns' in report(HEALTH, grown)[1].message


def test_failure_and_waiting_have_their_levels():
    waiting, failed = report(replace(HEALTH, waiting_for='joint_states'),
                             replace(HEALTH, failed=True))
    assert waiting.level == DiagnosticStatus.WARN and 'joint_states' in waiting.message
    assert failed.level == DiagnosticStatus.ERROR


def test_the_real_time_factor_needs_both_numbers():
    assert realtime_factor({}, {}) == 0.0
    assert realtime_factor({'body_hop': {'p50': 0.05}}, {'body_hop': 0.2}) == pytest.approx(0.25)


def test_resident_memory_is_plausible():
    assert resident_mb() == 0.0 or 5.0 < resident_mb() < 100_000.0
