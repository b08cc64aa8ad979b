//! Buying and selling: offers, channels, vouchers, receipts, retries
