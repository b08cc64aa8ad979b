"""Candidates for keyphrases and how much each says of its text.

A word counts by how often it stands, how early, with how many different neighbours and how it is written; a phrase by its words and
by how often it stands as a whole. Nothing is learned, so the same text always gives the same phrases.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

from limits import PHRASE_BYTES_MAX, WORDS_MAX
from words import Language, runs

_NAMED = 0.3
"""How the length of a phrase that stands more than once weighs: 0 counts its words together, 1 takes their mean."""
_SAID_ONCE = 0.7
"""The same for a phrase that stands once only: it may be a piece of a sentence and no name of anything."""

Stems = Tuple[str, ...]


@dataclass
class Phrase:
    """A phrase of a text."""

    text: str
    """As it is written where it first stands."""
    stems: Stems
    count: int
    score: float


@dataclass
class _Word:
    count: int = 0
    first: int = 0
    """Its place among all words, from 0."""
    marked: int = 0
    """How often it is written in capitals, or with a capital within a run."""

    def __post_init__(self) -> None:
        self.neighbours = set()  # type: set[str]


def ranked(text: str, language: Language) -> List[Phrase]:
    """All phrases of `text`, best first; the best has score 1."""
    stretches = [[(word, language.stem(word)) for word in run] for run in runs(text, language)]
    words = _words(stretches)
    phrases = [_scored(phrase, words) for phrase in _phrases(stretches).values() if _worth_it(phrase)]
    phrases.sort(key=lambda phrase: (-phrase.score, phrase.text))
    best = phrases[0].score if phrases else 1.0
    return [Phrase(phrase.text, phrase.stems, phrase.count, phrase.score / best) for phrase in phrases]


def _words(stretches: List[List[Tuple[str, str]]]) -> Dict[str, _Word]:
    words: Dict[str, _Word] = {}
    place = 0
    for stretch in stretches:
        for at, (written, stem) in enumerate(stretch):
            word = words.setdefault(stem, _Word(first=place))
            word.count += 1
            word.marked += written.isupper() or (at > 0 and written[0].isupper())
            word.neighbours.update(other for _, other in stretch[max(0, at - 1) : at + 2] if other != stem)
            place += 1
    return words


def _phrases(stretches: List[List[Tuple[str, str]]]) -> Dict[Stems, Phrase]:
    """Every run of up to `WORDS_MAX` words that stands within a stretch, once for each way of saying it."""
    found: Dict[Stems, Phrase] = {}
    for stretch in stretches:
        for part in _parts(stretch):
            stems = tuple(stem for _, stem in part)
            phrase = found.setdefault(stems, Phrase(_written(part), stems, 0, 0.0))
            phrase.count += 1
    return _without_fragments(found)


def _parts(stretch: List[Tuple[str, str]]) -> Iterator[List[Tuple[str, str]]]:
    for start in range(len(stretch)):
        for end in range(start + 1, min(start + WORDS_MAX, len(stretch)) + 1):
            yield stretch[start:end]


def _written(part: List[Tuple[str, str]]) -> str:
    """As the text has it, but `ledger` where the text says `ledger's`."""
    text = " ".join(written for written, _ in part)
    return text[:-2] if text.endswith(("'s", "’s")) else text


def _without_fragments(found: Dict[Stems, Phrase]) -> Dict[Stems, Phrase]:
    """Leaves out what only ever stands within one longer phrase: `virtual` of `virtual machine`."""
    longest: Dict[Stems, int] = defaultdict(int)
    for stems, phrase in found.items():
        for size in range(1, len(stems)):
            for start in range(len(stems) - size + 1):
                part = stems[start : start + size]
                longest[part] = max(longest[part], phrase.count)
    # A run that stands once is kept whole: nothing tells which of its parts belong together.
    return {stems: phrase for stems, phrase in found.items() if phrase.count > longest[stems]}


def _worth_it(phrase: Phrase) -> bool:
    return len(phrase.text) > 2 and len(phrase.text.encode()) <= PHRASE_BYTES_MAX and len(set(phrase.stems)) == len(phrase.stems)


def _scored(phrase: Phrase, words: Dict[str, _Word]) -> Phrase:
    weights = [_weight(words[stem]) for stem in phrase.stems]
    # A longer phrase says more, but not word by word: in full only where it stands more than once, as then it is the name of something.
    size = len(weights)
    phrase.score = sum(weights) / size ** (_NAMED if phrase.count > 1 else _SAID_ONCE) * (1.0 + math.log(phrase.count))
    return phrase


def _weight(word: _Word) -> float:
    frequent = 1.0 + math.log(word.count)
    early = 1.0 + 1.0 / math.log(math.e + word.first / 10)
    varied = 1.0 + 0.3 * math.log(1 + len(word.neighbours))
    marked = 1.0 + 0.5 * word.marked / word.count
    return frequent * early * varied * marked
