"""TextGrid reader."""
from pathlib import Path

from gesture_training.corpora.textgrid import Interval, read_textgrid
import pytest

from gesture_node.exceptions import AudioError

TEXT = '''File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 1
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "phones"
        xmin = 0
        xmax = 1
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 1
            text = "a ""quoted"""
    item [2]:
        class = "IntervalTier"
        name = "words"
        xmin = 0
        xmax = 1
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 1
            text = "ja"
'''


def test_tiers_by_name(tmp_path: Path) -> None:
    path = tmp_path / 'one.TextGrid'
    path.write_text(TEXT)
    tiers = read_textgrid(path)
    assert tiers == {'phones': [Interval(0.0, 0.25, ''), Interval(0.25, 1.0, 'a "quoted"')],
                     'words': [Interval(0.0, 1.0, 'ja')]}


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / 'other.txt'
    path.write_text('hello')
    with pytest.raises(AudioError, match='is not a TextGrid'):
        read_textgrid(path)
