//! From the model's output to the vectors that the contract promises.

use hansa_sdk::Fault;

/// Bring every vector to length 1, after a check that there is one of `dims` finite numbers for each text.
///
/// A vector of zeros has no direction and stays as it is.
///
/// # Errors
/// [`Fault::Failed`] when the model answered with something else.
pub fn unit(mut data: Vec<f32>, dims: u32, texts: usize) -> Result<Vec<f32>, Fault> {
    let dims = dims as usize;
    if dims == 0 || data.len() != dims * texts {
        return Err(Fault::failed(format!("the model gave `{}` numbers for {texts} vectors of {dims}", data.len())));
    }
    for vector in data.chunks_exact_mut(dims) {
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        if !length.is_finite() {
            return Err(Fault::failed("the model gave a vector with infinities or NaN"));
        }
        if length > 0.0 {
            vector.iter_mut().for_each(|x| *x /= length);
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::unit;

    #[test]
    fn vectors_have_length_one() {
        assert_eq!(unit(vec![3.0, 4.0, 0.0, -2.0, 0.0, 0.0], 2, 3), Ok(vec![0.6, 0.8, 0.0, -1.0, 0.0, 0.0]));
    }

    #[test]
    fn a_wrong_answer_of_the_model_is_no_answer() {
        assert!(unit(vec![1.0; 5], 2, 3).is_err());
        assert!(unit(vec![], 0, 1).is_err());
        assert!(unit(vec![f32::NAN, 1.0], 2, 1).is_err());
    }
}
