"""The component: sells the keyphrases of a text, and buys vectors to tell which of them say the same."""

import duplicates
import phrases
import request
import words
from wit_world import exports
from wit_world.imports import embedder
from wit_world.imports.commons_keywords_types import Keyphrase, Keyphrases


class Extractor(exports.Extractor):
    async def extract(self, text: str, count: int) -> Keyphrases:
        request.check(text, count)
        ranked = phrases.ranked(text, words.language_of(text))
        # Twice as many as asked for, as some will turn out to say the same.
        candidates = duplicates.without_repeats(ranked, 2 * count)
        chosen, model = await duplicates.told_apart(candidates, embedder.embed)
        return Keyphrases([Keyphrase(phrase.text, phrase.score, phrase.count) for phrase in chosen[:count]], model)
