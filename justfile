# Hansa's recipes. `./justw <recipe>` runs them where no `just` is installed.

set shell := ["bash", "-euo", "pipefail", "-c"]

# list the recipes
default:
    @'{{ just_executable() }}' --justfile '{{ justfile() }}' --list --unsorted

# fetch what building and running needs into .tools: nats-server, ONNX Runtime, two models, beancount, the wasm target, componentize-py and -qjs
setup:
    @python3 tools/setup.py

# build the agents, and the components that the tests run, for WebAssembly into target/wasm32-wasip2/agent
agents:
    cargo build --target wasm32-wasip2 --profile agent -p 'hansa-agent-*' -p 'hansa-fixture-*'
    @python3 tools/build_guests.py

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
        python3 tools/build_guests.py --test
    else
        echo "test: with cargo test (cargo-nextest is not installed)" >&2
        cargo test {{ ARGS }}
        cargo test -p hansa-sdk -p 'hansa-agent-*' --features hansa-sdk/text
        python3 tools/build_guests.py --test
    fi

# run the Reading Room sample from an empty machine to a settled ledger; arguments go to it
demo *ARGS: setup agents build
    cargo run -q --bin hansa-reading-room -- {{ ARGS }}

# the same economy, left running to play with
up *ARGS: setup agents build
    cargo run -q --bin hansa-reading-room -- --stay {{ ARGS }}

# measure in release mode: `bench inference`, `bench ledger`, `bench search`, or what hansa-bench knows, such as `bench call`
bench WHAT *ARGS: setup agents
    #!/usr/bin/env bash
    set -euo pipefail
    case '{{ WHAT }}' in
        inference) cargo bench -q -p hansa-inference -- {{ ARGS }} ;;
        ledger) cargo bench -q -p hansa-ledger --bench ledger -- {{ ARGS }} ;;
        search) cargo bench -q -p hansa-catalogue --bench search -- {{ ARGS }} ;;
        *)
            cargo build --release -p hansa-node --bins
            "${CARGO_TARGET_DIR:-target}/release/hansa-bench" '{{ WHAT }}' {{ ARGS }}
            ;;
    esac

# the ledger under simulation: `sim SEEDS [FIRST] [STEPS]`; a failure prints its seed and what happened before
sim SEEDS='1000' FIRST='1' STEPS='150':
    cargo run -q --release -p hansa-ledger --features simulator --example simulate -- {{ SEEDS }} {{ FIRST }} {{ STEPS }}

# the long run, split over processes: each plays a part of SEEDS from FIRST on, and says every 1,000 seeds how far it is
sim-long SEEDS='100000' FIRST='1' STEPS='60' PROCESSES='2':
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build -q --release -p hansa-ledger --features simulator --example simulate
    program="${CARGO_TARGET_DIR:-target}/release/examples/simulate"
    end=$(( {{ FIRST }} + {{ SEEDS }} ))
    part=$(( ({{ SEEDS }} + {{ PROCESSES }} - 1) / {{ PROCESSES }} ))
    parts=()
    for ((from = {{ FIRST }}; from < end; from += part)); do
        "$program" $(( end - from < part ? end - from : part )) "$from" '{{ STEPS }}' &
        parts+=($!)
    done
    failed=0
    for process in "${parts[@]}"; do wait "$process" || failed=1; done
    exit "$failed"

# write a log of the simulator's making to FILE: for `runtime/ledger/tests/golden`, when commands are added
golden-log FILE SEED='2034':
    cargo run -q --release -p hansa-ledger --features simulator --example simulate -- --log '{{ FILE }}' '{{ SEED }}'

# plant bugs into copies of the ledger and expect the simulator to find each; names choose some
mutations *NAMES:
    @python3 tools/mutations.py {{ NAMES }}

# kill a process that writes to a ledger, again and again: nothing answered may be lost
kill TIMES='500':
    HANSA_LEDGER_TEST_KILLS={{ TIMES }} cargo test -p hansa-ledger --test killed -- --exact what_was_answered_survives_kills --nocapture

# fuzz the decoders of outside bytes for about so many seconds each: with cargo-fuzz and a nightly compiler, else by the bounded tests
fuzz SECONDS='60':
    #!/usr/bin/env bash
    set -euo pipefail
    if cargo +nightly fuzz --version >/dev/null 2>&1; then
        cargo test -p hansa-ledger --test decoders -- --ignored seeds_are_written_for_the_fuzzers
        for target in statements commands entries; do
            cargo +nightly fuzz run "$target" -- -max_total_time={{ SECONDS }} -max_len=65536
        done
    else
        echo "fuzz: cargo-fuzz or a nightly compiler is not installed; running the bounded tests" >&2
        HANSA_FUZZ_CASES=$(( {{ SECONDS }} * 2000 )) cargo test --release -p hansa-ledger --test decoders
    fi

# format check, clippy and docs without warnings, licences and advisories where cargo-deny is installed
lint:
    cargo fmt --all --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy -p hansa-sdk -p 'hansa-agent-*' --features hansa-sdk/text --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --quiet
    if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo 'lint: cargo-deny is not installed, skipped' >&2; fi

# everything that must pass before a commit
check: lint test

# write the references and schemas of agent.toml (docs/developers) and of workflows (docs/businesses) anew from the code
docs-reference:
    HANSA_WRITE=1 cargo test -q -p hansa-catalogue --test reference
    HANSA_WRITE=1 cargo test -q -p hansa-workflow --test reference

# remove the local node's data: ledger, books, agent state; keys too
clean-data:
    rm -rf .hansa
