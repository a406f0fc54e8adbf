"""The gallery shows held-out clips at telling moments, and says of each closure if it is shut."""
from __future__ import annotations

import csv
from pathlib import Path

from gesture_training.corpora.align import AlignedPhone
from gesture_training.corpora.phones import PhoneClass, Segment
from gesture_training.corpora.speechocean import SpokenTake
from gesture_training.corpora.splits import held_out_speakers
from gesture_training.evaluation import gallery, gallery_clips
from gesture_training.evaluation.gallery_clips import filled, GalleryClip, shortened
from gesture_training.evaluation.gallery_moments import (
    ACCENT,
    choose_moments,
    CLOSURE,
    EVEN,
    Moment,
    PAUSE,
    ROUND,
)
from gesture_training.evaluation.gallery_page import END, START, write_page
from gesture_training.evaluation.gallery_sheet import (
    APART,
    COLOURS,
    contact_sheet,
    Curves,
    draw_skeleton,
    Frame,
    NEARLY,
    overview_sheet,
    SHUT,
)
from gesture_training.exceptions import TrainingError
import numpy as np
from PIL import Image
import pytest
import soundfile

from gesture_node.motion.skeleton import rest_pose

RATE = 16_000
SIZE = 60


def phones(*spoken: tuple[float, float, PhoneClass]) -> list[Segment]:
    return [Segment(*one) for one in spoken]


SPOKEN = phones((0.5, 0.6, PhoneClass.PP), (0.6, 0.9, PhoneClass.AA), (0.9, 1.0, PhoneClass.PP),
                (1.0, 1.3, PhoneClass.UW), (2.0, 2.1, PhoneClass.PP), (2.1, 2.4, PhoneClass.AA))


def make_curves(aperture: np.ndarray, vowel_median: float) -> Curves:
    times_s = np.arange(300) / 100.0
    return Curves(waveform=np.zeros(3 * RATE, np.float32), accents_s=np.array([0.6, 2.1]),
                  wrists=(times_s, np.ones((300, 2))), beats_s=np.array([0.66]),
                  hands=(times_s, np.ones((300, 2))), aperture=aperture, teacher=aperture,
                  vowel_median=vowel_median, phones=[], lids=np.zeros(150),
                  head_deg=np.zeros((150, 2)), head_names=('head_yaw', 'head_pitch'))


def make_frame(kind: str = '', verdict: str = '') -> Frame:
    grey = Image.new('RGB', (SIZE, SIZE), (128, 128, 128))
    return Frame(Moment(1.0, kind), grey, grey.copy(), verdict)


def test_moments_are_in_order_apart_and_of_every_kind() -> None:
    moments = choose_moments(SPOKEN, [0.62, 2.12], 3.0, 8)
    times_s = [one.time_s for one in moments]
    assert len(moments) == 8 and times_s == sorted(times_s)
    assert np.diff(times_s).min() >= 0.3 * 3.0 / 8
    assert {CLOSURE, ACCENT, ROUND, PAUSE} <= {one.kind for one in moments}
    shown = [one.time_s for one in moments if one.kind == CLOSURE]
    assert set(shown) <= {0.55, 0.95, 2.05} and len(shown) >= 2


def test_a_clip_without_phones_is_looked_at_evenly() -> None:
    moments = choose_moments([], [], 4.0, 5)
    assert [one.kind for one in moments if one.kind != PAUSE] == [EVEN] * 4
    assert np.diff([0.0, *(one.time_s for one in moments), 4.0]).max() <= 1.0


def test_silence_fills_what_lies_between_phones() -> None:
    whole = filled(SPOKEN, 3.0)
    silent = [(s.start_s, s.end_s) for s in whole if s.phone == PhoneClass.SIL]
    assert silent == [(0.0, 0.5), (1.3, 2.0), (2.4, 3.0)]
    assert sum(s.end_s - s.start_s for s in whole) == pytest.approx(3.0)


