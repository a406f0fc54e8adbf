"""Write the table of robots in ``docs/robots.md`` from the profiles that ship.

``python tools/robots_page.py`` rewrites it, ``--check`` fails when it is stale.
"""
from __future__ import annotations

from pathlib import Path
import sys

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gesture_node.motion.profile import RobotProfile
from gesture_node.motion.robot import load_profile, profile_names
from gesture_node.ros.generated_files import generator_arguments, update_files

PAGE = Path(__file__).resolve().parents[1] / 'docs' / 'robots.md'
BEGIN, END = '<!-- robots: written by tools/robots_page.py -->', '<!-- end of robots -->'


def row(profile: RobotProfile) -> str:
    """Return the line of one robot."""
    arms = profile.arms
    fingers = len(arms[0].closing)
    counts = [len(profile.torso.joints), len(profile.head.joints) if profile.head else 0,
              len(arms[0].joints), fingers]
    outputs = [*profile.interface.controllers, *profile.interface.adapters]
    kinds = sorted({getattr(output, 'kind', 'controllers') for output in outputs})
    topics = f'{", ".join(kinds)}: {len(outputs)}' if outputs else 'one topic'
    cells = [f'`{profile.name}`', *(str(count or '-') for count in counts), topics,
             ' '.join(profile.source.split()), profile.licence]
    return '| ' + ' | '.join(cells) + ' |'


def losses(profile: RobotProfile) -> list[str]:
    """Return one line for each part of a pose that a robot cannot show."""
    return [f'| `{profile.name}` | {entry.pose.replace("_", " ")} | {entry.part} | '
            f'{entry.cause} | {entry.reason} |' for entry in profile.cannot]


def tables() -> str:
    """Return both tables."""
    profiles = [load_profile(name) for name in profile_names()]
    lines = ['| robot | torso | head | each arm | fingers a hand | ROS outputs | source | licence '
             'of the numbers |', '|---|---|---|---|---|---|---|---|', *map(row, profiles), '',
             '| robot | pose | part | cause | why |', '|---|---|---|---|---|',
             *(line for profile in profiles for line in losses(profile))]
    return '\n'.join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return the exit status."""
    check = generator_arguments(__doc__).parse_args(arguments).check
    text = PAGE.read_text(encoding='utf-8')
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    fresh = f'{before}{BEGIN}\n\n{tables()}\n\n{END}{after}'
    return update_files({PAGE: fresh}, check, 'python tools/robots_page.py')


if __name__ == '__main__':
    sys.exit(main())
