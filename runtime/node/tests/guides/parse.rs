//! A guide's steps: files to write, changes to make, commands to type.
//!
//! - A block of `sh` is typed; with `background` it is left running, with `fails` it must fail. A block of `text` right after it is what it
//!   must print: `…` stands for anything within a line, alone on a line for any lines.
//! - `<!-- file: PATH -->` before a block: the file's content. `<!-- edit: PATH -->` before a block of `diff`: lines to replace.
//! - Other blocks are only read.

/// What a reader does.
#[derive(Debug)]
pub(crate) enum Step {
    /// Write a file.
    Write { path: String, text: String },
    /// Replace lines that stand in a file once.
    Edit { path: String, old: String, new: String },
    /// Type a command.
    Run { script: String, how: How, expected: Option<String> },
}

/// How a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Succeeds,
    Fails,
    Background,
}

struct Block<'a> {
    line: usize,
    info: &'a str,
    /// What stands on the line before, as `file: PATH`.
    title: Option<&'a str>,
    text: String,
}

/// The steps of `guide`, each with its line.
pub(crate) fn steps(guide: &str) -> Vec<(usize, Step)> {
    let mut blocks = blocks(guide).into_iter().peekable();
    let mut steps = Vec::new();
    while let Some(block) = blocks.next() {
        let expected = blocks.next_if(|next| next.info == "text").map(|next| next.text);
        if let Some(step) = step(&block, expected) {
            steps.push((block.line, step));
        }
    }
    steps
}

fn step(block: &Block<'_>, expected: Option<String>) -> Option<Step> {
    let path = |what: &str| block.title.and_then(|title| title.strip_prefix(what)).map(str::to_owned);
    if let Some(path) = path("file: ") {
        return Some(Step::Write { path, text: block.text.clone() });
    }
    if let Some(path) = path("edit: ") {
        return Some(Step::Edit { path, old: side(&block.text, '-'), new: side(&block.text, '+') });
    }
    let how = match block.info {
        "sh" => How::Succeeds,
        "sh fails" => How::Fails,
        "sh background" => How::Background,
        info => {
            assert!(!info.starts_with("sh"), "line {}: `{info}` is no kind of command", block.line);
            return None;
        }
    };
    Some(Step::Run { script: block.text.clone(), how, expected })
}

/// The lines of a diff that are in the file before (`-`) or after (`+`) the change.
fn side(diff: &str, sign: char) -> String {
    let lines = diff.lines().filter(|line| line.is_empty() || line.starts_with([sign, ' ']));
    lines.map(|line| line.get(1..).unwrap_or_default().to_owned() + "\n").collect()
}

fn blocks(guide: &str) -> Vec<Block<'_>> {
    let (mut blocks, mut title) = (Vec::new(), None);
    let mut lines = guide.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let text = inside.map(|line| line.to_owned() + "\n").collect();
            blocks.push(Block { line: at + 1, info, title: title.take(), text });
        } else if !line.is_empty() {
            title = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        }
    }
    blocks
}

/// Does `printed` begin (where `whole`: and end) as `expected` says?
pub(crate) fn fits(expected: &str, printed: &str, whole: bool) -> bool {
    let expected: Vec<&str> = expected.lines().map(str::trim_end).collect();
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    lines_fit(&expected, &printed, whole)
}

fn lines_fit(expected: &[&str], printed: &[&str], whole: bool) -> bool {
    match expected {
        [] => !whole || printed.is_empty(),
        ["…", rest @ ..] => (0..=printed.len()).any(|skipped| lines_fit(rest, &printed[skipped..], whole)),
        [line, rest @ ..] => printed.first().is_some_and(|found| line_fits(line, found)) && lines_fit(rest, &printed[1..], whole),
    }
}

fn line_fits(expected: &str, printed: &str) -> bool {
    let Some((first, rest)) = expected.split_once('…') else { return expected == printed };
    let Some(mut left) = printed.strip_prefix(first) else { return false };
    let (between, last) = rest.rsplit_once('…').map_or((None, rest), |(between, last)| (Some(between), last));
    for part in between.into_iter().flat_map(|between| between.split('…')) {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[test]
fn guides_are_read_as_they_are_meant() {
    let guide =
        "text\n```sh\na\n```\n```text\nb …\n```\n\n<!-- edit: x/y -->\n```diff\n one\n-two\n+three\n```\n```toml\nc = 1\n```\n";
    let steps = steps(guide);
    assert!(
        matches!(&steps[0], (2, Step::Run { script, how: How::Succeeds, expected: Some(text) }) if script == "a\n" && text == "b …\n")
    );
    let (10, Step::Edit { path, old, new }) = &steps[1] else { panic!("{steps:?}") };
    assert_eq!((path.as_str(), old.as_str(), new.as_str()), ("x/y", "one\ntwo\n", "one\nthree\n"));
    assert_eq!(steps.len(), 2);
}

#[test]
fn dots_stand_for_anything() {
    for (expected, printed) in
        [("a\n", "a \n"), ("a … c … d", "a b c d d"), ("…\nz", "x\ny\nz"), ("…\nz", "z"), ("a\n…", "a"), ("…", "")]
    {
        assert!(fits(expected, printed, true), "{expected:?} {printed:?}");
    }
    for (expected, printed) in
        [("a", "ab"), ("a … c", "a c"), ("a …x… d", "a b d"), ("a", "a\nb"), ("a\nb", "a"), ("…\nz", "z\ny")]
    {
        assert!(!fits(expected, printed, true), "{expected:?} {printed:?}");
    }
    assert!(fits("…\nb", "a\nb\nc", false));
}
