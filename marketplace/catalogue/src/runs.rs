//! What an agent does by itself: `[runs]` of `agent.toml`, and the topics and the money that it asks for.

use chrono::{DateTime, Utc};
use croner::Cron;
use hansa_economy::Amount;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::limits::{EVERY_MIN, TOPIC_BYTES_MAX, TOPICS_MAX, WAKE_MAX};
use crate::schema::Credits;
use crate::units::Span;

/// When the agent wakes up by itself. It then exports `hansa:agent/autonomy`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Runs {
    /// When it is started.
    pub on_start: bool,
    /// Again and again, this long after the last time; at least one second.
    pub every: Option<Span>,
    /// By the calendar, UTC: minute, hour, day of the month, month, day of the week, as in crontab(5).
    pub cron: Option<String>,
    /// When somebody publishes on one of these topics; `*` stands for one word, `>` at the end for any more.
    #[schemars(length(max = TOPICS_MAX), inner(length(max = TOPIC_BYTES_MAX)))]
    pub topics: Vec<String>,
    /// When what its account can spend falls below this.
    #[schemars(with = "Option<Credits>")]
    pub balance_below: Option<Amount>,
    /// The longest that one waking may take, at most 600 s; 60 s without it.
    pub deadline: Option<Span>,
}

/// The agent's own account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wallet {
    /// The most that the agent spends between two midnights, UTC: purchases and bills.
    #[schemars(with = "Credits")]
    pub spend_per_day: Amount,
}

/// What the agent may publish.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Topics {
    /// Topics, with `*` and `>` as in `runs.topics`.
    #[schemars(length(max = TOPICS_MAX), inner(length(max = TOPIC_BYTES_MAX)))]
    pub publish: Vec<String>,
}

impl Runs {
    /// Does anything wake the agent?
    pub fn any(&self) -> bool {
        self.on_start || self.every.is_some() || self.cron.is_some() || !self.topics.is_empty() || self.balance_below.is_some()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.every.is_some_and(|every| every.0 < EVERY_MIN) {
            return Err(format!("runs.every must be at least {} s", EVERY_MIN.as_secs()));
        }
        if self.deadline.is_some_and(|deadline| deadline.0 > WAKE_MAX || deadline.0.is_zero()) {
            return Err(format!("runs.deadline must be at most {} s, and not zero", WAKE_MAX.as_secs()));
        }
        if let Some(cron) = &self.cron {
            calendar(cron).map_err(|what| {
                format!("runs.cron `{cron}` is no time: {what}; write five fields, for example `0 6 * * 1-5` for 06:00 UTC on working days")
            })?;
        }
        check_topics("runs.topics", &self.topics)
    }

    /// The next time of `cron` after `now_ms`, both Unix milliseconds; none without `cron`, or where it never comes.
    pub fn cron_next_ms(&self, now_ms: u64) -> Option<u64> {
        let cron = calendar(self.cron.as_deref()?).ok()?;
        // The calendar knows whole seconds; parts of one would be carried on.
        let now = DateTime::<Utc>::from_timestamp(i64::try_from(now_ms / 1000).ok()?, 0)?;
        let next = cron.find_next_occurrence(&now, false).ok()?;
        u64::try_from(next.timestamp_millis()).ok()
    }
}

impl Topics {
    pub(crate) fn check(&self) -> Result<(), String> {
        check_topics("capabilities.topics.publish", &self.publish)
    }
}

fn calendar(cron: &str) -> Result<Cron, String> {
    if cron.split_whitespace().count() != 5 {
        return Err("it has not five fields".into());
    }
    cron.parse().map_err(|error: croner::errors::CronError| error.to_string())
}

fn check_topics(key: &str, topics: &[String]) -> Result<(), String> {
    if topics.len() > TOPICS_MAX {
        return Err(format!("{key} has {} topics, at most {TOPICS_MAX} will do", topics.len()));
    }
    match topics.iter().find(|topic| !is_topic(topic)) {
        Some(topic) => Err(format!("{key}: `{topic}` is no topic; write words joined by dots, for example `news.shipping`")),
        None => Ok(()),
    }
}

/// Is this a topic, or a pattern of topics?
pub fn is_topic(text: &str) -> bool {
    let words: Vec<&str> = text.split('.').collect();
    let plain =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let fits = |(nth, word): (usize, &&str)| match *word {
        "*" => true,
        ">" => nth + 1 == words.len(),
        word => plain(word),
    };
    text.len() <= TOPIC_BYTES_MAX && words.iter().enumerate().all(fits)
}

/// Does `pattern` cover every topic that `topic`, which may be a pattern too, covers?
pub fn covers(pattern: &str, topic: &str) -> bool {
    let (mut wide, mut narrow) = (pattern.split('.'), topic.split('.'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(word)) if word != ">" => {}
            (Some(wanted), Some(word)) if wanted == word && word != ">" => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_is_utc() {
        let runs = |cron: &str| Runs { cron: Some(cron.into()), ..Runs::default() };
        // 1970-01-01 was a Thursday.
        assert_eq!(runs("0 6 * * *").cron_next_ms(0), Some(6 * 3_600_000));
        assert_eq!(runs("0 6 * * *").cron_next_ms(6 * 3_600_000), Some(30 * 3_600_000));
        assert_eq!(runs("30 0 * * 1").cron_next_ms(1), Some((4 * 24 * 60 + 30) * 60_000));
        assert_eq!(Runs::default().cron_next_ms(0), None);
        for bad in ["", "* * * *", "* * * * * *", "61 * * * *", "a b c d e"] {
            assert!(runs(bad).check().unwrap_err().contains("five fields"), "{bad}");
        }
    }

    #[test]
    fn topics_are_words_joined_by_dots() {
        for good in ["news", "news.shipping", "news.*.eu", "news.>", ">"] {
            assert!(is_topic(good), "{good}");
        }
        for bad in ["", ".", "news.", "a.>.b", "a b", "a.b*", "ä", &"x".repeat(TOPIC_BYTES_MAX + 1)] {
            assert!(!is_topic(bad), "{bad}");
        }
    }

    #[test]
    fn patterns_cover_what_they_say() {
        for (pattern, topic) in [("a.b", "a.b"), ("a.*", "a.b"), ("a.>", "a.b.c"), (">", "a"), ("a.>", "a.>"), ("a.*", "a.*")] {
            assert!(covers(pattern, topic), "{pattern} {topic}");
        }
        for (pattern, topic) in
            [("a.b", "a.c"), ("a.*", "a.b.c"), ("a.*", "a"), ("a.>", "a"), ("a.*", "a.>"), ("a", "a.b"), ("a.b", "a.>")]
        {
            assert!(!covers(pattern, topic), "{pattern} {topic}");
        }
    }
}
