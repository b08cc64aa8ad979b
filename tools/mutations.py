#!/usr/bin/env python3
"""Plants one bug after the other into a copy of the ledger and expects the simulator to find each.

    tools/mutations.py [NAME...]

Each mutation is a textual change to one file. A copy of the two crates is made in a temporary folder, the change is applied
there, the simulator is built, and it runs seeds until an auditor objects. A mutation that is not found, or whose text is not
there any more, is an error. CARGO_TARGET_DIR is respected. "0 seeds": found in the prologue of every run. The list with what was found: docs/simulation.md."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES = ["marketplace/economy", "runtime/ledger"]
RULES = "marketplace/economy/src/ledger"
STORE = "runtime/ledger/src"
SEEDS_MAX = 3000

# name, file, what stands there, what is planted
MUTATIONS = [
    ("answer-before-commit", f"{STORE}/writer.rs",
     "self.store.write(&self.state, &changes, &group.entries)?;",
     "let _ = self.store.write(&self.state, &changes, &group.entries);"),
    ("commit-not-durable", f"{STORE}/store.rs", "Durability::Immediate)?", "Durability::None)?"),
    ("recovery-keeps-memory", f"{STORE}/writer.rs", "        self.state = state;\n        Ok(())", "        Ok(())"),
    ("outcome-lost-on-resubmission", f"{STORE}/store.rs", "state.recall_outcome(*id, outcome);",
     "let _ = outcome;"),
    ("clock-may-go-back", f"{STORE}/group.rs", "clock().max(state.head().time_ns + 1)", "clock()"),
    ("hold-row-forgotten", f"{STORE}/store.rs", "holds::follow(&mut holds, id, record)?;", "let _ = &mut holds;"),
    ("expiry-off-by-one", f"{RULES}/state.rs", "*expires_ns <= now_ns", "*expires_ns < now_ns"),
    ("expiry-does-not-reopen", f"{RULES}/expiry.rs", "release(state, &hold, true);", "release(state, &hold, false);"),
    ("post-twice", f"{RULES}/transfer_resolve.rs", "(hold_state == HoldState::Posted, ", "(false, "),
    ("hold-rest-not-released", f"{RULES}/transfer_resolve.rs", "release(state, &hold, voids);",
     "release(state, &Transfer { amount, ..hold.clone() }, voids);"),
    ("chain-not-rolled-back", f"{RULES}/chain.rs", "state.discard_scope();", "state.keep_scope();"),
    ("burnt-id-serves-again", f"{RULES}/transfer_batch.rs", "if result.status.is_transient() {",
     "if result.status.is_transient() && self.transfer.amount == Amount::MAX {"),
    ("anybody-may-debit", f"{RULES}/authority.rs",
     "may_debit(self, _state: &State, account: &Account) -> bool {\n        self.is(account.owner)",
     "may_debit(self, _state: &State, _account: &Account) -> bool {\n        true"),
    ("redeem-above-deposit", f"{RULES}/channel_redeem.rs", "let paid = due.min(left);", "let paid = due; let _ = left;"),
    ("lane-total-may-fall", f"{RULES}/channel_redeem.rs", "lane.redeemed = lane.redeemed.saturating_add(paid);",
     "lane.redeemed = receipt.cumulative.min(voucher.cumulative_max);"),
    ("ceiling-ignored", f"{RULES}/channel_redeem.rs", "receipt.cumulative.min(voucher.cumulative_max).saturating_sub(",
     "receipt.cumulative.saturating_sub("),
    ("finalize-twice", f"{RULES}/channel_finalize.rs", "ChannelPhase::Final => return Err(Reason::ChannelFinal),",
     "ChannelPhase::Final => {}"),
]


def copy(to: Path) -> None:
    for crate in CRATES:
        shutil.copytree(ROOT / crate, to / crate)
    for name in ["Cargo.lock", "rust-toolchain.toml"]:
        shutil.copy(ROOT / name, to / name)
    members = ", ".join(f'"{crate}"' for crate in CRATES)
    manifest = (ROOT / "Cargo.toml").read_text()
    manifest = re.sub(r"(?m)^(default-)?members = \[.*?^\]\n", "", manifest, flags=re.S)
    manifest = re.sub(r'(?m)^exclude = .*\n', '', manifest)
    manifest = manifest.replace("[workspace]\n", f"[workspace]\nmembers = [{members}]\n", 1)
    (to / "Cargo.toml").write_text(manifest)


def find(name: str, file: str, old: str, new: str, target: str) -> str:
    """The finding as one line of a table."""
    with tempfile.TemporaryDirectory(prefix="hansa-mutation-") as folder:
        folder = Path(folder)
        copy(folder)
        text = (folder / file).read_text()
        if text.count(old) != 1:
            return f"| `{name}` | ERROR | `{old}` stands {text.count(old)} times in {file}; bring the mutation up to date |"
        (folder / file).write_text(text.replace(old, new))
        cargo = ["cargo", "run", "-q", "--offline", "--release", "-p", "hansa-ledger", "--features", "simulator", "--example", "simulate"]
        played = subprocess.run(
            [*cargo, "--", str(SEEDS_MAX)], cwd=folder, env=os.environ | {"CARGO_TARGET_DIR": target}, capture_output=True, text=True
        )
    if "could not compile" in played.stderr:
        return f"| `{name}` | ERROR | it does not compile: {played.stderr[:500]!r} |"
    if played.returncode == 0:
        return f"| `{name}` | ERROR | not found in {SEEDS_MAX} seeds |"
    objection = re.search(r"^seed (\d+), step \d+: (.*)$", played.stderr, re.M)
    if objection:
        return f"| `{name}` | {objection[1]} | {objection[2][:110]} |"
    # Before the first seed: in the prologue that every run begins with, or by a panic.
    last = played.stderr.strip().splitlines()[-1:]
    return f"| `{name}` | 0 | {' '.join(last)[:110]} |"


def main() -> None:
    wanted = set(sys.argv[1:])
    unknown = wanted - {mutation[0] for mutation in MUTATIONS}
    if unknown:
        raise SystemExit(f"there is no mutation {', '.join(sorted(unknown))}")
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target" / "mutations"))
    print("| mutation | seeds until found | objection |\n|---|---|---|", flush=True)
    missed = 0
    for mutation in MUTATIONS:
        if not wanted or mutation[0] in wanted:
            line = find(*mutation, target)
            missed += "| ERROR |" in line
            print(line, flush=True)
    raise SystemExit(f"{missed} mutations were not found" if missed else 0)


if __name__ == "__main__":
    main()
