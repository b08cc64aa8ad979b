"""The SDK without a host: its documentation's examples, and what they leave out."""

import asyncio
import doctest
import importlib
import pkgutil
import unittest
from types import SimpleNamespace

import hansa_sdk
from hansa_sdk import autonomy, context, fault, generation, inference, join_all, join_at_most, log, market, metering, store, testing
from hansa_sdk import topics, wallet
from hansa_sdk._bindings import NotInWorld


def load_tests(_, tests, __):
    for module in pkgutil.iter_modules(hansa_sdk.__path__, "hansa_sdk."):
        tests.addTests(doctest.DocTestSuite(importlib.import_module(module.name)))
    return tests


class Faults(unittest.TestCase):
    def test_every_kind_keeps_its_name_and_reason(self):
        for kind in fault.KINDS:
            error = fault.of(kind, "why")
            self.assertEqual((fault.kind(error), fault.reason(error)), (kind, "why"))

    def test_a_late_supplier_stays_late(self):
        with testing.raises("deadline", "buying a summary: after 500 ms"):
            with fault.bought("a summary"):
                raise fault.deadline("after 500 ms")

    def test_errors_of_ones_own_are_not_blamed_on_a_supplier(self):
        with self.assertRaises(ZeroDivisionError):
            with fault.bought("a summary"):
                1 / 0
        with self.assertRaises(fault.Err) as raised:
            with fault.bought("a summary"):
                raise fault.Err("a string is no fault")
        self.assertEqual(raised.exception.value, "a string is no fault")

    def test_where_nothing_is_sold_a_fault_becomes_a_text(self):
        for raised, text in [(fault.no_offer("nobody sells it"), "no offer: nobody sells it"), (fault.Err("too hard"), "too hard")]:
            with self.assertRaises(fault.Err) as told:
                with fault.in_words():
                    raise raised
            self.assertEqual(told.exception.value, text)
        with self.assertRaises(ZeroDivisionError):
            with fault.in_words():
                1 / 0

    def test_an_expected_fault_that_does_not_come_fails_the_test(self):
        with self.assertRaisesRegex(AssertionError, "no fault was raised"):
            with testing.raises("failed"):
                pass
        with self.assertRaisesRegex(AssertionError, "`refused` with `x` was expected, not failed: y"):
            with testing.raises("refused", "x"):
                raise fault.failed("y")


class Host(unittest.TestCase):
    def test_without_a_host_every_use_says_what_to_import(self):
        uses = [
            (context.whoami, "import hansa:agent/context@0.1.0;"),
            (lambda: log.info("x"), "import hansa:agent/log@0.1.0;"),
            (store.open, "import wasi:keyvalue/store@0.2.0-draft2;"),
            (lambda: market.offers("a:b/c", "d"), "import hansa:market/offers@0.1.0;"),
            (lambda: market.tender("a:b/c", "d", []), "import hansa:market/tenders@0.1.0;"),
            (lambda: inference.embed("minilm", ["x"]), "import hansa:inference/text@0.1.0;"),
            (lambda: metering.count(1), "import hansa:agent/metering@0.1.0;"),
            (lambda: topics.publish("a", b""), "import hansa:agent/topics@0.1.0;"),
            (wallet.look, "import hansa:wallet/wallet@0.1.0;"),
        ]
        for use, line in uses:
            with self.assertRaisesRegex(NotInWorld, line):
                use()

    def test_outside_a_call_there_is_none(self):
        with testing.world({"hansa:agent/context": testing.context(call=False)}), testing.raises("failed", "no call is being served"):
            context.current_call()

    def test_an_unknown_interface_is_named(self):
        with self.assertRaisesRegex(KeyError, "acme:shop/till"):
            with testing.world({"acme:shop/till": None}):
                pass


class Store(unittest.TestCase):
    def test_lists_go_over_all_pages(self):
        values = {f"a/{number}": b"" for number in range(5)} | {"b": b""}
        with testing.world({"wasi:keyvalue/store": testing.store(values)}), store.open() as shelf:
            self.assertEqual(shelf.list("a/"), [f"a/{number}" for number in range(5)])
            shelf.delete("b")
            self.assertFalse(shelf.exists("b"))

    def test_values_of_another_make_are_refused(self):
        values = {"text": b"\xff", "number": b"123"}
        with testing.world({"wasi:keyvalue/store": testing.store(values)}), store.open() as shelf:
            with testing.raises("failed", "the value under `text` is not UTF-8 text"):
                shelf.get_text("text")
            with testing.raises("failed", "the value under `number` is not a number"):
                shelf.get_number("number")

    def test_what_the_host_refuses_is_told(self):
        class Error_AccessDenied:
            pass

        def refuse(_):
            raise testing.err(Error_AccessDenied())

        with testing.world({"wasi:keyvalue/store": SimpleNamespace(open=refuse)}), testing.raises("failed", "ask for `keyvalue.bytes-max`"):
            store.open()


class Inference(unittest.TestCase):
    def test_errors_keep_their_meaning(self):
        for case, value, kind, part in [
            ("Budget", 7, "over-budget", "would cost `7`"),
            ("Overloaded", 40, "unavailable", "retry after 40 ms"),
            ("NotPermitted", "minilm", "refused", "minilm"),
            ("OutOfMemory", None, "unavailable", "out of memory"),
        ]:
            error = testing.err(type(f"Error_{case}", (), {"value": value})())
            with testing.raises(kind, part):
                raise inference.fault_of(error)


