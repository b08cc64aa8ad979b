//! Sells slugs of titles: a computation that needs nothing but its arguments.

hansa_sdk::agent! {
    world: "my-publisher:my-agent/agent",
    wit: ["vendor/hansa/wit/hansa-service", "wit"],     // contracts in the order in which they need each other
    agent: MyAgent,
}

use bindings::exports::my_publisher::my_agent::my_agent::Guest;
use hansa_sdk::Fault;

struct MyAgent;

impl Guest for MyAgent {
    async fn slug(title: String, length_max: u32) -> Result<String, Fault> {
        // Say what was wrong and what to send instead. A fault costs the buyer nothing.
        let slug = slug(&title, length_max as usize).map_err(Fault::invalid_input)?;
        Ok(slug)
    }
}

/// The pure part, which `cargo test` can test without any host. Error: there is no slug, and why.
fn slug(title: &str, length_max: usize) -> Result<String, String> {
    let mut slug = String::new();
    let words = title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    // Some letters become two in lower case: what is counted is what is sold.
    for word in words.map(str::to_lowercase) {
        let (length, dash) = (word.chars().count(), usize::from(!slug.is_empty()));
        match slug.chars().count() + dash + length > length_max {
            true if slug.is_empty() => {
                return Err(format!(
                    "`length-max` is `{length_max}`, the first word of `title` has `{length}` characters; allow as many"
                ));
            }
            true => break,
            false => slug = if slug.is_empty() { word } else { format!("{slug}-{word}") },
        }
    }
    match slug.is_empty() {
        true => Err("`title` has no letter or digit; send a title such as `Hello`".into()),
        false => Ok(slug),
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn whole_words_that_fit() {
        assert_eq!(slug("Hello, Market!", 40).as_deref(), Ok("hello-market"));
        assert_eq!(slug("Hello, Market!", 11).as_deref(), Ok("hello"));
    }

    #[test]
    fn no_slug_is_too_long_although_lower_case_may_be_longer() {
        assert_eq!("İİ".to_lowercase().chars().count(), 4);
        assert_eq!(slug("a İİ", 4).as_deref(), Ok("a"));
    }

    #[test]
    fn what_gives_no_slug_says_why() {
        assert!(slug("¿?", 40).unwrap_err().contains("no letter or digit"));
        assert!(slug("Hello", 4).unwrap_err().contains("`length-max` is `4`, the first word of `title` has `5` characters"));
        assert!(slug("İİ", 3).unwrap_err().contains("has `4` characters"));
    }
}
