//! The optional tables: `[generate]`, `[text]` of rankers and classifiers, `[runtime]`, `[memory]`, and their golden vectors.

use super::Manifest;
use super::golden::{GoldenCase, GoldenPrompt};
use super::settings::{Activation, GenerateSettings, Pipeline};
use crate::info::ProviderKind;
use crate::tensor::Dtype;

/// Of no bytes; the manifest alone is read here.
const FILES: &str = r#"
format = 1
name = "sample"
version = "1"
license = "Apache-2.0"
source = "tests"
graph = "model.onnx"
file = [
  { path = "model.onnx", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", size = 4 },
  { path = "tokenizer.json", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", size = 4 },
  { path = "chat_template.jinja", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", size = 4 },
]
"#;

const DECODER: &str = r#"
task = "generate"
input = [
  { name = "input_ids", type = "int64", shape = ["batch", "seq"] },
  { name = "attention_mask", type = "int64", shape = ["batch", "total"] },
  { name = "position_ids", type = "int64", shape = ["batch", "seq"] },
  { name = "past_key_values.0.key", type = "fp16", shape = ["batch", 2, "past", 16] },
  { name = "past_key_values.0.value", type = "fp16", shape = ["batch", 2, "past", 16] },
]
output = [
  { name = "logits", type = "fp32", shape = ["batch", "seq", 272] },
  { name = "present.0.key", type = "fp16", shape = ["batch", 2, "total", 16] },
  { name = "present.0.value", type = "fp16", shape = ["batch", 2, "total", 16] },
]
golden = [{ tokens = [10, 20, 30], expect = [7, 8, 9] }, { text = "Once", expect = [3] }]

[generate]
tokenizer = "tokenizer.json"
context = 512
logits = "logits"
past_key = "past_key_values.%d.key"
past_value = "past_key_values.%d.value"
present_key = "present.%d.key"
present_value = "present.%d.value"
layers = 1
kv_heads = 2
head_size = 16
vocab = 272
eos = [2, 3]
bos = 1
chat_template = "chat_template.jinja"

[runtime]
providers = ["cuda", "webgpu"]
require_provider = "cuda"
min_provider_share = 0.9

[memory]
resident_bytes = 1000
peak_bytes = 3000
"#;

const RANKER: &str = r#"
task = "rerank"
input = [
  { name = "input_ids", type = "int64", shape = ["batch", "seq"] },
  { name = "attention_mask", type = "int64", shape = ["batch", "seq"] },
]
output = [{ name = "logits", type = "fp32", shape = ["batch", 1] }]
text = { tokenizer = "tokenizer.json", max_tokens = 512, output = "logits", activation = "sigmoid" }
golden = [{ query = "cats", documents = ["a cat", "a contract"], expect = [0.9, 0.1], tolerance = 1e-4 }]
"#;

const CLASSIFIER: &str = r#"
task = "classify"
input = [{ name = "input_ids", type = "int64", shape = ["batch", "seq"] }]
output = [{ name = "logits", type = "fp32", shape = ["batch", 2] }]
text = { tokenizer = "tokenizer.json", max_tokens = 512, output = "logits", activation = "softmax" }
labels = { names = ["bad", "good"] }
golden = [{ text = "lovely", labels = ["good", "bad"], expect = [0.9, 0.1], tolerance = 1e-4 }]
"#;

fn read(task: &str) -> Result<Manifest, String> {
    Manifest::parse(&format!("{FILES}{task}"), [0; 32])
}

fn refusals(task: &str, cases: &[(&str, &str, &str)]) {
    for (replace, with, says) in cases {
        assert!(task.contains(replace), "{replace}");
        let message = read(&task.replacen(replace, with, 1)).unwrap_err();
        assert!(message.contains(says), "{with}: {message}");
    }
}

#[test]
fn a_decoder_is_read_with_what_its_ports_say() {
    let manifest = read(DECODER).unwrap();
    let Pipeline::Generate(settings) = &manifest.pipeline else { panic!("{:?}", manifest.pipeline) };
    assert_eq!((settings.position_ids, settings.cache), (true, Dtype::Fp16));
    assert_eq!((settings.eos.as_slice(), settings.bos, settings.max_new_tokens), ([2, 3].as_slice(), Some(1), None));
    assert_eq!(GenerateSettings::port_name(&settings.present_value, 11), "present.11.value");
    assert!(matches!(&manifest.golden[0].case, GoldenCase::Generate(GoldenPrompt::Tokens(tokens)) if tokens == &[10, 20, 30]));
    assert!(matches!(&manifest.golden[1].case, GoldenCase::Generate(GoldenPrompt::Text(text)) if text == "Once"));
    assert!(manifest.golden[0].compare(&[7.0, 8.0, 9.0]).is_ok() && manifest.golden[0].compare(&[7.0, 8.0, 8.0]).is_err());
    assert_eq!(manifest.runtime.providers, [ProviderKind::Cuda, ProviderKind::Webgpu]);
    assert_eq!((manifest.runtime.require_provider, manifest.runtime.min_share()), (Some(ProviderKind::Cuda), 0.9));
    assert_eq!((manifest.memory.resident_bytes, manifest.memory.peak_bytes), (Some(1000), Some(3000)));
    let plain = read(
        &DECODER.replace(r#"  { name = "position_ids", type = "int64", shape = ["batch", "seq"] },"#, "").replace("fp16", "fp32"),
    );
    assert!(matches!(plain.unwrap().pipeline, Pipeline::Generate(plain) if !plain.position_ids && plain.cache == Dtype::Fp32));
}

#[test]
fn a_wrong_decoder_is_refused_with_what_is_wrong() {
    refusals(
        DECODER,
        &[
            ("layers = 1", "layers = 2", "`past_key_values.1.key` of [generate] is no [[input]]"),
            ("layers = 1", "layers = 0", "`layers` of [generate] is `0`; it must be 1 to"),
            ("kv_heads = 2", "kv_heads = 3", "`past_key_values.0.key` fp16 [batch, 2, past, 16] must be fp32 or fp16 [batch, 3,"),
            ("head_size = 16", "head_size = 8", "tokens, 8] to keep keys or values"),
            ("vocab = 272", "vocab = 273", "to be logits"),
            ("eos = [2, 3]", "eos = []", "`eos` of [generate] has `0` tokens"),
            ("eos = [2, 3]", "eos = [272]", "token `272` of [generate] is not below `vocab`"),
            ("bos = 1", "bos = 999", "token `999`"),
            ("context = 512", "context = 1", "`context` of [generate] is `1`"),
            (
                "context = 512",
                "context = 512\nmax_new_tokens = 512",
                "`max_new_tokens` of [generate] is `512`; it must be 1 to 511",
            ),
            ("context = 512", "context = 5", "longer than `context`"),
            ("present.%d.key", "present.key", "must hold `%d` once"),
            ("logits = \"logits\"", "logits = \"scores\"", "output `scores` is no [[output]]"),
            (
                "chat_template = \"chat_template.jinja\"",
                "chat_template = \"other.jinja\"",
                "`other.jinja` is not listed as a [[file]]",
            ),
            ("name = \"attention_mask\"", "name = \"cache_position\"", "a [generate] model takes input_ids"),
            (
                "\"past_key_values.0.value\", type = \"fp16\"",
                "\"past_key_values.0.value\", type = \"fp32\"",
                "all fp32 or all fp16",
            ),
            (
                "\"past_key_values.0.value\", type = \"fp16\"",
                "\"past_key_values.0.value\", type = \"int8\"",
                "to keep keys or values",
            ),
            ("expect = [7, 8, 9]", "expect = [7.5]", "holds `7.5`, which is no token"),
            ("tokens = [10, 20, 30]", "tokens = [10, 999]", "must be below 272"),
            ("tokens = [10, 20, 30]", "text = \"a\", tokens = [10]", "either `text` or `tokens`"),
            ("expect = [3] }", "expect = [3], tolerance = 0.1 }", "takes no `tolerance`"),
            ("providers = [\"cuda\", ", "providers = [\"rocm\", ", "rocm"),
            ("providers = [\"cuda\", ", "providers = [", "`require_provider` is `cuda`"),
            ("min_provider_share = 0.9", "min_provider_share = 1.5", "`min_provider_share` is `1.5`"),
            ("peak_bytes = 3000", "peak_bytes = 30", "`peak_bytes` is `30`"),
            ("[memory]", "[memery]", "did you mean `memory`?"),
        ],
    );
}

#[test]
fn a_ranker_is_read_and_a_wrong_one_is_refused() {
    let manifest = read(RANKER).unwrap();
    assert!(matches!(&manifest.pipeline, Pipeline::Rerank(text) if text.activation == Activation::Sigmoid));
    let case = &manifest.golden[0].case;
    assert!(matches!(case, GoldenCase::Rerank { query, documents } if query == "cats" && documents.len() == 2), "{case:?}");
    let two = RANKER.replace("[\"batch\", 1]", "[\"batch\", 2]").replace("sigmoid", "softmax");
    assert!(matches!(read(&two).unwrap().pipeline, Pipeline::Rerank(_)));
    refusals(
        RANKER,
        &[
            ("[\"batch\", 1]", "[\"batch\", 2]", "two logits per row takes the activation `softmax`"),
            ("[\"batch\", 1]", "[\"batch\", 3]", "[rows, 1] or [rows, 2]"),
            ("sigmoid", "softmax", "one logit per row"),
            ("max_tokens = 512", "max_tokens = 512, prefix = \"query: \"", "takes no `prefix`"),
            ("max_tokens = 512", "max_tokens = 512, pooling = \"mean\"", "belong to task embed"),
            ("expect = [0.9, 0.1]", "expect = [0.9]", "as many `documents`"),
            ("query = \"cats\", ", "", "needs `query`"),
            (", tolerance = 1e-4", "", "needs `tolerance`"),
        ],
    );
}

#[test]
fn a_classifier_of_text_is_read_and_a_wrong_one_is_refused() {
    let manifest = read(CLASSIFIER).unwrap();
    assert!(matches!(&manifest.pipeline, Pipeline::ClassifyText(_, labels) if labels == &["bad", "good"]));
    refusals(
        CLASSIFIER,
        &[
            ("names = [\"bad\", \"good\"]", "names = [\"bad\", \"good\", \"fair\"]", "[labels] has 3 names"),
            ("names = [\"bad\", \"good\"]", "names = []", "[labels] has `0` names"),
            ("max_tokens = 512", "max_tokens = 512, normalise = true", "belong to task embed"),
            ("task = \"classify\"", "task = \"embed\"", "`activation` belongs to"),
            ("softmax", "relu", "relu"),
        ],
    );
}
