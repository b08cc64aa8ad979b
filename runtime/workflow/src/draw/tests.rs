//! Drawings show what the file says, and nothing lies on anything else.

use proptest::prelude::*;
use scene::{Edge, Ink, Point, Rect};

use super::*;

/// A workflow with these steps, written in YAML's flow style.
fn with(steps: &str) -> Workflow {
    let text = format!("workflow: acme/drawn\nversion: 1.2.3\nbudget: \"0.5\"\nsteps: [{steps}]\n");
    Workflow::read(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"))
}

const CALL: &str = "call: 'acme:files/shelf@1.0.0 put'";

/// Every construct within others.
const NESTED: &str = r#"
  { id: a, call: 'acme:files/shelf@1.0.0 put', compensate: { call: 'acme:files/shelf@1.0.0 remove', terms: { labels: { a: b, c: d, e: "long long long long", f: "long long long long", g: "long long long long" } } } },
  { id: b, map: '${ .list }', do: [
    { id: c, loop: { while: '${ .round < 3 }', max: 5, do: [
      { id: d, parallel: { x: [{ id: e, set: 1 }], y: [{ id: f, wait: { for: 1s } }, { id: g, run: a/b }], z: [{ id: h, set: 2 }] } } ] } } ] },
  { id: i, switch: [{ when: '${ .a }', do: [{ id: j, set: 1 }] }, { when: '${ .b }', do: [{ id: k, set: 2 }] }] },
  { id: l, if: '${ .c }', then: [{ id: m, approve: { message: ok, expires: 1d, on-expiry: fail } }] }"#;

fn nodes<'a>(document: &'a roxmltree::Document<'_>, name: &str) -> Vec<roxmltree::Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", name))).collect()
}

/// What can be read on the drawing.
fn shown(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    nodes(&document, "text").iter().filter_map(|node| node.text().map(ToOwned::to_owned)).collect()
}

#[test]
fn every_construct_says_what_it_does() {
    let long = "x".repeat(60);
    let terms = format!(
        "{{ id: a, {CALL}, budget: \"0.2\", timeout: 90s, on-error: step, retry: {{ max-attempts: 2 }}, terms: {{ max-price: \"0.01\", deadline: 5s, prefer: fastest, labels: {{ k: v }} }} }}"
    );
    let over = format!("{{ id: a, map: '${{ .{long} }}', do: [{{ id: b, set: 1 }}] }}");
    let cases: [(&str, &[&str]); 14] = [
        (
            "{ id: a, set: { x: '${ .y }', z: [1, \"t\"] } }",
            &["acme/drawn", "version 1.2.3", "budget 0.50", "start", "end", "a", "{ x: .y, z: [1, \"t\"] }"],
        ),
        (
            &terms,
            &[
                "shelf.put",
                "budget 0.20",
                "timeout 1m 30s",
                "max price 0.01",
                "deadline 5s",
                "2 attempts",
                "fastest",
                "k = v",
                "on error → null",
            ],
        ),
        (
            "{ id: a, call: 'acme:files/shelf@1.0.0 put', compensate: { call: 'acme:files/shelf@1.0.0 remove' } }",
            &["undone by", "shelf.remove"],
        ),
        (
            "{ id: a, map: '${ .l }', as: page, concurrency: 4, item-budget: \"0.1\", on-error: item, do: [{ id: b, set: 1 }] }",
            &["for each page in .l · 4 at a time", "0.10 per item", "failed item → null"],
        ),
        (&over, &[&format!("for each item in .{}… · 8 at a time", "x".repeat(29))]),
        (
            "{ id: a, loop: { while: '${ .round <\n 3 }', max: 1, do: [{ id: b, set: 1 }] } }",
            &["while .round < 3 · at most 1 round"],
        ),
        (
            "{ id: a, parallel: { left: [{ id: b, set: 1 }], right: [{ id: c, set: 1 }] } }",
            &["parallel · 2 branches", "left", "right"],
        ),
        ("{ id: a, if: '${ .x > 1 }', then: [{ id: b, set: 1 }] }", &["if", ".x > 1", "otherwise"]),
        (
            "{ id: a, switch: [{ when: '${ .x }', do: [{ id: b, set: 1 }] }, { when: '${ .y }', do: [{ id: c, set: 1 }] }] }",
            &["switch · 2 cases", ".x", ".y", "otherwise"],
        ),
        ("{ id: a, wait: { for: 5m } }", &["wait for 5m"]),
        ("{ id: a, wait: { until: '${ .t }' } }", &["wait until .t"]),
        ("{ id: a, wait: { signal: ready, timeout: 1h } }", &["wait for signal ready", "at most 1h"]),
        (
            "{ id: a, approve: { message: 'Pay ${ .p }?', expires: 2d, on-expiry: reject } }",
            &["asks: Pay ${ .p }?", "2d, then rejected"],
        ),
        ("{ id: a, run: acme/other }", &["acme/other"]),
    ];
    for (steps, says) in cases {
        let shown = shown(&svg(&with(steps), &Notes::default()));
        for said in says {
            assert!(shown.iter().any(|text| text == said), "{said} of {steps}: {shown:#?}");
        }
    }
}

