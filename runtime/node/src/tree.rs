//! The tree of receipts below one answer: who did what, with which component and model, for how much.

use futures::FutureExt;
use futures::future::BoxFuture;
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, Signed};
use serde::Serialize;

use crate::client::Client;
use crate::counted::counted;
use crate::node::NodeError;

/// A receipt and those below it.
#[derive(Clone, Debug, Serialize)]
pub struct Branch {
    /// The receipt's digest.
    pub digest: Digest,
    /// What it says; none where nobody on the bus has it.
    pub receipt: Option<Receipt>,
    /// What was bought to make the answer.
    pub children: Vec<Branch>,
}

/// Deeper than any sensible chain of purchases.
const DEPTH_MAX: usize = 16;

/// Fetch and verify the tree below `digest`.
pub async fn fetch(client: &Client, digest: Digest) -> Result<Branch, NodeError> {
    branch(client, digest, 0).await
}

fn branch(client: &Client, digest: Digest, depth: usize) -> BoxFuture<'_, Result<Branch, NodeError>> {
    async move {
        let receipt = client.receipt(digest).await?;
        let mut children = Vec::new();
        if depth < DEPTH_MAX {
            for child in receipt.iter().flat_map(|receipt| receipt.body.children.clone()) {
                children.push(branch(client, child, depth + 1).await?);
            }
        }
        Ok(Branch { digest, receipt: receipt.map(|signed: Signed<Receipt>| signed.body), children })
    }
    .boxed()
}

impl Branch {
    /// Lines for a terminal: one receipt each, indented, with what it cost.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.write(&mut lines, "", "");
        lines
    }

    fn write(&self, lines: &mut Vec<String>, first: &str, rest: &str) {
        match &self.receipt {
            Some(receipt) => lines.extend(describe(self.digest, receipt, first, rest)),
            None => lines.push(format!("{first}receipt {} (nobody reachable has it)", self.digest.short())),
        }
        for (nth, child) in self.children.iter().enumerate() {
            let last = nth + 1 == self.children.len();
            let (elbow, bar) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            child.write(lines, &format!("{rest}{elbow}"), &format!("{rest}{bar}"));
        }
    }

    /// What the whole tree cost, level by level: the root's charge covers those below.
    pub fn charged(&self) -> Amount {
        self.receipt.as_ref().map_or(Amount::ZERO, |receipt| receipt.charged)
    }
}

fn describe(digest: Digest, receipt: &Receipt, first: &str, rest: &str) -> Vec<String> {
    let took_ms = receipt.finished_ms.saturating_sub(receipt.started_ms);
    let ending = match receipt.ending {
        Ending::Answered(_) => String::new(),
        Ending::Faulted(_) => " FAILED".into(),
    };
    let name = receipt.service.split('@').next().unwrap_or(&receipt.service);
    let mut lines = vec![format!("{first}{name} {}  {}{ending}", receipt.function, receipt.charged)];
    let component = receipt.component.short();
    lines.push(format!(
        "{rest}   by {} on {} · component {component} · {took_ms} ms · receipt {}",
        receipt.package,
        receipt.node.short(),
        digest.short()
    ));
    for run in &receipt.models {
        lines.push(format!(
            "{rest}   with model {} ({}) · {}",
            run.model,
            run.manifest.short(),
            counted(run.input_units, "unit")
        ));
    }
    lines
}
