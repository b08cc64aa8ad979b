//! What YAML means, where it stands, and what of it is refused.

use serde_json::json;

use super::*;

fn wrong(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn scalars_mean_what_the_core_schema_says() {
    let text = "a: [1, -2.5, true, ~, yes, on, 12:30, 0x1F, 1.2.3, .inf, '7', \"x\\ty\"]\nb: |\n  one\n  two\nc: >\n  folded\n  text\nd:\n";
    let wanted = json!({
        "a": [1, -2.5, true, null, "yes", "on", "12:30", "0x1F", "1.2.3", ".inf", "7", "x\ty"],
        "b": "one\ntwo\n", "c": "folded text\n", "d": null,
    });
    assert_eq!(read(text).unwrap().to_json(), wanted);
}

#[test]
fn every_node_knows_its_place() {
    let root = read("steps:\n  - id: read\n    with: { text: 'a b' }\n").unwrap();
    let Kind::Map(entries) = &root.kind else { panic!("a map") };
    let Kind::List(steps) = &entries[0].value.kind else { panic!("a list") };
    let Kind::Map(step) = &steps[0].kind else { panic!("a map") };
    assert_eq!((entries[0].place, steps[0].place), (Place { line: 1, column: 1 }, Place { line: 2, column: 5 }));
    assert_eq!((step[1].place, step[1].value.place), (Place { line: 3, column: 5 }, Place { line: 3, column: 11 }));
}

#[test]
fn a_character_of_a_text_is_found_in_the_file() {
    let root = read("plain: ab cd\nsingle: 'ab cd'\nliteral: |\n    one\n    two é three\nescaped: \"a\\tb\"\n").unwrap();
    let Kind::Map(entries) = &root.kind else { panic!("a map") };
    let at = |nth: usize, part: &str| {
        let Kind::Scalar(scalar) = &entries[nth].value.kind else { panic!("a scalar") };
        let place = entries[nth].value.place_in(scalar.text.find(part).unwrap());
        (place.line, place.column)
    };
    assert_eq!([at(0, "cd"), at(1, "cd"), at(2, "three"), at(2, "one")], [(1, 11), (2, 13), (5, 11), (4, 5)]);
    assert_eq!(at(3, "b"), (6, 10), "as near as one can say");
}

#[test]
fn what_surprises_is_refused_at_its_place() {
    for (text, says) in [
        ("a: &x 1\nb: 2\n", "1:7: anchors"),
        ("a: *x\n", "1:4: aliases"),
        ("a: !int 1\n", "1:9: tags"),
        ("a: 1\n<<: {b: 2}\n", "2:1: merge keys"),
        ("a: 1\nb: 2\na: 3\n", "3:1: `a` stands twice; first at 1:1"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document"),
        ("? [a, b]\n: 1\n", "1:3: a key is a text"),
        ("a: [1, 2\n", "1:4: unclosed"),
        ("a: 1\n b: 2\n", "2:"),
        ("", "1:1: the file is empty"),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(says), "{text:?}: {error}");
    }
}

#[test]
fn size_and_depth_are_bounded() {
    assert!(wrong(&" ".repeat(FILE_BYTES_MAX + 1)).contains("bytes"));
    assert!(wrong(&"[".repeat(NESTING_MAX + 1)).contains("1:33"), "{}", wrong(&"[".repeat(NESTING_MAX + 1)));
    assert!(wrong(&format!("[{}]", "1,".repeat(NODES_MAX + 1))).contains("split the workflow"));
}
