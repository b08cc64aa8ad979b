//! The words of passages and questions, as sorted hashes: what the lexical half of the ranking compares.

/// Words that say nothing of what a question is about, sorted.
const STOP_WORDS: [&str; 72] = [
    "a", "about", "all", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could", "did", "do", "does",
    "for", "from", "get", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "may", "me", "my", "no",
    "not", "of", "on", "or", "our", "should", "so", "some", "than", "that", "the", "their", "them", "then", "there", "these",
    "they", "this", "to", "us", "use", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with",
    "would", "you", "your", "yours",
];

/// The hashes of all words of a text, sorted, repeats kept, four bytes each, little-endian.
#[must_use]
pub fn of_passage(text: &str) -> Vec<u8> {
    let mut hashes: Vec<u32> = words(text).map(|word| hash(&word)).collect();
    hashes.sort_unstable();
    hashes.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The hashes of the telling words of a question, each once. Where all its words are plain, those count.
#[must_use]
pub fn of_question(text: &str) -> Vec<u32> {
    let all: Vec<String> = words(text).collect();
    let telling: Vec<&String> = all.iter().filter(|word| STOP_WORDS.binary_search(&word.as_str()).is_err()).collect();
    let chosen = if telling.is_empty() { all.iter().collect() } else { telling };
    let mut hashes: Vec<u32> = chosen.into_iter().map(|word| hash(word)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// How many words a stored passage has.
#[must_use]
pub fn count(passage: &[u8]) -> usize {
    passage.len() / 4
}

/// How often a word is in a stored passage.
#[must_use]
pub fn frequency(passage: &[u8], word: u32) -> usize {
    let (hashes, _) = passage.as_chunks::<4>();
    let before = hashes.partition_point(|stored| u32::from_le_bytes(*stored) < word);
    hashes[before..].iter().take_while(|stored| u32::from_le_bytes(**stored) == word).count()
}

/// Words in lower case, without plural endings; of a compound name its parts as well.
fn words(text: &str) -> impl Iterator<Item = String> {
    let wholes = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    wholes.flat_map(|whole| {
        let parts = whole.split('_').filter(|part| !part.is_empty());
        let compound = parts.clone().nth(1).is_some().then_some(whole);
        compound.into_iter().chain(parts).map(|word| singular(word.to_lowercase())).collect::<Vec<_>>()
    })
}

/// Harman's S-stemmer (How effective is suffixing?, 1991).
fn singular(word: String) -> String {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| word.ends_with(suffix));
    if word.len() <= 3 || !word.ends_with('s') {
        word
    } else if word.ends_with("ies") && !ends(&["eies", "aies"]) {
        format!("{}y", &word[..word.len() - 3])
    } else if ends(&["us", "ss"]) {
        word
    } else {
        word[..word.len() - 1].to_owned()
    }
}

/// FNV-1a, 32 bits.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::{STOP_WORDS, count, frequency, hash, of_passage, of_question, words};

    fn list(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn stop_words_are_sorted_for_the_search() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn words_are_brought_to_one_form() {
        assert_eq!(list("Vouchers, policies & the bus; Öfen"), ["voucher", "policy", "the", "bus", "öfen"]);
        assert_eq!(list("join_at_most(x)"), ["join_at_most", "join", "at", "most", "x"]);
        assert_eq!(hash("a"), 0xe40c_292c);
    }

    #[test]
    fn frequencies_are_found() {
        let stored = of_passage("A voucher and two vouchers in one channel");
        assert_eq!(count(&stored), 8);
        let of = |word: &str| frequency(&stored, hash(word));
        assert_eq!((of("voucher"), of("channel"), of("receipt")), (2, 1, 0));
    }

    #[test]
    fn a_question_is_its_telling_words() {
        assert_eq!(of_question("What is the voucher? Which vouchers?"), [hash("voucher")]);
        assert_eq!(of_question("what is it").len(), 3);
    }
}
