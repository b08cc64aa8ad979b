//! What a run cost, as tables.

use super::super::cost::Cost;
use super::super::{Report, SellerCost};
use super::words::{cut_place, grouped, width};
use super::{Page, head};

/// Columns of what is paid for, or who is.
const NAME_COLUMNS_MAX: usize = 40;

struct Row {
    name: String,
    cost: Cost,
    more: String,
}

/// Cost by step, by seller and by label.
pub fn costs(report: &Report) -> String {
    let mut page = Page::default();
    head(report, report.facts.last_ms, &mut page);
    let costs = &report.costs;
    let row = |name: &str, cost: Cost, more: String| Row { name: cut_place(name, NAME_COLUMNS_MAX), cost, more };
    let packages = |seller: &SellerCost| seller.packages.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let steps = costs.by_step.iter().map(|step| row(&step.step, step.cost, String::new()));
    let sellers = costs.by_seller.iter().map(|seller| row(&seller.seller.short(), seller.cost, packages(seller)));
    let labels = costs.by_label.iter().map(|label| row(&format!("{}={}", label.label, label.value), label.cost, String::new()));
    let tables: [(&str, Vec<Row>); 3] = [("STEP", steps.collect()), ("SELLER", sellers.collect()), ("LABEL", labels.collect())];
    let all = || tables.iter().flat_map(|(_, rows)| rows);
    let columns = all().map(|row| width(&row.name)).max().unwrap_or(0).max("SELLER".len());
    let is_at_risk = all().any(|row| row.cost.at_risk.0 > 0);
    tables.iter().for_each(|(what, rows)| table(what, rows, columns, is_at_risk, &mut page));
    page.0
}

fn table(what: &str, rows: &[Row], columns: usize, is_at_risk: bool, page: &mut Page) {
    if rows.is_empty() {
        return;
    }
    let risk = |text: &str| if is_at_risk { format!("  {text:>12}") } else { String::new() };
    page.line("");
    page.line(&format!("{what:<columns$}  {:>7}  {:>7}  {:>12}{}", "CALLS", "FAILED", "CHARGED", risk("AT RISK")));
    for Row { name, cost, more } in rows {
        let (calls, failed) = (grouped(cost.calls), grouped(cost.failed));
        let risk = risk(&cost.at_risk.to_string());
        page.line(&format!("{name:<columns$}  {calls:>7}  {failed:>7}  {:>12}{risk}  {more}", cost.charged));
    }
}
