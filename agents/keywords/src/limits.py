"""Every bound of this agent."""

TEXT_BYTES_MAX = 128 * 1024
"""Bytes of one text; the contract's number."""
COUNT_MAX = 50
"""Keyphrases in one answer; the contract's number."""
WORDS_MAX = 4
"""Words of one phrase; the contract's number."""
CANDIDATES_MAX = 2000
"""Best phrases that are looked through for those that say something of their own; comparing all of a long text would take too long."""
COMPARED_MAX = 120
"""Phrases whose vectors are bought; those below them are told apart by their words alone."""
PHRASE_BYTES_MAX = 200
"""Bytes of one phrase; what is longer is no phrase but a run of letters."""
SAME_COSINE = 0.80
"""Two phrases whose vectors are at least so near say the same."""