#[test]
fn of_too_many_terms_the_ones_about_sellers_go() {
    let labels: String = (0..10).map(|nth| format!("label-{nth}: x, ")).collect();
    let shown = shown(&svg(
        &with(&format!("{{ id: a, {CALL}, terms: {{ labels: {{ {labels} }} }}, retry: {{ max-attempts: 2 }}, on-error: step }}")),
        &Notes::default(),
    ));
    for said in ["2 attempts", "on error → null", "label-5 = x", "4 more"] {
        assert!(shown.iter().any(|text| text == said), "{said}: {shown:#?}");
    }
    assert!(!shown.contains(&"label-6 = x".to_owned()));
}

#[test]
fn inputs_and_output_are_listed_and_endless_ones_cut() {
    let inputs: String =
        (0..20).map(|nth| format!("  in-{nth}: {{ type: text, default: en, description: Number {nth}. }}\n")).collect();
    let text = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: 1\ninputs:\n{inputs}steps: [{{ id: a, set: 1 }}]\noutput: {{ x: '${{ .y }}' }}\n"
    );
    let svg = svg(&Workflow::read(&text).unwrap(), &Notes::default());
    let shown = shown(&svg);
    for said in ["inputs", "in-0", "text = \"en\"", "in-11", "… 8 more", "output", "x", ".y"] {
        assert!(shown.iter().any(|text| text == said), "{said}: {shown:#?}");
    }
    assert!(!shown.contains(&"in-12".to_owned()));
    assert!(svg.contains("in-19: Number 19."), "the tip has them all");
}

#[test]
fn a_drawing_can_be_read_by_machines_and_by_those_who_do_not_see_it() {
    let svg = svg(&with(NESTED), &Notes::default());
    let document = roxmltree::Document::parse(&svg).unwrap();
    let root = document.root_element();
    let view: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
    assert_eq!((root.attribute("role"), view.len()), (Some("img"), 4));
    let heads: Vec<&str> = root.children().filter(|node| node.is_element()).take(2).map(|node| node.tag_name().name()).collect();
    assert_eq!(heads, ["title", "desc"]);
    assert!(svg.contains("<title>acme/drawn 1.2.3</title>") && svg.contains("Steps in order: a, b, c, d"));
    let steps: Vec<&str> = document.descendants().filter_map(|node| node.attribute("data-step")).collect();
    assert_eq!(steps.len(), with(NESTED).all_steps().len());
    assert!(svg.contains("acme:files/shelf@1.0.0 put"), "the whole name of the interface, as a tip");
}

#[test]
fn the_same_workflow_has_the_same_bytes() {
    let draw = || svg(&with(NESTED), &Notes::default());
    assert_eq!(draw(), draw());
}

const HOSTILE: &str = r#"</title></style><script>alert('1')</script> ]]> & &amp; \u0001 \u202e 👩‍👩‍👧 مرحبا"#;

