//! A quote for people: a table of what is bought, what is not known, and whether the budget suffices.

use hansa_economy::Amount;

use super::{Choice, Cost, Count, Line, Missing, Owner, Quote, Verdict};
use crate::limits::TEXT_COLUMNS_MAX;
use crate::terminal::{cut, padded, shown, width};

/// Columns of a step's path, and of a number of calls.
const PATH_COLUMNS: usize = 26;
const CALLS_COLUMNS: usize = 14;
/// More calls than these are "any number".
const CALLS_SHOWN: u64 = 999_999_999;

/// The whole quote; no line is longer than [`TEXT_COLUMNS_MAX`] columns.
pub fn text(quote: &Quote) -> String {
    let mut lines = vec![format!("{} {}: {}", quote.workflow, quote.version, verdict(quote)), String::new()];
    match quote.steps.is_empty() && quote.total == Cost::NOTHING {
        true => lines.push("no step of it buys anything".to_owned()),
        false => table(quote, &mut lines),
    }
    undo(quote, &mut lines);
    list("not known before the run", quote.unknown.iter().map(|unknown| missing(unknown.what, unknown)), &mut lines);
    list("budgets that cannot suffice", quote.shortfalls.iter().map(short), &mut lines);
    if quote.is_rough {
        lines.extend([String::new(), "it is too large to be gone through whole: budgets alone bound much of it".to_owned()]);
    }
    lines.iter().map(|line| cut(&shown(line), TEXT_COLUMNS_MAX) + "\n").collect()
}

fn verdict(quote: &Quote) -> String {
    let (total, budget) = (quote.total, quote.budget);
    let costs = match (total.exact(), total.likely) {
        (Some(exact), _) => format!("costs {exact}"),
        (None, Some(likely)) => format!("likely costs {likely}, at most {}", total.most),
        (None, None) => format!("costs {} to {}", total.least, total.most),
    };
    match quote.verdict {
        Verdict::Suffices => format!("{costs}; the budget of {budget} suffices"),
        Verdict::MayNotSuffice => format!("{costs}; the budget of {budget} may not suffice"),
        Verdict::CannotSuffice => format!("the budget of {budget} cannot suffice"),
    }
}

fn table(quote: &Quote, lines: &mut Vec<String>) {
    let head = ["step", "calls", "each", "at least", "likely", "at most"].map(str::to_owned);
    let total = row("total", None, String::new(), quote.total);
    let rows: Vec<[String; 6]> =
        quote.steps.iter().map(|line| row(&line.path, Some(line.calls), price(line), line.cost)).collect();
    let columns = |nth: usize| [&head, &total].into_iter().chain(&rows).map(|row| width(&row[nth])).max().unwrap_or(0);
    let columns: [usize; 6] = std::array::from_fn(columns);
    let written = |row: &[String; 6]| {
        let cells = row.iter().zip(columns).enumerate().map(|(nth, (cell, columns))| match nth {
            0 | 1 => padded(cell, columns),
            _ => format!("{cell:>columns$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    lines.push(format!("{}  seller", written(&head)));
    for (line, row) in quote.steps.iter().zip(&rows) {
        lines.push(format!("{}  {}", written(row), sellers(line)));
        if !line.runners_up.is_empty() {
            let others: Vec<String> =
                line.runners_up.iter().map(|choice| format!("{} at {}", named(choice), each(choice))).collect();
            lines.push(format!("    or {}", others.join(", ")));
        }
    }
    lines.push(written(&total).trim_end().to_owned());
}

fn row(name: &str, calls: Option<Count>, each: String, cost: Cost) -> [String; 6] {
    let likely = cost.likely.map_or_else(|| "?".to_owned(), |likely| likely.to_string());
    let calls = calls.map(count).unwrap_or_default();
    [cut(&shown(name), PATH_COLUMNS), cut(&calls, CALLS_COLUMNS), each, cost.least.to_string(), likely, cost.most.to_string()]
}

fn count(count: Count) -> String {
    match (count.exact(), count.most > CALLS_SHOWN) {
        (Some(exact), _) => exact.to_string(),
        (None, true) => format!("{} or more", count.least),
        (None, false) => format!("{} to {}", count.least, count.most),
    }
}

/// What one call costs: one price where all chosen sellers have the same.
fn price(line: &Line) -> String {
    let mut prices: Vec<String> = line.chosen.iter().map(each).collect();
    prices.dedup();
    match &prices[..] {
        [] => "?".to_owned(),
        [one] => one.clone(),
        _ => "differs".to_owned(),
    }
}

fn each(choice: &Choice) -> String {
    match choice.price_min == choice.price_max && !choice.is_quoted {
        true => choice.price_max.to_string(),
        false => format!("≤{}", choice.price_max),
    }
}

fn named(choice: &Choice) -> String {
    let on = if choice.node.is_empty() { String::new() } else { format!(" on {}", choice.node) };
    let free = if choice.free_calls > 0 { format!(" ({} free)", choice.free_calls) } else { String::new() };
    format!("{}{on}{free}", choice.package)
}

fn sellers(line: &Line) -> String {
    match (&line.chosen[..], line.offers) {
        ([], None) => "not known".to_owned(),
        ([], Some(_)) => "nobody under these terms".to_owned(),
        (chosen, _) => chosen.iter().map(named).collect::<Vec<_>>().join(", "),
    }
}

fn undo(quote: &Quote, lines: &mut Vec<String>) {
    if quote.undo.is_empty() {
        return;
    }
    lines.extend([String::new(), format!("if it fails, undoing what was done costs at most {} of the budget:", quote.undo_most)]);
    for line in &quote.undo {
        lines.push(format!(
            "  {}: {}, {} calls at {} from {}",
            line.path,
            line.function,
            count(line.calls),
            price(line),
            sellers(line)
        ));
    }
}

fn missing(what: Missing, unknown: &super::Unknown) -> String {
    let each = unknown.each.map_or_else(String::new, |cost| match (what, cost.exact()) {
        (Missing::Way, _) => format!("; it costs {}", range(cost)),
        (_, Some(exact)) => format!("; each costs {exact}"),
        (_, None) => format!("; each costs {}", range(cost)),
    });
    let what = match what {
        Missing::Items => "how many items its list has",
        Missing::Rounds => "how many rounds it takes",
        Missing::Way => "which way it goes",
        Missing::Workflow => "what that workflow does",
        Missing::Sellers => "who sells it under its terms",
    };
    format!("{}: {what}{each}", unknown.path)
}

fn range(cost: Cost) -> String {
    match (cost.exact(), cost.most == Amount::MAX) {
        (Some(exact), _) => exact.to_string(),
        (None, true) => format!("{} or more", cost.least),
        (None, false) => format!("{} to {}", cost.least, cost.most),
    }
}

fn short(short: &super::Shortfall) -> String {
    let owner = match short.owner {
        Owner::Run => "the run".to_owned(),
        Owner::Step => format!("`{}`", short.path),
        Owner::Item => format!("an item of `{}`", short.path),
        Owner::Workflow => format!("the workflow of `{}`", short.path),
    };
    format!("{owner} has {}, and needs {} at least", short.budget, short.needed)
}

fn list(title: &str, items: impl Iterator<Item = String>, lines: &mut Vec<String>) {
    let mut items = items.map(|item| format!("  {item}")).peekable();
    if items.peek().is_some() {
        lines.extend([String::new(), format!("{title}:")]);
        lines.extend(items);
    }
}
