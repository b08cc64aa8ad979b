//! What a customer may send, and what of it the model needs.

use hansa_sdk::Fault;

use crate::limits::{BLOCK_BYTES, FILE_BYTES_MAX, FILES_MAX};

/// Check the contract's limits.
///
/// # Errors
/// [`Fault::InvalidInput`] that names the first limit broken.
pub fn check(files: &[Vec<u8>]) -> Result<(), Fault> {
    if files.is_empty() {
        return Err(Fault::invalid_input("`files` is empty; send at least one"));
    }
    if files.len() > FILES_MAX {
        return Err(Fault::invalid_input(format!("`{}` files; send at most {FILES_MAX} a call", files.len())));
    }
    match files.iter().position(|file| file.len() > FILE_BYTES_MAX) {
        Some(index) => Err(Fault::invalid_input(format!(
            "file `{index}` has `{}` bytes; send its first and last 4 KiB, which is all that is looked at",
            files[index].len()
        ))),
        None => Ok(()),
    }
}

/// The first and last block of a file: what the model looks at, so that a large file costs no more than a small one.
#[must_use]
pub fn ends(file: &[u8]) -> Vec<u8> {
    if file.len() <= 2 * BLOCK_BYTES {
        return file.to_vec();
    }
    [&file[..BLOCK_BYTES], &file[file.len() - BLOCK_BYTES..]].concat()
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, FILE_BYTES_MAX, FILES_MAX, check, ends};

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(check(&vec![vec![0]; FILES_MAX]), Ok(()));
        assert_eq!(check(&[vec![0; FILE_BYTES_MAX]]), Ok(()));
        assert!(check(&[]).is_err());
        assert!(check(&vec![vec![0]; FILES_MAX + 1]).is_err());
        assert!(check(&[vec![], vec![0; FILE_BYTES_MAX + 1]]).unwrap_err().reason().contains("file `1`"));
    }

    #[test]
    fn only_the_ends_of_a_large_file_go_to_the_model() {
        let mut file = vec![1; BLOCK_BYTES];
        file.extend([2; 5]);
        file.extend([3; BLOCK_BYTES]);
        let sent = ends(&file);
        assert_eq!(sent.len(), 2 * BLOCK_BYTES);
        assert!(!sent.contains(&2));
        assert_eq!(ends(&file[..10]), &file[..10]);
    }
}
