"""A data folder as users have it, packed: what belongs together, what is left out, who is kept."""
from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import shutil
from typing import Any

from gesture_training.config import load_config
from gesture_training.corpora import corpus as corpus_module
from gesture_training.corpora.corpus import build_corpus, CorpusOptions
from gesture_training.corpora.merge import content_hash, merge_packs
from gesture_training.corpora.pack import PackWriter, read_pack, UNKNOWN_PHONE
from gesture_training.corpora.phones import PhoneClass
from gesture_training.corpora.problems import CatalogueError, UnusableFile
from gesture_training.corpora.readers.smplx import JOINTS
from gesture_training.data import WindowSampler
import numpy as np
import pytest
import soundfile
import yaml

from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES
from gesture_node.motion.skeleton import JOINT_INDEX, mirror_pose, unpack_pose

SECONDS = 2.4
TREE = {'Hips': ('', (0, 0, 0)), 'Spine': ('Hips', (0, 10, 0)), 'Spine1': ('Spine', (0, 10, 0)),
        'Spine2': ('Spine1', (0, 10, 0)), 'Spine3': ('Spine2', (0, 10, 0)),
        'Neck': ('Spine3', (0, 10, 0)), 'Neck1': ('Neck', (0, 5, 0)),
        'Head': ('Neck1', (0, 5, 0))} | {
    f'{side}{name}': (f'{side}{parent}' if parent != 'Spine3' else parent, (sign * x, y, 0))
    for side, sign in (('Left', 1), ('Right', -1)) for name, parent, x, y in (
        ('Shoulder', 'Spine3', 3, 8), ('Arm', 'Shoulder', 14, 0), ('ForeArm', 'Arm', 28, 0),
        ('Hand', 'ForeArm', 26, 0))}


def bvh(path: Path, seconds: float = SECONDS, speed: float = 20.0) -> None:
    """Write a T pose at 60 fps whose left arm is lowered at ``speed`` degrees a second."""
    lines = ['HIERARCHY']
    order: list[str] = []

    def joint(name: str) -> None:
        order.append(name)
        place = 'Xposition Yposition Zposition ' if name == 'Hips' else ''
        lines.extend([f'{"JOINT" if TREE[name][0] else "ROOT"} {name}', '{',
                      'OFFSET {} {} {}'.format(*TREE[name][1]),
                      f'CHANNELS {6 if place else 3} {place}Zrotation Xrotation Yrotation'])
        children = [other for other, (parent, _) in TREE.items() if parent == name]
        for child in children:
            joint(child)
        lines.extend([] if children else ['End Site', '{', 'OFFSET 0 1 0', '}'])
        lines.append('}')

    joint('Hips')
    frames = int(seconds * 60)
    values = np.zeros((frames, 3 + 3 * len(order)))
    values[:, 3 + 3 * order.index('LeftArm')] = -speed * np.arange(frames) / 60.0
    rows = [' '.join(f'{v:.6f}' for v in row) for row in values]
    path.write_text('\n'.join([*lines, 'MOTION', f'Frames: {frames}',
                               f'Frame Time: {1 / 60:.8f}', *rows]))


