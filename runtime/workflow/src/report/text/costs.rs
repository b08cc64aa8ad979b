//! What a run cost, as tables.

use super::super::cost::Cost;
use super::super::{Report, SellerCost};
use super::words::{cut_place, grouped, width};
use super::{Page, head};

/// Columns of what is paid for, or who is.
const NAME_COLUMNS_MAX: usize = 40;

/// Cost by step, by seller and by label, then the whole.
pub fn costs(report: &Report) -> String {
    let mut page = Page::default();
    head(report, report.facts.last_ms, &mut page);
    let costs = &report.costs;
    let steps = costs.by_step.iter().map(|step| (step.step.clone(), step.cost, String::new()));
    table("STEP", steps.collect(), &mut page);
    let packages = |seller: &SellerCost| seller.packages.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let sellers = costs.by_seller.iter().map(|seller| (seller.seller.short(), seller.cost, packages(seller)));
    table("SELLER", sellers.collect(), &mut page);
    let labels = costs.by_label.iter().map(|label| (format!("{}={}", label.label, label.value), label.cost, String::new()));
    table("LABEL", labels.collect(), &mut page);
    page.0
}

fn table(what: &str, rows: Vec<(String, Cost, String)>, page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    let is_at_risk = rows.iter().any(|(_, cost, _)| cost.at_risk.0 > 0);
    let names: Vec<String> = rows.iter().map(|(name, ..)| cut_place(name, NAME_COLUMNS_MAX)).collect();
    let wide = names.iter().map(|name| width(name)).chain([what.len()]).max().unwrap_or(0);
    let risk = |text: &str| if is_at_risk { format!("  {text:>12}") } else { String::new() };
    page.line("");
    page.line(&format!("{what:<wide$}  {:>7}  {:>7}  {:>12}{}", "CALLS", "FAILED", "CHARGED", risk("AT RISK")));
    for ((_, cost, more), name) in rows.iter().zip(names) {
        let (calls, failed) = (grouped(cost.calls), grouped(cost.failed));
        let risk = risk(&cost.at_risk.to_string());
        page.line(&format!("{name:<wide$}  {calls:>7}  {failed:>7}  {:>12}{risk}  {more}", cost.charged));
    }
}
