"""A data folder as users have it, packed: what belongs together, what is left out, who is kept."""
from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
import json
from pathlib import Path
import shutil
import sys
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

sys.path.insert(0, str(Path(__file__).parent))

from recordings_world import bvh, CATALOGUE, catalogue, phones, SECONDS, sound, weights

from gesture_node.motion.face import BLENDSHAPE_INDEX, BLENDSHAPE_NAMES
from gesture_node.motion.skeleton import JOINT_INDEX, mirror_pose, unpack_pose


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


    _check_summary(summary, tmp_path)


def _check_summary(summary: dict[str, Any], tmp_path: Path) -> None:
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


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


BREAKERS: dict[str, tuple[str, Callable[[Path], Any], str]] = {
    'joint': ('.bvh', lambda p: _replace(p, 'LeftForeArm', 'LeftLowerArm'),
              'none of the joints LeftForeArm'),
    'nan': ('.json', lambda p: _replace(p, '[0.0, 1.0]', '[0.0, NaN]'), 'not numbers'),
    'length': ('.bvh', lambda p: bvh(p, SECONDS + 1.5),
               'motion lasts 3.90 s and its sound 2.40 s; they may differ by 1.0 s'),
    'empty': ('.bvh', lambda p: p.write_text(''), 'no MOTION section'),
    'frozen': ('.bvh', lambda p: bvh(p, speed=0.0), 'nothing moves'),
    'mute': ('.wav', lambda p: soundfile.write(p, np.zeros(0), 16_000),
             'the file holds no sound'),
    'short': ('.wav', lambda p: sound(p, 0.5), 'shorter than 1.0 s'),
    'phone': ('_phones.csv', lambda p: p.write_text('start,end,phone\n0,1,QQ\n'),
              "'QQ' at 0.00 s is not in the phone set arpabet"),
    'alone': ('.wav', lambda p: [p.with_suffix(s).unlink() for s in ('.bvh', '.json')],
              'no motion belongs to this sound'),
    'unheard': ('.bvh', lambda p: p.with_suffix('.wav').unlink(), 'no sound belongs to this body'),
    'NOBODY': ('.wav', lambda p: None, 'does not tell its speaker')}


@pytest.fixture(scope='module')
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    """Pack one sound recording and many broken ones; returns pack, summary and messages."""
    base = tmp_path_factory.mktemp('broken')
    folder = base / 'data' / 'recordings'
    folder.mkdir(parents=True)
    for name in ('whole', *BREAKERS):
        sound(folder / f'{name}_1.wav')
        bvh(folder / f'{name}_1.bvh')
        weights(folder / f'{name}_1.json')
        if name in BREAKERS:
            suffix, breaker, _ = BREAKERS[name]
            breaker(folder / f'{name}_1{suffix}')
    catalogue(folder, copies=1, held_out=['whole'])
    messages = StringIO()
    with redirect_stderr(messages):
        summary = build_corpus(base / 'data', base / 'out')
    return base / 'out', summary, messages.getvalue()


@pytest.mark.parametrize('name', BREAKERS)
def test_broken_files_are_named_and_skipped(name: str,
                                            broken: tuple[Path, dict[str, Any], str]) -> None:
    _, summary, messages = broken
    suffix, _, reason = BREAKERS[name]
    file = f'recordings/{name}_1{suffix}'
    assert reason in summary['skipped'][file]
    assert f'left out: {file}: ' in messages


def test_the_other_half_of_a_broken_recording_is_kept(
        broken: tuple[Path, dict[str, Any], str]) -> None:
    out, summary, _ = broken
    bodies, faces = ({take.speaker.removeprefix('mine-') for take in read_pack(out, c).takes}
                     for c in ('body', 'face'))
    assert bodies == {'whole', 'nan', 'phone'}
    assert faces == {'whole', 'joint', 'length', 'empty', 'frozen', 'phone'}
    assert summary['sources']['mine']['skipped'] == len(summary['skipped'])


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


def test_body_and_face_may_start_apart(data: Path, tmp_path: Path) -> None:
    sound(data / 'recordings' / 'ann_1.wav', SECONDS + 0.6)
    body = CATALOGUE['body'] | {'offset_s': -0.2}
    catalogue(data / 'recordings', body=body, face=CATALOGUE['face'] | {'offset_s': 0.6},
              copies=1)
    build_corpus(data, tmp_path / 'out')
    packs = {channel: read_pack(tmp_path / 'out', channel) for channel in ('body', 'face')}
    takes = {channel: next(take for take in pack.takes if take.speaker == 'mine-ann')
             for channel, pack in packs.items()}
    # The sound begins where the face does; the body has been moving for 0.8 s by then.
    jaw = packs['face'].motion[takes['face'].first_frame:, BLENDSHAPE_INDEX['jawOpen']]
    assert jaw[0] == pytest.approx(0.0, abs=1e-3) and jaw[50] == pytest.approx(0.3, abs=2e-3)
    first = takes['body'].first_frame
    poses = packs['body'].motion[first:first + 2].astype(float)
    turn = unpack_pose(poses)[0][0, JOINT_INDEX['left_shoulder']]
    assert np.degrees(np.arcsin(turn[2, 2])) == pytest.approx(16.0, abs=0.2)
    assert takes['body'].features == takes['face'].features == 80
    # b stands 0.8 s into the sound, which lost its first 0.6 s.
    assert packs['face'].phones is not None
    phone = packs['face'].phones[takes['face'].first_feature:][:30]
    assert list(np.flatnonzero(phone == int(PhoneClass.PP))) == list(range(10, 20))


def test_offset_table_and_pairing_by_folder(tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / 'data' / 'c'
    for speaker in ('p', 'q'):
        (folder / 'wav' / speaker).mkdir(parents=True)
        (folder / 'bvh' / speaker).mkdir(parents=True)
        sound(folder / 'wav' / speaker / '1.wav', SECONDS + 1.0)
        bvh(folder / 'bvh' / speaker / '1.bvh')
    (folder / 'who.csv').write_text('take,who\np/1,zoe\nq/1,yan\n')
    entry = {'name': 'c', 'licence': 'CC0-1.0', 'pair_by': 'folder',
             'speaker': {'pattern': r'wav/(\w+)/'}, 'held_out': ['q'],
             'body': {'files': '**/*.bvh', 'format': 'bvh', 'skeleton': 'trinity',
                      'offset_s': 1.0}}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    summary = build_corpus(tmp_path / 'data', tmp_path / 'out')
    assert summary['sources']['c']['held_out'] == ['c-q']
    pack = read_pack(tmp_path / 'out', 'body')
    assert {take.frames for take in pack.takes} == {60}
    entry |= {'speaker': {'table': 'who.csv', 'key': 'take', 'column': 'who'}}
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    with pytest.raises(CatalogueError, match='holds nothing that can be packed'):
        build_corpus(tmp_path / 'data', tmp_path / 'out')
    assert "left out: c: corpus 'c': held_out names 'q'; speakers are yan, zoe" in (
        capsys.readouterr().err)
    entry['held_out'] = ['yan']
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    build_corpus(tmp_path / 'data', tmp_path / 'out')
    pack = read_pack(tmp_path / 'out', 'body')
    assert {take.speaker for take in pack.takes} == {'c-zoe', 'c-yan'}
    entry['pair_by'] = 'stem'
    (folder / 'corpus.yaml').write_text(yaml.safe_dump(entry))
    skipped = build_corpus(tmp_path / 'data', tmp_path / 'out')['skipped']
    assert 'has the same name (pair_by: folder' in skipped['c/wav/q/1.wav']
