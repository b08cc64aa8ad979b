//! One answer while it grows: which text may be handed out, and how many tokens that text is worth.
//!
//! A token counts once the first byte of its text is handed out, or once the answer ends after it. Not counted are the token
//! that ends an answer, and tokens whose text begins in or after a stop string: nothing of them is ever handed out. What may
//! yet become a character or a stop string is held back, and its tokens with it.

use std::collections::VecDeque;

use crate::error::Result;

use super::request::Sampling;
use super::stop::StopFilter;
use super::text::{Speech, StreamText};

/// Text and tokens that are decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) tokens: Vec<u32>,
}

/// The growing answer of one sequence.
pub(crate) struct Answer {
    stream: StreamText,
    stops: StopFilter,
    /// The tokens that do not count yet, each with the byte at which its text begins.
    begins: VecDeque<(usize, u32)>,
    /// Bytes of text that came out of the tokens.
    made: usize,
    /// Bytes of text that were decided.
    decided: usize,
}

impl Answer {
    pub(crate) fn new(speech: &Speech, prompt: &[u32], sampling: &Sampling) -> Result<Self> {
        let (stream, stops) = (StreamText::new(speech, prompt)?, StopFilter::new(&sampling.stop));
        Ok(Self { stream, stops, begins: VecDeque::new(), made: 0, decided: 0 })
    }

    /// Takes one more token; gives what it decides, and whether a stop string ended the answer.
    pub(crate) fn push(&mut self, speech: &Speech, token: u32) -> Result<(Piece, bool)> {
        self.begins.push_back((self.made, token));
        let text = self.stream.push(speech, token)?;
        self.made += text.len();
        let (text, stopped) = self.stops.push(&text);
        Ok((self.decide(text), stopped))
    }

    /// The answer ends here without a stop string: everything held back is decided.
    pub(crate) fn finish(&mut self, speech: &Speech) -> Result<Piece> {
        let rest = self.stream.finish(speech)?;
        let (mut text, stopped) = self.stops.push(&rest);
        if stopped {
            return Ok(self.decide(text));
        }
        text.push_str(&self.stops.finish());
        let mut piece = self.decide(text);
        piece.tokens.extend(self.begins.drain(..).map(|(_, token)| token));
        Ok(piece)
    }

    fn decide(&mut self, text: String) -> Piece {
        self.decided += text.len();
        let count = self.begins.iter().take_while(|(begin, _)| *begin < self.decided).count();
        Piece { text, tokens: self.begins.drain(..count).map(|(_, token)| token).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::text::tests::byte_level;

    fn run(stops: &[&str], text: &[u8]) -> (Vec<Piece>, bool, Piece) {
        let speech = byte_level();
        let sampling = Sampling { stop: stops.iter().map(|stop| (*stop).to_owned()).collect(), ..Sampling::default() };
        let mut answer = Answer::new(&speech, &[256], &sampling).unwrap();
        let mut pieces = Vec::new();
        for byte in text {
            let (piece, stopped) = answer.push(&speech, u32::from(*byte)).unwrap();
            pieces.push(piece);
            if stopped {
                return (pieces, true, Piece::default());
            }
        }
        let rest = answer.finish(&speech).unwrap();
        (pieces, false, rest)
    }

    /// What all bytes of this text make, or these bytes.
    fn piece(text: &str, bytes: &[u8]) -> Piece {
        Piece { text: text.to_owned(), tokens: bytes.iter().map(|byte| u32::from(*byte)).collect() }
    }

    #[test]
    fn tokens_count_with_their_text() {
        let (pieces, _, rest) = run(&[], "a€b".as_bytes());
        assert_eq!(pieces, [piece("a", b"a"), piece("", b""), piece("", b""), piece("€", "€".as_bytes()), piece("b", b"b")]);
        assert_eq!(rest, piece("", b""));
    }

    #[test]
    fn a_stop_string_and_what_follows_count_nothing() {
        let (pieces, stopped, _) = run(&["END"], b"oEkEND!");
        assert!(stopped);
        assert_eq!(pieces, ["o", "", "Ek", "", "", ""].map(|text| piece(text, text.as_bytes())));
    }

    #[test]
    fn at_the_end_everything_is_decided() {
        assert_eq!(run(&["END"], b"aEN").2, piece("EN", b"EN"));
        assert_eq!(run(&[], b"a\xE2\x82").2, piece("\u{fffd}", b"\xE2\x82"));
    }
}
