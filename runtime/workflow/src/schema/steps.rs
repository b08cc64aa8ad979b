//! Steps: what all of them have, and what each kind has beyond it.

use serde_json::{Value, json};

use super::{Key, Named, Offer as _, count, flag, is, list, map, may, must, text, words};
use crate::definition::{CONCURRENCY, Expiry, ITEM, OnError, OnExhausted, Retry};
use crate::limits::{ASK_SELLERS_MAX, ATTEMPTS_MAX, CONCURRENCY_MAX, ROUNDS_MAX, STEPS_MAX};

/// Kinds of steps: the key that makes one, what it does, its keys.
fn kinds() -> [(&'static str, &'static str, Vec<Key>); 10] {
    let steps = |name, description| must(name, is("steps", description));
    let otherwise = |description| may("else", is("steps", description));
    [
        ("step-call", "Buys one call of a service.", call_keys()),
        ("step-map", "Does steps for each item of a list; its value is the list of what they give.", map_keys()),
        (
            "step-parallel",
            "Does lists of steps side by side; its value is a map of what each gives.",
            vec![must("parallel", branches())],
        ),
        (
            "step-if",
            "Does steps where something is true.",
            vec![
                must("if", is("expression", "True or false.")),
                steps("then", "What is done where it is true."),
                otherwise("What is done where it is false."),
            ],
        ),
        (
            "step-switch",
            "Does the first case that holds.",
            vec![
                must(
                    "switch",
                    json!({ "description": "Cases, looked at in order.", "type": "array", "items": { "$ref": "#/$defs/case" } }),
                ),
                otherwise("What is done where none holds."),
            ],
        ),
        ("step-loop", "Does steps again and again.", vec![must("loop", is("loop", "While what, how often at most, and what."))]),
        ("step-wait", "Waits for a time or a signal.", vec![must("wait", is("wait", "What is waited for."))]),
        (
            "step-approve",
            "Asks a person, and waits for the answer.",
            vec![must("approve", is("approve", "What is asked, and until when."))],
        ),
        (
            "step-run",
            "Runs another workflow, and waits for its output.",
            vec![
                must("run", is("package", "The workflow, `publisher/name`; never this one itself.")),
                may("with", is("arguments", "Its inputs.")),
            ],
        ),
        ("step-set", "Makes a value, and buys nothing.", vec![must("set", is("value", "The value."))]),
    ]
}

pub(super) fn all() -> Vec<Named> {
    let kinds = kinds();
    let choices: Vec<Value> = kinds.iter().map(|(name, ..)| json!({ "$ref": format!("#/$defs/{name}") })).collect();
    let step = json!({
        "title": "Step",
        "description": "One step: its `id`, and one of `call`, `map`, `parallel`, `if`, `switch`, `loop`, `wait`, `approve`, `run`, `set`.",
        "type": "object", "required": ["id"], "oneOf": choices,
    });
    let steps = list("Steps, one after another.", json!({ "$ref": "#/$defs/step" }), 1, STEPS_MAX);
    let mut all = vec![
        ("steps", steps),
        ("step", step),
        ("compensation", compensation()),
        ("ask", ask()),
        ("retry", retry()),
        ("case", case()),
        ("loop", repeated()),
        ("wait", wait()),
        ("approve", approve()),
    ];
    all.extend(kinds.into_iter().map(|(name, description, own)| {
        let title = format!("Step: {}", name.trim_start_matches("step-"));
        (name, map(&title, description, common().into_iter().chain(own).collect()))
    }));
    all
}

/// What every step may have.
fn common() -> Vec<Key> {
    let on_error = words(
        "What its failure means.",
        &OnError::ALL,
        [
            "The place of the item around it is null, and the rest goes on.",
            "The step fails, its value is null, and the run goes on.",
            "The run fails.",
        ],
    );
    vec![
        must("id", is("id", "Its name in expressions, `.steps.ID`; it stands once in a workflow.")),
        may("budget", is("amount", "The most that it may cost, with all within it.")),
        may("timeout", is("span", "The longest that it may take, with all attempts and all within it.")),
        may("on-error", on_error.usual("run")),
        may("data", is("class", "The class of data that it is of, with all within it: its calls go to nodes of the class only.")),
        may("release", flag("What it reads of classes may leave them here.")),
    ]
}

/// What a call and its compensation both have.
fn bought(what: &str) -> Vec<Key> {
    vec![
        must("call", is("function", what)),
        may("with", is("arguments", "Its arguments, by parameter.")),
        may("terms", is("terms", "Terms of this call, beyond those of the workflow.")),
        may("retry", is("retry", "How it is tried again after a failure that may pass.")),
    ]
}

fn call_keys() -> Vec<Key> {
    let more = [
        may("ask", is("ask", "From how many sellers it is bought; without it, from one.")),
        may("compensate", is("compensation", "What undoes it where the run fails later.")),
    ];
    bought("What is bought.").into_iter().chain(more).collect()
}

