//! Numbers with their nouns.

/// `1 channel`, `2 channels`, `2 entries`: a number with its noun. For nouns whose plural takes an `s`, or `ies` after a consonant and `y`.
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    match (count, stem) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_one() {
        assert_eq!(counted(1_usize, "channel"), "1 channel");
        assert_eq!([0, 2, 21].map(|count: u32| counted(count, "entry")), ["0 entries", "2 entries", "21 entries"]);
        assert_eq!((counted(1_u64, "entry"), counted(2_u64, "day")), ("1 entry".into(), "2 days".into()));
    }
}
