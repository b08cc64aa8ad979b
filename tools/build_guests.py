"""Build the agents in Python and JavaScript, and test them, their SDKs and the templates for new ones.

    python3 tools/build_guests.py [NAME]...     build agents/NAME (default: all) to target/wasm32-wasip2/agent/hansa_agent_NAME.wasm
    python3 tools/build_guests.py --test        run their unit tests and those of the SDKs; make an agent of each template and test it; build some

What is up to date is skipped: the sha256 of all that a component is made of stands beside it. The tools come from
`python3 tools/setup.py python-guests js-guests`; nothing is fetched here. Ends with 0, or with 1 and a line that says what is wrong.
"""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # no __pycache__ beside the sources

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".tools" / "bin"
NODE = ROOT / ".tools" / "guests" / "node"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
STAGE = TARGET / "guests"
PINS = [ROOT / "tools" / "pins.txt", ROOT / "tools" / "js-guests" / "package-lock.json"]
SDKS = {"python": ROOT / "sdk" / "python", "javascript": ROOT / "sdk" / "js"}
TEMPLATES = tuple("%s/%s" % (language, kind) for language in ("python", "js") for kind in ("pure", "service", "buyer", "inference", "autonomous"))
# Those that the test builds too: one without purchases and one with. `hansa build` is tested with all of them, in runtime/node/tests/author.rs.
BUILT = ("python/service", "python/buyer", "js/service", "js/buyer")
# Folders beside sources that go into no component. Building a Python agent leaves __pycache__ behind.
OTHER = {"templates", "tests", "__pycache__"}
# What a template's placeholders become in the test of the templates.
EXAMPLE = {"my-publisher": "acme", "my-agent": "word-count", "my_agent": "word_count", "MyAgent": "WordCount", "myAgent": "wordCount"}


class BuildError(Exception):
    """One line, or the tool's own words, for the person at the terminal."""


def say(name, text):
    print("guests: %-16s %s" % (name, text), file=sys.stderr, flush=True)


# --- contracts ---

def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def packages_named(text):
    """The packages that a WIT text refers to: `commons:files` of `commons:files/identifier@0.1.0`."""
    return set(re.findall(r"\b([a-z][a-z0-9-]*:[a-z][a-z0-9-]*)/", without_comments(text)))


def package_of(folder):
    """The package whose WIT lies in `folder`; none where there is none."""
    for path in sorted(folder.glob("*.wit")):
        found = re.search(r"^\s*package\s+([a-z][a-z0-9-]*:[a-z][a-z0-9-]*)", without_comments(path.read_text()), re.MULTILINE)
        if found:
            return found.group(1)
    return None


def prepare_wit(agent, contracts, target, plain_imports):
    """Lay out `agent`/wit as the tools want it: the world in `target`, every package that it needs in `target`/deps/<folder>.

    `contracts`: folders that hold one folder for each package. `plain_imports`: market interfaces that the world imports lose their
    `async`, for a language that can only buy one thing after another; the host links either form to the same sellers.
    """
    known = {}
    for folder in [child for root in contracts if root.is_dir() for child in sorted(root.iterdir()) if child.is_dir()]:
        known.setdefault(package_of(folder), folder)
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    world = "".join(path.read_text() for path in sorted((agent / "wit").glob("*.wit")))
    own = package_of(agent / "wit")
    for path in (agent / "wit").glob("*.wit"):
        shutil.copyfile(path, target / path.name)
    plain = imported_services(world) if plain_imports else set()
    wanted, placed = packages_named(world) - {own}, set()
    while wanted - placed:
        package = min(wanted - placed)
        if package not in known:
            raise BuildError("%s: there is no contract `%s`; put it into wit/deps/" % (agent.name, package))
        (target / "deps" / known[package].name).mkdir(parents=True)
        for path in known[package].glob("*.wit"):
            text = path.read_text()
            wanted |= packages_named(text) - {own}
            (target / "deps" / known[package].name / path.name).write_text(plain_wit(text, package, plain))
        placed.add(package)


def imported_services(world):
    """`package/interface` of what the world buys. What it also sells must keep its `async`, so that is refused."""
    text = without_comments(world)
    named = r"([a-z][a-z0-9-]*:[a-z][a-z0-9-]*/[a-z][a-z0-9-]*)"
    bought = {name for name in re.findall(r"\bimport\s+%s" % named, text) if not name.startswith(("hansa:", "wasi:"))}
    both = bought & set(re.findall(r"\bexport\s+%s" % named, text))
    if both:
        raise BuildError("`%s` is imported and exported; an agent in JavaScript cannot buy what it sells itself" % min(both))
    return bought


def plain_wit(text, package, plain):
    """The contract with `func` for `async func` in those of its interfaces that are in `plain`."""
    def rewrite(found):
        if "%s/%s" % (package, found.group(2)) not in plain:
            return found.group(0)
        return re.sub(r":(\s*)async(\s+)func\b", r":\1func", found.group(0))
    # An interface ends at the brace that closes it; braces within it (records, `use`) come in pairs.
    return re.sub(r"(\binterface\s+([a-z][a-z0-9-]*)\s*)\{(?:[^{}]|\{[^{}]*\})*\}", rewrite, text)


# --- building ---

