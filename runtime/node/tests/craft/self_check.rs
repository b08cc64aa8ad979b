//! The rules see what they forbid, and leave alone what they allow.

use crate::source::Workspace;
use crate::{calls, names, places, size};

fn file(path: &str, text: &str) -> Workspace {
    Workspace::of(vec![(path.to_owned(), text.to_owned())])
}

#[test]
fn a_banned_word_is_found_in_its_room_only() {
    let found = |path: &str, text: &str| calls::banned(&file(path, text)).len();
    assert_eq!(found("runtime/bus/src/a.rs", "fn f() { x().unwrap(); vec![y.unwrap()]; }"), 2);
    assert_eq!(found("runtime/bus/src/a.rs", "fn f() { x().unwrap_or(1); log!(\"a.unwrap()\"); } // todo!"), 0);
    assert_eq!(found("runtime/bus/src/a.rs", "fn f() { println!(); std::time::SystemTime::now(); todo!() }"), 3);
    assert_eq!(found("runtime/node/src/cli/a.rs", "fn f() { println!() }"), 0);
    assert_eq!(found("marketplace/economy/src/a.rs", "fn f(x: f64) -> HashMap<u8, u8> { 1.5 }"), 3);
    assert_eq!(found("runtime/bus/src/a.rs", "fn f(x: f64) -> HashMap<u8, u8> { 1.5 }"), 0);
}

#[test]
fn tests_may_more() {
    let found = |text: &str| calls::banned(&file("runtime/bus/src/a.rs", text)).len();
    assert_eq!(found("#[cfg(test)]\nmod tests {\n fn f() { x.unwrap() }\n}\nfn g() { x.unwrap() }"), 1);
    assert_eq!(found("#[cfg(not(test))]\nmod product {\n fn f() { x.unwrap() }\n}"), 1);
    let outline = ("runtime/bus/src/lib.rs".to_owned(), "#[cfg(test)]\nmod tests;\nmod kept;".to_owned());
    let body = |name: &str| (format!("runtime/bus/src/{name}.rs"), "fn f() { x.unwrap() }".to_owned());
    assert_eq!(calls::banned(&Workspace::of(vec![outline, body("tests"), body("kept")])).len(), 1);
}

#[test]
fn what_is_too_long_is_found() {
    let long = format!("//! Long.\nfn f() {{\n{}}}\n", "    g();\n".repeat(69));
    let longer = format!("//! Long.\nimpl A {{ fn f() {{\n{}}} }}\n", "    g();\n".repeat(598));
    assert!(size::too_big(&file("a/src/a.rs", &long)).iter().map(|big| big.lines).eq([71]));
    assert!(size::too_big(&file("a/src/a.rs", &longer)).iter().map(|big| big.lines).eq([601, 600]));
    assert_eq!(size::without_header(&file("a/src/a.rs", "// None.\n")).len(), 1);
}

#[test]
fn empty_names_and_places_are_found() {
    let found = |text: &str| names::empty_words(&file("a/src/a.rs", text)).len();
    assert_eq!(
        found("pub struct CallManager; pub mod util {} pub fn common_case() {} struct HelperKept; pub struct Commons;"),
        3
    );
    let path = ["see /ho", "me/someone/file"].concat();
    assert_eq!(places::of_one_machine(&file("a/README.md", &path)).len(), 1);
}
