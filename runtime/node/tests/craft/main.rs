//! How the code of this workspace must look: sizes, calls that are banned, names, and which room may know which.
//! Each test lists everything that is wrong, with its place and the remedy.

mod calls;
mod exceptions;
mod names;
mod places;
mod rooms;
mod self_check;
mod size;
mod source;

use source::Workspace;

/// Fail with all `faults`, one a line.
fn expect_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
}

#[test]
fn files_and_functions_are_small_and_files_have_a_header() {
    let workspace = Workspace::read();
    let found = size::too_big(&workspace);
    let mut faults = exceptions::judge(&found);
    faults.extend(size::without_header(&workspace));
    expect_none(faults);
}

#[test]
fn banned_words_stand_only_where_they_may() {
    expect_none(calls::banned(&Workspace::read()));
}

#[test]
fn public_names_say_something() {
    expect_none(names::empty_words(&Workspace::read()));
}

#[test]
fn rooms_know_only_whom_they_may() {
    expect_none(rooms::strangers());
}

#[test]
fn files_name_no_place_of_one_machine() {
    expect_none(places::of_one_machine(&Workspace::read()));
}
