//! The golden log as bytes: each entry behind its length, u32 little-endian.
#![expect(clippy::unwrap_used, reason = "tests")]

const LOG: &[u8] = include_bytes!("../golden/log-1.bin");

/// The stored bytes of its entries.
pub(crate) fn entries() -> Vec<Vec<u8>> {
    let (mut entries, mut rest) = (Vec::new(), LOG);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (entry, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize).unwrap();
        entries.push(entry.to_vec());
        rest = after;
    }
    assert!(rest.is_empty());
    entries
}
