//! When steps end that have others within them: the journal says it only where they fail.

use super::step::{Kind, StepState};
use super::{Report, path};
use crate::definition::OnError;

/// How a step ended with one within it.
struct End {
    nth: usize,
    state: StepState,
    is_item: bool,
}

impl Report {
    pub(super) fn end(&mut self, nth: usize, state: StepState, at_ms: u64) {
        self.turn(nth, state, at_ms);
        self.steps[nth].ended_ms = Some(at_ms);
        self.close(nth);
        self.ended.push(nth);
        self.leave_within(nth, at_ms);
    }

    /// What steps that ended stand in may have ended with them. Not before something else begins, or the entry is over: until then they may be said to have failed.
    pub(super) fn count_ended(&mut self, at_ms: u64) {
        std::mem::take(&mut self.ended).into_iter().for_each(|nth| self.count(nth, at_ms));
    }

    fn count(&mut self, nth: usize, at_ms: u64) {
        let mut ended = nth;
        while let Some(End { nth, state, is_item }) = self.around(ended) {
            if self.steps[nth].is_over() {
                return;
            }
            self.end(nth, state, at_ms);
            if state == StepState::Failed {
                let inner = &self.steps[ended];
                let why = inner.why.as_ref().map(|why| format!("{why}, in `{}`", inner.path));
                (self.steps[nth].why, self.steps[nth].is_item) = (why, is_item);
            }
            ended = nth;
        }
        self.ended.clear();
    }

    /// What ended with it.
    fn around(&mut self, nth: usize) -> Option<End> {
        let parent = self.spots[nth].parent?;
        if std::mem::replace(&mut self.spots[nth].is_counted, true) {
            return None;
        }
        let (def, step) = (self.def(nth)?, &self.steps[nth]);
        if path::is_asker(&step.path) {
            return self.one_more(parent);
        }
        let failed = step.state == StepState::Failed && def.on_error != OnError::Step;
        let is_item = failed && (step.is_item || (def.on_error == OnError::Item && def.kind != Kind::Map));
        if !failed && !def.is_last {
            return None;
        }
        let of_parent = self.def(parent)?;
        let (kind, spares) = (of_parent.kind, of_parent.on_error == OnError::Item);
        let state = if failed { StepState::Failed } else { StepState::Done };
        let end = |state| Some(End { nth: parent, state, is_item });
        match kind {
            Kind::Map if !failed || is_item || spares => self.one_more_item(parent, failed),
            Kind::Parallel if !failed => self.one_more(parent),
            Kind::Switch | Kind::Run => end(state),
            Kind::Loop if failed => end(state),
            // Of the others the journal says that they failed, and of a loop that it ended.
            _ => None,
        }
    }

    /// A branch, or one of those that ask for it, is over.
    fn one_more(&mut self, nth: usize) -> Option<End> {
        self.spots[nth].ended += 1;
        let all = self.def(nth)?.width;
        (self.spots[nth].ended >= all).then_some(End { nth, state: StepState::Done, is_item: false })
    }

    fn one_more_item(&mut self, nth: usize, failed: bool) -> Option<End> {
        let items = self.steps[nth].items.as_mut()?;
        items.ended += 1;
        items.failed += u32::from(failed);
        (items.ended >= items.count).then_some(End { nth, state: StepState::Done, is_item: false })
    }

    /// A step begins: the one before it in its list is over, whatever the journal says of it.
    pub(super) fn follow(&mut self, nth: usize, at_ms: u64) {
        let list = path::list(&self.steps[nth].path);
        let before = self.lists.insert(list.to_owned(), nth);
        if let Some(before) = before.filter(|before| self.open.contains(before)) {
            self.leave_within(before, at_ms);
            self.leave(before, true, at_ms);
        }
    }

    /// Nothing more comes of the open steps within that one.
    pub(super) fn leave_within(&mut self, nth: usize, at_ms: u64) {
        if self.spots[nth].open > 0 {
            let around = &self.steps[nth].path;
            let is_within = |inner: &usize| *inner != nth && path::is_within(&self.steps[*inner].path, around);
            let left: Vec<usize> = self.open.iter().copied().filter(is_within).collect();
            left.into_iter().for_each(|nth| self.leave(nth, false, at_ms));
        }
    }

    /// Nothing more comes of any step. Those of the run's own list have gone on, where it completed.
    pub(super) fn leave_all(&mut self, is_completed: bool, at_ms: u64) {
        for nth in self.open.clone() {
            let goes_on = is_completed && self.spots[nth].parent.is_none();
            self.leave(nth, goes_on, at_ms);
        }
    }

    /// Nothing more comes of an open step. Where the run went on behind it, and it has others within it, it is done.
    fn leave(&mut self, nth: usize, goes_on: bool, at_ms: u64) {
        let step = &mut self.steps[nth];
        let has_others = !matches!(step.kind, Some(Kind::Call | Kind::Wait | Kind::Approve | Kind::Set));
        step.state = if has_others && goes_on { StepState::Done } else { StepState::Left };
        (step.since_ms, step.ended_ms) = (at_ms, Some(at_ms));
        self.close(nth);
        self.spots[nth].is_counted = true;
    }
}
