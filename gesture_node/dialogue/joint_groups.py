"""Which joints are meant by ``head`` or ``left_arm``, and what a request to yield says.

A request is words separated by spaces or commas, or a JSON list of them. Plain words name all
that shall be yielded from now on, nothing or ``none`` takes everything back, ``all`` yields every
joint. Words that begin with ``+`` or ``-`` yield more or take back, and leave the rest as it is.
"""
from __future__ import annotations

from collections.abc import Iterable
import json
import re

from ..exceptions import ConfigError
from ..motion.profile import RobotProfile

ALL, NONE = 'all', 'none'
_SHOWN = 60


def joint_groups(profile: RobotProfile) -> dict[str, tuple[str, ...]]:
    """Return the commanded joints of every group that the robot has, by its name."""
    groups = {'torso': profile.torso.joints,
              'head': () if profile.head is None else profile.head.joints}
    for arm in profile.arms:
        hand = tuple(joint.name for joint in arm.closing)
        groups[f'{arm.side}_hand'] = hand
        groups[f'{arm.side}_arm'] = (*arm.joints, *hand)
    groups[ALL] = profile.joint_names
    # A head may turn with joints that the torso turns with too; each belongs to one of them.
    torso = set(groups['torso'])
    groups['head'] = tuple(joint for joint in groups['head'] if joint not in torso)
    return {name: tuple(joint for joint in joints if joint in profile.joint_names)
            for name, joints in groups.items() if joints}


class JointOwnership:
    """Which joints of a robot other nodes own.

    Args:
        profile: the robot.
    """

    def __init__(self, profile: RobotProfile) -> None:
        self._names = profile.joint_names
        self._groups = joint_groups(profile)

    def asked(self, text: str, yielded: Iterable[str]) -> frozenset[str]:
        """Return the joints that shall be yielded after a request.

        Args:
            text: the request.
            yielded: joints that are yielded now.

        Raises:
            ConfigError: a word is neither a group nor a joint, or plain words are mixed with
                signed ones.
        """
        words = _words(text)
        signed = [word for word in words if word[0] in '+-']
        if signed and len(signed) < len(words):
            raise ConfigError('a request to yield must have a sign before every word or before '
                              f'none, got {text[:_SHOWN]!r}')
        if not signed:
            return frozenset(joint for word in words for joint in self._joints(word))
        result = set(yielded)
        for word in signed:
            joints = self._joints(word[1:])
            result = result.union(joints) if word[0] == '+' else result.difference(joints)
        return frozenset(result)

    def _joints(self, word: str) -> tuple[str, ...]:
        if word == NONE:
            return ()
        if word in self._groups:
            return self._groups[word]
        if word in self._names:
            return (word,)
        known = ', '.join(sorted(self._groups))
        raise ConfigError(f'{word[:_SHOWN]!r} cannot be yielded: it is neither a commanded joint '
                          f'nor one of the groups {known}')


def _words(text: str) -> list[str]:
    """Return the words of a request.

    Raises:
        ConfigError: the text begins as JSON and is no list of strings.
    """
    if not text.lstrip().startswith(('[', '{', '"')):
        return [word for word in re.split(r'[\s,]+', text) if word]
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list) or not all(
            isinstance(word, str) and word.strip() for word in words):
        raise ConfigError('a request to yield must be words such as "head left_arm" or a JSON '
                          f'list of them, got {text[:_SHOWN]!r}')
    return [word.strip() for word in words]
