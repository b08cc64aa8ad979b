//! Choosing the next token from a row of logits: greedy, or drawn by temperature, top-k and top-p from a seed.
//!
//! At temperature 0 the largest logit wins, the lower token among equals. Otherwise, in this order: only the `top_k` largest
//! logits stay (lower tokens first among equals); logits are divided by the temperature; probabilities are their softmax in
//! 64-bit floats; only the shortest run of the likeliest whose sum reaches `top_p` stays; one is drawn by a number from 0 to
//! 1 over the sum of what stayed. Each token takes exactly one number of the request's own generator, SplitMix64 (Steele, Lea
//! and Flood 2014) begun with the request's seed, so that a draw depends on nothing but the request.

use crate::error::{Error, Result};
use crate::random::Dice;

use super::request::Sampling;

/// A logit so much below the largest, in units of the temperature, has no share that a 53-bit draw could meet.
const NEGLIGIBLE: f32 = 40.0;

/// A request's way to choose.
#[derive(Clone, Debug)]
pub(crate) struct Sampler {
    temperature: f32,
    top_k: usize,
    top_p: f64,
    dice: Dice,
}

impl Sampler {
    pub(crate) fn new(sampling: &Sampling, seed: u64) -> Self {
        let top_k = if sampling.top_k == 0 { usize::MAX } else { sampling.top_k as usize };
        Self { temperature: sampling.temperature, top_k, top_p: f64::from(sampling.top_p), dice: Dice::new(seed) }
    }

    /// The next token.
    ///
    /// # Errors
    /// `non-finite` when a logit is NaN or infinity; minus infinity is a token that can never come.
    pub(crate) fn choose(&mut self, output: &str, logits: &[f32]) -> Result<u32> {
        let wrong = |logit: &f32| logit.is_nan() || *logit == f32::INFINITY;
        let best = best(logits);
        if logits.iter().any(wrong) || best.is_none_or(|best| logits[best] == f32::NEG_INFINITY) {
            return Err(Error::NonFinite(output.to_owned()));
        }
        let best = best.unwrap_or(0);
        // The temperature may be so small that a division overflows; the likeliest token is the limit then.
        if self.temperature < f32::MIN_POSITIVE {
            return Ok(best as u32);
        }
        let draw = self.dice.fraction();
        Ok(self.pick(logits, logits[best], draw) as u32)
    }

    fn pick(&self, logits: &[f32], largest: f32, draw: f64) -> usize {
        let floor = largest - NEGLIGIBLE * self.temperature;
        let mut kept: Vec<usize> = (0..logits.len()).filter(|token| logits[*token] >= floor).collect();
        let order = |a: &usize, b: &usize| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b));
        if self.top_k < kept.len() {
            kept.select_nth_unstable_by(self.top_k, order);
            kept.truncate(self.top_k);
        }
        kept.sort_unstable_by(order);
        let weight = |token: &usize| f64::from((logits[*token] - largest) / self.temperature).exp();
        let weights: Vec<f64> = kept.iter().map(weight).collect();
        let enough = weights.iter().sum::<f64>() * self.top_p;
        let count = weights
            .iter()
            .scan(0.0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .take_while(|sum| *sum < enough)
            .count();
        let weights = &weights[..(count + 1).min(weights.len())];
        let mut left = draw * weights.iter().sum::<f64>();
        let chosen = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        kept[chosen.unwrap_or(weights.len() - 1)]
    }
}

/// The first of the largest.
pub(crate) fn best(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).reduce(|best, token| if logits[token] > logits[best] { token } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampler(temperature: f32, top_k: u32, top_p: f32, seed: u64) -> Sampler {
        Sampler::new(&Sampling { temperature, top_k, top_p, ..Sampling::default() }, seed)
    }

    fn counts(mut sampler: Sampler, logits: &[f32]) -> Vec<usize> {
        let mut counts = vec![0; logits.len()];
        (0..10_000).for_each(|_| counts[sampler.choose("logits", logits).unwrap() as usize] += 1);
        counts
    }

    #[test]
    fn greedy_takes_the_largest_and_the_lower_of_equals() {
        assert_eq!(sampler(0.0, 0, 1.0, 1).choose("logits", &[1.0, 3.0, 3.0, f32::NEG_INFINITY]), Ok(1));
        assert_eq!(sampler(1e-45, 0, 1.0, 1).choose("logits", &[1.0, 3.0, 3.0]), Ok(1));
    }

    #[test]
    fn draws_follow_the_shares() {
        let logits = [0.0, 2.0_f32.ln(), 5.0_f32.ln()];
        let found = counts(sampler(1.0, 0, 1.0, 7), &logits);
        for (found, want) in found.iter().zip([1250.0, 2500.0, 6250.0]) {
            assert!((*found as f64 - want).abs() < 200.0, "{found} for {want}");
        }
        let flat = counts(sampler(10.0, 0, 1.0, 7), &logits);
        assert!(flat.iter().all(|count| (2800..3900).contains(count)), "{flat:?}");
    }

    #[test]
    fn what_top_k_and_top_p_cut_never_comes() {
        let logits = [0.0, 2.0_f32.ln(), 5.0_f32.ln()];
        assert_eq!(counts(sampler(1.0, 2, 1.0, 7), &logits)[0], 0);
        assert_eq!(counts(sampler(1.0, 0, 0.6, 7), &logits), [0, 0, 10_000]);
        assert_eq!(counts(sampler(1.0, 0, 0.7, 7), &logits)[0], 0);
        assert_eq!(counts(sampler(1.0, 1, 1.0, 7), &[1.0, 1.0]), [10_000, 0]);
    }

    #[test]
    fn a_seed_fixes_every_draw_and_another_changes_them() {
        let logits: Vec<f32> = (0..100).map(|n| (n as f32 * 0.7).sin()).collect();
        let run = |seed| {
            let mut sampler = sampler(0.9, 50, 0.95, seed);
            (0..64).map(|_| sampler.choose("logits", &logits).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
        // SplitMix64's published first number for the seed 1234567
        assert_eq!(
            sampler(1.0, 0, 1.0, 1_234_567).dice.fraction(),
            (6_457_827_717_110_365_317_u64 >> 11) as f64 / (1_u64 << 53) as f64
        );
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        for logits in [[0.0, f32::NAN], [f32::INFINITY, 0.0], [f32::NEG_INFINITY; 2]] {
            assert_eq!(sampler(0.0, 0, 1.0, 1).choose("logits", &logits), Err(Error::NonFinite("logits".to_owned())));
        }
        assert!(sampler(1.0, 0, 1.0, 1).choose("logits", &[]).is_err());
    }
}
