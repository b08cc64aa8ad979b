"""The component: buys vectors, sells which text is nearest."""

import nearness
from hansa_sdk import bought
from wit_world import exports
from wit_world.imports import embedder


class MyAgent(exports.MyAgent):
    async def nearest(self, query, texts):
        nearness.check(query, texts)
        # To buy is to call the import. `bought` tells a supplier's trouble in our own name: the customer knows nothing of our suppliers.
        # Several purchases run at once under `hansa_sdk.join_all`.
        with bought("the vectors of the texts"):
            vectors = await embedder.embed([query, *texts])
        return nearness.nearest(vectors.data, vectors.dims, len(texts))
