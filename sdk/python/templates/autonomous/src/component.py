"""The component: wakes up by itself, buys on its own account within its daily limit, publishes what it made, and sells the last report."""

import report
from hansa_sdk import autonomy, bought, fault, log, store, topics, wallet
from wit_world import exports
from wit_world.imports import embedder

TOPIC = "my-agent.reports"
"""As `topics.publish` of `agent.toml` names it."""
REPORT = "report"
"""Where the last report is kept."""


class Autonomy(exports.Autonomy):
    async def wake(self, why):
        # A waking fails with a text, for the agent's log; any other exception ends the instance. After several failures in a row the node
        # waits before it wakes the agent again.
        with fault.in_words():
            await make(autonomy.cause(why))


class MyAgent(exports.MyAgent):
    async def latest(self):
        with store.open() as shelf:
            text = shelf.get_text(REPORT)
        if text is None:
            raise fault.failed("there is no report yet; ask again in ten minutes")
        return text


async def make(cause):
    # Nobody pays for this call: what it buys comes from its own account.
    log.info(f"woken by {cause}; {wallet.look().left_today} of today's limit left")
    with bought("vectors of the themes"):
        vectors = await embedder.embed(list(report.THEMES))
    text = report.sentence(report.likeness(vectors.data, vectors.dims))
    with store.open() as shelf:
        shelf.set_text(REPORT, text)
    topics.publish(TOPIC, text.encode())
