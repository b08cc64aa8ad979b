//! What stands around the steps: the workflow itself, inputs, classes of data, labels, schedules, triggers, terms.

use serde_json::{Value, json};

use super::{Named, Offer as _, count, flag, is, list, map, may, must, names, text, words};
use crate::definition::{CATCH_UP, Overlap, Period, Prefer, Sort};
use crate::limits::{DATA_CLASSES_MAX, LABELS_MAX, NODES_NAMED_MAX, RUNNING_MAX, SCHEDULES_MAX, TRIGGERS_MAX};

pub(super) fn workflow() -> Value {
    let start = json!({
        "description": "Topics of the bus: each message on one starts a run. One, or a list of them.",
        "anyOf": [{ "$ref": "#/$defs/start" }, { "type": "array", "items": { "$ref": "#/$defs/start" }, "maxItems": TRIGGERS_MAX }],
    });
    let keys = vec![
        must("workflow", is("package", "Its name, `publisher/name`.")),
        must("version", is("version", "Its version. Runs go on with the version that they began with.")),
        may("description", text("One sentence for people.").usual("")),
        may(
            "inputs",
            json!({
                "description": "What a run is given, by name: a type alone (`text: bytes`), or a map.",
                "type": "object", "propertyNames": { "$ref": "#/$defs/id" },
                "additionalProperties": { "anyOf": [{ "$ref": "#/$defs/sort" }, { "$ref": "#/$defs/input" }] },
            }),
        ),
        may(
            "data",
            names(
                "Classes of data, by name: what is of a class goes to its nodes only.",
                json!({ "$ref": "#/$defs/data-class" }),
                DATA_CLASSES_MAX,
            ),
        ),
        may(
            "labels",
            names(
                "What a run can be marked with when it starts, such as the customer it is for.",
                json!({ "$ref": "#/$defs/label" }),
                LABELS_MAX,
            ),
        ),
        must("budget", is("amount", "The most that a whole run may cost. Nothing is bought beyond it.")),
        may("timeout", is("span", "The longest that a whole run may take; without it, as long as it takes.")),
        may("max-running", count(1, RUNNING_MAX, "Runs at the same time. Further ones wait until one ends.")),
        may("schedules", list("When runs start by the clock.", json!({ "$ref": "#/$defs/schedule" }), 0, SCHEDULES_MAX)),
        may("start", start),
        may("terms", is("terms", "Terms of all calls, where a call does not say otherwise.")),
        must("steps", is("steps", "What is done, one after another.")),
        may("output", is("value", "What a run gives when it ends.")),
    ];
    map(
        "Hansa workflow",
        "A file that composes services: what is bought, from whom, at which price at most, and in which order.",
        keys,
    )
}

pub(super) fn all() -> Vec<Named> {
    vec![
        ("sort", words("The type of an input.", &Sort::ALL, SORTS)),
        ("input", input()),
        ("data-class", data_class()),
        ("label", label()),
        ("cap", cap()),
        ("schedule", schedule()),
        ("start", start()),
        ("terms", terms()),
    ]
}

const SORTS: [&str; 8] = [
    "A text.",
    "A whole number or a fraction.",
    "A whole number.",
    "`true` or `false`.",
    "Bytes: base64 in JSON, a file on the command line.",
    "A list of anything.",
    "A map of anything.",
    "Anything.",
];

fn input() -> Value {
    let default = json!({ "description": "What it is where nothing is given. Without it the input must be given." });
    map(
        "Input",
        "An input with more than its type.",
        vec![
            must("type", is("sort", "Its type.")),
            may("default", default),
            may("data", is("class", "The class of data that it is of: only steps of that class may send it on.")),
            may("description", text("One sentence for people.").usual("")),
        ],
    )
}

fn data_class() -> Value {
    let nodes = list("Keys of the nodes where data of this class may go.", json!({ "$ref": "#/$defs/key" }), 1, NODES_NAMED_MAX);
    map("Class of data", "Where data of this class may go.", vec![must("nodes", nodes)])
}

fn label() -> Value {
    map(
        "Label",
        "A label that runs can have.",
        vec![
            may("required", flag("No run starts without it.")),
            may("cap", is("cap", "What runs with the same value of it may spend together.")),
        ],
    )
}

fn cap() -> Value {
    let per = words("In which time.", &Period::ALL, ["Each day.", "Each week.", "Each month.", "For all time."]);
    map(
        "Cap",
        "The most that runs with the same value of a label spend together.",
        vec![must("amount", is("amount", "At most so much, above zero.")), must("per", per)],
    )
}

fn schedule() -> Value {
    let overlap = words(
        "What happens while the run before is still going.",
        &Overlap::ALL,
        [
            "This start is left out.",
            "One start waits until the other run ends; further ones are left out.",
            "Both run.",
            "The other run is cancelled, then this one starts.",
        ],
    );
    let catch_up = is("span", "How late a start that was missed, as by a node that was down, may still be made up for.");
    map(
        "Schedule",
        "When runs start by the clock.",
        vec![
            must("id", is("id", "Its name; no two schedules are called the same.")),
            must("cron", is("cron", "The minutes at which runs start.")),
            may(
                "time-zone",
                text("Whose wall clock that is: a name of the IANA database.")
                    .usual("UTC")
                    .for_example(["Europe/Berlin", "America/New_York"]),
            ),
            may("overlap", overlap.usual("skip")),
            may("catch-up", catch_up.usual(format!("{}s", CATCH_UP.as_secs()))),
            may("with", json!({ "description": "Inputs of each run: values without expressions.", "type": "object" })),
            may("labels", labels("Labels of each run.")),
            may("paused", flag("Starts nothing until somebody lets it go on.")),
        ],
    )
}

fn start() -> Value {
    let labels = json!({
        "description": "Labels of the run, made from `.message`.", "type": "object", "additionalProperties": { "$ref": "#/$defs/value" },
    });
    map(
        "Start",
        "A topic of the bus; each message on it starts a run.",
        vec![
            must("topic", is("topic", "Whose messages start runs.").for_example(["acme.inbox.*"])),
            may(
                "with",
                is("arguments", "Inputs of the run. Expressions read `.message`, the message as JSON, and nothing else."),
            ),
            may("labels", labels),
        ],
    )
}

fn terms() -> Value {
    let keys = |description, least| list(description, json!({ "$ref": "#/$defs/key" }), least, NODES_NAMED_MAX);
    let mut sellers = keys("Only these sellers: keys of agents.", 0);
    if let Value::Object(sellers) = &mut sellers {
        sellers.remove("maxItems");
    }
    let prefer = words("How to choose among offers.", &Prefer::ALL, ["The lowest price.", "The lowest latency."]);
    map(
        "Terms",
        "Under which terms calls are bought. What is left out is said further out.",
        vec![
            may("max-price", is("amount", "The most that one call may cost.")),
            may("deadline", is("span", "The longest that one call may take, up to 10 minutes.")),
            may("prefer", prefer),
            may("sellers", sellers),
            may("nodes", keys("Only sellers on these nodes: keys of nodes.", 1)),
            may("labels", labels("Labels that an offer must have, as `region: eu`.")),
        ],
    )
}

fn labels(description: &str) -> Value {
    json!({ "description": description, "type": "object", "additionalProperties": { "type": "string" } })
}
