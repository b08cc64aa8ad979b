"""The pure parts: words, phrases, what says the same, and what a customer may send."""

import asyncio
import time
import unittest
from types import SimpleNamespace

import duplicates
import phrases
import request
import words
from hansa_sdk import fault, testing
from limits import COUNT_MAX, TEXT_BYTES_MAX, WORDS_MAX
from phrases import Phrase

TEXT = """A ledger keeps double-entry accounts. Each transfer moves credits between two accounts of the ledger.
The ledger is replayed by anybody: a replay of the ledger checks every transfer, and a voucher caps what the payer owes.
Voucher and receipt are signed. The signed receipt caps what the payee may claim, the signed voucher what the payer owes."""


def best(text, count):
    ranked = phrases.ranked(text, words.language_of(text))
    return duplicates.without_repeats(ranked, count)


class Words(unittest.TestCase):
    def runs(self, text):
        return list(words.runs(text, words.language_of(text)))

    def test_runs_end_at_empty_words_and_at_marks(self):
        self.assertEqual(self.runs("The quick brown fox (a mammal) jumps over the lazy dog. Dogs sleep."),
                         [["quick", "brown", "fox"], ["mammal"], ["jumps"], ["lazy", "dog"], ["Dogs", "sleep"]])

    def test_marks_within_words_keep_them_whole(self):
        self.assertEqual(self.runs("version 1.2 of Node.js, C++ and state-of-the-art e-mail"),
                         [["version"], ["Node.js"], ["C++"], ["state-of-the-art", "e-mail"]])

    def test_no_text_takes_longer_than_its_length_asks_for(self):
        # A search that backtracks would take minutes for any of these.
        for text in ("\n " * 65_000, " " * 131_000, "." * 131_000, "((((a-" * 21_000, "a-" * 65_000, "- " * 65_000, "\n" + "1" * 131_000):
            began = time.process_time()
            self.runs(text + "x")
            self.assertLess(time.process_time() - began, 5)

    def test_the_language_is_that_of_most_empty_words(self):
        self.assertEqual(words.language_of("Der Hund und die Katze sind nicht im Haus").name, "german")
        self.assertEqual(words.language_of("The dog and the cat are not in the house").name, "english")
        self.assertEqual(words.language_of("").name, "english")

    def test_endings_do_not_make_another_word(self):
        english, german = words.Language("english", words.ENGLISH), words.Language("german", words.GERMAN)
        for first, second in [("ledger", "Ledgers"), ("copy", "copies"), ("box", "boxes"), ("node", "node's")]:
            self.assertEqual(english.stem(first), english.stem(second))
        for first, second in [("Rechnung", "Rechnungen"), ("Konto", "Kontos"), ("Hund", "Hunde")]:
            self.assertEqual(german.stem(first), german.stem(second))
        self.assertNotEqual(english.stem("business"), english.stem("busines"))

    def test_both_lists_are_of_lower_case_words(self):
        for word in words.ENGLISH | words.GERMAN:
            self.assertEqual(word, word.lower())


class Phrases(unittest.TestCase):
    def test_what_a_text_is_about_comes_first(self):
        found = best(TEXT, 5)
        self.assertEqual(found[0].score, 1.0)
        self.assertEqual(found[0].text.lower(), "ledger")
        self.assertLessEqual({"voucher", "payer owes"}, {phrase.text for phrase in found})
        self.assertEqual([phrase.score for phrase in found], sorted((phrase.score for phrase in found), reverse=True))

    def test_a_phrase_is_counted_in_every_form(self):
        found = {phrase.stems: phrase for phrase in best("Open channel. Two open channels. An Open Channel.", 5)}
        self.assertEqual(found[("open", "channel")].count, 3)
        self.assertEqual(found[("open", "channel")].text, "Open channel")

    def test_no_phrase_is_too_long(self):
        text = "alpha beta gamma delta epsilon zeta. " * 3
        self.assertTrue(all(len(phrase.stems) <= WORDS_MAX for phrase in phrases.ranked(text, words.language_of(text))))

    def test_a_text_of_empty_words_has_none(self):
        self.assertEqual(best("It is what it is, and so on.", 5), [])

    def test_the_same_text_gives_the_same(self):
        self.assertEqual(best(TEXT, 20), best(TEXT, 20))


