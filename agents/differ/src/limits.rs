//! Every bound of this agent but its prices, which stand in [`crate::tariff`].

/// Bytes of one text; the contract's number.
pub const TEXT_BYTES_MAX: usize = 256 << 10;
/// Lines of one text; the contract's number.
pub const LINES_MAX: usize = 20_000;
/// Times that the stretch between two lines that stand fast is looked at again for such lines.
pub const DEPTH_MAX: usize = 32;
/// Pairs of lines that are compared one by one between two lines that stand fast; longer stretches count as changed altogether.
pub const PAIRS_MAX: usize = 250_000;
