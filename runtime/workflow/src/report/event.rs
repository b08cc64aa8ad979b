//! What happened, in the journal's order. An event says where its facts stand, so that a long run's events take little room.

/// One thing that happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) at_ms: u64,
    pub(super) what: What,
}

/// What happened; `usize` is a step's place among the steps.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The run started.
    Started,
    /// The run ended.
    Ended,
    /// See `happened`, at this place.
    Happened(usize),
    /// A step did something.
    Step(usize, Did),
}

/// What a step did; numbers are places in its lists.
#[derive(Clone, Copy, Debug)]
pub(super) enum Did {
    /// It began, and has a time limit.
    Begin,
    /// An attempt began.
    Attempt(u32),
    /// Its attempt was answered.
    Answer,
    /// A fault of an attempt.
    Miss { attempt: u32, fault: u32, is_unclear: bool },
    /// It has its value.
    Give,
    /// It chose a case.
    Choose,
    /// A round of a loop begins, or does not.
    Round { round: u32, goes_on: bool },
    /// A map was begun.
    Open,
    /// Another workflow was begun.
    Run,
    /// It waits.
    Await,
    /// A person decided.
    Decide,
    /// It failed for good.
    Break,
}
