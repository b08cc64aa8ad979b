"""PYTHONPATH=src:vendor python3 -m unittest discover -s tests"""

import unittest

import nearness
from hansa_sdk import testing


class Nearness(unittest.TestCase):
    def test_the_text_with_the_greatest_cosine_is_nearest(self):
        index, likeness = nearness.nearest([[3.0, 4.0], [0.0, 2.0], [6.0, 8.0], [-3.0, -4.0]], 3)
        self.assertEqual(index, 1)
        self.assertAlmostEqual(likeness, 1.0)

    def test_the_same_is_one_and_the_opposite_minus_one(self):
        self.assertAlmostEqual(nearness.cosine([3.0, 4.0], [6.0, 8.0]), 1.0)
        self.assertAlmostEqual(nearness.cosine([3.0, 4.0], [-3.0, -4.0]), -1.0)
        self.assertEqual(nearness.cosine([0.0], [0.0]), 0.0)

    def test_vectors_that_do_not_fit_are_a_failure(self):
        with testing.raises("failed", "the model gave `1` vectors for `2` texts"):
            nearness.nearest([[1.0]], 1)

    def test_nothing_and_too_much_are_refused(self):
        nearness.check(["x"] * nearness.TEXTS_MAX)
        with testing.raises("invalid-input", "at least one text"):
            nearness.check([])
        with testing.raises("invalid-input", "`texts` has `101` texts; send at most 100"):
            nearness.check(["x"] * 101)