class Duplicates(unittest.TestCase):
    def phrase(self, text, score):
        return Phrase(text, tuple(text.split()), 1, score)

    def test_parts_of_a_better_phrase_are_left_out(self):
        ranked = [self.phrase(text, 1 / (at + 1)) for at, text in enumerate(["open channel", "channel", "channel fee", "open channel fee"])]
        self.assertEqual([phrase.text for phrase in duplicates.without_repeats(ranked, 9)], ["open channel", "channel fee"])
        self.assertEqual(len(duplicates.without_repeats(ranked, 1)), 1)

    def test_near_vectors_say_the_same(self):
        ranked = [self.phrase(text, 1.0) for text in ("car", "automobile", "tree", "late")]
        vectors = [[1.0, 0.0], [0.95, 0.3122], [0.0, 1.0]]
        self.assertEqual([phrase.text for phrase in duplicates.distinct(ranked, vectors)], ["car", "tree", "late"])

    def test_vectors_that_do_not_fit_are_none(self):
        self.assertEqual(duplicates.rows([1.0, 2.0, 3.0, 4.0], 2, 2), [[1.0, 2.0], [3.0, 4.0]])
        for data, dims, count in [([1.0], 2, 1), ([], 0, 0), ([1.0, 2.0], 1, 1)]:
            self.assertIsNone(duplicates.rows(data, dims, count))


class Purchase(unittest.TestCase):
    def setUp(self):
        self.candidates = [Phrase(text, (text,), 1, 1.0) for text in ("car", "automobile", "tree")]
        self.log = testing.Log()

    def told(self, buy):
        with testing.world({"hansa:agent/log": self.log.binding}):
            chosen, model = asyncio.run(duplicates.told_apart(self.candidates, buy))
        return [phrase.text for phrase in chosen], model

    def test_vectors_that_can_be_bought_decide(self):
        async def buy(texts):
            self.assertEqual(texts, ["car", "automobile", "tree"])
            return SimpleNamespace(data=[1.0, 0.0, 1.0, 0.0, 0.0, 1.0], dims=2, model="minilm@1")

        self.assertEqual(self.told(buy), (["car", "tree"], "minilm@1"))

    def test_without_an_offer_words_alone_decide(self):
        async def buy(_):
            raise fault.no_offer("nobody sells it")

        self.assertEqual(self.told(buy), (["car", "automobile", "tree"], None))
        self.assertEqual(self.log.lines, [("info", "phrases are told apart by their words alone: no offer: nobody sells it")])

    def test_vectors_that_do_not_fit_are_not_used(self):
        async def buy(_):
            return SimpleNamespace(data=[1.0, 0.0], dims=2, model="minilm@1")

        self.assertEqual(self.told(buy), (["car", "automobile", "tree"], None))
        self.assertEqual(self.log.lines[0][0], "warn")

    def test_a_single_phrase_is_worth_no_purchase(self):
        async def buy(_):
            raise AssertionError("bought in vain")

        self.candidates = self.candidates[:1]
        self.assertEqual(self.told(buy), (["car"], None))


class Request(unittest.TestCase):
    def test_limits_are_inclusive(self):
        request.check("a" * TEXT_BYTES_MAX, COUNT_MAX)
        request.check("a", 1)

    def test_a_broken_limit_says_which(self):
        for text, count, part in [("a", 0, "`count` is `0`"), ("a", 51, "`count` is `51`"), (" \n", 5, "`text` is empty"),
                                  ("ä" * (TEXT_BYTES_MAX // 2 + 1), 5, f"has `{TEXT_BYTES_MAX + 2}` bytes")]:
            with testing.raises("invalid-input", part):
                request.check(text, count)


if __name__ == "__main__":
    unittest.main()
