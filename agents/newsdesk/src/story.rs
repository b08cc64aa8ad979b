//! Stories as they come over the topic, and digests as they are kept and published: plain text, a block for each story.

/// Bytes of a story at most.
pub const STORY_BYTES_MAX: usize = 16 << 10;
/// Stories that wait at most.
pub const WAITING_MAX: usize = 100;
/// Stories in one digest at most.
pub const DIGEST_MAX: usize = 8;

/// A story that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its first line.
    pub headline: String,
    /// The rest.
    pub text: String,
}

/// A story in a digest: its headline and its best sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The headline.
    pub headline: String,
    /// Sentences as they stand in the text.
    pub sentences: Vec<String>,
}

impl Story {
    /// Reads what came over the topic.
    ///
    /// # Errors
    /// Why it is no story.
    pub fn read(payload: &[u8]) -> Result<Story, String> {
        if payload.len() > STORY_BYTES_MAX {
            return Err(format!("it has {} bytes, at most {STORY_BYTES_MAX} are taken", payload.len()));
        }
        let text = std::str::from_utf8(payload).map_err(|_| "it is no UTF-8 text".to_owned())?;
        let (headline, text) = text.trim().split_once('\n').ok_or("a headline and, below it, a text are needed")?;
        let headline = one_line(headline);
        match headline.is_empty() || text.trim().is_empty() {
            true => Err("the headline or the text is empty".into()),
            false => Ok(Story { headline, text: text.trim().to_owned() }),
        }
    }

    /// As it waits in the store.
    #[must_use]
    pub fn kept(&self) -> String {
        format!("{}\n{}", self.headline, self.text)
    }
}

/// Entries as text: the headline, then each sentence behind a dash, then an empty line.
#[must_use]
pub fn to_text(entries: &[Entry]) -> String {
    let block = |entry: &Entry| {
        let sentences: String = entry.sentences.iter().map(|sentence| format!("- {}\n", one_line(sentence))).collect();
        format!("{}\n{sentences}", one_line(&entry.headline))
    };
    entries.iter().map(block).collect::<Vec<_>>().join("\n")
}

/// The inverse of [`to_text`].
#[must_use]
pub fn from_text(text: &str) -> Vec<Entry> {
    let entry = |block: &str| {
        let mut lines = block.lines();
        let headline = lines.next()?.to_owned();
        let sentences = lines.filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect();
        Some(Entry { headline, sentences })
    };
    text.split("\n\n").filter(|block| !block.trim().is_empty()).filter_map(entry).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_have_a_headline_and_a_text() {
        let story = Story::read(b" Ship  leaves\n\nThe cog left.\nIt was full.\n").unwrap();
        assert_eq!(story, Story { headline: "Ship leaves".into(), text: "The cog left.\nIt was full.".into() });
        assert_eq!(Story::read(story.kept().as_bytes()).unwrap(), story);
        for bad in [b"".as_slice(), b"only a headline", b"headline\n \n", b"\xff\nx", &[b'x'; STORY_BYTES_MAX + 1]] {
            assert!(Story::read(bad).is_err());
        }
    }

    #[test]
    fn digests_are_kept_as_text() {
        let entries = vec![
            Entry { headline: "Ship leaves".into(), sentences: vec!["The cog left.".into(), "It was full.".into()] },
            Entry { headline: "No money for this".into(), sentences: vec![] },
        ];
        let text = to_text(&entries);
        assert_eq!(text, "Ship leaves\n- The cog left.\n- It was full.\n\nNo money for this\n");
        assert_eq!(from_text(&text), entries);
        assert!(from_text("").is_empty());
    }
}
