"""PYTHONPATH=src:vendor python3 -m unittest discover -s tests"""

import unittest

import report
from hansa_sdk import testing


class Report(unittest.TestCase):
    def test_a_report_is_a_sentence(self):
        self.assertEqual(report.sentence(report.likeness([1.0, 0.0, 0.6, 0.8], 2)), "the price of bread and the price of wheat are 60 % alike")

    def test_length_is_no_likeness(self):
        self.assertAlmostEqual(report.likeness([3.0, 4.0, 6.0, 8.0], 2), 1.0)
        self.assertAlmostEqual(report.likeness([3.0, 4.0, -3.0, -4.0], 2), -1.0)
        self.assertEqual(report.likeness([0.0, 1.0], 1), 0.0)

    def test_vectors_that_do_not_fit_are_a_failure(self):
        for data, dims in [([1.0, 0.0], 2), ([], 0), ([1.0, 0.0, 0.0], 1)]:
            with testing.raises("failed", "do not fit the themes"):
                report.likeness(data, dims)