#[test]
fn nothing_in_a_file_becomes_markup() {
    let steps = format!(
        r#"{{ id: a, set: {{ "{HOSTILE}": "{HOSTILE}" }} }}, {{ id: b, if: "${{ .x == '{HOSTILE}' }}", then: [{{ id: c, approve: {{ message: "{HOSTILE}", expires: 1d, on-expiry: fail }} }}] }}"#
    );
    let text = format!(
        "workflow: a/b\nversion: 1.0.0\nbudget: 1\ndescription: \"{HOSTILE}\"\nterms: {{ labels: {{ \"{HOSTILE}\": \"{HOSTILE}\", b: \"{HOSTILE}\", c: \"{HOSTILE}\" }} }}\nsteps: [{steps}]\n"
    );
    let workflow = Workflow::read(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let line = HOSTILE.replace("\\u202e", "\u{202e}");
    let notes = Notes { steps: BTreeMap::from([("a".to_owned(), Note { line, state: None })]) };
    let svg = svg(&workflow, &notes);
    let document = roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let known = ["svg", "title", "desc", "style", "g", "rect", "circle", "path", "text"];
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(known.contains(&node.tag_name().name()), "{node:?}");
        assert!(node.attributes().all(|attribute| !attribute.name().starts_with("on") && attribute.name() != "href"), "{node:?}");
    }
    assert!(svg.contains("&lt;script&gt;") && !svg.contains(['\u{1}', '\u{202e}']) && !svg.contains("url("));
    assert_eq!(nodes(&document, "style").len(), 1);
    check(&workflow, &notes);
}

#[test]
fn notes_are_shown_at_their_steps_and_nowhere_else() {
    let workflow = with(NESTED);
    let plain = svg(&workflow, &Notes::default());
    let note = |line: &str, state| Note { line: line.to_owned(), state };
    let of = |id: &str, note| Notes { steps: BTreeMap::from([(id.to_owned(), note)]) };
    assert_eq!(svg(&workflow, &of("unknown", note("x", Some(State::Failed)))), plain);
    assert_eq!(svg(&workflow, &of("a", Note::default())), plain);
    assert!(shown(&svg(&workflow, &of("g", note("0.002 to 0.010", None)))).contains(&"0.002 to 0.010".to_owned()));
    for state in State::ALL {
        for (id, shape) in [("a", "card"), ("d", "card"), ("i", "card"), ("b", "frame"), ("c", "frame")] {
            let noted = svg(&workflow, &of(id, note("", Some(state))));
            let document = roxmltree::Document::parse(&noted).unwrap();
            let own = document.descendants().find(|node| node.attribute("data-step") == Some(id)).unwrap();
            let box_of_it = own.children().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect"))).unwrap();
            let classes: Vec<&str> = box_of_it.attribute("class").unwrap().split(' ').collect();
            assert!(classes.contains(&shape) && classes.contains(&state.class()), "{id}: {classes:?}");
            let badges = noted.matches("class=\"badge ").count();
            assert_eq!(badges, if (id, state) == ("a", State::Compensated) { 2 } else { 1 }, "{id}");
        }
    }
}

/// A block with its place on the drawing.
struct Placed<'a> {
    rect: Rect,
    block: &'a Block,
    /// How deep it lies, and how many blocks are within it: those that follow.
    within: usize,
}

/// All blocks, each before those within it.
fn placed<'a>(block: &'a Block, from: Point, all: &mut Vec<Placed<'a>>) {
    let index = all.len();
    all.push(Placed { rect: rect(from.x, from.y, block.width, block.height), block, within: 0 });
    for (place, part) in &block.parts {
        placed(part, at(from.x + place.x, from.y + place.y), all);
    }
    all[index].within = all.len() - index - 1;
}

fn meet(one: Rect, other: Rect) -> bool {
    let apart = |from: i32, length: i32, other_from: i32, other_length: i32| {
        from + length <= other_from || other_from + other_length <= from
    };
    !apart(one.x, one.width, other.x, other.width) && !apart(one.y, one.height, other.y, other.height)
}

fn holds(outer: Rect, inner: Rect) -> bool {
    let beyond = inner.x + inner.width > outer.x + outer.width || inner.y + inner.height > outer.y + outer.height;
    inner.x >= outer.x && inner.y >= outer.y && !beyond
}

/// The straight parts of an edge, as rectangles without any width.
fn straights(edge: &Edge, from: Point) -> Vec<Rect> {
    let line = |ends: &[Point]| {
        let (x, y) = (ends[0].x.min(ends[1].x), ends[0].y.min(ends[1].y));
        rect(from.x + x, from.y + y, (ends[0].x - ends[1].x).abs(), (ends[0].y - ends[1].y).abs())
    };
    edge.points.windows(2).map(line).collect()
}