class Generation(unittest.TestCase):
    def test_all_kinds_of_prompts_come_to_the_end(self):
        for prompt in ("Once", [("user", "Who?")], [1, 2, 3]):
            with testing.world(testing.generates("a", "b", finish="stop")), generation.generate("m", prompt, max_tokens=2) as made:
                self.assertEqual((made.text(), made.finish, made.usage().output_tokens), ("ab", "stop", 2))
                self.assertEqual(list(made), [])

    def test_what_it_breaks_with_is_a_fault(self):
        broken = type("Error_Backend", (), {"value": "no memory"})()
        with testing.world(testing.generates("a", error=broken)), generation.generate("m", "Once", max_tokens=2) as made:
            self.assertEqual(next(made).text, "a")
            with testing.raises("failed", "the node's inference broke: no memory"):
                next(made)
            self.assertIsNone(made.finish)

    def test_an_unknown_role_is_an_error_of_the_author(self):
        with testing.world(testing.generates()), self.assertRaises(KeyError):
            generation.generate("m", [("boss", "Now!")], max_tokens=2)


class Market(unittest.TestCase):
    def test_a_refusal_is_told(self):
        def refuse(*_):
            raise testing.err("`a:b/c` is no import of this component")

        bindings = {**testing.Terms().bindings, "hansa:market/terms": SimpleNamespace(narrow=refuse)}
        with testing.world(bindings), testing.raises("failed", "could not narrow the terms for `a:b/c`: `a:b/c` is no import"):
            market.narrow("a:b/c", max_price=1)

    def test_a_tender_passes_the_arguments_on_and_tells_a_refusal(self):
        seen = testing.Terms(bids=[testing.bid("did:key:zA", 7)])
        with testing.world(seen.bindings):
            self.assertEqual(market.tender("a:b/c", "d", ["ä", 1], wait_ms=50)[0].price, 7)
        self.assertEqual(seen.tendered, [("a:b/c", "d", '["\\u00e4", 1]', 50)])

        def refuse(*_):
            raise testing.err("nobody sells it")

        refusing = {**seen.bindings, "hansa:market/tenders": SimpleNamespace(open=refuse)}
        with testing.world(refusing), testing.raises("failed", "could not put `d` of `a:b/c` out to tender: nobody sells it"):
            market.tender("a:b/c", "d", [])

    def test_an_unknown_order_is_an_error_of_the_author(self):
        with self.assertRaisesRegex(ValueError, "`prefer` is `best`"):
            market.narrow("a:b/c", prefer="best")


class Autonomy(unittest.TestCase):
    def test_every_kind_of_waking_is_read_and_told(self):
        for kind in autonomy.KINDS:
            value = {"time": "every 600 s", "balance": 0}.get(kind)
            why = autonomy.cause(testing.trigger(kind, value, topic="news.ships", payload=b"text"))
            self.assertEqual((why.kind, {"time": why.time, "balance": why.balance}.get(kind)), (kind, value))
            self.assertEqual((why.topic, why.payload), ("news.ships", b"text") if kind == "topic" else (None, None))
            self.assertEqual(str(why), {"start": "start", "time": "time every 600 s", "topic": "topic news.ships", "balance": "balance 0"}[kind])

    def test_a_waking_that_is_not_known_is_named(self):
        with self.assertRaisesRegex(ValueError, "`moon` is no kind of waking"):
            autonomy.cause(type("Trigger_Moon", (), {})())
        with self.assertRaisesRegex(ValueError, "`moon` is no kind of waking"):
            testing.trigger("moon")

    def test_a_bill_beyond_the_limit_is_not_paid(self):
        account = testing.Wallet(available=900, left_today=100)
        with testing.world({"hansa:wallet/wallet": account.binding}):
            wallet.pay("5f3a", 60)
            with testing.raises("failed", "could not pay: 60 are more than"):
                wallet.pay("5f3a", 60)
            self.assertEqual(wallet.look(), wallet.Funds(available=840, spent_today=60, left_today=40))
        self.assertEqual(account.paid, [("5f3a", 60)])

    def test_what_the_host_refuses_is_told(self):
        def refuse(*_):
            raise testing.err("not now")

        with testing.world({"hansa:wallet/wallet": SimpleNamespace(look=refuse, pay=refuse)}):
            with testing.raises("failed", "could not look at the wallet: not now"):
                wallet.look()
        with testing.world({"hansa:agent/topics": SimpleNamespace(publish=refuse)}), testing.raises("failed", "could not publish on `a.b`: not now"):
            topics.publish("a.b", b"")


class Join(unittest.TestCase):
    def test_never_more_than_so_many_are_in_flight(self):
        async def count():
            flying, most = 0, 0

            async def purchase(number):
                nonlocal flying, most
                flying += 1
                most = max(most, flying)
                await asyncio.sleep(0)
                flying -= 1
                return number

            answers = await join_at_most(3, [purchase(number) for number in range(10)])
            self.assertEqual(most, 3)
            self.assertEqual(await join_all([purchase(number) for number in range(10)]), answers)
            self.assertEqual(most, 10)
            return answers

        self.assertEqual(asyncio.run(count()), list(range(10)))

    def test_the_first_fault_is_raised(self):
        async def fails():
            raise fault.no_offer("nobody sells it")

        with testing.raises("no-offer"):
            asyncio.run(join_all([fails()]))


if __name__ == "__main__":
    unittest.main()
