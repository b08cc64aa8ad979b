//! Names of accounts and assets in a form that beancount and hledger both take, unique and the same in every export.

use hansa_economy::ledger::{Account, AccountKind, Asset};

/// Characters of a label that its account's name keeps.
const LABEL_CHARS_MAX: usize = 32;
/// Words that beancount reads as values.
const RESERVED: [&str; 3] = ["TRUE", "FALSE", "NULL"];

/// The account's name. The operator owes holders and escrows their balances, so these are liabilities; the issuance account
/// is what stands against them, so it is an asset. The id makes it unique; the label is there for people.
pub(super) fn account_name(account: &Account, asset: &Asset) -> String {
    let (code, id) = (&asset.code, account.id);
    match account.kind {
        AccountKind::Issuance => format!("Assets:Issuance:{code}"),
        AccountKind::Escrow => format!("Liabilities:Escrow:{code}:Channel-{id}"),
        AccountKind::Ordinary => format!("Liabilities:Holders:{code}:{}-{id}", plain(&account.label)),
    }
}

/// The asset's name as a commodity. A code of one character, one that begins with a digit and one that is a word of
/// beancount's get `A-` before them, which no code can contain.
pub(super) fn commodity(asset: &Asset) -> String {
    let code = &asset.code;
    let bare = code.len() > 1 && code.starts_with(|first: char| first.is_ascii_uppercase()) && !RESERVED.contains(&code.as_str());
    if bare { code.clone() } else { format!("A-{code}") }
}

/// A label as a part of an account's name: letters and digits, everything else a dash, beginning with a capital or a digit.
fn plain(label: &str) -> String {
    let mut plain = String::new();
    for letter in label.chars() {
        match letter.is_ascii_alphanumeric() {
            true if plain.is_empty() => plain.push(letter.to_ascii_uppercase()),
            true => plain.push(letter),
            false if plain.is_empty() || plain.ends_with('-') => {}
            false => plain.push('-'),
        }
        if plain.len() == LABEL_CHARS_MAX {
            break;
        }
    }
    let plain = plain.trim_end_matches('-');
    if plain.is_empty() { "Account".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_parts_of_names() {
        for (label, name) in [
            ("main", "Main"),
            ("9 lives", "9-lives"),
            ("  agent/reader (2) ", "Agent-reader-2"),
            ("é\u{1b}[31m\n; x: y", "31m-x-y"),
            ("日本", "Account"),
            ("---", "Account"),
            (&"x".repeat(200), &format!("X{}", "x".repeat(31))),
        ] {
            assert_eq!(plain(label), name, "{label:?}");
        }
    }
}
