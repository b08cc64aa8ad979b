"""PYTHONPATH=src:vendor python3 -m unittest discover -s tests"""

import unittest

import nearness
from hansa_sdk import testing


class Nearness(unittest.TestCase):
    def test_the_text_with_the_greatest_cosine_is_nearest(self):
        self.assertEqual(nearness.nearest([1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2, 2), (1, 0.6))

    def test_vectors_that_do_not_fit_are_a_failure(self):
        for data, dims in [([1.0, 0.0], 2), ([], 0), ([1.0, 0.0, 0.0], 1)]:
            with testing.raises("failed", "do not fit"):
                nearness.nearest(data, dims, 1)

    def test_what_is_too_much_is_refused(self):
        nearness.check("x", ["x"] * nearness.TEXTS_MAX)
        with testing.raises("invalid-input", "`texts` has `0` texts"):
            nearness.check("x", [])
        with testing.raises("invalid-input", "`texts[1]` has `4097` bytes"):
            nearness.check("x", ["x", "x" * 4097])
