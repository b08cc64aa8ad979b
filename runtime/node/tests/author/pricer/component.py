"""Counts items for its customer, names the price of a call, bids and lets bid, by the SDK for Python."""

import json

from hansa_sdk import Err, bought, fault, market, metering
from wit_world import exports
from wit_world.imports import yard


class Pricer(exports.Pricer):
    async def pack(self, items):
        metering.count(items // 2)
        metering.count(items - items // 2)
        if items == 13:
            raise fault.invalid_input("13 is not packed")
        return items

    async def carve(self, text):
        return text

    async def haggle(self, kind):
        bids = market.tender("acme:wood/yard@0.1.0", "fetch", [kind], wait_ms=50)
        with bought("the wood"):
            wood = await yard.fetch(kind)
        return [bid.out or str(bid.price) for bid in bids] + [wood]


class Bidding(exports.Bidding):
    async def bid(self, tender):
        return None if tender.list_price is None else tender.list_price * 4 // 5


class Pricing(exports.Pricing):
    async def price(self, service, function, arguments_json):
        text = json.loads(arguments_json)["text"]
        if (service, function, text) == ("acme:pricer/pricer@0.1.0", "carve", "granite"):
            raise Err("granite is too hard")
        if text == "marble":
            with fault.in_words():
                raise fault.refused("marble is kept for others")
        return 10 * len(text)
