"""How contracts are prepared for the tool chains: `python3 -m unittest discover -s tools/tests`."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import build_guests  # noqa: E402  (found by the line above)

SHOP = """/// Says `interface till` here: async func.
package acme:shop@0.1.0;

interface types { record bread { crumbs: u32, } }
interface till {
  use types.{bread};
  use hansa:service/types@0.1.0.{fault};
  record change { coins: list<u32> }
  pay: async func(bread: bread) -> result<change, fault>;
  wait:   async   func() -> result<_, fault>;
}
interface door { open: async func() -> result<_, fault>; }
"""


class Plain(unittest.TestCase):
    def test_only_the_interfaces_that_are_bought_lose_their_async(self):
        plain = build_guests.plain_wit(SHOP, "acme:shop", {"acme:shop/till"})
        self.assertIn("  pay: func(bread: bread)", plain)
        self.assertIn("  wait:   func()", plain)
        self.assertIn("interface door { open: async func()", plain)
        self.assertIn("/// Says `interface till` here: async func.", plain)
        self.assertEqual(build_guests.plain_wit(SHOP, "acme:other", {"acme:shop/till"}), SHOP)

    def test_capabilities_are_not_bought(self):
        world = "world agent {\n import hansa:agent/log@0.1.0;\n // import a:b/c;\n import acme:shop/till@0.1.0;\n export acme:shop/door@0.1.0;\n}"
        self.assertEqual(build_guests.imported_services(world), {"acme:shop/till"})

    def test_what_is_sold_cannot_be_bought(self):
        with self.assertRaisesRegex(build_guests.BuildError, "`acme:shop/till` is imported and exported"):
            build_guests.imported_services("import acme:shop/till@0.1.0; export acme:shop/till@0.1.0;")


class Layout(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("contracts/shop/shop.wit", SHOP)
        self.write("agent/wit/world.wit", "package acme:baker@0.1.0;\nworld agent { import acme:shop/till@0.1.0; export acme:shop/door@0.1.0; }")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def prepare(self, plain):
        build_guests.prepare_wit(self.root / "agent", [self.root / "contracts"], self.root / "out", plain)
        return {str(path.relative_to(self.root / "out")): path.read_text() for path in (self.root / "out").rglob("*.wit")}

    def test_contracts_that_contracts_name_come_along(self):
        self.write("contracts/service/types.wit", "package hansa:service@0.1.0;\ninterface types { variant fault { failed(string) } }")
        self.write("contracts/unused/u.wit", "package acme:unused@0.1.0;")
        self.assertEqual(set(self.prepare(False)), {"world.wit", "deps/shop/shop.wit", "deps/service/types.wit"})
        self.assertEqual(self.prepare(False)["deps/shop/shop.wit"], SHOP)
        self.assertNotEqual(self.prepare(True)["deps/shop/shop.wit"], SHOP)

    def test_a_contract_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(build_guests.BuildError, "agent: there is no contract `hansa:service`; put it into wit/deps/"):
            self.prepare(False)


if __name__ == "__main__":
    unittest.main()
