//! The engine of `hansa ledger sim`: JSON lines in, one line of JSON out for each, against an empty ledger in memory with a
//! clock of its own. The rules are the real ones ([`Simulation`]), except that nobody asks on whose word something is done.
//!
//! A line is one batch:
//!
//! ```text
//! {"op":"accounts","events":[{"id":"1","asset":1,"code":1,"flags":["debits_must_not_exceed_credits"]}]}
//! {"op":"transfers","events":[{"id":"10","debit":"2","credit":"1","amount":"15","asset":1,"code":1}]}
//! {"op":"advance","seconds":1}
//! {"op":"lookup","accounts":["1"],"transfers":["10"],"balances":["1"]}
//! ```
//!
//! Every integer may be a JSON number or a decimal string; an amount may also be `"max"`, 2^128 − 1. What is left out is zero.
//! Out come `{"results":[{"status":"created","timestamp":"2","amount":"15"}]}`, for accounts without the amount; for `advance`
//! the clock, `{"results":[],"timestamp":"1000000002"}`; for `lookup` the rows that exist, `{"accounts":[…]}`, and for `balances` those of
//! accounts with the flag `history`, after each movement. Blank lines are passed over.

mod error;
mod history;
mod input;
mod number;
mod object;
mod output;

use std::io::{BufRead, Read, Write};

use hansa_economy::ledger::Simulation;

use crate::limits::SIM_LINE_BYTES_MAX;
use history::History;
use input::Request;
use output::Answer;

pub use error::{InputError, SimError};

/// Run the commands of `input` and write a line for each to `output`, as soon as it is known. Stops at the first line that
/// cannot be read; what was written before it stands.
pub fn run(mut input: impl BufRead, mut output: impl Write) -> Result<(), SimError> {
    let mut sim = Sim::default();
    for line in 1.. {
        let Some(text) = read_line(&mut input, line)? else { break };
        if text.trim().is_empty() {
            continue;
        }
        let request = Request::parse(&text).map_err(|problem| SimError::Input { line, problem })?;
        let answer = sim.answer(request).map_err(|problem| SimError::Input { line, problem })?;
        let mut text = serde_json::to_string(&answer).map_err(|error| SimError::Write(error.into()))?;
        text.push('\n');
        output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(SimError::Write)?;
    }
    Ok(())
}

/// The next line; none at the end.
fn read_line(input: &mut impl BufRead, line: u64) -> Result<Option<String>, SimError> {
    let mut bytes = Vec::new();
    input.take(SIM_LINE_BYTES_MAX + 1).read_until(b'\n', &mut bytes).map_err(SimError::Read)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.len() as u64 > SIM_LINE_BYTES_MAX {
        return Err(SimError::Input { line, problem: InputError::TooLong });
    }
    let text = String::from_utf8(bytes).map_err(|_| SimError::Input { line, problem: InputError::NotUtf8 })?;
    Ok(Some(text))
}

/// The ledger, and what the accounts with `history` went through.
#[derive(Default)]
struct Sim {
    ledger: Simulation,
    history: History,
}

impl Sim {
    fn answer(&mut self, request: Request) -> Result<Answer, InputError> {
        let answer = match request {
            Request::Accounts(events) => Answer::accounts_opened(&self.ledger.accounts(&events)?),
            Request::Transfers(events) => Answer::transferred(&self.ledger.transfers(&events)?),
            Request::Advance { ns } => {
                self.ledger.advance(ns)?;
                Answer::advanced(self.ledger.now_ns())
            }
            Request::Lookup(lookup) => Answer::found(&lookup, self.ledger.state(), &self.history),
        };
        self.history.follow(&self.ledger.take_movements(), self.ledger.state());
        Ok(answer)
    }
}
