"""The component: what the world exports, one class for each interface with its functions as methods."""

import slugs
from wit_world import exports


class MyAgent(exports.MyAgent):
    async def slug(self, title, length_max):
        # Equal titles give equal slugs: no state, no clock, no random numbers. So a buyer may ask any seller, and ask again.
        return slugs.slug(title, length_max)
