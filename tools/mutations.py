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
    ("answer-before-commit", f"{STORE}/commit.rs", "store.commit(before.1, &group.entries, rows, snapshot)",
     "store.commit(before.1, &group.entries, rows, snapshot).or(Ok::<(), StoreError>(()))"),
    ("commit-not-durable", f"{STORE}/store.rs", "Durability::Immediate)?", "Durability::None)?"),
    ("commit-after-a-failure", f"{STORE}/store.rs", "self.is_behind.store(true, Ordering::Release);", "let _ = &self.is_behind;"),
    ("refusal-by-a-lost-state", f"{STORE}/store.rs",
     "if self.is_behind.load(Ordering::Acquire) {\n            return Err(StoreError::Order);\n        }\n        if entries",
     "if self.is_behind.load(Ordering::Acquire) && !entries.is_empty() {\n            return Err(StoreError::Order);\n        }\n        if entries"),
    ("settled-forgotten-before-the-snapshot", f"{STORE}/writer.rs", "self.state.seal_settled();",
     "self.state.seal_settled();\n            self.state.forget_sealed();"),
    ("snapshot-without-the-recent-transfers", f"{STORE}/recent.rs", "        self.write_transfers(tx)?;\n", ""),
    ("recovery-keeps-memory", f"{STORE}/writer.rs", "        self.state = state;\n", "        let _ = state;\n"),
    ("outcome-lost-on-resubmission", f"{STORE}/store.rs", "state.recall_outcome(id, outcome);", "let _ = (id, outcome);"),
    ("clock-may-go-back", f"{STORE}/group.rs", "clock().max(state.head().time_ns + 1)", "clock()"),
    ("hold-row-forgotten", f"{STORE}/recent.rs", "held.try_for_each(|(id, record)| holds::follow(&mut table, id, record))?;",
     "held.try_for_each(|(id, record)| { let _ = (&mut table, id, record); Ok::<(), StoreError>(()) })?;"),
    ("expiry-off-by-one", f"{RULES}/state.rs", "*expires_ns <= now_ns", "*expires_ns < now_ns"),
    ("expiry-does-not-reopen", f"{RULES}/expiry.rs", "release(state, &hold, true);", "release(state, &hold, false);"),
    ("post-twice", f"{RULES}/transfer_resolve.rs", "(hold_state == HoldState::Posted, ", "(false, "),
    ("hold-rest-not-released", f"{RULES}/transfer_resolve.rs", "release(state, &hold, voids);",
     "release(state, &Transfer { amount, ..hold.clone() }, voids);"),
    ("chain-not-rolled-back", f"{RULES}/chain.rs", "state.discard_scope();", "state.keep_scope();"),
    ("burnt-id-serves-again", f"{RULES}/transfer_batch.rs", "if result.status.is_transient() {",
     "if result.status.is_transient() && self.transfer.amount == Amount::MAX {"),
    ("anybody-may-debit", f"{RULES}/authority.rs",
     "        let key = self.key(state, account, KeyRole::Spend).ok_or(Denial::NotPermitted)?;\n        if !key",
     "        let Some(key) = self.key(state, account, KeyRole::Spend) else { return Ok(()) };\n        if !key"),
    ("redeem-above-deposit", f"{RULES}/channel_redeem.rs", "let paid = due.min(left);", "let paid = due; let _ = left;"),
    ("lane-total-may-fall", f"{RULES}/channel_redeem.rs", "lane.redeemed = lane.redeemed.saturating_add(paid);",
     "lane.redeemed = receipt.cumulative.min(voucher.cumulative_max);"),
    ("ceiling-ignored", f"{RULES}/channel_redeem.rs", "receipt.cumulative.min(voucher.cumulative_max).saturating_sub(",
     "receipt.cumulative.saturating_sub("),
    ("finalize-twice", f"{RULES}/channel_finalize.rs", "ChannelPhase::Final => return Err(Reason::ChannelFinal),",
     "ChannelPhase::Final => {}"),
    ("budget-ignored", f"{RULES}/authority.rs", "Some(left) if left < amount =>", "Some(left) if left < Amount::ZERO =>"),
    ("budget-not-used-up", f"{RULES}/authority.rs", "let spent = key.spent.saturating_add(amount);",
     "let spent = key.spent.saturating_add(Amount(amount.0 / 2));"),
    ("budget-comes-back-with-a-void", f"{RULES}/transfer_resolve.rs", "    release(state, &hold, voids);",
     "    if let Some(key) = hold.held_by.and_then(|key| state.key((hold.debit, super::account_key::KeyRole::Spend, key))).cloned()"
     "\n        && voids\n    {\n        state.put_key(super::account_key::AccountKey { spent: Amount::ZERO, ..key });\n    }\n"
     "    release(state, &hold, voids);"),
    ("budget-outlives-a-broken-chain", f"{RULES}/state.rs", "scope.keys.push((id, before));", "let _ = (id, before);"),
    ("budget-used-twice-for-a-hold", f"{RULES}/authority.rs", "if self.made(hold) { Amount::ZERO } else { amount }",
     "if self.made(hold) { amount } else { amount }"),
    ("payees-ignored", f"{RULES}/account_key.rs", "self.limits.payees.is_empty() ||", "true ||"),
    ("top-up-for-other-payees", f"{RULES}/channel_topup.rs",
     "may_deposit(state, authority, payer, &channel.terms, self.amount)?;",
     "let _ = may_deposit;\n        authority.may_debit(state, payer, channel.terms.payee, self.amount)?;"),
    ("revoked-key-signs", f"{RULES}/account_key.rs", "self.revoked_ns.is_none() && self.limits", "self.limits"),
    ("expired-key-signs", f"{RULES}/account_key.rs", ".is_none_or(|end| now_ns < end)", ".is_none_or(|end| now_ns < end + u64::MAX / 4)"),
    ("key-expiry-off-by-one", f"{RULES}/account_key.rs", ".is_none_or(|end| now_ns < end)", ".is_none_or(|end| now_ns <= end)"),
    ("old-owner-still-owns", f"{RULES}/state.rs", "std::mem::replace(&mut self.account_mut(id).owner, owner)",
     "std::mem::replace(&mut self.account_mut(id).owner, owner);\n        self.account_mut(id).owner = before"),
    ("anybody-changes-keys", f"{RULES}/account_key_change.rs", "if !Authority::Signer(signer).owns(account) {",
     "if false && !Authority::Signer(signer).owns(account) {"),
    ("revoked-key-is-named-again", f"{RULES}/account_key_change.rs", "before.is_some_and(|before| before.revoked_ns.is_some())",
     "before.is_some_and(|before| before.revoked_ns == Some(0))"),
    ("any-key-signs-receipts", f"{RULES}/authority.rs", "None => key == account.owner || !state.names_keys(account.id, KeyRole::Receipt),",
     "None => true,"),
    ("refund-above-charge", f"{RULES}/refund.rs", "checked_add(self.amount).filter(|sum| *sum <= charged)", "checked_add(self.amount)"),
    ("refund-forgets-those-before", f"{RULES}/refund.rs", "state.refunded(target).map_or(Amount::ZERO, |row| row.refunded)",
     "state.refunded(target).map_or(Amount::ZERO, |_| Amount::ZERO)"),
    ("refund-by-anybody", f"{RULES}/refund.rs", "        authority.may_debit(state, payee, payer_id, self.amount)?;\n", ""),
    ("refund-of-receipts-not-counted-for-the-channel", f"{RULES}/refund.rs", "paid.charged.insert(0, (RefundTarget::Receipt(receipt.digest()), receipt.body.charged));",
     "paid.charged = vec![(RefundTarget::Receipt(receipt.digest()), receipt.body.charged)];"),
    ("shares-lose-the-remainder", f"{RULES}/channel_shares.rs", "parts[at].1 += 1;", "let _ = at;"),
    ("shares-remainder-by-place", f"{RULES}/channel_shares.rs", "order.sort_by_key(|at| std::cmp::Reverse(parts[*at].2));", "let _ = &mut order;"),
    ("shares-above-the-whole", f"{RULES}/channel_shares.rs", "sum > WHOLE ||", "sum > 2 * WHOLE ||"),
    ("evidence-not-verified", f"{RULES}/channel_equivocation.rs", "if voucher.signer != channel.terms.payer_key {",
     "if voucher.signer == channel.terms.payee_key {"),
    ("evidence-that-agrees", f"{RULES}/channel_equivocation.rs", "match first == second {", "match first.cumulative_max > second.cumulative_max {"),
    ("frozen-lane-goes-on", f"{RULES}/channel_redeem.rs", "frozen.is_some_and(|frozen| voucher.body.seq > frozen)",
     "frozen.is_some_and(|frozen| voucher.body.seq < frozen)"),
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