fn map_keys() -> Vec<Key> {
    vec![
        must("map", is("expression", "The list.")),
        may("as", is("id", "What the item is called in expressions.").usual(ITEM)),
        may("concurrency", count(1, CONCURRENCY_MAX, "Items at the same time.").usual(CONCURRENCY)),
        may("item-budget", is("amount", "The most that one item may cost.")),
        must("do", is("steps", "What is done with each; the last step's value is the item's.")),
    ]
}

fn branches() -> Value {
    json!({
        "description": "Lists of steps, by name; the last step's value is found under it.", "type": "object", "minProperties": 1,
        "propertyNames": { "$ref": "#/$defs/id" }, "additionalProperties": { "$ref": "#/$defs/steps" },
    })
}

fn compensation() -> Value {
    map(
        "Compensation",
        "A call that undoes another where the run fails later. It sees the other's answer too.",
        bought("What undoes the step."),
    )
}

/// With `agree`, more than half.
fn ask() -> Value {
    let mut ask = map(
        "Ask",
        "Buys the call from several sellers. With `agree` the value is the answer that so many gave alike, else a list of `{seller, answer}`.",
        vec![
            must("sellers", count(2, ASK_SELLERS_MAX, "Different sellers.")),
            may("agree", count(1, ASK_SELLERS_MAX, "So many must give the same answer: more than half of them.")),
            may(
                "on",
                json!({ "type": "string", "pattern": r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$", "description": "The part of the answer that must be alike, where the rest may differ: `label`, or `0.label` of the first item of a list. Beside `agree`." }),
            ),
            may("min", count(1, ASK_SELLERS_MAX, "So many must answer; all where nothing is said. Not beside `agree`.")),
        ],
    );
    let bounds = (2..=ASK_SELLERS_MAX).map(|sellers| {
        json!({
            "if": { "properties": { "sellers": { "const": sellers } } },
            "then": { "properties": { "agree": { "minimum": sellers / 2 + 1, "maximum": sellers }, "min": { "maximum": sellers } } },
        })
    });
    ask["allOf"] = bounds.collect();
    ask["dependentRequired"] = json!({ "on": ["agree"] });
    ask["not"] = json!({ "required": ["agree", "min"] });
    ask
}

fn retry() -> Value {
    let usual = Retry::default();
    let span = |time: std::time::Duration| format!("{}s", time.as_secs());
    let ends = words(
        "What happens when its attempts are used up.",
        &OnExhausted::ALL,
        ["The run pauses until somebody lets it go on.", "The step fails."],
    );
    let coefficient =
        json!({ "type": "number", "minimum": 1, "maximum": 100, "description": "Each wait is so many times the one before." });
    map(
        "Retry",
        "How a step is tried again after a failure that may pass.",
        vec![
            may("max-attempts", count(1, ATTEMPTS_MAX, "Attempts in all, the first included.").usual(usual.max_attempts)),
            may("initial-interval", is("span", "The first wait.").usual(span(usual.backoff.initial))),
            may("backoff-coefficient", coefficient.usual(usual.backoff.coefficient_percent / 100)),
            may("max-interval", is("span", "The longest wait.").usual(span(usual.backoff.max))),
            may("on-exhausted", ends.usual("pause")),
        ],
    )
}

fn case() -> Value {
    map(
        "Case",
        "One case of a `switch`.",
        vec![must("when", is("expression", "When it holds: true or false.")), must("do", is("steps", "What is done then."))],
    )
}

fn repeated() -> Value {
    map(
        "Loop",
        "Steps that are done again and again.",
        vec![
            must("while", is("expression", "It goes on as long as this is true; looked at before each round, `.round` from 0.")),
            must("max", count(1, ROUNDS_MAX, "Rounds at most; the step fails beyond them.")),
            must("do", is("steps", "What is done in each round.")),
        ],
    )
}

fn wait() -> Value {
    let mut wait = map(
        "Wait",
        "What is waited for: one of `for`, `until`, `signal`.",
        vec![
            may("for", is("span", "So long.")),
            may("until", is("value", "A point in time, RFC 3339, as a text or an expression.")),
            may("signal", is("id", "A signal of this name; its payload is the step's value.")),
            may("timeout", is("span", "The step fails when this is over; without it, as long as it takes.")),
        ],
    );
    wait["oneOf"] = ["for", "until", "signal"].map(|key| json!({ "required": [key] })).into();
    wait
}

fn approve() -> Value {
    let on_expiry = words(
        "What happens when nobody answers in time.",
        &Expiry::ALL,
        [
            "The step fails.",
            "As if somebody had approved.",
            "As if somebody had rejected: the step's value says so, and the run goes on.",
        ],
    );
    let message = text("What is asked; it may hold expressions, `${ … }`.");
    map(
        "Approval",
        "A question to a person.",
        vec![
            must("message", message),
            must("expires", is("span", "Until when an answer counts.").for_example(["2d"])),
            must("on-expiry", on_expiry),
        ],
    )
}
