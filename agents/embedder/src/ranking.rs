//! From the model's order to the one that the contract promises.

use hansa_sdk::Fault;
use hansa_sdk::inference::Ranked;

/// Check that `rows` are the best `top` (0 for all) of so many documents: each once, with a finite score, best first.
///
/// # Errors
/// [`Fault::Failed`] when the model answered with something else.
pub fn checked(rows: Vec<Ranked>, documents: usize, top: u32) -> Result<Vec<Ranked>, Fault> {
    let wanted = if top == 0 { documents } else { documents.min(top as usize) };
    if rows.len() != wanted {
        return Err(Fault::failed(format!("the model ranked `{}` documents, not {wanted}", rows.len())));
    }
    let mut seen = vec![false; documents];
    for row in &rows {
        match seen.get_mut(row.index as usize) {
            Some(seen) if !*seen && row.score.is_finite() => *seen = true,
            _ => return Err(Fault::failed(format!("the model gave document `{}` the score `{}`", row.index, row.score))),
        }
    }
    match rows.is_sorted_by(|a, b| a.score >= b.score) {
        true => Ok(rows),
        false => Err(Fault::failed("the model gave its ranking in no order")),
    }
}

#[cfg(test)]
mod tests {
    use super::checked;
    use hansa_sdk::inference::Ranked;

    fn rows(rows: &[(u32, f32)]) -> Vec<Ranked> {
        rows.iter().map(|&(index, score)| Ranked { index, score }).collect()
    }

    #[test]
    fn a_ranking_is_passed_on() {
        let all = rows(&[(2, 0.9), (0, 0.5), (1, 0.5)]);
        assert_eq!(checked(all.clone(), 3, 0), Ok(all.clone()));
        assert_eq!(checked(all.clone(), 3, 7), Ok(all));
        assert_eq!(checked(rows(&[(2, 0.9)]), 3, 1), Ok(rows(&[(2, 0.9)])));
    }

    #[test]
    fn a_wrong_answer_of_the_model_is_no_answer() {
        for wrong in
            [&[(0, 1.0)][..], &[(0, 1.0), (0, 0.5)], &[(0, 1.0), (2, 0.5)], &[(0, f32::NAN), (1, 0.5)], &[(0, 0.1), (1, 0.5)]]
        {
            assert!(checked(rows(wrong), 2, 0).is_err(), "{wrong:?}");
        }
    }
}
