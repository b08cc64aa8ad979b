"""The work itself. It knows no host and no model, so that it can be tested as plain Python."""

import math

from hansa_sdk import fault

TEXTS_MAX = 100


def check(texts):
    """Raise `invalid-input` that names the limit broken: say what was wrong, and what to send instead."""
    if not texts:
        raise fault.invalid_input("`texts` is empty; send at least one text to search in")
    if len(texts) > TEXTS_MAX:
        raise fault.invalid_input(f"`texts` has `{len(texts)}` texts; send at most {TEXTS_MAX}")


def nearest(rows, count):
    """Index and cosine of the vector that is nearest to the first one; `rows` holds the question's vector and then `count` others."""
    if len(rows) != count + 1:
        raise fault.failed(f"the model gave `{len(rows)}` vectors for `{count + 1}` texts; ask again")
    cosines = [cosine(rows[0], row) for row in rows[1:]]
    best = max(range(count), key=cosines.__getitem__)
    return best, cosines[best]


def cosine(one, other):
    """1 for the same direction, -1 for the opposite one, 0 where one of the two has none."""
    lengths = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other)) / lengths if lengths else 0.0
