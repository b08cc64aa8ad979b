"""The work itself. It knows no host and no market, so that it can be tested as plain Python."""

import math

from hansa_sdk import fault

THEMES = ("the price of bread", "the price of wheat")


def likeness(data, dims):
    """Cosine of the two vectors of the themes, which lie one after the other in `data`; 0 where one has no direction."""
    # What was bought is a stranger's word: check that it fits before using it.
    if dims < 1 or len(data) != dims * len(THEMES):
        raise fault.failed("the vectors bought do not fit the themes")
    one, other = data[:dims], data[dims:]
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other)) / lengths if lengths else 0.0


def sentence(likeness):
    """The report."""
    return f"{THEMES[0]} and {THEMES[1]} are {likeness * 100:.0f} % alike"
