"""What a request may say; any text is understood or refused with one sentence."""
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st
import pytest

from gesture_node.exceptions import RequestError
from gesture_node.gestures.request import GestureRequest, parse_request


@pytest.mark.parametrize('text, wanted', [
    ('greet', GestureRequest(gesture='greet')),
    ('  greet\n', GestureRequest(gesture='greet')),
    ('count 3 hand=left', GestureRequest(gesture='count', arguments=(3.0,), hand='left')),
    ('point_at 1.0 0.3 1.2 frame=base_link at=0.5u',
     GestureRequest(gesture='point_at', arguments=(1.0, 0.3, 1.2), frame='base_link',
                    fraction=0.5)),
    ('big at=0.25u of=4s amplitude=0.8 id=a7',
     GestureRequest(gesture='big', fraction=0.25, utterance_s=4.0, amplitude=0.8, id='a7')),
    ('stop at=1.5', GestureRequest(gesture='stop', in_s=1.5)),
    ('stop at=1.5s', GestureRequest(gesture='stop', in_s=1.5)),
    ('me stamp=1700000000.5', GestureRequest(gesture='me', stamp_s=1_700_000_000.5)),
    ('{"gesture": "point_at", "target": [1, 0, 1], "at_s": 2, "id": "x"}',
     GestureRequest(gesture='point_at', arguments=(1.0, 0.0, 1.0), in_s=2.0, id='x')),
    ('{"gesture": "count", "number": 2, "at_fraction": 0.5, "of_s": 3}',
     GestureRequest(gesture='count', arguments=(2.0,), fraction=0.5, utterance_s=3.0)),
    ('{"gesture": "me", "stamp": null, "hand": "right"}',
     GestureRequest(gesture='me', hand='right')),
])
def test_both_ways_of_asking(text: str, wanted: GestureRequest) -> None:
    assert parse_request(text) == wanted


@pytest.mark.parametrize('text, words', [
    ('', 'empty'), ('Greet', "small letters, digits and _, got 'Greet'"),
    ('greet hand=foot', "hand must be one of left, right, both, got 'foot'"),
    ('greet at=soon', "in_s must be a number, got 'soon'"),
    ('greet at=1 stamp=3', 'one time is enough'), ('greet at=2u', 'fraction must be in [0, 1]'),
    ('greet of=3', 'only of use with a fraction'), ('greet at=1 at=1', 'given twice'),
    ('greet speed=3', "no key 'speed'"), ('greet amplitude=9', 'in [0.3, 1.2], got 9'),
    ('count three', "argument must be a number, got 'three'"),
    ('point_at 1 2 3 4', 'at most 3 numbers'), ('point_at nan 0 0', 'must be a number'),
    ('point_at 1e9 0 0', 'in [-100, 100], got 1e+09'), ('x' * 2_001, 'at most 2000 characters'),
    ('{', 'not JSON'), ('{}', 'lacks the key "gesture"'), ('{"gesture": 3}', 'got 3'),
    ('{"gesture": "me", "gesture": "you"}', 'given twice'),
    ('{"gesture": "me", "at_s": true}', 'must be a number, got True'),
    ('{"gesture": "me", "amplitude": NaN}', 'must be a number, got nan'),
    ('{"gesture": null}', 'names no gesture'), ('{"gesture": "me", "id": "a\\nb"}', 'a line'),
])
def test_mistakes_are_one_sentence(text: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(text)
    assert words in str(caught.value)
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 300


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.text(max_size=8), inner, max_size=4), max_leaves=8)
KEYS = st.sampled_from(['gesture', 'target', 'number', 'at_s', 'at_fraction', 'of_s', 'stamp',
                        'amplitude', 'hand', 'frame', 'id', 'arguments', 'in_s'])
WORDS = st.lists(st.one_of(st.text(max_size=12), st.builds('{}={}'.format, KEYS, PLAIN),
                           st.builds('at={}{}'.format, st.floats(), st.sampled_from('us ')),
                           st.floats().map(str)), max_size=6).map(' '.join)


@settings(max_examples=200, deadline=None)
@example('{' * 1_900)
@example('{"gesture":"me","target":' + '[' * 900 + ']' * 900 + '}')
@example('{"gesture":"me","at_s":1' + '0' * 400 + '}')
@example('greet at=1_0u')
@given(st.one_of(st.text(), WORDS, WORDS.map('greet '.__add__),
                 st.dictionaries(KEYS, VALUES, max_size=5).map(json.dumps)))
def test_any_text_is_understood_or_refused_with_a_sentence(text: str) -> None:
    try:
        request = parse_request(text)
    except RequestError as error:
        assert str(error) and '\n' not in str(error)
    else:
        assert request.gesture
        times = (request.in_s, request.fraction, request.stamp_s)
        assert sum(time is not None for time in times) <= 1
