"""Files of the repository that are written from others: written when stale, or only compared.

For what generates them, here and in ``tools/``. Needs no ROS.
"""
from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
import operator
from pathlib import Path
import sys


def generator_arguments(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with ``--check``; its help is the first line of a docstring."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument('--check', action='store_true', help='write nothing, only compare')
    return parser


def update_files(files: Mapping[Path, str], check: bool, command: str,
                 same: Callable[[str, str], bool] = operator.eq) -> int:
    """Write the files that do not hold their text yet; return the exit status.

    Args:
        files: the text of each.
        check: write nothing, but say which are out of date; the status is 1 if any is.
        command: what the user runs to write them.
        same: whether a file's text is as good as the new one.
    """
    stale = [path for path, text in files.items()
             if not (path.is_file() and same(path.read_text(encoding='utf-8'), text))]
    for path in stale:
        if check:
            print(f'{path} is out of date; run {command}', file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], encoding='utf-8')
            print(f'wrote {path}')
    return int(check and bool(stale))