def sound(path: Path, seconds: float = SECONDS, rate_hz: int = 24_000) -> None:
    """Write syllables of noise, four a second."""
    time_s = np.arange(int(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    soundfile.write(path, 0.2 * noise * np.clip(np.sin(2 * np.pi * 4 * time_s), 0, 1), rate_hz)


def weights(path: Path, seconds: float = SECONDS) -> None:
    """Write the jaw rising by 0.3 a second, the left lid shut."""
    frames = [{'weights': [0.3 * k / 60.0, 1.0], 'time': k / 60.0}
              for k in range(int(seconds * 60))]
    path.write_text(json.dumps({'names': ['jawOpen', 'eyeBlinkLeft'], 'frames': frames}))


def phones(path: Path) -> None:
    path.write_text('start_s,end_s,phone\n0,0.8,SIL\n0.8,1.0,B\n1.0,1.6,AA1\n')


CATALOGUE: dict[str, Any] = {
    'name': 'mine', 'licence': 'CC0-1.0', 'speaker': {'pattern': '^([a-z]+)_'},
    'audio': '**/*.wav', 'body': {'files': '**/*.bvh', 'format': 'bvh', 'skeleton': 'trinity'},
    'face': {'files': '**/*.json', 'format': 'arkit'},
    'phones': {'files': '**/*_phones.csv'}, 'strip': '_phones$'}


@pytest.fixture()
def data(tmp_path: Path) -> Path:
    """Return a data folder with a corpus of four speakers, one recording each."""
    folder = tmp_path / 'data' / 'recordings'
    folder.mkdir(parents=True)
    for speaker in ('ann', 'bob', 'cem', 'dia'):
        sound(folder / f'{speaker}_1.wav')
        bvh(folder / f'{speaker}_1.bvh')
        weights(folder / f'{speaker}_1.json')
    phones(folder / 'ann_1_phones.csv')
    catalogue(folder)
    return tmp_path / 'data'


def catalogue(folder: Path, **changes: Any) -> None:
    content = {key: value for key, value in (CATALOGUE | changes).items() if value is not None}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(content))


def test_recordings_are_packed_on_the_clock(data: Path, tmp_path: Path) -> None:
    summary = build_corpus(data, tmp_path / 'out')
    body, face = (read_pack(tmp_path / 'out', channel) for channel in ('body', 'face'))
    assert [t.name for t in body.takes if t.speaker == 'mine-ann'] == [
        'mine-ann_1/clean', 'mine-ann_1/augmented-1']
    take = body.takes[0]
    assert (take.features, take.frames) == (120, 60)
    assert (take.licence, take.source, take.style) == ('CC0-1.0', 'mine', 'mine')
    shoulder = unpack_pose(body.motion[:60].astype(float))[0][:, JOINT_INDEX['left_shoulder']]
    lowered = np.degrees(np.arcsin(shoulder[:, 2, 2]))
    np.testing.assert_allclose(lowered, 20.0 * np.arange(60) / 25.0, atol=0.2)
    mirrored = mirror_pose(body.motion[60:120].astype(float))
    np.testing.assert_allclose(mirrored, body.motion[:60], atol=2e-3)
    jaw = face.motion[:120, BLENDSHAPE_INDEX['jawOpen']].astype(float)
    np.testing.assert_allclose(jaw[:118], 0.3 * np.arange(118) / 50.0, atol=1e-3)
    assert face.phones is not None
    assert set(face.phones[40:50]) == {int(PhoneClass.PP)}
    assert (face.phones[face.takes[2].first_feature:][:120] == UNKNOWN_PHONE).all()
    assert body.accents is not None and np.isfinite(body.accents).all()
    assert summary['skipped'] == {}


def test_the_summary_says_what_there_is(data: Path, tmp_path: Path) -> None:
    summary = build_corpus(data, tmp_path / 'out')
    source = summary['sources']['mine']
    assert source['held_out'] == ['mine-dia']
    assert (source['speakers'], source['licences']) == (4, ['CC0-1.0'])
    assert source['nature'] == 'recorded body, recorded face'
    assert source['body']['clean_takes'] == 4
    assert source['body']['takes'] == 7
    assert source['body']['clean_hours'] == pytest.approx(4 * SECONDS / 3600, abs=1e-4)
    assert summary['channels']['body']['composed_hours'] == 0.0
    assert summary['channels']['face']['hours']['held_out'] == pytest.approx(
        SECONDS / 3600, abs=1e-4)
    assert json.loads((tmp_path / 'out' / 'summary.json').read_text()) == summary
    held = [t for t in read_pack(tmp_path / 'out', 'body').takes if t.split == 'held_out']
    assert [(t.speaker, t.variant) for t in held] == [('mine-dia', 'clean')]


def _no_joint(folder: Path) -> None:
    text = (folder / 'ann_1.bvh').read_text()
    (folder / 'ann_1.bvh').write_text(text.replace('LeftForeArm', 'LeftLowerArm'))


def _nan_weights(folder: Path) -> None:
    text = (folder / 'ann_1.json').read_text()
    (folder / 'ann_1.json').write_text(text.replace('1.0]', 'NaN]', 1))


BREAKERS: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    'unknown joint': (_no_joint, 'ann_1.bvh', 'none of the joints LeftForeArm'),
    'not a number': (_nan_weights, 'ann_1.json', 'not numbers'),
    'other length': (lambda f: bvh(f / 'ann_1.bvh', SECONDS + 1.5), 'ann_1.bvh',
                     'motion lasts 3.90 s and its sound 2.40 s; they may differ by 1.0 s'),
    'empty sound': (lambda f: soundfile.write(f / 'ann_1.wav', np.zeros(0), 16_000), 'ann_1.wav',
                    'the file holds no sound'),
    'short sound': (lambda f: sound(f / 'ann_1.wav', 0.5), 'ann_1.wav', 'shorter than 1.0 s'),
    'empty motion': (lambda f: (f / 'ann_1.bvh').write_text(''), 'ann_1.bvh',
                     'no MOTION section'),
    'frozen motion': (lambda f: bvh(f / 'ann_1.bvh', speed=0.0), 'ann_1.bvh', 'nothing moves'),
    'bad phone': (lambda f: (f / 'ann_1_phones.csv').write_text('start,end,phone\n0,1,QQ\n'),
                  'ann_1_phones.csv', "'QQ' at 0.00 s is not in the phone set arpabet"),
    'no sound': (lambda f: (f / 'ann_1.wav').unlink(), 'ann_1.bvh',
                 'no sound belongs to this body'),
    'sound alone': (lambda f: sound(f / 'eve_1.wav'), 'eve_1.wav', 'no motion belongs'),
    'no speaker': (lambda f: [sound(f / '7.wav'), bvh(f / '7.bvh')], '7.wav',
                   'does not tell its speaker'),
}