def test_a_take_is_cut_in_a_pause() -> None:
    take = SpokenTake('t', 's', 'v', 'CC0', np.zeros(3 * RATE, np.float32), SPOKEN)
    assert shortened(take, 3.0) is take
    short = shortened(take, 2.05)
    assert len(short.waveform) == 2 * RATE
    assert short.segments == SPOKEN[:4]


def make_motion(jaw: np.ndarray) -> gallery.ClipMotion:
    weights = np.zeros((len(jaw), 52), np.float32)
    weights[:, gallery.BLENDSHAPE_INDEX['jawOpen']] = jaw
    return gallery.ClipMotion(np.zeros((len(jaw), 1)), weights, np.zeros((len(jaw) // 2, 84)))


def test_a_closure_is_judged_where_the_mouth_is_lowest_near_it() -> None:
    jaw = np.full(150, 0.4)
    jaw[51], jaw[101] = 0.0, 0.05
    motion, curves = make_motion(jaw), make_curves(jaw, 0.4)
    best = [gallery.at_its_best(curves, Moment(t, CLOSURE)).time_s for t in (1.0, 2.0, 1.5)]
    assert best == pytest.approx([1.02, 2.02, 1.5])
    assert [gallery.verdict(motion, curves, t) for t in best] == [SHUT, NEARLY, APART]
    assert gallery.verdict(motion, make_curves(jaw, 0.1), 2.02) == APART
    assert gallery.at_its_best(curves, Moment(1.0, ACCENT)) == Moment(1.0, ACCENT)


def test_a_fluttering_mouth_opens_more_often_than_syllables() -> None:
    times_s = np.arange(150) / 50.0
    syllables = 0.2 - 0.2 * np.cos(2 * np.pi * 3.0 * times_s)
    flutter = 0.08 * np.sin(2 * np.pi * 11.0 * times_s)
    assert gallery.openings_per_s(syllables) == pytest.approx(3.0)
    assert gallery.openings_per_s(syllables + flutter) > 6.0
    assert gallery.openings_per_s(np.zeros(150)) == 0.0


def test_sheets_frame_closures_in_the_colour_of_their_success() -> None:
    frames = [make_frame(), make_frame(CLOSURE, SHUT), make_frame(CLOSURE, APART)] * 3
    curves = make_curves(np.linspace(0.0, 0.5, 150), 0.4)
    sheet = contact_sheet('title', ('one', 'two'), frames, curves)
    assert sheet.width == 8 * SIZE
    top = 58 + SIZE + SIZE // 2
    edges = [sheet.getpixel((column * SIZE + 2, top)) for column in range(3)]
    assert edges == [(128, 128, 128), COLOURS[SHUT], COLOURS[APART]]
    below = np.asarray(sheet)[sheet.height - 560:]
    assert (below != below[0, 0]).any(axis=-1).mean() > 0.01

    overview = overview_sheet('title', [('clip', {'shut': '1 of 2'}, frames[:3])] * 2, SIZE)
    assert overview.size == (250 + 6 * SIZE, 34 + 2 * (SIZE + 4))


def test_the_skeleton_in_the_corner_shows_its_pose() -> None:
    picture = Image.new('RGB', (240, 240), (10, 20, 30))
    raised = rest_pose()
    turn = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    raised[6 * 5:6 * 6] = np.concatenate([turn[:, 0], turn[:, 1]])
    still, moved = (np.asarray(draw_skeleton(picture, pose)) for pose in (rest_pose(), raised))
    assert (still[80:] == (10, 20, 30)).all() and (still[:72, :72] != (10, 20, 30)).any()
    changed = np.argwhere((still != moved).any(axis=-1))
    assert len(changed) > 20
    assert changed[:, 1].min() > 72 * 0.45, 'the left arm is drawn at the right'


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True)
    with open(path, 'w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return corpora of noise: six acted speakers, forty readers."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    rows = []
    for speaker in range(6):
        for take, emotion in enumerate(gallery_clips.EMOTIONS):
            name = f'{speaker:02d}a{take}'
            rows.append({'utterance': name, 'audio': f'{name}.flac', 'speaker': f'{speaker:02d}',
                         'textgrid': f'{name}.TextGrid', 'emotion': emotion,
                         'has_phone_labels': 'yes', 'phones': str(20 + speaker)})
    write_csv(tmp_path / 'speech_emodb' / 'utterances.csv', rows)
    for row in rows:
        soundfile.write(tmp_path / 'speech_emodb' / row['audio'], noise, RATE)
        (tmp_path / 'speech_emodb' / row['textgrid']).write_text(TEXT_GRID)
    readers = [{'utterance': f'{n:04d}1', 'audio': f'{n:04d}1.wav', 'speaker': f'{n:04d}',
                'text': 'MAP', 'canonical_phones': 'M AE1 P', 'seconds': str(1 + n % 20)}
               for n in range(40)]
    write_csv(tmp_path / 'speech_speechocean762' / 'utterances.csv', readers)
    for row in readers:
        soundfile.write(tmp_path / 'speech_speechocean762' / row['audio'], noise, RATE)
    return tmp_path


TEXT_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 1
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.4
            text = "m"
        intervals [2]:
            xmin = 0.4
            xmax = 1
            text = "a"
"""


class EvenAligner:
    """Gives every phone the same length."""

    def align(self, waveform: np.ndarray, words: list[list[str]]) -> list[AlignedPhone]:
        """Return phones one after the other."""
        labels = [label for word in words for label in word]
        edges = np.linspace(0.1, len(waveform) / RATE - 0.1, len(labels) + 1)
        return [AlignedPhone(*one) for one in zip(edges, edges[1:], labels)]


def test_clips_are_of_held_out_speakers_and_four_emotions(
        data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery_clips, 'PhoneAligner', EvenAligner)
    monkeypatch.setattr(gallery_clips, 'disagreement', lambda segments, audio: '')
    monkeypatch.setattr(gallery_clips, 'unlabelled_share', lambda segments, audio: 0.0)
    monkeypatch.setattr(gallery_clips, 'unseen_language_takes', lambda rng: iter(
        SpokenTake(f'{v}-0', 'espeak', f'espeak-{v}', 'free', np.zeros(RATE, np.float32), SPOKEN)
        for v in ('pl+m1', 'pl+f1', 'tr', 'tr+m2')))
    clips = list(gallery_clips.gallery_clips(data))
    names = [clip.name for clip in clips]
    assert len(set(names)) == 10
    acted = [name.split('_') for name in names[:4]]
    assert {emotion for _, emotion, _ in acted} == set(gallery_clips.EMOTIONS)
    assert len({speaker for _, _, speaker in acted}) == 4
    held_out = held_out_speakers([f'{n:04d}' for n in range(40)])
    assert {name.removeprefix('reader_') for name in names[4:8]} == held_out
    assert names[8:] == ['synthetic_pl', 'synthetic_tr']
    assert all(clip.segments[-1].end_s <= clip.duration_s for clip in clips[:8])

    again = list(gallery_clips.gallery_clips(data, [names[5]]))
    assert [clip.name for clip in again] == [names[5]]
    np.testing.assert_array_equal(again[0].waveform, clips[5].waveform)


def test_speech_without_phones_is_noticed() -> None:
    voice = np.zeros(2 * RATE, np.float32)
    times_s = np.arange(RATE) / RATE
    voice[RATE // 2:RATE // 2 + RATE] = 0.3 * sum(np.sin(2 * np.pi * 150 * k * times_s) / k
                                                  for k in range(1, 20))
    whole = phones((0.5, 1.0, PhoneClass.AA), (1.0, 1.5, PhoneClass.EH))
    assert gallery_clips.unlabelled_share(whole, voice) < 0.1
    assert 0.3 < gallery_clips.unlabelled_share(whole[:1], voice) < 0.6


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match='speech_emodb'):
        list(gallery_clips.gallery_clips(tmp_path))


class StillMover:
    """Moves nothing but a jaw that never shuts."""

    label, key = 'nobody', 'still'

    def __init__(self, joints: int) -> None:
        """Know how many joints there are."""
        self.joints, self.moved = joints, 0

    def move(self, clip: GalleryClip) -> gallery.ClipMotion:
        """Return a robot at zero and a jaw half open."""
        self.moved += 1
        weights = np.zeros((150, 52), np.float32)
        weights[:, gallery.BLENDSHAPE_INDEX['jawOpen']] = 0.5
        return gallery.ClipMotion(np.zeros((150, self.joints)), weights,
                                  np.repeat(rest_pose()[None], 75, axis=0))


class PlainStudio:
    """Takes grey pictures."""

    def __init__(self, _profile: object) -> None:
        """Need nothing."""

    def frame(self, _motion: object, moment: Moment, verdict: str) -> Frame:
        """Return grey frames."""
        return make_frame(moment.kind, verdict)

    def close(self) -> None:
        """Do nothing."""


def test_the_command_writes_sheets_and_figures(tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    clip = GalleryClip('one', 'a clip', (0.1 * random.standard_normal(3 * RATE)).astype('f4'),
                       SPOKEN)
    mover = StillMover(len(gallery.load_profile('humanoid').joint_names))
    monkeypatch.setattr(gallery, 'gallery_clips', lambda data, names: iter([clip]))
    monkeypatch.setattr(gallery, 'BundleMover', lambda *_: mover)
    monkeypatch.setattr(gallery, 'Studio', PlainStudio)
    command = ['--data', str(tmp_path), '--out', str(tmp_path / 'out'), '--keep']
    assert gallery.main(command) == 0 and gallery.main(command) == 0
    assert mover.moved == 1, 'kept motion is not made again'
    report = gallery.json.loads((tmp_path / 'out' / 'gallery.json').read_text())
    found = report['clips']['one']
    assert found['closures'] == 3 and found['reached'] == found['lips_touch'] == 0.0
    assert found['blinks_per_min'] == 0.0
    assert found['right_wrist_m_s'] == pytest.approx(0.0, abs=1e-6)
    assert report['processor_s'] > 0.0
    for name in ('one.png', 'overview.png'):
        with Image.open(tmp_path / 'out' / name) as picture:
            assert picture.width > 8 * SIZE - 1


def test_the_page_gets_its_table_between_the_marks(tmp_path: Path) -> None:
    figures = {'reached': 0.5, 'lips_touch': 0.25, 'openings_per_s': 4.0,
               'teacher_openings_per_s': 3.0, 'closures': 4,
               'silence_ratio': 0.03, 'beats_per_min': 30.0,
               'accents_per_min': 40.0, 'left_wrist_m_s': 0.2, 'right_wrist_m_s': 0.1,
               'blinks_per_min': 17.0, 'head_spread_deg': [2.0, 1.0], 'clearance_mm': 30.0}
    report = {'moved_by': 'bundle x', 'robot': 'humanoid', 'processor_s': 9.0,
              'clips': {'one': figures}}
    sheets = {'one': Image.new('RGB', (2_000, 1_000)), 'overview': Image.new('RGB', (400, 100))}
    page = tmp_path / 'gallery.md'
    with pytest.raises(TrainingError, match='gallery.md'):
        write_page(tmp_path, sheets, report)
    page.write_text(f'before\n{START}\nold\n{END}\nafter\n')
    write_page(tmp_path, sheets, report)
    text = page.read_text()
    assert text.startswith('before\n') and text.endswith('\nafter\n') and 'old' not in text
    assert '| [one](gallery/one.png) | 2, 1 of 4 |' in text
    with Image.open(tmp_path / 'gallery' / 'one.png') as small:
        assert small.width < 2_000 and small.width == 2 * small.height
    write_page(tmp_path, sheets, report)
    assert page.read_text() == text


def test_a_name_that_no_clip_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, 'gallery_clips', lambda data, names: iter(()))
    monkeypatch.setattr(gallery, 'BundleMover', lambda *_: StillMover(22))
    monkeypatch.setattr(gallery, 'Studio', PlainStudio)
    assert gallery.main(['--data', str(tmp_path), '--out', str(tmp_path / 'out'),
                         '--clips', 'nobody']) == 1
    assert 'nobody' in capsys.readouterr().err