/// Does a line go through the inside of `inner`, and not only along it?
fn crosses(line: Rect, inner: Rect) -> bool {
    let (x, y) = (
        line.x < inner.x + inner.width && line.x + line.width > inner.x,
        line.y < inner.y + inner.height && line.y + line.height > inner.y,
    );
    x && y
}

fn check_blocks(all: &[Placed<'_>]) {
    for (index, one) in all.iter().enumerate() {
        let inner = &all[index + 1..=index + one.within];
        assert!(inner.iter().all(|part| holds(one.rect, part.rect)), "something sticks out of {:?}", one.rect);
        if matches!(one.block.role, Role::Box | Role::Label) {
            assert!(inner.is_empty());
        }
        let solid = |placed: &&Placed<'_>| !matches!(placed.block.role, Role::Group | Role::Lane);
        for other in all[index + one.within + 1..].iter().filter(solid) {
            assert!(!solid(&one) || !meet(one.rect, other.rect), "{:?} lies on {:?}", one.rect, other.rect);
        }
        check_inks(one.block);
    }
}

/// What is drawn in a block lies in it, and its chips beside each other.
fn check_inks(block: &Block) {
    let mut chips: Vec<Rect> = Vec::new();
    for ink in &block.inks {
        match ink {
            Ink::Text { from, font, centred, text, .. } => {
                let width = font.width(text);
                let left = if *centred { from.x - width / 2 } else { from.x };
                assert!(left >= 0 && left + width <= block.width && from.y < block.height, "{text} has no room");
            }
            Ink::Rect { rect: own, class, .. } => {
                assert!(holds(rect(0, 0, block.width, block.height), *own), "{class} sticks out");
                if class.starts_with("chip") {
                    assert!(chips.iter().all(|chip| !meet(*chip, *own)), "a chip lies on another");
                    chips.push(*own);
                }
            }
            _ => {}
        }
    }
}

fn check_edges(all: &[Placed<'_>]) {
    for (index, owner) in all.iter().enumerate() {
        for edge in &owner.block.edges {
            assert!(edge.points.len() > 1);
            for line in straights(edge, at(owner.rect.x, owner.rect.y)) {
                assert!((line.width == 0) != (line.height == 0), "{line:?} goes one way");
                for (other, placed) in all.iter().enumerate() {
                    let around =
                        matches!(placed.block.role, Role::Group | Role::Lane) || (other..=other + placed.within).contains(&index);
                    assert!(around || !crosses(line, placed.rect), "{line:?} goes through {:?}", placed.rect);
                }
            }
        }
    }
}

/// Every step is come to and left, at its axis.
fn check_ways(all: &[Placed<'_>]) {
    let mut ends: Vec<(Point, bool)> = Vec::new();
    for owner in all {
        for edge in &owner.block.edges {
            let moved = |point: &Point| at(point.x + owner.rect.x, point.y + owner.rect.y);
            ends.extend([(moved(&edge.points[0]), false), (moved(edge.points.last().unwrap()), edge.arrow)]);
        }
    }
    for step in all.iter().filter(|placed| placed.block.step.is_some()) {
        let x = step.rect.x + step.block.axis;
        let bottom = step.rect.y + step.rect.height;
        assert!(ends.contains(&(at(x, step.rect.y), true)), "nothing comes to {:?}", step.block.step);
        // A map's further frames lie between it and the edge.
        let left = ends.iter().any(|(end, arrow)| !arrow && end.x == x && (bottom..=bottom + 8).contains(&end.y));
        assert!(left, "nothing leaves {:?}", step.block.step);
    }
}

fn check(workflow: &Workflow, notes: &Notes) {
    let drawing = scene(workflow, notes);
    let mut all = Vec::new();
    placed(&drawing, at(0, 0), &mut all);
    check_blocks(&all);
    check_edges(&all);
    check_ways(&all);
}

/// Steps of all kinds within each other, as YAML with `ID` in the place of every id.
fn steps() -> impl Strategy<Value = String> {
    let call = |compensate: &str| {
        format!("{CALL}, budget: \"0.1\", timeout: 1h, terms: {{ labels: {{ a: b, region: europe }} }}{compensate}")
    };
    let undo = ", compensate: { call: 'acme:files/shelf@1.0.0 remove', terms: { max-price: 1, labels: { a: b, c: dddddddddddddddddddddddd, e: ffffffffffffffffffffffff } } }";
    let leaf = prop_oneof![
        Just(format!("{{ id: ID, {CALL} }}")),
        Just(format!("{{ id: ID, {} }}", call(""))),
        Just(format!("{{ id: ID, {} }}", call(undo))),
        Just(format!("{{ id: ID, {CALL}{undo} }}")),
        "[a-zA-Z ]{0,80}".prop_map(|text| format!("{{ id: ID, set: '{text}' }}")),
        Just("{ id: ID-long-long-long-long-long-long-long-long, wait: { signal: s, timeout: 1h } }".to_owned()),
        Just("{ id: ID, run: a/b, on-error: step }".to_owned()),
        Just("{ id: ID, approve: { message: ok, expires: 1d, on-expiry: fail } }".to_owned()),
    ];
    let step = leaf.prop_recursive(5, 40, 4, |inner| {
        let list = prop::collection::vec(inner, 1..4).prop_map(|steps| format!("[{}]", steps.join(", ")));
        let several = |most| prop::collection::vec(("[a-z ]{1,40}", list.clone()), 1..most);
        let case = |(when, steps): &(String, String)| format!("{{ when: '${{ .{when} }}', do: {steps} }}");
        let branch = |(nth, (name, steps)): (usize, &(String, String))| format!("b{nth}{}: {steps}", name.replace(' ', "-"));
        let joined = |parts: Vec<String>| parts.join(", ");
        prop_oneof![
            list.clone().prop_map(|steps| format!("{{ id: ID, map: '${{ .list }}', budget: \"0.1\", do: {steps} }}")),
            list.clone().prop_map(|steps| format!("{{ id: ID, loop: {{ while: '${{ .a }}', max: 3, do: {steps} }} }}")),
            ("[a-z ]{1,60}", list.clone()).prop_map(|(when, steps)| format!("{{ id: ID, if: '${{ .{when} }}', then: {steps} }}")),
            several(5).prop_map(move |ways| {
                format!("{{ id: ID, parallel: {{ {} }} }}", joined(ways.iter().enumerate().map(branch).collect()))
            }),
            (several(4), list.clone(), any::<bool>()).prop_map(move |(ways, otherwise, has)| {
                let otherwise = if has { format!(", else: {otherwise}") } else { String::new() };
                format!("{{ id: ID, switch: [{}]{otherwise} }}", joined(ways.iter().map(case).collect()))
            }),
        ]
    });
    prop::collection::vec(step, 1..4).prop_map(|steps| steps.join(", "))
}

/// Every `ID` another one.
fn numbered(steps: &str) -> String {
    let mut parts = steps.split("ID");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.enumerate().fold(first, |text, (nth, part)| format!("{text}s{nth}{part}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_lies_on_anything_else(steps in steps(), seed in any::<u32>()) {
        let workflow = with(&numbered(&steps));
        check(&workflow, &Notes::default());
        let ids = workflow.all_steps().into_iter().map(|step| step.id.clone()).zip(seed as usize..);
        let note = |(id, nth): (String, usize)| {
            let line = if nth % 3 == 0 { "a note on this step ".repeat(nth % 7) } else { String::new() };
            (id, Note { line, state: State::ALL.get(nth % 9).copied() })
        };
        let notes = Notes { steps: ids.map(note).collect() };
        check(&workflow, &notes);
        prop_assert!(roxmltree::Document::parse(&svg(&workflow, &notes)).is_ok());
    }
}

#[test]
fn the_largest_workflows_are_drawn_at_once() {
    let leaf = format!("{{ id: ID, {CALL}, budget: \"0.1\", compensate: {{ {CALL} }} }}");
    let row = vec![&*leaf; 999].join(", ");
    let wide: Vec<String> = (0..500).map(|nth| format!("b{nth}: [{leaf}]")).collect();
    let wide = format!("{{ id: ID, parallel: {{ {} }} }}", wide.join(", "));
    for steps in [row, wide] {
        let workflow = with(&numbered(&steps));
        let begin = std::time::Instant::now();
        let svg = svg(&workflow, &Notes::default());
        // Some milliseconds; the bound is for busy machines.
        assert!(begin.elapsed().as_millis() < 1_000, "{:?} for {} bytes", begin.elapsed(), svg.len());
        check(&workflow, &Notes::default());
    }
}
