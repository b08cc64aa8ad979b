//! Names of accounts and assets in a form that beancount and hledger both take, unique and the same in every export.

use hansa_economy::ledger::{Account, AccountKind, Asset};

use super::escape::account_part;

/// Words that beancount reads as values.
const RESERVED: [&str; 3] = ["TRUE", "FALSE", "NULL"];

/// The account's name. The operator owes holders and escrows their balances, so these are liabilities; the issuance account
/// is what stands against them, so it is an asset. The id makes it unique; the label is there for people.
pub(super) fn account_name(account: &Account, asset: &Asset) -> String {
    let (code, id) = (&asset.code, account.id);
    match account.kind {
        AccountKind::Issuance => format!("Assets:Issuance:{code}"),
        AccountKind::Escrow => format!("Liabilities:Escrow:{code}:Channel-{id}"),
        AccountKind::Ordinary => format!("Liabilities:Holders:{code}:{}-{id}", account_part(&account.label)),
    }
}

/// The asset's name as a commodity. A code of one character, one that begins with a digit and one that is a word of
/// beancount's get `A-` before them, which no code can contain.
pub(super) fn commodity(asset: &Asset) -> String {
    let code = &asset.code;
    let bare = code.len() > 1 && code.starts_with(|first: char| first.is_ascii_uppercase()) && !RESERVED.contains(&code.as_str());
    if bare { code.clone() } else { format!("A-{code}") }
}
