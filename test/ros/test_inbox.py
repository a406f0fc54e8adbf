"""What callbacks leave behind for the worker."""
from gesture_node.ros.audio_decoder import AudioFormat
from gesture_node.ros.audio_messages import AudioPacket
from gesture_node.ros.inbox import AudioInbox, LossCounter, MeasuredJoints, ReceivedAudio


def audio(payload=b'1234', arrival_ns=1):
    return ReceivedAudio(AudioPacket(payload, AudioFormat(), None, True), object(), arrival_ns)


def test_order_is_kept_and_taking_empties():
    inbox = AudioInbox(1_000)
    first, second = audio(arrival_ns=1), audio(arrival_ns=2)
    assert inbox.put(first) and inbox.put(second)
    assert inbox.take() == [first, second] and inbox.take() == []
    assert inbox.last_arrival_ns == 2


def test_what_does_not_fit_is_refused_and_counted():
    inbox = AudioInbox(6)
    assert inbox.put(audio()) and not inbox.put(audio())
    assert inbox.refused_bytes == 4
    inbox.take()
    assert inbox.put(audio())


def test_losses_are_counted_by_sequence_number():
    losses = LossCounter()
    assert [losses.count(n) for n in (5, 6, 9, 10)] == [0, 0, 2, 0]
    assert losses.lost == 2


def test_a_new_publisher_is_no_loss():
    losses = LossCounter()
    assert [losses.count(n) for n in (50, 1, 2, 900_000, None)] == [0, 0, 0, 0, 0]
    assert losses.lost == 0


def test_measured_joints_need_every_joint_and_freshness():
    joints = MeasuredJoints()
    joints.put({'a': 1.0}, 0)
    assert joints.fresh(('a', 'b'), 1) is None and joints.missing(('a', 'b')) == ['b']
    joints.put({'b': 2.0, 'wheel': 9.0}, 100)
    assert joints.fresh(('b', 'a'), 200) == {'b': 2.0, 'a': 1.0}
    assert joints.fresh(('a', 'b'), MeasuredJoints.FRESH_NS + 50) is None
