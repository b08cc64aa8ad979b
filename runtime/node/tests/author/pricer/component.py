"""Counts items for its customer, and names the price of a call, by the SDK for Python."""

import json

from hansa_sdk import Err, fault, metering
from wit_world import exports


class Pricer(exports.Pricer):
    async def pack(self, items):
        metering.count(items // 2)
        metering.count(items - items // 2)
        if items == 13:
            raise fault.invalid_input("13 is not packed")
        return items

    async def carve(self, text):
        return text


class Pricing(exports.Pricing):
    async def price(self, service, function, arguments_json):
        text = json.loads(arguments_json)["text"]
        if (service, function, text) == ("acme:pricer/pricer@0.1.0", "carve", "granite"):
            raise Err("granite is too hard")
        if text == "marble":
            with fault.in_words():
                raise fault.refused("marble is kept for others")
        return 10 * len(text)