@pytest.mark.parametrize('name', BREAKERS)
def test_broken_files_are_named_and_skipped(name: str, data: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    breaker, file, reason = BREAKERS[name]
    breaker(data / 'recordings')
    summary = build_corpus(data, tmp_path / 'out')
    assert reason in summary['skipped'][f'recordings/{file}']
    assert f'left out: recordings/{file}: ' in capsys.readouterr().err
    whole = {'mine-bob', 'mine-cem', 'mine-dia'}
    for channel in ('body', 'face'):
        assert whole <= {take.speaker for take in read_pack(tmp_path / 'out', channel).takes}
    other = {'unknown joint': 'face', 'not a number': 'body', 'other length': 'face'}.get(name)
    if other:
        takes = read_pack(tmp_path / 'out', other).takes
        assert 'mine-ann' in {take.speaker for take in takes}


def test_the_same_data_give_the_same_pack(data: Path, tmp_path: Path) -> None:
    first = build_corpus(data, tmp_path / 'a')
    again = build_corpus(data, tmp_path / 'a')
    assert again == first
    second = build_corpus(data, tmp_path / 'b')
    assert second['content_sha256'] == first['content_sha256']
    bvh(data / 'recordings' / 'bob_1.bvh', SECONDS + 0.2)
    third = build_corpus(data, tmp_path / 'a')
    assert third['content_sha256'] == first['content_sha256']   # Cut to its sound: nothing new.
    weights(data / 'recordings' / 'bob_1.json', SECONDS - 0.4)
    fourth = build_corpus(data, tmp_path / 'a')
    assert fourth['content_sha256'] != first['content_sha256']
    assert content_hash(tmp_path / 'a') == fourth['content_sha256']


def composed_pack(folder: Path, channel: str) -> None:
    """Write a small pack without accents of its own, as builders do."""
    writer = PackWriter(folder, channel)
    width, ratio = (84, 2) if channel == 'body' else (52, 1)
    for name in ('one', 'two'):
        writer.add(np.full((200, 83), 0.5), np.full((200 // ratio, width), 0.25), name=name,
                   source='speechocean762', speaker='0003', split='train', licence='free')
    writer.write()


def test_composed_and_recorded_takes_share_a_pack(data: Path, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    for names in corpus_module._NEEDED.values():
        for name in names:
            (data / name).mkdir(exist_ok=True)
    for channel in ('body', 'face'):
        monkeypatch.setitem(corpus_module._BUILDERS, channel,
                            lambda data, part, options, channel=channel:
                            composed_pack(part, channel))
    monkeypatch.setattr(corpus_module, 'load_noises', lambda data: [])
    summary = build_corpus(data, tmp_path / 'out')
    assert summary['sources']['speechocean762']['nature'] == 'composed'
    pack = read_pack(tmp_path / 'out', 'body')
    assert [take.source for take in pack.takes] == ['speechocean762'] * 2 + ['mine'] * 7
    assert pack.takes[2].first_feature == 400 and pack.takes[2].first_frame == 200
    assert pack.accents is not None
    assert np.isnan(pack.accents[:400]).all() and np.isfinite(pack.accents[400:]).all()
    config = load_config(Path(__file__).parents[1] / 'config' / 'tiny.yaml')
    mean = np.zeros(84, np.float32)
    sampler = WindowSampler(pack, 'body', config, mean, mean + 1.0)
    assert sampler.draw(0, 0).motion.shape[-1] == 84


def test_packs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    composed_pack(tmp_path / 'a', 'body')
    shutil.copytree(tmp_path / 'a', tmp_path / 'b')
    with pytest.raises(UnusableFile, match="two takes of the body pack are named 'one'"):
        merge_packs([tmp_path / 'a', tmp_path / 'b'], tmp_path / 'out', 'body')
    np.save(tmp_path / 'b' / 'body_motion.npy', np.zeros((200, 83), np.float16))
    with pytest.raises(UnusableFile, match='motion of the packs differ in width'):
        merge_packs([tmp_path / 'a', tmp_path / 'b'], tmp_path / 'out', 'body')


def test_smplx_vertices_and_the_teacher(tmp_path: Path) -> None:
    data = tmp_path / 'data'
    for name in ('beat2ish', 'meshes', 'read'):
        (data / name).mkdir(parents=True)
        sound(data / name / 'a_1.wav')
    poses = np.zeros((72, 165))
    poses[:, 3 * [n for n, _ in JOINTS].index('left_shoulder') + 2] = -np.arange(72) / 72
    np.savez(data / 'beat2ish' / 'a_1.npz', poses=poses, mocap_frame_rate=30)
    rng = np.random.default_rng(0)
    deltas = rng.standard_normal((2, 40, 3))
    np.savez(data / 'meshes' / 'basis.npz', neutral=np.zeros((40, 3)), deltas=deltas,
             names=['jawOpen', 'mouthFunnel'])
    jaw = np.linspace(0.0, 1.0, 60)
    np.save(data / 'meshes' / 'a_1.npy', jaw[:, None, None] * deltas[0])
    phones(data / 'read' / 'a_1.csv')
    base = {'licence': 'CC0-1.0', 'speaker': {'name': 'a'}, 'audio': '*.wav'}
    (data / 'corpora.yaml').write_text(yaml.safe_dump({'corpora': [
        base | {'name': 'x', 'folder': 'beat2ish', 'body': {
            'files': '*.npz', 'format': 'smplx', 'skeleton': 'smplx'}},
        base | {'name': 'y', 'folder': 'meshes', 'copies': 1, 'face': {
            'files': '*.npy', 'format': 'vertices', 'fps': 25, 'basis': 'basis.npz',
            'upper_face': 'sampled'}},
        base | {'name': 'z', 'folder': 'read', 'copies': 1, 'phones': {'files': '*.csv'},
                'face': {'files': '', 'format': 'teacher'}}]}))
    summary = build_corpus(data, tmp_path / 'out')
    assert summary['skipped'] == {}
    face = read_pack(tmp_path / 'out', 'face')
    assert [(t.source, t.style) for t in face.takes] == [('y', 'y'), ('z', 'composed')]
    opened = face.motion[:120, BLENDSHAPE_INDEX['jawOpen']].astype(float)
    np.testing.assert_allclose(opened[:118], np.arange(118) / 50 * 25 / 59, atol=2e-3)
    press = face.motion[120:, BLENDSHAPE_INDEX['mouthPressLeft']]
    assert press[45] > 0.3 > press[70]
    assert summary['sources']['z']['nature'] == 'face by the teacher'
    assert read_pack(tmp_path / 'out', 'body').takes[0].speaker == 'x-a'


def test_known_layouts_need_no_catalogue_and_others_are_named(tmp_path: Path) -> None:
    data = tmp_path / 'data'
    for name in ('english', 'phone', 'stuff', 'voca', 'noise_esc10'):
        (data / name).mkdir(parents=True)
    sound(data / 'english' / '2_scott_0_1_1.wav')
    bvh(data / 'english' / '2_scott_0_1_1.bvh')
    sound(data / 'phone' / 'slate_1.wav')
    names = [name[0].upper() + name[1:] for name in BLENDSHAPE_NAMES]
    rows = [','.join([f'01:00:{k // 60:02d}:{k % 60:02d}.000', '52', *[str(k / 200)] * 52])
            for k in range(140)]
    (data / 'phone' / 'slate_1.csv').write_text('\n'.join([
        ','.join(['Timecode', 'BlendShapeCount', *names]), *rows]))
    (data / 'stuff' / 'notes.txt').write_text('hello')
    np.save(data / 'voca' / 'FaceTalk_170725_00137_TA_sentence01.npy', np.zeros((2, 6)))
    (data / 'noise_esc10' / 'clips.csv').write_text('file,fold\n')
    summary = build_corpus(data, tmp_path / 'out', CorpusOptions(seed=3))
    assert summary['sources']['english']['licences'] == ['not stated (recognised as beat)']
    assert summary['channels']['body']['takes'] == 2
    assert summary['channels']['face']['takes'] == 2
    assert read_pack(tmp_path / 'out', 'body').takes[0].speaker == 'english-2_scott'
    assert any('stuff' in line and 'not recognised' in line for line in summary['not_recognised'])
    assert any('voca' in line and 'basis' in line for line in summary['not_recognised'])


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match='does not exist'):
        build_corpus(tmp_path / 'none', tmp_path / 'out')
    (tmp_path / 'data').mkdir()
    with pytest.raises(CatalogueError, match='holds nothing that can be packed'):
        build_corpus(tmp_path / 'data', tmp_path / 'out')


def test_one_unusable_corpus_does_not_cost_the_others(data: Path, tmp_path: Path) -> None:
    other = data / 'other'
    shutil.copytree(data / 'recordings', other)
    catalogue(other, name='other', body={'files': '*.bvh', 'format': 'bvh', 'skeleton': 'bat'})
    summary = build_corpus(data, tmp_path / 'out')
    assert "no joint map 'bat'" in summary['skipped']['other']
    assert 'mine' in {take.source for take in read_pack(tmp_path / 'out', 'body').takes}


@pytest.mark.parametrize('changes, reason', [
    ({'licence': None}, 'lacks .*licence'),
    ({'licence': ' '}, 'licence must not be empty'),
    ({'speaker': {'pattern': '('}}, 'no regular expression'),
    ({'speaker': {'pattern': 'a'}}, 'needs exactly one group'),
    ({'speaker': {'table': 'a.csv'}}, 'needs a pattern, or a name, or a table'),
    ({'colour': 'red'}, "unknown key 'colour'"),
    ({'body': {'files': '*', 'format': 'fbx', 'skeleton': 'cmu'}}, 'one of bvh, smplx'),
    ({'body': None, 'face': None}, 'names neither body nor face'),
    ({'face': {'files': '*', 'format': 'vertices'}}, 'need a basis and fps'),
    ({'face': {'files': '', 'format': 'teacher'}, 'phones': None}, 'needs phones'),
    ({'held_out': 'some'}, 'must be rule or a list'),
    ({'offset_s': 'late'}, 'must be a float'),
    ({'copies': 0}, 'at least 1'),
    ({'name': 'composed'}, 'taken or not allowed'),
])
def test_a_malformed_catalogue_is_refused(changes: dict[str, Any], reason: str, data: Path,
                                          tmp_path: Path) -> None:
    catalogue(data / 'recordings', **changes)
    with pytest.raises(CatalogueError, match=reason):
        build_corpus(data, tmp_path / 'out')


def test_speech_for_measuring_is_never_packed(data: Path, tmp_path: Path) -> None:
    (data / 'recordings').rename(data / 'speech_emodb')
    with pytest.raises(CatalogueError, match='must not be trained on'):
        build_corpus(data, tmp_path / 'out')


def test_offset_table_and_pairing_by_folder(tmp_path: Path) -> None:
    folder = tmp_path / 'data' / 'c'
    for speaker in ('p', 'q'):
        (folder / 'wav' / speaker).mkdir(parents=True)
        (folder / 'bvh' / speaker).mkdir(parents=True)
        sound(folder / 'wav' / speaker / '1.wav', SECONDS + 1.0)
        bvh(folder / 'bvh' / speaker / '1.bvh')
    (folder / 'who.csv').write_text('take,who\np/1,zoe\nq/1,yan\n')
    entry = {'name': 'c', 'licence': 'CC0-1.0', 'offset_s': 1.0, 'pair_by': 'folder',
             'speaker': {'pattern': r'wav/(\w+)/'}, 'held_out': ['q'],
             'body': {'files': '**/*.bvh', 'format': 'bvh', 'skeleton': 'trinity'}}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    summary = build_corpus(tmp_path / 'data', tmp_path / 'out')
    assert summary['sources']['c']['held_out'] == ['c-q']
    pack = read_pack(tmp_path / 'out', 'body')
    assert {take.frames for take in pack.takes} == {60}
    entry |= {'speaker': {'table': 'who.csv', 'key': 'take', 'column': 'who'}}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    skipped = build_corpus(tmp_path / 'data', tmp_path / 'out')['skipped']
    assert "held_out names 'q'; speakers are yan, zoe" in skipped['c']
    entry['held_out'] = ['yan']
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    build_corpus(tmp_path / 'data', tmp_path / 'out')
    pack = read_pack(tmp_path / 'out', 'body')
    assert {take.speaker for take in pack.takes} == {'c-zoe', 'c-yan'}
    entry['pair_by'] = 'stem'
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    skipped = build_corpus(tmp_path / 'data', tmp_path / 'out')['skipped']
    assert 'has the same name (pair_by: folder' in skipped['c/wav/q/1.wav']
