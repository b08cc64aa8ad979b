//! Statements and histories as text for people. Names that others chose are escaped, so that none can write to a terminal.

use std::fmt;

use super::{AccountLine, History, Statement};

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Statement of account {} ({})", self.account, self.label.escape_debug())?;
        writeln!(f, "owner    {}", self.owner)?;
        writeln!(f, "ledger   {} ({})", self.ledger_name.escape_debug(), self.ledger)?;
        writeln!(f, "period   {} until before {}", self.since, self.until)?;
        writeln!(f, "asset    {}\n", self.asset)?;
        writeln!(f, "opening balance  {}\n", self.opening)?;
        table(f, self.lines.iter())?;
        if self.lines.is_empty() {
            writeln!(f, "nothing came in or went out")?;
        }
        writeln!(f, "\nin               {}\nout              {}", self.incoming, self.outgoing)?;
        writeln!(f, "closing balance  {}", self.closing)?;
        write!(f, "\nmade from entry 1 to {} of the log, whose hash is {}", self.head_seq, self.head_hash)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "account {} ({}), {}, newest first", self.account, self.label.escape_debug(), self.asset)?;
        table(f, self.lines.iter())?;
        match (self.lines.is_empty(), self.older) {
            (true, _) => write!(f, "nothing happened to it in this time"),
            (false, 0) => Ok(()),
            (false, older) => write!(f, "and {older} older lines; see more with `--limit`, or choose `--until`"),
        }
    }
}

fn table<'a>(f: &mut fmt::Formatter<'_>, lines: impl Iterator<Item = &'a AccountLine> + Clone) -> fmt::Result {
    let width = |of: fn(&AccountLine) -> usize, head: &str| lines.clone().map(of).max().unwrap_or(0).max(head.len());
    let (change, balance) = (width(|line| line.change.len(), "CHANGE"), width(|line| line.balance.len(), "BALANCE"));
    let mut lines = lines.peekable();
    if lines.peek().is_some() {
        writeln!(
            f,
            "{:<20}  {:>change$}  {:>balance$}  {:<15}  {:<12}  DETAILS",
            "TIME (UTC)", "CHANGE", "BALANCE", "KIND", "REF"
        )?;
    }
    for line in lines {
        let time = line.time.get(..19).unwrap_or_default();
        write!(f, "{time}Z  {:>change$}  {:>balance$}  {:<15}  {:<12}  ", line.change, line.balance, line.kind, line.name)?;
        writeln!(f, "{}", details(line))?;
    }
    Ok(())
}

fn details(line: &AccountLine) -> String {
    let towards = if line.change.starts_with('+') { "from" } else { "to" };
    let mut details = vec![format!("{towards} {} ({})", line.counterparty, line.counterparty_label.escape_debug())];
    details.extend(line.reference.as_ref().map(|reference| format!("for \"{}\"", reference.escape_debug())));
    match line.receipts.as_slice() {
        [] => {}
        [receipt] => details.push(format!("receipt {receipt}")),
        [first, others @ ..] => details.push(format!("receipt {first} and {} more", others.len())),
    }
    if line.channel.is_none() && line.kind != "expiry" {
        details.push(format!("cause {}", line.cause));
    }
    details.join(", ")
}
