//! Stop strings: text is let through as soon as it cannot become part of one, and never taken back.

/// Looks for stop strings in text that comes in pieces.
#[derive(Clone, Debug)]
pub(crate) struct StopFilter {
    stops: Vec<String>,
    /// Text that may yet become a stop string.
    held: String,
}

impl StopFilter {
    pub(crate) fn new(stops: &[String]) -> Self {
        Self { stops: stops.to_vec(), held: String::new() }
    }

    /// Takes a piece in; gives the text that is decided now, and whether a stop string ended it. Of stop strings that
    /// overlap the one that begins first ends the text. After the end nothing more comes.
    pub(crate) fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        let found = self.stops.iter().filter_map(|stop| self.held.find(stop.as_str())).min();
        if let Some(at) = found {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let keep = self.stops.iter().map(|stop| overlap(&self.held, stop)).max().unwrap_or(0);
        let rest = self.held.split_off(self.held.len() - keep);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// The answer has ended otherwise: what was held back is text after all.
    pub(crate) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Bytes of the longest end of `text` that is a beginning of `stop`, but not all of it.
fn overlap(text: &str, stop: &str) -> usize {
    let starts = text.char_indices().map(|(at, _)| at).rev();
    starts
        .take_while(|at| text.len() - at < stop.len())
        .filter(|at| stop.starts_with(&text[*at..]))
        .last()
        .map_or(0, |at| text.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (Vec<String>, bool, String) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut filter = StopFilter::new(&stops);
        let mut out = Vec::new();
        for piece in pieces {
            let (text, stopped) = filter.push(piece);
            out.push(text);
            if stopped {
                return (out, true, filter.finish());
            }
        }
        (out, false, filter.finish())
    }

    #[test]
    fn a_stop_string_across_pieces_is_never_seen() {
        let (out, stopped, rest) = run(&["END"], &["one E", "N", "D two"]);
        assert_eq!((out.as_slice(), stopped, rest.as_str()), (["one ", "", ""].map(str::to_owned).as_slice(), true, ""));
    }

    #[test]
    fn what_turns_out_to_be_text_is_let_go_at_once() {
        let (out, stopped, rest) = run(&["END", "NN"], &["E", "N", "x", "EEN"]);
        assert_eq!((out.concat().as_str(), stopped, rest.as_str()), ("ENxE", false, "EN"));
        assert_eq!(out[2], "ENx");
    }

    #[test]
    fn the_first_of_several_ends_it() {
        assert_eq!(run(&["b", "abc"], &["xabcd"]).0.concat(), "x");
        assert_eq!(run(&["cd", "b"], &["abcd"]).0.concat(), "a");
    }

    #[test]
    fn characters_of_several_bytes_stay_whole() {
        let (out, stopped, _) = run(&["é€"], &["aé", "€b"]);
        assert_eq!((out.concat().as_str(), stopped), ("a", true));
        assert_eq!(run(&["é€"], &["aéé", "x"]).0.concat(), "aééx");
    }

    #[test]
    fn any_cut_of_a_text_gives_the_same() {
        let (text, stops) = ("aabaabaaabaacaabaaab", ["aabaac", "baaab"]);
        let whole = run(&stops, &[text]).0.concat();
        for width in 1..text.len() {
            let pieces: Vec<&str> = text.as_bytes().chunks(width).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
            let (out, stopped, _) = run(&stops, &pieces);
            assert_eq!((out.concat(), stopped), (whole.clone(), true), "cut every {width}");
        }
    }
}
