"""PYTHONPATH=src:vendor python3 -m unittest discover -s tests"""

import unittest

import slugs
from hansa_sdk import testing

TITLES = ["Hello, Market!", "snake_case  and-dashes", "Zürich 2026: Предложение", "İstanbul", "हिन्दी में", "x" * 50, "a b c d e f g h i j k l m n"]


class Slugs(unittest.TestCase):
    def test_whole_words_that_fit_are_joined(self):
        for length_max, slug in [(40, "hello-market"), (12, "hello-market"), (11, "hello"), (5, "hello")]:
            self.assertEqual(slugs.slug("Hello, Market!", length_max), slug)
        self.assertEqual(slugs.slug("snake_case  and-dashes", 40), "snake-case-and-dashes")

    def test_no_slug_is_too_long_and_the_slug_of_a_slug_is_itself(self):
        for title in TITLES:
            for length_max in range(50, 80):
                slug = slugs.slug(title, length_max)
                self.assertLessEqual(len(slug), length_max)
                self.assertEqual(slugs.slug(slug, length_max), slug)

    def test_what_gives_no_slug_is_refused_and_says_why(self):
        for title in ["", "¿?", "_"]:
            with testing.raises("invalid-input", "`title` has no letter or digit"):
                slugs.slug(title, 40)
        for length_max in [0, 4]:
            with testing.raises("invalid-input", f"`length-max` is `{length_max}`, the first word of `title` has `5` characters"):
                slugs.slug("Hello, Market!", length_max)
