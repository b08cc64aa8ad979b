"""The component: runs a model that the node lends, sells which text is nearest."""

import nearness
from hansa_sdk import inference
from wit_world import exports

MODEL = "minilm"
"""As `inference.models` of `agent.toml` names it."""


class MyAgent(exports.MyAgent):
    async def nearest(self, question, texts):
        nearness.check(texts)
        # One request for all: the node batches its rows, with those of other agents too. What fails, a model that is not there for
        # example, is raised as the fault that says so to the customer.
        rows = inference.embed(MODEL, [question, *texts]).rows
        index, likeness = nearness.nearest(rows, len(texts))
        return exports.my_agent.Hit(index, likeness)
