//! Places of steps, taken apart: `rows#2/odd/more` stands in `rows#2/odd`, and that in item 2 of `rows`.

use crate::limits::REPORT_DEPTH_MAX;

/// What is bought to undo a step has the step's place behind this.
pub(super) const UNDO: &str = "undo/";

const MARKS: [char; 4] = ['/', '#', '.', '~'];

/// What it stands in, from the outermost on, and it itself: `rows`, `rows#2`, `rows#2/odd`, `rows#2/odd/more`. Of one that is too deep, only itself.
pub(super) fn parts(path: &str) -> Vec<&str> {
    let marks = || path.match_indices(MARKS).map(|(at, _)| at).filter(|at| *at > 0);
    if marks().nth(REPORT_DEPTH_MAX).is_some() {
        return vec![path];
    }
    marks().chain([path.len()]).map(|end| &path[..end]).collect()
}

/// An item of a map, a round of a loop, or a branch of a `parallel`: no step itself.
pub(super) fn is_group(path: &str) -> bool {
    last_mark(path).is_some_and(|(_, mark)| matches!(mark, '#' | '.'))
}

/// One of several sellers that are asked the same.
pub(super) fn is_asker(path: &str) -> bool {
    last_mark(path).is_some_and(|(_, mark)| mark == '~')
}

/// Its last part: `read`, or with its mark `#2`, `.left`, `~1`.
pub(super) fn name(path: &str) -> &str {
    match last_mark(path) {
        Some((at, '/')) => &path[at + 1..],
        Some((at, _)) => &path[at..],
        None => path,
    }
}

/// The id that the step has in its file.
pub(super) fn id(path: &str) -> &str {
    let step = if is_asker(path) { &path[..last_mark(path).map_or(path.len(), |(at, _)| at)] } else { path };
    step.rsplit('/').next().unwrap_or(step)
}

/// What the places of the steps begin with that it follows, and that follow it.
pub(super) fn list(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..=at])
}

/// The number of an item, a round or an asker.
pub(super) fn number(path: &str) -> Option<u32> {
    name(path).strip_prefix(['#', '~'])?.parse().ok()
}

/// The same for all items, rounds and askers: `rows/odd/more`.
pub(super) fn pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    let mut is_number = false;
    for letter in path.chars() {
        if MARKS.contains(&letter) {
            is_number = matches!(letter, '#' | '~');
        }
        if !is_number {
            pattern.push(letter);
        }
    }
    pattern
}

/// Is it there, or further in?
pub(super) fn is_within(path: &str, around: &str) -> bool {
    path.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with(MARKS))
}

fn last_mark(path: &str) -> Option<(usize, char)> {
    path.char_indices().rfind(|(at, letter)| *at > 0 && MARKS.contains(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_apart() {
        for (path, wanted, named, of_id, listed, patterned) in [
            ("a", "a", "a", "a", "", "a"),
            ("a#0/b", "a a#0 a#0/b", "b", "b", "a#0/", "a/b"),
            ("a.left/c", "a a.left a.left/c", "c", "c", "a.left/", "a.left/c"),
            ("a#10/b/c~1", "a a#10 a#10/b a#10/b/c a#10/b/c~1", "~1", "c", "a#10/b/", "a/b/c"),
            ("a#7", "a a#7", "#7", "a#7", "", "a"),
        ] {
            assert_eq!(parts(path).join(" "), wanted, "{path}");
            assert_eq!((name(path), id(path), list(path)), (named, of_id, listed), "{path}");
            assert_eq!(pattern(path), patterned, "{path}");
        }
        assert!(is_group("a#1") && is_group("a.x") && !is_group("a#1/b") && !is_group("a~1"));
        assert!(is_within("a#1/b", "a") && is_within("a", "a") && !is_within("ab", "a"));
        let deep = "a/".repeat(REPORT_DEPTH_MAX + 9);
        assert_eq!(parts(&deep), [deep.as_str()]);
    }
}
