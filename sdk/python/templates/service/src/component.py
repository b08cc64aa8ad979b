"""The component: what the world exports, one class for each interface with its functions as methods."""

import words
from hansa_sdk import context, log
from wit_world import exports


class MyAgent(exports.MyAgent):
    async def count(self, text, top):
        # Faults raised in here reach the customer as such and cost nothing; any other exception ends the instance.
        words.check(text, top)
        log.info(f"counting {len(text)} characters for {context.current_call().buyer}")
        return words.counted(text, top)
