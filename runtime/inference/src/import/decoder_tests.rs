//! Decoders of either layout, up to the manifest that describes them; running one is the generator's own test.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::ImportOptions;
use super::stage::{Layout, Staged};
use crate::backend::{Interrupt, Session};
use crate::error::Result;
use crate::info::{DeviceClass, Provider};
use crate::package::{GenerateSettings, Package, Pipeline};
use crate::tensor::{Dim, Dtype, Port, Tensor};

/// A decoder's ports, and nothing behind them.
struct Ports {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Session for Ports {
    fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    fn provider(&self) -> Provider {
        Provider { name: "none".to_owned(), share: 0.0, device: DeviceClass::Cpu, passed_over: Vec::new() }
    }

    fn interrupt(&self) -> Arc<dyn Interrupt> {
        panic!("describing a model runs nothing")
    }

    fn run(&mut self, _: &[(&str, &Tensor)], _: &[&str]) -> Result<Vec<Tensor>> {
        panic!("describing a model runs nothing")
    }
}

fn port(name: &str, dtype: Dtype, shape: &[&str]) -> Port {
    let dim = |text: &&str| text.parse().map_or_else(|_| Dim::Free((*text).to_owned()), Dim::Fixed);
    Port { name: name.to_owned(), dtype, shape: shape.iter().map(dim).collect() }
}

/// Two layers, whose present keys and values go by this pattern.
fn ports(present: &str, heads: &str) -> Ports {
    let mut inputs = vec![
        port("input_ids", Dtype::Int64, &["batch", "seq"]),
        port("attention_mask", Dtype::Int64, &["batch", "total"]),
        port("position_ids", Dtype::Int64, &["batch", "seq"]),
    ];
    let mut outputs = vec![port("logits", Dtype::Fp32, &["batch", "seq", "272"])];
    for layer in 0..2 {
        for kind in ["key", "value"] {
            let past = GenerateSettings::port_name("past_key_values.%d.", layer) + kind;
            inputs.push(port(&past, Dtype::Fp16, &["batch", heads, "past", "16"]));
            let present = GenerateSettings::port_name(present, layer) + kind;
            outputs.push(port(&present, Dtype::Fp16, &["batch", heads, "total", "16"]));
        }
    }
    Ports { inputs, outputs }
}

fn llama() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "license": "mit", "eos_token_id": 2, "hidden_size": 64,
        "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2, "max_position_embeddings": 131072, "vocab_size": 272,
    })
}

fn genai() -> Value {
    json!({ "model": {
        "context_length": 4096, "eos_token_id": [2, 3], "type": "llama", "vocab_size": 272,
        "decoder": {
            "filename": "decoder.onnx", "num_hidden_layers": 2,
            "inputs": { "past_key_names": "past_key_values.%d.key", "past_value_names": "past_key_values.%d.value" },
            "outputs": { "logits": "logits", "present_key_names": "present.%d.key", "present_value_names": "present.%d.value" },
        },
    }})
}

/// An export with these JSON files.
fn export(graph: &str, files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in files {
        std::fs::write(folder.path().join(name), value.to_string()).unwrap();
    }
    // one empty graph, to the eyes of the scan
    std::fs::write(folder.path().join(graph), [0x3a, 0]).unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    folder
}

/// What the manifest settles about generating, or why there is none.
fn described(folder: &Path, ports: &Ports, layout: Layout) -> std::result::Result<(GenerateSettings, String), String> {
    let target = tempfile::tempdir().unwrap();
    let options = ImportOptions {
        from: folder.to_owned(),
        license: Some("MIT".to_owned()),
        name: Some("tiny".to_owned()),
        ..ImportOptions::default()
    };
    let mut staged = Staged::new(folder, target.path(), &options, layout)?;
    staged.graph()?;
    staged.describe(ports)?;
    staged.write(&[])?;
    let package = Package::open_draft(target.path()).map_err(|error| error.to_string())?;
    let Pipeline::Generate(settings) = package.manifest.pipeline.clone() else { panic!("{:?}", package.manifest) };
    let template = settings.chat_template.as_ref().map(|path| package.file(path).unwrap());
    Ok((settings, String::from_utf8(template.map_or_else(Vec::new, |bytes| bytes.to_vec())).unwrap()))
}

#[test]
fn an_optimum_decoder_is_described_by_its_ports_and_its_configuration() {
    let tokenizer =
        json!({ "chat_template": [{ "name": "default", "template": "{{ messages }}" }, { "name": "tools", "template": "" }] });
    let generation = json!({ "eos_token_id": [2, 5] });
    let folder = export(
        "model.onnx",
        &[("config.json", llama()), ("tokenizer_config.json", tokenizer), ("generation_config.json", generation)],
    );
    let (settings, template) = described(folder.path(), &ports("present.%d.", "2"), Layout::HuggingFace).unwrap();
    assert_eq!((settings.layers, settings.kv_heads, settings.head_size, settings.vocab), (2, 2, 16, 272));
    assert_eq!((settings.eos.as_slice(), settings.context, settings.bos), ([2, 5].as_slice(), 32_768, None));
    assert_eq!((settings.position_ids, settings.cache, template.as_str()), (true, Dtype::Fp16, "{{ messages }}"));
    assert_eq!(settings.past_value, "past_key_values.%d.value");
    let (other, _) = described(folder.path(), &ports("present_key_values.%d.", "heads"), Layout::HuggingFace).unwrap();
    assert_eq!((other.present_key.as_str(), other.kv_heads), ("present_key_values.%d.key", 2));
}

#[test]
fn a_genai_folder_is_described_by_its_own_configuration() {
    let folder = export("decoder.onnx", &[("genai_config.json", genai())]);
    std::fs::write(folder.path().join("chat_template.jinja"), "{% for m in messages %}{% endfor %}").unwrap();
    let (settings, template) = described(folder.path(), &ports("present.%d.", "2"), Layout::Genai).unwrap();
    assert_eq!((settings.layers, settings.context, settings.eos.as_slice()), (2, 4096, [2, 3].as_slice()));
    assert!(template.starts_with("{% for"));
}

#[test]
fn a_decoder_that_is_not_understood_is_refused_with_what_to_do() {
    let without = |key: &str| {
        let mut config = llama();
        config.as_object_mut().unwrap().remove(key);
        described(export("model.onnx", &[("config.json", config)]).path(), &ports("present.%d.", "2"), Layout::HuggingFace)
            .unwrap_err()
    };
    assert!(without("eos_token_id").contains("eos_token_id"));
    assert!(without("max_position_embeddings").contains("max_position_embeddings"));
    let folder = export("model.onnx", &[("config.json", llama())]);
    let refusal = |ports: &Ports| described(folder.path(), ports, Layout::HuggingFace).unwrap_err();
    assert!(refusal(&ports("out.%d.", "2")).contains("the names of keys and values are not known here"));
    let mut encoder_decoder = ports("present.%d.", "2");
    encoder_decoder.inputs.push(port("encoder_hidden_states", Dtype::Fp32, &["batch", "seq", "64"]));
    assert!(refusal(&encoder_decoder).contains("a [generate] model takes input_ids"));
    let genai = export("model.onnx", &[("genai_config.json", json!({ "model": {} }))]);
    let reason = described(genai.path(), &ports("present.%d.", "2"), Layout::Genai).unwrap_err();
    assert!(reason.contains("context_length"), "{reason}");
}
