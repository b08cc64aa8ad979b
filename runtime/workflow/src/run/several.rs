//! One call of several sellers: whom each asks, when enough have answered, and what their answers come to.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};

use futures::future::join_all;
use hansa_economy::{Amount, PublicKey};
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::history::Past;
use super::plan::PlanCall;
use super::walk::{Frame, Run, Stop};
use super::world::World;
use crate::definition::{Ask, OnExhausted, Retry};
use crate::eval::Scope;

/// What those know of each other that ask different sellers the same.
pub(super) struct Fellows {
    ask: Ask,
    known: Mutex<Known>,
    enough: watch::Sender<bool>,
}

struct Known {
    /// Sellers that one of them asks.
    taken: HashSet<PublicKey>,
    answers: Vec<Json>,
}

impl Fellows {
    fn new(ask: Ask, taken: HashSet<PublicKey>) -> Fellows {
        Fellows { ask, known: Mutex::new(Known { taken, answers: Vec::new() }), enough: watch::Sender::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no panic while fellows are locked")
    }

    pub(super) fn is_free(&self, seller: PublicKey) -> bool {
        !self.lock().taken.contains(&seller)
    }

    /// False: another one asks it.
    pub(super) fn take(&self, seller: PublicKey) -> bool {
        self.lock().taken.insert(seller)
    }

    pub(super) fn leave(&self, seller: PublicKey) {
        self.lock().taken.remove(&seller);
    }

    fn answered(&self, answer: &Json) {
        let mut known = self.lock();
        known.answers.push(answer.clone());
        let is_enough = match self.ask.agree {
            Some(agree) => alike(known.answers.iter(), agree, &self.ask.on).is_some(),
            None => known.answers.len() >= self.ask.min as usize,
        };
        if is_enough {
            self.enough.send_replace(true);
        }
    }

    pub(super) fn is_enough(&self) -> bool {
        *self.enough.borrow()
    }

    pub(super) async fn enough(&self) {
        // The sender lives as long as this.
        drop(self.enough.subscribe().wait_for(|enough| *enough).await);
    }
}

impl<W: World> Run<W> {
    /// The same call of several sellers. Each is asked; once enough have answered, nobody is asked again.
    pub(super) async fn ask(&self, call: &PlanCall, ask: &Ask, path: &str, scope: &Scope, frame: &Frame) -> Result<Json, Stop> {
        let places: Vec<String> = (0..ask.sellers).map(|nth| format!("{path}~{nth}")).collect();
        let pasts: Vec<Past> = places.iter().map(|place| self.history().take(place)).collect();
        let known = pasts.iter().filter_map(|past| {
            past.seller.or_else(|| past.attempt.as_ref().filter(|attempt| !attempt.is_over).map(|attempt| attempt.begun.seller))
        });
        let fellows = &Fellows::new(ask.clone(), known.collect());
        // One that does not answer is one answer less; nobody is waited for.
        let retry = Retry { on_exhausted: OnExhausted::Fail, ..call.call.retry };
        let one = async |(place, past): (String, Past)| {
            let outcome = self.one(call, past, &place, scope, frame, retry, Some(fellows)).await;
            if let Ok((answer, _)) = &outcome {
                fellows.answered(answer);
            }
            outcome
        };
        let outcomes = join_all(places.into_iter().zip(pasts).map(one)).await;
        let mut answers = Vec::new();
        let mut failures = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok((answer, seller)) => answers.push((seller, answer)),
                Err(Stop::Failed(failure)) => failures.push(failure.what),
                Err(stop) => return Err(stop),
            }
        }
        agreed(ask, answers, &failures).map_err(|what| self.broke(path, &what, Amount::ZERO))
    }
}

/// The first answer that so many gave, or whose part is as so many gave it.
fn alike<'a>(answers: impl Iterator<Item = &'a Json> + Clone, agree: u32, on: &[String]) -> Option<&'a Json> {
    let is_alike = |answer: &&Json| {
        let wanted = part(answer, on);
        wanted.is_some() && answers.clone().filter(|other| part(other, on) == wanted).count() >= agree as usize
    };
    answers.clone().find(is_alike)
}

/// A part of an answer, where it has one.
fn part<'a>(answer: &'a Json, on: &[String]) -> Option<&'a Json> {
    on.iter().try_fold(answer, |value, name| match value {
        Json::Array(items) => items.get(name.parse::<usize>().ok()?),
        value => value.get(name),
    })
}

/// What several answers come to.
fn agreed(ask: &Ask, answers: Vec<(Option<PublicKey>, Json)>, failures: &[String]) -> Result<Json, String> {
    let told = || if failures.is_empty() { String::new() } else { format!(" ({})", failures.join("; ")) };
    if answers.len() < ask.min as usize {
        return Err(format!("{} of {} sellers answered, {} are wanted{}", answers.len(), ask.sellers, ask.min, told()));
    }
    let Some(agree) = ask.agree else {
        let answer = |(seller, answer): (Option<PublicKey>, Json)| json!({ "seller": seller.map(|key| key.to_string()), "answer": answer });
        return Ok(answers.into_iter().map(answer).collect());
    };
    let found = alike(answers.iter().map(|(_, answer)| answer), agree, &ask.on).cloned();
    let on = if ask.on.is_empty() { String::new() } else { format!(" in `{}`", ask.on.join(".")) };
    found.ok_or_else(|| format!("{} sellers answered, and no {agree} of them alike{on}", answers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_agree_in_their_part() {
        let answers = [
            json!([{ "label": "pdf", "score": 0.1 }]),
            json!([{ "label": "txt" }]),
            json!([{ "label": "pdf", "score": 0.2 }]),
            json!([]),
        ];
        for (on, agree, wanted) in [
            ("0.label", 2, Some(0)),
            ("0.label", 3, None),
            ("0.score", 2, None),
            // What is not there agrees with nothing.
            ("1", 1, None),
            ("label", 1, None),
            ("0", 1, Some(0)),
            ("0", 2, None),
        ] {
            let on: Vec<String> = on.split('.').map(str::to_owned).collect();
            assert_eq!(alike(answers.iter(), agree, &on), wanted.map(|nth: usize| &answers[nth]), "{on:?} {agree}");
        }
        assert_eq!(alike([json!(1), json!(2), json!(2)].iter(), 2, &[]), Some(&json!(2)));
    }
}
