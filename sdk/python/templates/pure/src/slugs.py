"""The work itself. It knows no host, so that it can be tested as plain Python."""

import itertools
import unicodedata

from hansa_sdk import fault


def slug(title, length_max):
    """The words of `title` in lower case, joined by dashes: as many as fit into `length_max` characters."""
    chosen, length = [], 0
    # One word after the other: of a long title only what fits is read.
    for word in words(title):
        word = word.lower()
        length += len(word) + bool(chosen)
        if length > length_max:
            break
        chosen.append(word)
    # Say what was wrong and what to send instead. A fault costs the buyer nothing.
    if length == 0:
        raise fault.invalid_input("`title` has no letter or digit; send a title such as `Hello`")
    if not chosen:
        raise fault.invalid_input(f"`length-max` is `{length_max}`, the first word of `title` has `{length}` characters; allow as many")
    return "-".join(chosen)


def words(title):
    """Runs of letters and digits of every script, with the marks that some letters bear, one by one."""
    for inside, characters in itertools.groupby(title, lambda character: unicodedata.category(character)[0] in "LMN"):
        word = "".join(characters)
        if inside and any(character.isalnum() for character in word):
            yield word
