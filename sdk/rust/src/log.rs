//! Lines for the operator; `hansa agent logs NAME` shows them.

use crate::bindings::hansa::agent::log;
pub use crate::bindings::hansa::agent::log::Level;

/// Write one line. The macros of this module are shorter.
pub fn write(level: Level, message: &str) {
    log::log(level, message);
}

/// Log what only a developer wants to know; takes what `format!` takes.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_debug {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($message)*)) };
}

/// Log what happened; takes what `format!` takes.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_info {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($message)*)) };
}

/// Log what an operator should look at; takes what `format!` takes.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_warn {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($message)*)) };
}

/// Log what went wrong; takes what `format!` takes.
#[macro_export]
#[doc(hidden)]
macro_rules! __log_error {
    ($($message:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($message)*)) };
}

#[doc(inline)]
pub use {__log_debug as debug, __log_error as error, __log_info as info, __log_warn as warn};
