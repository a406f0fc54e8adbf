"""The page of the gallery: figures in words, small sheets, and a table that is written anew."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from ..exceptions import TrainingError

START, END = '<!-- figures: written by make gallery -->', '<!-- end of figures -->'
"""What stands between these lines of the page is replaced."""
_WIDTH_PX = 1_140
_COLOURS = 200


def in_words(figures: dict[str, Any]) -> dict[str, str]:
    """Return the figures of a clip as they stand on the sheets."""
    head = '/'.join(f'{value:.0f}' for value in figures['head_spread_deg'])
    count = figures['closures']
    reached, touch = (round(figures[key] * count) if count else 0
                      for key in ('reached', 'lips_touch'))
    return {
        'p b m reached, lips touch': f'{reached}, {touch} of {count}',
        'silence': f'{100 * figures["silence_ratio"]:.0f} %',
        'openings/s, teacher': f'{figures["openings_per_s"]:.1f}, '
                               f'{figures["teacher_openings_per_s"]:.1f}',
        'beats, accents/min': f'{figures["beats_per_min"]:.0f}, '
                              f'{figures["accents_per_min"]:.0f}',
        'wrists l, r m/s': f'{figures["left_wrist_m_s"]:.2f}, {figures["right_wrist_m_s"]:.2f}',
        'blinks/min': f'{figures["blinks_per_min"]:.0f}',
        'head deg': head or 'none',
        'clearance mm': f'{figures["clearance_mm"]:.0f}'}


def write_page(docs: Path, sheets: Mapping[str, Image.Image], report: Mapping[str, Any]) -> None:
    """Write small sheets into ``gallery/`` and the table into ``gallery.md``.

    Args:
        docs: folder of the documents.
        sheets: pictures by name, ``overview`` among them.
        report: what moved the clips, and the figures of each.

    Raises:
        TrainingError: the page is missing, or has no place for the table.
    """
    page = docs / 'gallery.md'
    text = page.read_text(encoding='utf-8') if page.is_file() else ''
    before, found, rest = text.partition(START)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise TrainingError(f'{page} must hold the lines {START!r} and {END!r}; the table goes '
                            'between them')
    (docs / 'gallery').mkdir(exist_ok=True)
    for name, sheet in sheets.items():
        write_small(sheet, docs / 'gallery' / f'{name}.png')
    page.write_text(f'{before}{START}\n\n{table(report)}\n{END}{after}', encoding='utf-8')


def table(report: Mapping[str, Any]) -> str:
    """Return what moved the clips, and their figures as a table with links to the sheets."""
    clips = {name: in_words(figures) for name, figures in report['clips'].items()}
    columns = list(next(iter(clips.values())))
    lines = [f'Moved by {report["moved_by"]}, on {report["robot"]}; {report["processor_s"]:.0f} s '
             'of processor time.', '', f'| clip | {" | ".join(columns)} |',
             f'|---{"|---" * len(columns)}|']
    lines += [f'| [{name}](gallery/{name}.png) | {" | ".join(words.values())} |'
              for name, words in clips.items()]
    return '\n'.join(lines) + '\n'


def write_small(picture: Image.Image, path: Path) -> None:
    """Write a PNG that is narrow and of few colours: a sixth of the size.

    The palette covers all colours first, or the few pixels of the lips would turn brown.
    """
    width = min(picture.width, _WIDTH_PX)
    height = round(picture.height * width / picture.width)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    few = small.quantize(_COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=1,
                         dither=Image.Dither.NONE)
    few.save(path, optimize=True)
