"""The work itself. It knows no host and no market, so that it can be tested as plain Python."""

from hansa_sdk import fault

TEXTS_MAX = 100
TEXT_BYTES_MAX = 4 * 1024


def check(query, texts):
    """Raise `invalid-input` that names the limit broken."""
    if not 1 <= len(texts) <= TEXTS_MAX:
        raise fault.invalid_input(f"`texts` has `{len(texts)}` texts; send 1 to {TEXTS_MAX}")
    for name, text in [("query", query), *((f"texts[{at}]", text) for at, text in enumerate(texts))]:
        if len(text.encode()) > TEXT_BYTES_MAX:
            raise fault.invalid_input(f"`{name}` has `{len(text.encode())}` bytes; send at most {TEXT_BYTES_MAX}")


def nearest(data, dims, count):
    """Index of the vector that is nearest to the first one, and the cosine; `data` holds the query's vector and then `count` others."""
    # What was bought is a stranger's word: check that it fits before using it.
    if dims < 1 or len(data) != dims * (count + 1):
        raise fault.failed("the vectors bought do not fit the texts; ask again")
    rows = [data[at * dims : (at + 1) * dims] for at in range(count + 1)]
    cosines = [sum(a * b for a, b in zip(rows[0], row)) for row in rows[1:]]
    best = max(range(count), key=cosines.__getitem__)
    return best, cosines[best]
