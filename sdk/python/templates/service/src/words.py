"""The work itself. It knows no host, so that it can be tested as plain Python."""

import collections
import re

from hansa_sdk import fault

# What a module does when it is imported is done once, while the component is built; every instance begins after that. A pattern that
# is compiled in a function is compiled in every call.
WORD = re.compile(r"\w+")

TEXT_BYTES_MAX = 64 * 1024
TOP_MAX = 1000


def check(text, top):
    """Raise `invalid-input` that names the limit broken: say what was wrong, and what to send instead."""
    length = len(text.encode())
    if length > TEXT_BYTES_MAX:
        raise fault.invalid_input(f"`text` has `{length}` bytes; send at most {TEXT_BYTES_MAX}")
    if not 1 <= top <= TOP_MAX:
        raise fault.invalid_input(f"`top` is `{top}`; ask for 1 to {TOP_MAX} words")


def counted(text, top):
    """The most frequent words in lower case, each with how often it stands in `text`."""
    counts = collections.Counter(WORD.findall(text.lower()))
    return sorted(counts.items(), key=lambda count: -count[1])[:top]
