//! Small readers of what an export writes, which share nothing with its writers: balances come from the text alone.

use std::collections::{BTreeMap, BTreeSet};

/// Balances by account's name, in the smallest unit, debits positive; and how many assertions were found true.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) balances: BTreeMap<String, i128>,
    pub(crate) transactions: usize,
    pub(crate) assertions: usize,
}

struct Posting {
    account: String,
    units: i128,
    commodity: String,
}

/// `  Account  -12.5 CRED` with what stands after it.
fn posting(text: &str) -> (Posting, Vec<String>) {
    let mut words = text.split_whitespace().map(str::to_owned);
    let (account, amount, commodity) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    (Posting { account, units: units(&amount), commodity }, words.collect())
}

/// A decimal's digits as an integer: all amounts of a commodity have the same number of places.
fn units(amount: &str) -> i128 {
    amount.replace('.', "").parse().unwrap()
}

fn is_dated(line: &str) -> bool {
    line.len() > 11 && line.as_bytes()[4] == b'-' && line.as_bytes()[7] == b'-' && line.as_bytes()[0].is_ascii_digit()
}

/// Read a journal of beancount; the first thing that is wrong.
pub(crate) fn beancount(text: &str) -> Result<Books, String> {
    let mut books = Books::default();
    let (mut opened, mut names) = (BTreeMap::new(), BTreeSet::new());
    // Assertions hold in the morning: transactions of their day and later ones come after.
    let mut blocks: Vec<(String, bool, Vec<&str>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(';') && !line.starts_with("option ")) {
        match is_dated(line) {
            true => blocks.push((line[..10].to_owned(), !line[11..].starts_with("balance"), vec![line])),
            false => blocks.last_mut().ok_or("a line belongs to nothing")?.2.push(line),
        }
    }
    blocks.sort_by(|one, two| (&one.0, one.1).cmp(&(&two.0, two.1)));
    for (_, _, lines) in blocks {
        let head = &lines[0][11..];
        if let Some(rest) = head.strip_prefix("open ") {
            let (account, commodity) = rest.split_once(' ').ok_or("open without commodity")?;
            if opened.insert(account.to_owned(), commodity.to_owned()).is_some() {
                return Err(format!("{account} is opened twice"));
            }
        } else if let Some(rest) = head.strip_prefix("balance ") {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let [account, amount, "~", "0", _] = words[..] else { return Err(format!("not exact: {head}")) };
            assert_balance(&mut books, account, units(amount))?;
        } else if head.starts_with("* ") {
            if !names.insert(head.rsplit(' ').next().unwrap_or_default().to_owned()) {
                return Err(format!("{head} has a name that another has"));
            }
            let postings =
                lines[1..].iter().filter(|line| line.trim_start().starts_with(|first: char| first.is_ascii_uppercase()));
            book(&mut books, postings.map(|line| posting(line).0).collect(), &opened)?;
        }
    }
    Ok(books)
}

/// Read a journal of hledger; the first thing that is wrong.
pub(crate) fn hledger(text: &str) -> Result<Books, String> {
    let mut books = Books::default();
    let (mut opened, mut names) = (BTreeMap::new(), BTreeSet::new());
    let mut day = String::new();
    let mut postings = Vec::new();
    for line in text.lines().chain([""]) {
        if let Some(account) = line.strip_prefix("account ") {
            opened.insert(account.to_owned(), String::new());
        } else if is_dated(line) {
            if line[..10] < *day {
                return Err(format!("`{line}` comes too late"));
            }
            line[..10].clone_into(&mut day);
            if !line.ends_with("* balances") && !names.insert(line.split(['(', ')']).nth(1).unwrap_or_default().to_owned()) {
                return Err(format!("{line} has a name that another has"));
            }
        } else if line.starts_with("    ") && !line.trim_start().starts_with(';') {
            let (posting, rest) = posting(line);
            match rest.as_slice() {
                [] => postings.push(posting),
                [equals, amount, _] if equals == "==" && posting.units == 0 => {
                    assert_balance(&mut books, &posting.account, units(amount))?;
                }
                other => return Err(format!("`{line}` ends with {other:?}")),
            }
        } else if line.is_empty() && !postings.is_empty() {
            book(&mut books, std::mem::take(&mut postings), &opened)?;
        }
    }
    Ok(books)
}

fn book(books: &mut Books, postings: Vec<Posting>, opened: &BTreeMap<String, String>) -> Result<(), String> {
    if postings.len() != 2 || postings.iter().map(|posting| posting.units).sum::<i128>() != 0 {
        return Err("a transaction does not balance".into());
    }
    if postings[0].commodity != postings[1].commodity {
        return Err("a transaction has two commodities".into());
    }
    for posting in postings {
        let commodity = opened.get(&posting.account).ok_or_else(|| format!("{} is not opened", posting.account))?;
        if !commodity.is_empty() && *commodity != posting.commodity {
            return Err(format!("{} does not take {}", posting.account, posting.commodity));
        }
        *books.balances.entry(posting.account).or_default() += posting.units;
    }
    books.transactions += 1;
    Ok(())
}

fn assert_balance(books: &mut Books, account: &str, units: i128) -> Result<(), String> {
    let found = books.balances.get(account).copied().unwrap_or_default();
    if found != units {
        return Err(format!("{account} has {found}, asserted is {units}"));
    }
    books.assertions += 1;
    Ok(())
}

/// The rows of a table, RFC 4180.
pub(crate) fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        let row = rows.last_mut().unwrap();
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => row.last_mut().unwrap().push(letters.next().unwrap()),
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(String::new()),
            ('\n', false) => rows.push(vec![String::new()]),
            _ => row.last_mut().unwrap().push(letter),
        }
    }
    rows.pop();
    rows
}
