//! The accountant on shares: whether a channel's terms may name them, and who gets how much of a payment.

use hansa_economy::channel::{AccountId, ChannelTerms};

use super::accountant::{Objection, insist};

const SHARES_MAX: usize = 16;
const WHOLE: u128 = 10_000;

/// Are the shares in order? The payee has what they leave.
pub(super) fn in_order(terms: &ChannelTerms) -> Result<(), Objection> {
    let shares = &terms.shares;
    insist(shares.len() <= SHARES_MAX, "too many shares")?;
    let sum: u128 = shares.iter().map(|share| u128::from(share.basis_points)).sum();
    insist(sum <= WHOLE && shares.iter().all(|share| share.basis_points > 0), "shares that do not make a whole")?;
    let party = |account: AccountId| account == terms.payer || account == terms.payee;
    insist(!shares.iter().any(|share| party(share.account)), "a party has a share")?;
    let rising = shares.iter().zip(shares.iter().skip(1)).all(|(one, next)| one.account < next.account);
    insist(rising, "shares are not in rising order")
}

/// Who gets how much of `paid`: whole units first; a unit that is left over goes to a part if fewer parts than units left
/// come before it, by larger remainder or, among equals, by place.
pub(super) fn split(terms: &ChannelTerms, paid: u128) -> Result<Vec<(AccountId, u128)>, Objection> {
    let shared: u128 = terms.shares.iter().map(|share| u128::from(share.basis_points)).sum();
    let mut points = vec![(terms.payee, WHOLE.checked_sub(shared).ok_or("shares above the whole")?)];
    points.extend(terms.shares.iter().map(|share| (share.account, share.basis_points.into())));
    let mut parts = Vec::new();
    for (account, points) in points {
        let product = paid.checked_mul(points).ok_or("the accountant cannot split so much")?;
        parts.push((account, product / WHOLE, product % WHOLE));
    }
    let left = paid - parts.iter().map(|part| part.1).sum::<u128>();
    let before = |at: usize| {
        let ahead =
            |(place, other): (usize, &(AccountId, u128, u128))| other.2 > parts[at].2 || other.2 == parts[at].2 && place < at;
        parts.iter().enumerate().filter(|part| ahead(*part)).count() as u128
    };
    let split: Vec<(AccountId, u128)> =
        (0..parts.len()).map(|at| (parts[at].0, parts[at].1 + u128::from(before(at) < left))).collect();
    insist(split.iter().map(|part| part.1).sum::<u128>() == paid, "the parts are not the whole")?;
    Ok(split)
}
