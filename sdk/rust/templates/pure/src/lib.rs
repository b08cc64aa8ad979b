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
        let slug = slug(&title, length_max as usize);
        match slug.is_empty() {
            // Say what was wrong and what to send instead. A fault costs the buyer nothing.
            true => Err(Fault::invalid_input("`title` has no letter or digit, or `length-max` is 0; send a title such as `Hello`")),
            false => Ok(slug),
        }
    }
}

/// The pure part, which `cargo test` can test without any host.
fn slug(title: &str, length_max: usize) -> String {
    let mut slug = String::new();
    for word in title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let dash = usize::from(!slug.is_empty());
        if slug.chars().count() + dash + word.chars().count() > length_max {
            break;
        }
        if dash == 1 {
            slug.push('-');
        }
        slug.extend(word.chars().flat_map(char::to_lowercase));
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn whole_words_that_fit() {
        assert_eq!(slug("Hello, Market!", 40), "hello-market");
        assert_eq!(slug("Hello, Market!", 11), "hello");
        assert_eq!(slug("¿?", 40), "");
    }
}
