"""Phrases that say the same as a better one: told by their words, and by vectors where those could be bought."""

from typing import Any, Awaitable, Callable, FrozenSet, List, Optional, Sequence, Tuple

from hansa_sdk import Err, fault, log
from limits import CANDIDATES_MAX, COMPARED_MAX, SAME_COSINE
from phrases import Phrase

Buy = Callable[[List[str]], Awaitable[Any]]
"""The purchase of vectors, `commons:embedding/embedder`.`embed`."""


def without_repeats(phrases: Sequence[Phrase], most: int) -> List[Phrase]:
    """The first `most` phrases, without those whose words a better one has, or that only add a word to it."""
    kept: List[Phrase] = []
    kept_words: List[FrozenSet[str]] = []
    for phrase in phrases[:CANDIDATES_MAX]:
        words = frozenset(phrase.stems)
        if not any(_same_words(words, better) for better in kept_words):
            kept.append(phrase)
            kept_words.append(words)
            if len(kept) == most:
                break
    return kept


def _same_words(words: FrozenSet[str], better: FrozenSet[str]) -> bool:
    shared = len(words & better)
    return shared == len(words) or (shared >= 2 and len(words) - shared <= 1)


async def told_apart(candidates: List[Phrase], buy: Buy) -> Tuple[List[Phrase], Optional[str]]:
    """The candidates that say something of their own, and the model that told; all of them and none where no vectors can be bought."""
    compared = candidates[:COMPARED_MAX]
    if len(compared) < 2:
        return candidates, None
    try:
        bought = await buy([phrase.text for phrase in compared])
    except Err as error:
        # What is useful without it does not fail because an improvement cannot be bought.
        log.info(f"phrases are told apart by their words alone: {fault.explain(error)}")
        return candidates, None
    vectors = rows(bought.data, bought.dims, len(compared))
    if vectors is None:
        log.warn(f"the vectors bought do not fit: {len(bought.data)} numbers for {len(compared)} phrases")
        return candidates, None
    return distinct(candidates, vectors), bought.model


def distinct(phrases: Sequence[Phrase], vectors: Sequence[Sequence[float]], same: float = SAME_COSINE) -> List[Phrase]:
    """Those that are not too near to a better one. `vectors` belong to the first phrases, one each, of length 1; those without are kept."""
    kept: List[int] = []
    for at in range(len(phrases)):
        near = at < len(vectors) and any(other < len(vectors) and _dot(vectors[at], vectors[other]) >= same for other in kept)
        if not near:
            kept.append(at)
    return [phrases[at] for at in kept]


def rows(data: Sequence[float], dims: int, count: int) -> Optional[List[List[float]]]:
    """`count` vectors of length `dims` that stand one after another in `data`; none where they do not fit."""
    if dims < 1 or len(data) != dims * count:
        return None
    return [list(data[at * dims : (at + 1) * dims]) for at in range(count)]


def _dot(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(first, second))
