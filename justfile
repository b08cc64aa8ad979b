# Hansa's recipes. `./justw <recipe>` runs them where no `just` is installed.

set shell := ["bash", "-euo", "pipefail", "-c"]

# list the recipes
default:
    @'{{ just_executable() }}' --justfile '{{ justfile() }}' --list --unsorted

# fetch what building and running needs into .tools: nats-server, ONNX Runtime, two models, the wasm target
setup:
    @python3 tools/setup.py

# build the agents, and the components that the tests run, for WebAssembly into target/wasm32-wasip2/agent
agents:
    cargo build --target wasm32-wasip2 --profile agent -p 'hansa-agent-*' -p 'hansa-fixture-*'

# build the node and the samples
build:
    cargo build

# set up, build everything, run all tests and doc tests; arguments go to the test runner
test *ARGS: setup agents
    #!/usr/bin/env bash
    set -euo pipefail
    if cargo nextest --version >/dev/null 2>&1; then
        echo "test: with cargo-nextest, then the doc tests" >&2
        cargo nextest run {{ ARGS }}
        cargo nextest run -p hansa-sdk -p 'hansa-agent-*' --features hansa-sdk/text
        cargo test --doc --quiet
    else
        echo "test: with cargo test (cargo-nextest is not installed)" >&2
        cargo test {{ ARGS }}
        cargo test -p hansa-sdk -p 'hansa-agent-*' --features hansa-sdk/text
    fi

# run the Reading Room sample from an empty machine to a settled ledger; arguments go to it
demo *ARGS: setup agents build
    cargo run -q --bin hansa-reading-room -- {{ ARGS }}

# the same economy, left running to play with
up *ARGS: setup agents build
    cargo run -q --bin hansa-reading-room -- --stay {{ ARGS }}

# measure in release mode: `bench inference`, `bench ledger`, or what hansa-bench knows, such as `bench call`
bench WHAT *ARGS: setup agents
    #!/usr/bin/env bash
    set -euo pipefail
    case '{{ WHAT }}' in
        inference) cargo bench -q -p hansa-inference -- {{ ARGS }} ;;
        ledger) cargo bench -q -p hansa-ledger --bench ledger -- {{ ARGS }} ;;
        *) cargo run --release -p hansa-node --bin hansa-bench -- '{{ WHAT }}' {{ ARGS }} ;;
    esac

# format check, clippy and docs without warnings, licences and advisories where cargo-deny is installed
lint:
    cargo fmt --all --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy -p hansa-sdk -p 'hansa-agent-*' --features hansa-sdk/text --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --quiet
    if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo 'lint: cargo-deny is not installed, skipped' >&2; fi

# everything that must pass before a commit
check: lint test

# remove the local node's data: ledger, books, agent state; keys too
clean-data:
    rm -rf .hansa