def plant(text: str, old: str | re.Pattern, new: str) -> tuple[str, int]:
    """The changed text, and how often `old` stands in it."""
    if isinstance(old, re.Pattern):
        return old.sub(new, text), len(old.findall(text))
    return text.replace(old, new), text.count(old)


def find(folder: Path, name: str, file: str, old: str | re.Pattern, new: str, target: str) -> str:
    """The finding as one line of a table."""
    sound = (folder / file).read_text()
    text, count = plant(sound, old, new)
    if count != 1:
        return f"| `{name}` | ERROR | `{old}` stands {count} times in {file}; bring the mutation up to date |"
    (folder / file).write_text(text)
    cargo = ["cargo", "run", "-q", "--offline", "--release", "-p", "hansa-ledger", "--features", "simulator", "--example", "simulate"]
    env = os.environ | {"CARGO_TARGET_DIR": target, "CARGO_INCREMENTAL": "1"}
    played = subprocess.run([*cargo, "--", str(SEEDS_MAX)], cwd=folder, env=env, capture_output=True, text=True)
    (folder / file).write_text(sound)
    if "could not compile" in played.stderr:
        return f"| `{name}` | ERROR | it does not compile: {played.stderr[:500]!r} |"
    if played.returncode == 0:
        return f"| `{name}` | ERROR | not found in {SEEDS_MAX} seeds |"
    objection = re.search(r"^seed (\d+), step \d+: (.*)$", played.stderr, re.M)
    if objection:
        return f"| `{name}` | {objection[1]} | {objection[2][:180]} |"
    # Before the first seed: in the prologue that every run begins with, or by a panic.
    last = played.stderr.strip().splitlines()[-1:]
    return f"| `{name}` | 0 | {' '.join(last)[:180]} |"


def main() -> None:
    wanted = set(sys.argv[1:])
    unknown = wanted - {mutation[0] for mutation in MUTATIONS}
    if unknown:
        raise SystemExit(f"there is no mutation {', '.join(sorted(unknown))}")
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target" / "mutations"))
    print("| mutation | seeds until found | objection |\n|---|---|---|", flush=True)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="hansa-mutation-") as folder:
        copy(Path(folder))
        for mutation in MUTATIONS:
            if not wanted or mutation[0] in wanted:
                line = find(Path(folder), *mutation, target)
                missed += "| ERROR |" in line
                print(line, flush=True)
    raise SystemExit(f"{missed} mutations were not found" if missed else 0)


if __name__ == "__main__":
    main()
