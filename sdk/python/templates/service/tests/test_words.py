"""PYTHONPATH=src:vendor python3 -m unittest discover -s tests"""

import unittest

import words
from hansa_sdk import testing


class Words(unittest.TestCase):
    def test_words_are_counted_in_whatever_case(self):
        self.assertEqual(words.counted("The hare, the hedgehog and the hare's wife", 2), [("the", 3), ("hare", 2)])

    def test_what_is_too_much_is_refused(self):
        words.check("x" * words.TEXT_BYTES_MAX, words.TOP_MAX)
        with testing.raises("invalid-input", "`text` has `65537` bytes"):
            words.check("x" * (words.TEXT_BYTES_MAX + 1), 1)
        with testing.raises("invalid-input", "`top` is `0`"):
            words.check("x", 0)
