//! Which sentences to take: near to the focus, far from each other (maximal marginal relevance, Carbonell and Goldstein 1998).

/// How much nearness counts against novelty, 0 to 1.
const NEARNESS_SHARE: f32 = 0.75;

/// A chosen sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// Index among the vectors.
    pub index: usize,
    /// Cosine with the focus, or with the centre of all vectors.
    pub score: f32,
}

/// Choose at most `count` of `vectors`, in the order in which they stand. All vectors have length 1.
#[must_use]
pub fn choose(vectors: &[&[f32]], focus: Option<&[f32]>, count: usize) -> Vec<Choice> {
    let centre = focus.map_or_else(|| centre(vectors), <[f32]>::to_vec);
    let scores: Vec<f32> = vectors.iter().map(|vector| dot(vector, &centre)).collect();
    // Nearness of each sentence to the nearest one chosen already.
    let mut said = vec![0.0_f32; vectors.len()];
    let mut left: Vec<usize> = (0..vectors.len()).collect();
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let gain = |index: &usize| NEARNESS_SHARE * scores[*index] - (1.0 - NEARNESS_SHARE) * said[*index];
        // Of equals the first, so that the same text gives the same answer.
        let Some(best) = left.iter().copied().reduce(|a, b| if gain(&b) > gain(&a) { b } else { a }) else { break };
        left.retain(|index| *index != best);
        for index in &left {
            said[*index] = said[*index].max(dot(vectors[*index], vectors[best]));
        }
        chosen.push(Choice { index: best, score: scores[best] });
    }
    chosen.sort_by_key(|choice| choice.index);
    chosen
}

/// The mean direction.
fn centre(vectors: &[&[f32]]) -> Vec<f32> {
    let mut sum = vec![0.0; vectors.first().map_or(0, |vector| vector.len())];
    for vector in vectors {
        sum.iter_mut().zip(*vector).for_each(|(total, x)| *total += x);
    }
    let length = dot(&sum, &sum).sqrt();
    if length > 0.0 {
        sum.iter_mut().for_each(|x| *x /= length);
    }
    sum
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::{Choice, choose};

    const A: &[f32] = &[1.0, 0.0, 0.0];
    const NEAR_A: &[f32] = &[0.995, 0.0998, 0.0];
    const B: &[f32] = &[0.6, 0.0, 0.8];
    const FAR: &[f32] = &[0.0, 1.0, 0.0];

    fn indices(choices: &[Choice]) -> Vec<usize> {
        choices.iter().map(|choice| choice.index).collect()
    }

    #[test]
    fn the_nearest_to_the_focus_comes_first_and_no_repeat_of_it() {
        let chosen = choose(&[FAR, NEAR_A, B, A], Some(A), 1);
        assert_eq!(chosen, [Choice { index: 3, score: 1.0 }]);
        // NEAR_A gains 0.75 * 0.995 - 0.25 * 0.995 = 0.4975; B gains 0.75 * 0.6 - 0.25 * 0.6 = 0.3; FAR 0.
        assert_eq!(indices(&choose(&[FAR, NEAR_A, B, A], Some(A), 3)), [1, 2, 3]);
    }

    #[test]
    fn what_was_said_counts_against_a_sentence() {
        // The second is nearer to the focus than the third, but says what the first says.
        let focus: &[f32] = &[0.8, 0.0, 0.6];
        let twin: &[f32] = &[0.28, 0.0, 0.96];
        let near: &[f32] = &[0.96, 0.0, 0.28];
        let near_twin: &[f32] = &[0.98, 0.1, 0.17];
        let chosen = choose(&[near, near_twin, twin], Some(focus), 2);
        assert_eq!(indices(&chosen), [0, 2]);
    }

    #[test]
    fn without_a_focus_the_centre_decides() {
        assert_eq!(indices(&choose(&[A, NEAR_A, A, FAR], None, 1)), [1]);
    }

    #[test]
    fn no_more_than_there_are() {
        assert_eq!(indices(&choose(&[A, B], None, 20)), [0, 1]);
        assert_eq!(choose(&[], None, 3), []);
    }
}
