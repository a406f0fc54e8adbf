"""One line per cause, every occurrence counted."""
from gesture_node.ros.problems import ProblemLog


def test_a_cause_is_said_once_and_counted_always():
    said = []
    log = ProblemLog(said.append)
    for _ in range(3):
        log.report('mp3', 'no mp3')
    log.report('nan', 'NaN seen', count=7)
    assert said == ['no mp3', 'NaN seen']
    assert log.counts() == {'mp3': 3, 'nan': 7}


def test_forgetting_says_again_and_keeps_counts():
    said = []
    log = ProblemLog(said.append)
    log.report('mp3', 'no mp3')
    log.forget()
    log.report('mp3', 'no mp3')
    assert said == ['no mp3', 'no mp3'] and log.counts() == {'mp3': 2}