class Agent:
    """An agent's folder, in which language it is written and where its component goes."""

    def __init__(self, folder, sdk, modules, component):
        self.folder, self.name, self.sdk, self.modules, self.component = folder, folder.name, sdk, modules, component
        self.language = "python" if (folder / "src" / "component.py").is_file() else "javascript"
        self.stage = STAGE / self.name

    def command(self):
        """The one tool chain command."""
        if self.language == "python":
            return [BIN / "componentize-py", "-q", "-d", self.stage / "wit", "componentize", "-p", self.folder / "src", "-p", self.sdk,
                    "component", "-o", self.component]
        return [BIN / "componentize-qjs", "--wit", self.stage / "wit", "--js", self.folder / "src" / "component.js",
                "--module-root", self.modules, "--output", self.component]

    def inputs(self):
        """All that the component is made of, and this."""
        roots = (self.folder / "src", self.stage / "wit", self.sdk)
        files = [path for root in roots for path in sorted(root.rglob("*"))
                 if path.is_file() and not OTHER.intersection(path.relative_to(root).parts)]
        digest = hashlib.sha256()
        for path in [pathlib.Path(__file__), *PINS, *files]:
            digest.update(str(path.relative_to(ROOT if path.is_relative_to(ROOT) else TARGET)).encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def build(self):
        prepare_wit(self.folder, [self.folder / "wit" / "deps", ROOT / "wit"], self.stage / "wit", self.language == "javascript")
        stamp, inputs = self.stage / "inputs.sha256", self.inputs()
        if self.component.is_file() and stamp.is_file() and stamp.read_text() == inputs:
            say(self.name, "up to date")
            return
        say(self.name, "building (%s)" % {"python": "Python: about 15 s", "javascript": "JavaScript: about 3 s"}[self.language])
        began = time.monotonic()
        self.component.parent.mkdir(parents=True, exist_ok=True)
        run(self.name, self.command())
        stamp.write_text(inputs)
        say(self.name, "%.1f MB after %.1f s" % (self.component.stat().st_size / 1e6, time.monotonic() - began))


def run(name, command, env=None, cwd=None):
    if not pathlib.Path(command[0]).exists():
        raise BuildError("`%s` is missing; run `python3 tools/setup.py python-guests js-guests`" % command[0])
    done = subprocess.run([str(part) for part in command], env={**os.environ, **(env or {})}, cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise BuildError("%s: `%s` failed:\n%s" % (name, pathlib.Path(command[0]).name, done.stdout.strip()))


def agents(names):
    folders = [folder for folder in sorted((ROOT / "agents").iterdir()) if not (folder / "Cargo.toml").exists() and (folder / "agent.toml").exists()]
    unknown = set(names) - {folder.name for folder in folders}
    if unknown:
        raise BuildError("there is no agent `%s` in Python or JavaScript; choose from %s" % (min(unknown), ", ".join(folder.name for folder in folders)))
    place = TARGET / "wasm32-wasip2" / "agent"
    found = []
    for folder in folders:
        if not names or folder.name in names:
            agent = Agent(folder, SDKS["python"], ROOT, place / ("hansa_agent_%s.wasm" % folder.name.replace("-", "_")))
            agent.sdk = SDKS[agent.language]
            found.append(agent)
    return found


# --- testing ---

def test_python(name, folder, sdk):
    path = os.pathsep.join([str(folder / "src"), str(sdk)])
    run(name, [sys.executable, "-B", "-m", "unittest", "discover", "-s", folder / "tests"], env={"PYTHONPATH": path})
    say(name, "unit tests pass")


def test_javascript(name, folder):
    run(name, [NODE, "--test", *sorted((folder / "tests").glob("*.test.js"))])
    say(name, "unit tests pass")


def example_of(template):
    """An agent made of a template as `hansa new` makes it: names filled in, the SDK beside it."""
    language, kind = template.split("/")
    folder = STAGE / "templates" / ("%s-%s" % (language, kind))
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(ROOT / "sdk" / language / "templates" / kind, folder)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        text = path.read_text()
        for placeholder, value in EXAMPLE.items():
            text = text.replace(placeholder, value)
        path.write_text(text)
    if language == "python":
        shutil.copytree(SDKS["python"] / "hansa_sdk", folder / "vendor" / "hansa_sdk", ignore=shutil.ignore_patterns("__pycache__"))
        test_python(template, folder, folder / "vendor")
    else:
        (folder / "vendor" / "hansa-sdk").mkdir(parents=True)
        for path in SDKS["javascript"].glob("*.js"):
            shutil.copyfile(path, folder / "vendor" / "hansa-sdk" / path.name)
        test_javascript(template, folder)
    return Agent(folder, folder / "vendor", folder, STAGE / folder.name / "component.wasm")


def test_all():
    run("tools", [sys.executable, "-B", "-m", "unittest", "discover", "-s", ROOT / "tools" / "tests"])
    say("tools", "unit tests pass")
    test_python("sdk/python", SDKS["python"], SDKS["python"])
    test_javascript("sdk/js", SDKS["javascript"])
    for agent in agents([]):
        if agent.language == "python":
            test_python(agent.name, agent.folder, agent.sdk)
        else:
            test_javascript(agent.name, agent.folder)
    for template in TEMPLATES:
        agent = example_of(template)
        if template in BUILT:
            agent.build()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="*", help="agents to build; default: all")
    parser.add_argument("--test", action="store_true", help="run the tests instead")
    chosen = parser.parse_args()
    if chosen.test:
        test_all()
        return
    for agent in agents(chosen.name):
        agent.build()


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        print("guests: %s" % error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
