//! The golden logs as bytes: each entry behind its length, u32 little-endian.
#![expect(clippy::unwrap_used, reason = "tests")]

/// Oldest first. The second was added with further keys, refunds, anchors, evidence and shares.
const LOGS: [&[u8]; 2] = [include_bytes!("../golden/log-1.bin"), include_bytes!("../golden/log-2.bin")];

/// The stored bytes of each log's entries.
pub(crate) fn logs() -> [Vec<Vec<u8>>; 2] {
    LOGS.map(entries)
}

fn entries(log: &[u8]) -> Vec<Vec<u8>> {
    let (mut entries, mut rest) = (Vec::new(), log);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (entry, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize).unwrap();
        entries.push(entry.to_vec());
        rest = after;
    }
    assert!(rest.is_empty());
    entries
}
