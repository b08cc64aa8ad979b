pub(crate) fn compare() {}
