//! What may be longer than the rule, each with its reason. The list only shrinks: an entry that is no longer needed, or
//! that outgrows its number, fails the test.

use crate::size::Big;

/// A place, its lines at most, and why.
const EXCEPTIONS: &[(&str, usize, &str)] = &[];

/// What is wrong about `found`, the exceptions taken into account.
pub(crate) fn judge(found: &[Big]) -> Vec<String> {
    let mut faults = Vec::new();
    for big in found {
        let exception = EXCEPTIONS.iter().find(|(place, ..)| *place == big.place);
        let allowed = exception.map_or(big.allowed, |(_, lines, _)| *lines);
        if big.lines > allowed {
            faults.push(format!("{}: {} lines, {allowed} are allowed; split it by what it does", big.place, big.lines));
        }
    }
    for (place, _, reason) in EXCEPTIONS {
        assert!(!reason.is_empty(), "an exception for {place} without a reason");
        if !found.iter().any(|big| big.place == *place) {
            faults.push(format!("{place}: is short enough now; take it off the list of exceptions"));
        }
    }
    faults
}
