"""Text from models that generate, as it is made. The world needs `import hansa:inference/generate@0.1.0;`.

>>> from hansa_sdk import generation, testing
>>> with testing.world(testing.generates("Good ", "day", finish="length")):
...     with generation.generate("tiny-llama", [("system", "Be brief."), ("user", "Greet me.")], max_tokens=8) as made:
...         print([chunk.text for chunk in made], made.finish)
['Good ', 'day'] length
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from hansa_sdk import fault
from hansa_sdk._bindings import find
from hansa_sdk.inference import Options, fault_of

_generate = find("hansa:inference/generate@0.1.0", ("start", "Generation"))
_types = find("hansa:inference/generation-types@0.1.0", ("Prompt_Text", "Sampling"))
_inference = find("hansa:inference/types@0.1.0", ("Opts", "Usage"))

Prompt = Union[str, Sequence[Tuple[str, str]], Sequence[int]]
"""Text to go on from as it stands; a conversation of (role, content), with roles `system`, `user`, `assistant` and `tool`; or token ids."""


class Usage(NamedTuple):
    """What a generation has taken so far, measured by the node."""

    input_tokens: int
    output_tokens: int
    cost: int
    """In millionths of a credit: what is charged if it ends here."""


@dataclass(frozen=True)
class Chunk:
    """A part of the output. Texts of all chunks, put together, are the whole; one may be empty, as none ends within a character."""

    text: str
    tokens: List[int]
    usage: Usage


class Generation:
    """A generation that runs on the node: iterate over its chunks. Leaving its `with` early cancels what has not come yet."""

    def __init__(self, running: Any) -> None:
        self._running = running
        self._ended = False
        self.finish: Optional[str] = None
        """Why it ended: `stop`, `length`, `cancelled`, `budget` or `deadline`. None while it runs, and where it broke."""

    def __enter__(self) -> "Generation":
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._running.__exit__(None, None, None)

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        """Waits for the next part. Raises the fault of what it broke with."""
        event = None if self._ended else self._running.next()
        case = type(event).__name__
        if case.endswith("Event_Chunk"):
            chunk = event.value  # type: ignore[union-attr]
            return Chunk(chunk.text, list(chunk.tokens), _usage(chunk.so_far))
        self._ended = True
        if case.endswith("Event_Done"):
            self.finish = event.value.finish.name.lower()  # type: ignore[union-attr]
        elif case.endswith("Event_Error"):
            raise fault_of(fault.Err(event.value))  # type: ignore[union-attr]
        raise StopIteration

    def text(self) -> str:
        """All the text that is still to come. It ends where the generation ends, for whatever reason: see `finish`."""
        return "".join(chunk.text for chunk in self)

    def cancel(self) -> None:
        """End it before its time. Parts that were made already still come, then the end with `cancelled`."""
        self._running.cancel()

    def usage(self) -> Usage:
        """What it has taken so far."""
        return _usage(self._running.usage())


def generate(
    model: str,
    prompt: Prompt,
    *,
    max_tokens: int,
    temperature: float = 0.0,
    top_p: float = 1.0,
    top_k: int = 0,
    seed: Optional[int] = None,
    stop: Sequence[str] = (),
    options: Options = Options(),
) -> Generation:
    """Begin to generate at most `max_tokens` tokens, by default the likeliest each time.

    `temperature` 1 samples as the model was trained; `top_p` and `top_k` (0 for all) say among how many; equal seeds give equal texts; the
    generation also ends before any text of `stop`. Raises the fault `invalid-input` for a model that does not generate or settings out of
    range, `over-budget` where the prompt alone would cost more than `options.max_cost`.
    """
    sampling = _types.Sampling(max_tokens, temperature, top_p, top_k, seed, list(stop))
    try:
        return Generation(_generate.start(model, _prompt(prompt), sampling, _inference.Opts(*options)))
    except fault.Err as error:
        raise fault_of(error) from None


def _prompt(prompt: Prompt) -> Any:
    if isinstance(prompt, str):
        return _types.Prompt_Text(prompt)
    if all(isinstance(token, int) for token in prompt):
        return _types.Prompt_Tokens(list(prompt))
    return _types.Prompt_Chat([_types.Message(_types.Role[role.upper()], content) for role, content in prompt])  # type: ignore[misc]


def _usage(usage: Any) -> Usage:
    return Usage(usage.input_units, usage.output_units, usage.cost)
