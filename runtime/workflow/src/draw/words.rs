//! What a workflow's parts are called on a drawing: amounts, time spans, expressions and functions in short.

use std::time::Duration;

use hansa_catalogue::version::InterfaceName;
use hansa_economy::Amount;
use serde_json::Value;

use super::measure::one_line;
use crate::definition::{
    Ask, Backoff, Call, Expiry, Expression, OnError, OnExhausted, Part, Prefer, Retry, Sort, Template, Terms, Until,
};

/// Without the zeros at the end, but for two decimal places.
pub(super) fn amount(amount: Amount) -> String {
    let text = amount.to_string();
    let short = text.trim_end_matches('0');
    let decimals = short.len() - short.find('.').map_or(short.len(), |point| point + 1);
    format!("{short}{}", "0".repeat(2_usize.saturating_sub(decimals)))
}

/// As people write it: `1h 30m`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let nanos = span.subsec_nanos();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (u64::from(nanos / 1_000_000), "ms"),
        (u64::from(nanos / 1_000 % 1_000), "µs"),
        (u64::from(nanos % 1_000), "ns"),
    ];
    let named: Vec<String> = units.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if named.is_empty() { "0s".to_owned() } else { named.join(" ") }
}

/// `one round`, `3 rounds`.
pub(super) fn count(number: usize, one: &str) -> String {
    let more = if number == 1 { "" } else { "s" };
    format!("{number} {one}{more}")
}

/// An expression on one line.
pub(super) fn expression(expression: &Expression) -> String {
    one_line(&expression.text)
}

/// A value as jq would write it, texts with expressions as in the file.
pub(super) fn template(template: &Template) -> String {
    match template {
        Template::Value(value) => value.to_string(),
        Template::Expression(only) => expression(only),
        Template::Text(_) => Value::String(message(template)).to_string(),
        Template::List(items) => format!("[{}]", items.iter().map(self::template).collect::<Vec<_>>().join(", ")),
        Template::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Template::Map(entries) => {
            let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {}", self::template(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A text for people, its expressions as in the file.
pub(super) fn message(message: &Template) -> String {
    match message {
        Template::Value(Value::String(text)) => one_line(text),
        Template::Text(parts) => one_line(&parts.iter().map(part).collect::<String>()),
        _ => template(message),
    }
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.clone(),
        Part::Expression(only) => format!("${{{}}}", only.text),
    }
}

/// `files.identify` for function `identify` of `commons:files/files@0.1.0`.
pub(super) fn function(call: &Call) -> String {
    let path = InterfaceName::parse(&call.service).map_or(&*call.service, |name| name.path);
    format!("{}.{}", path.rsplit('/').next().unwrap_or(path), call.function)
}

/// The type as it stands in the file.
pub(super) fn sort(sort: Sort) -> &'static str {
    match sort {
        Sort::Text => "text",
        Sort::Number => "number",
        Sort::Integer => "integer",
        Sort::Boolean => "boolean",
        Sort::Bytes => "bytes",
        Sort::List => "list",
        Sort::Map => "map",
        Sort::Any => "any",
    }
}

/// From how many sellers a call is bought.
pub(super) fn ask(ask: &Ask) -> String {
    match ask.agree {
        Some(agree) => format!("{} sellers, {agree} must agree", ask.sellers),
        None if ask.min < ask.sellers => format!("{} sellers, {} must answer", ask.sellers, ask.min),
        None => format!("{} sellers", ask.sellers),
    }
}

/// What of `retry` is not as usual; nothing where all is.
pub(super) fn retry(retry: &Retry) -> Option<String> {
    let usual = Retry::default();
    let attempts = (retry.max_attempts != usual.max_attempts).then(|| count(retry.max_attempts as usize, "attempt"));
    let waits = (retry.backoff != usual.backoff).then(|| backoff(&retry.backoff));
    let ends = (retry.on_exhausted == OnExhausted::Fail).then(|| "then fails".to_owned());
    let said: Vec<String> = [attempts, waits, ends].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" · "))
}

/// `500ms × 1.5`, with the longest where that is not the usual one.
fn backoff(backoff: &Backoff) -> String {
    let usual = Retry::default().backoff;
    let percent = backoff.coefficient_percent;
    let factor = format!("{}.{:02}", percent / 100, percent % 100);
    let most = if backoff.max == usual.max { String::new() } else { format!(" up to {}", span(backoff.max)) };
    format!("{} × {}{most}", span(backoff.initial), factor.trim_end_matches('0').trim_end_matches('.'))
}

/// What an error means where it does not end the run.
pub(super) fn on_error(on_error: OnError) -> Option<&'static str> {
    match on_error {
        OnError::Item => Some("failed item → null"),
        OnError::Step => Some("on error → null"),
        OnError::Run => None,
    }
}

/// What is waited for.
pub(super) fn until(until: &Until) -> String {
    match until {
        Until::For(time) => format!("for {}", span(*time)),
        Until::Time(time) => format!("until {}", message(time)),
        Until::Signal(name) => format!("for signal {name}"),
    }
}

/// What comes of an approval that nobody gave.
pub(super) fn expiry(expiry: Expiry) -> &'static str {
    match expiry {
        Expiry::Fail => "then fails",
        Expiry::Approve => "then approved",
        Expiry::Reject => "then rejected",
    }
}

/// Terms beyond price and time, each for a chip.
pub(super) fn choice(terms: &Terms) -> Vec<String> {
    let prefer = terms.prefer.map(|prefer| match prefer {
        Prefer::Cheapest => "cheapest".to_owned(),
        Prefer::Fastest => "fastest".to_owned(),
    });
    let sellers = terms.sellers.as_ref().map(|sellers| match sellers.len() {
        0 => "no seller".to_owned(),
        number => format!("only {}", count(number, "seller")),
    });
    let labels = terms.labels.iter().map(|(name, value)| format!("{name} = {value}"));
    prefer.into_iter().chain(sellers).chain(labels).collect()
}

#[cfg(test)]
mod tests {
    //! Words are as people write them.

    use super::*;

    #[test]
    fn amounts_and_times_are_short() {
        for (text, short) in [("0.5", "0.50"), ("1", "1.00"), ("0.001", "0.001"), ("10.000001", "10.000001"), ("100", "100.00")] {
            assert_eq!(amount(text.parse().unwrap()), short);
        }
        for (millis, short) in [(500, "500ms"), (1_500, "1s 500ms"), (90_000, "1m 30s"), (129_600_000, "1d 12h"), (0, "0s")] {
            assert_eq!(span(Duration::from_millis(millis)), short);
        }
    }

    #[test]
    fn of_a_retry_policy_only_the_unusual_is_said() {
        let usual = Retry::default();
        let waits = Backoff { initial: Duration::from_millis(500), coefficient_percent: 150, ..usual.backoff };
        for (policy, said) in [
            (usual, None),
            (Retry { max_attempts: 1, ..usual }, Some("1 attempt")),
            (Retry { backoff: waits, ..usual }, Some("500ms × 1.5")),
            (Retry { backoff: Backoff { max: Duration::from_secs(5), ..usual.backoff }, ..usual }, Some("1s × 2 up to 5s")),
            (Retry { max_attempts: 3, on_exhausted: OnExhausted::Fail, ..usual }, Some("3 attempts · then fails")),
        ] {
            assert_eq!(retry(&policy).as_deref(), said);
        }
    }
}
