"""Synthesised takes: languages that measure are never trained on, a missing program is named."""
from gesture_training.corpora import voices
from gesture_training.corpora.align import AlignedPhone
from gesture_training.corpora.phones import PhoneClass, Segment
from gesture_training.corpora.speechocean import stress_words
from gesture_training.corpora.synthesisers import Spoken, VoiceError
import numpy as np
import pytest
import yaml

SENTENCES = yaml.safe_load((voices.CONFIG / 'sentences.yaml').read_text(encoding='utf-8'))
VOICES = yaml.safe_load((voices.CONFIG / 'voices.yaml').read_text(encoding='utf-8'))


class Talker:
    """Stands in for espeak-ng: a second of noise with one vowel for any text."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self.said: list[str] = []

    def speak(self, text: str, voice: str, *_: int) -> Spoken:
        """Return the sentence, remembering its voice."""
        self.said.append(voice)
        wave = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
        return Spoken(wave, [Segment(0.2, 0.8, PhoneClass.AA)])


def missing() -> Talker:
    """Raise as espeak-ng does where it is not installed."""
    raise VoiceError('libespeak-ng.so.1 is not installed')


def test_no_language_is_both_trained_on_and_held_out() -> None:
    assert voices.unseen_languages() == ('pl', 'tr')
    assert not set(voices.unseen_languages()) & set(VOICES['espeak']['languages'])


@pytest.mark.parametrize('group', ['languages', 'held_out'])
def test_every_language_has_sentences_and_enough_voices(group: str) -> None:
    for language, renditions in VOICES['espeak'][group].items():
        assert language in SENTENCES or language.startswith('en')
        assert renditions <= len(VOICES['espeak']['variants'])
    assert all(isinstance(text, str) for texts in SENTENCES.values() for text in texts)


def test_unseen_takes_are_of_unseen_languages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    talker = Talker()
    monkeypatch.setattr(voices, 'shared_espeak', lambda: talker)
    takes = list(voices.unseen_language_takes(np.random.default_rng(0)))
    assert {voice.split('+')[0] for voice in talker.said} == set(voices.unseen_languages())
    assert len({take.name for take in takes}) == len(takes) > 10
    for take in takes:
        assert take.source == 'espeak'
        assert take.segments[-1].end_s < len(take.waveform) / 16_000


def test_without_espeak_there_are_no_unseen_takes_and_one_line_says_so(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(voices, 'shared_espeak', missing)
    assert not list(voices.unseen_language_takes(np.random.default_rng(0)))
    assert 'not installed' in capsys.readouterr().out


def test_short_content_words_are_not_unstressed() -> None:
    phones = [AlignedPhone(0.1 * k, 0.1 * k + 0.1, label) for k, label in
              enumerate(['DH', 'AH0', 'M', 'IY0', 'T', 'B', 'ER0', 'N', 'IY1'])]
    marked = stress_words(phones, 'THE MEAT BERNIE', 'DH AH0 | M IY0 T | B ER0 N IY1')
    assert [p.label for p in marked] == ['DH', 'AH0', 'M', 'IY', 'T', 'B', 'ER0', 'N', 'IY1']
    assert stress_words(phones, 'THE MEAT', 'DH AH0 | M IY0 T | B ER0 N IY1') == phones
