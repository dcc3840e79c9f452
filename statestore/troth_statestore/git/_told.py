"""What a commit of many change sets says of them: how many of what were done, and which.

As in ``Create 3 requests, update 2 and remove 1``: what most was done to comes first, and of that
what was done most.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from troth_statestore.protocol import Deed

__all__ = ["Told"]

# Characters of a subject that hosts and `git log --oneline` show.
_WIDTH = 72

# Titles that are listed of one deed before the others are only counted; where there are no more in
# all, no list is needed: the titles stand above the receipts.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Told:
    """What was done, with the title of each change set."""

    done: Sequence[tuple[Deed, str]]

    @property
    def subject(self) -> str:
        """All of it in one line; what has no room is counted together at its end."""
        deeds = self._deeds()
        for shown in range(len(deeds), 0, -1):
            left = sum(count for _, count in deeds[shown:])
            text = _sentence(_phrases(deeds[:shown]), left)
            if len(text) <= _WIDTH:
                return text
        return f"Make {len(self.done)} changes"

    @property
    def listing(self) -> str:
        """The titles, a few of each deed; empty where they are so few that it says nothing new."""
        if len(self.done) <= _NAMED:
            return ""
        lines: list[str] = []
        for deed, count in self._deeds():
            titles = sorted(title for one, title in self.done if one == deed)
            lines += titles[:_NAMED]
            if count > _NAMED:
                lines.append(f"{deed.verb} {count - _NAMED} more")
        return "".join(f"* {line}\n" for line in lines)

    def _deeds(self) -> list[tuple[Deed, int]]:
        """Return the deeds with their numbers, in the order in which they are told."""
        numbers = Counter(deed for deed, _ in self.done)
        nouns = Counter(deed.noun for deed, _ in self.done)
        return sorted(
            numbers.items(),
            key=lambda one: (-nouns[one[0].noun], one[0].noun, -one[1], one[0].verb),
        )


def _phrases(deeds: Sequence[tuple[Deed, int]]) -> list[str]:
    """Return a phrase for each deed; a noun is not said twice in a row."""
    phrases: list[str] = []
    before = ""
    for deed, count in deeds:
        verb = _small(deed.verb) if phrases else deed.verb
        phrases.append(f"{verb} {count if deed.noun == before else _counted(count, deed.noun)}")
        before = deed.noun
    return phrases


def _sentence(phrases: Sequence[str], left: int) -> str:
    if left:
        phrases = [*phrases, f"make {left} other {'change' if left == 1 else 'changes'}"]
    *most, last = phrases
    return f"{', '.join(most)} and {last}" if most else last


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _small(verb: str) -> str:
    return verb[:1].lower() + verb[1:]
