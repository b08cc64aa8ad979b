//! Vectors of length 1 in one byte a dimension, for the shelf: a quarter of the room, cosines right to about 0.005.

/// A vector as it is stored: each number is its byte times `scale`.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantised {
    /// The largest absolute number of the vector, divided by 127.
    pub scale: f32,
    /// The numbers, two's complement.
    pub bytes: Vec<u8>,
}

/// Store a vector.
#[must_use]
pub fn quantise(vector: &[f32]) -> Quantised {
    let largest = vector.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let scale = largest / 127.0;
    let byte = |x: &f32| if scale > 0.0 { (x / scale).round() as i8 } else { 0 };
    Quantised { scale, bytes: vector.iter().map(|x| byte(x).cast_unsigned()).collect() }
}

/// The cosine of a vector with a stored one, both of length 1; 0 where they are not of one model's length.
#[must_use]
pub fn cosine(vector: &[f32], scale: f32, bytes: &[u8]) -> f32 {
    if vector.len() != bytes.len() {
        return 0.0;
    }
    let sum: f32 = vector.iter().zip(bytes).map(|(x, byte)| x * f32::from(byte.cast_signed())).sum();
    sum * scale
}

/// The cosine of two stored vectors.
#[must_use]
pub fn cosine_stored(a: (f32, &[u8]), b: (f32, &[u8])) -> f32 {
    if a.1.len() != b.1.len() {
        return 0.0;
    }
    let product = |(x, y): (&u8, &u8)| i32::from(x.cast_signed()) * i32::from(y.cast_signed());
    let sum: i32 = a.1.iter().zip(b.1).map(product).sum();
    sum as f32 * a.0 * b.0
}

#[cfg(test)]
mod tests {
    use super::{cosine, cosine_stored, quantise};

    /// A vector of length 1 with numbers in no order.
    fn vector(seed: u32) -> Vec<f32> {
        let mut state = seed;
        let raw: Vec<f32> = (0..384)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 24) as f32 - 0.5
            })
            .collect();
        let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.iter().map(|x| x / length).collect()
    }

    #[test]
    fn cosines_survive_storing() {
        for seed in 0..50 {
            let (a, b) = (vector(seed), vector(seed + 1000));
            let exact: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            let (qa, qb) = (quantise(&a), quantise(&b));
            assert!((cosine(&a, qb.scale, &qb.bytes) - exact).abs() < 0.005);
            assert!((cosine_stored((qa.scale, &qa.bytes), (qb.scale, &qb.bytes)) - exact).abs() < 0.005);
            assert!((cosine(&a, qa.scale, &qa.bytes) - 1.0).abs() < 0.005);
        }
    }

    #[test]
    fn vectors_of_other_lengths_are_unlike() {
        assert_eq!(cosine(&[1.0], 1.0, &[1, 2]), 0.0);
        assert_eq!(quantise(&[0.0, 0.0]).bytes, [0, 0]);
    }
}
