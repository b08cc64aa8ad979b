//! Folders as other tools leave them become packages, with no editing by hand; what cannot be understood is refused whole.
#![expect(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::path::{Path, PathBuf};

use hansa_inference::{
    ImportOptions, Inference, InferenceOptions, Request, Task, add_model, packages_in, read_package, verify_package,
};
use serde_json::{Value, json};
use tools::tools;

/// A folder that is being written, and the folder of packages beside it.
struct Bench {
    _folder: tempfile::TempDir,
    export: PathBuf,
    models: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (export, models) = (folder.path().join("all-MiniLM"), folder.path().join("models"));
        std::fs::create_dir_all(&export).unwrap();
        Self { _folder: folder, export, models }
    }

    /// MiniLM as Optimum and sentence-transformers leave it.
    fn minilm() -> Self {
        let bench = Self::new();
        bench.link("minilm/model.onnx", "onnx/model.onnx");
        bench.link("minilm/tokenizer.json", "tokenizer.json");
        bench.json("config.json", &bert());
        bench.json("tokenizer_config.json", &json!({ "model_max_length": 512, "tokenizer_class": "BertTokenizer" }));
        bench.json("special_tokens_map.json", &json!({ "pad_token": "[PAD]" }));
        bench.json(
            "modules.json",
            &json!([
                { "idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer" },
                { "idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling" },
                { "idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize" },
            ]),
        );
        bench.json("1_Pooling/config.json", &json!({ "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false }));
        bench.json("sentence_bert_config.json", &json!({ "max_seq_length": 256, "do_lower_case": false }));
        bench.text("README.md", "---\nlanguage: en\nlicense: apache-2.0\n---\n# MiniLM\n");
        bench
    }

    /// A copy without the cost of one.
    fn link(&self, from: &str, to: &str) {
        let to = self.export.join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let from = tools().join("models").join(from);
        std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(drop)).unwrap();
    }

    fn text(&self, path: &str, text: &str) {
        let path = self.export.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn json(&self, path: &str, value: &Value) {
        self.text(path, &value.to_string());
    }

    fn options(&self) -> ImportOptions {
        ImportOptions {
            from: self.export.clone(),
            models: self.models.clone(),
            library: Some(tools().join("lib/libonnxruntime.so")),
            ..ImportOptions::default()
        }
    }

    /// The reason why the folder is refused; nothing may be left behind.
    fn refusal(&self, options: &ImportOptions) -> String {
        let reason = add_model(options).unwrap_err().to_string();
        let left: Vec<_> = std::fs::read_dir(&self.models).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        assert!(left.is_empty(), "{left:?}");
        reason
    }
}

fn bert() -> Value {
    json!({
        "_name_or_path": "sentence-transformers/all-MiniLM-L6-v2", "architectures": ["BertModel"], "model_type": "bert",
        "hidden_size": 384, "max_position_embeddings": 512, "num_attention_heads": 12, "num_hidden_layers": 6,
        "pad_token_id": 0, "vocab_size": 30522,
    })
}

fn inference_of(folder: &Path) -> Inference {
    Inference::start(InferenceOptions { model_folders: packages_in(folder), ..InferenceOptions::from_tools(&tools()) })
}

#[tokio::test]
async fn an_optimum_folder_is_added_with_no_editing_and_embeds_as_the_committed_package_does() {
    let bench = Bench::minilm();
    let added = add_model(&bench.options()).unwrap();
    let package = &added.package;
    assert_eq!((package.name.as_str(), package.task, package.max_tokens), ("all-minilm-l6-v2", Task::Embed, Some(256)));
    assert_eq!((package.license.as_str(), package.resale), ("Apache-2.0", true));
    assert_eq!(package.source, "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2");
    assert_eq!((package.golden, package.inputs.len(), package.outputs.len()), (2, 3, 2));
    assert_eq!(added.folder, bench.models.join("all-minilm-l6-v2"));
    assert!(added.notes.iter().any(|note| note.contains("task embed")), "{:?}", added.notes);
    assert_eq!(verify_package(&added.folder).unwrap().manifest, package.manifest);

    let texts = vec!["a cat".to_owned()];
    let here = inference_of(&bench.models).embed(&Request::new("a"), "all-minilm-l6-v2", texts.clone()).await.unwrap();
    let there = inference_of(&tools().join("models")).embed(&Request::new("a"), "minilm", texts).await.unwrap();
    let difference = here.data.iter().zip(&there.data).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(here.dims == 384 && difference < 1e-5, "{difference}");

    let again = add_model(&bench.options()).unwrap_err().to_string();
    assert!(again.contains("is there already"), "{again}");
    let other = ImportOptions { name: Some("other".to_owned()), license: Some("cc-by-nc-4.0".to_owned()), ..bench.options() };
    let other = add_model(&other).unwrap().package;
    assert_eq!((other.license.as_str(), other.resale), ("CC-BY-NC-4.0", false));
    assert_eq!(packages_in(&bench.models).len(), 2);
}

#[test]
fn an_export_without_pooling_is_pooled_as_its_configuration_says() {
    let bench = Bench::minilm();
    // the graph's own pooling is hidden behind another name, so that the tokens' vectors must be pooled
    std::fs::remove_file(bench.export.join("onnx/model.onnx")).unwrap();
    let graph = std::fs::read(tools().join("models/minilm/model.onnx")).unwrap();
    std::fs::write(bench.export.join("model.onnx"), renamed(graph, b"sentence_embedding", b"something_embedded")).unwrap();
    let added = add_model(&bench.options()).unwrap();
    let manifest = std::fs::read_to_string(added.folder.join("hansa-model.toml")).unwrap();
    for line in ["output = \"last_hidden_state\"", "pooling = \"mean\"", "normalise = true", "max_tokens = 256"] {
        assert!(manifest.contains(line), "{line}: {manifest}");
    }
}

fn renamed(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        bytes.windows(from.len()).enumerate().filter(|(_, found)| *found == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
    bytes
}

#[test]
fn what_is_missing_or_not_understood_is_said_and_nothing_is_left() {
    let bench = Bench::minilm();
    let options = bench.options();
    bench.text("README.md", "# no header\n");
    assert!(bench.refusal(&options).contains("`--license SPDX`"));
    let wrong = ImportOptions { license: Some("other".to_owned()), ..options.clone() };
    assert!(bench.refusal(&wrong).contains("the licence `other` is no SPDX expression"));
    let options = ImportOptions { license: Some("MIT".to_owned()), ..options };

    std::fs::remove_file(bench.export.join("tokenizer.json")).unwrap();
    let embed = ImportOptions { task: Some(Task::Embed), ..options.clone() };
    assert!(bench.refusal(&embed).contains("save it with `tokenizer.save_pretrained"));
    bench.link("minilm/tokenizer.json", "tokenizer.json");

    bench.json("1_Pooling/config.json", &json!({ "pooling_mode_lasttoken": true }));
    bench.json("config.json", &json!({ "architectures": ["LlamaForCausalLM"] }));
    assert!(bench.refusal(&options).contains("text-generation-with-past"));
    bench.text("config.json", "{ not json");
    assert!(bench.refusal(&options).contains("`config.json` is no JSON"));
    bench.json("config.json", &bert());

    let graph = ImportOptions { graph: Some("../secret.onnx".to_owned()), ..options.clone() };
    assert!(bench.refusal(&graph).contains("lies outside the folder"));
    let graph = ImportOptions { graph: Some("none.onnx".to_owned()), ..options.clone() };
    assert!(bench.refusal(&graph).contains("cannot read"));
    std::fs::write(bench.export.join("onnx/broken.onnx"), b"no protobuf").unwrap();
    let graph = ImportOptions { graph: Some("onnx/broken.onnx".to_owned()), ..options.clone() };
    assert!(bench.refusal(&graph).contains("onnx"));
    let library = ImportOptions { library: None, ..options.clone() };
    assert!(bench.refusal(&library).contains("./justw setup"));
    let nothing = ImportOptions { from: bench.models.clone(), ..options };
    assert!(bench.refusal(&nothing).contains("holds none of"));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_refused_but_those_of_a_cache_are_followed() {
    let bench = Bench::minilm();
    let outside = bench.export.with_file_name("tokenizer.json");
    std::fs::rename(bench.export.join("tokenizer.json"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, bench.export.join("tokenizer.json")).unwrap();
    assert!(bench.refusal(&bench.options()).contains("is a link to outside the folder"));

    let cache = bench.export.with_file_name("cache");
    let snapshot = cache.join("snapshots/0123");
    std::fs::create_dir_all(cache.join("blobs")).unwrap();
    std::fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
    std::fs::rename(&bench.export, &snapshot).unwrap();
    std::fs::remove_file(snapshot.join("tokenizer.json")).unwrap();
    std::fs::rename(outside, cache.join("blobs/abc")).unwrap();
    std::os::unix::fs::symlink("../../blobs/abc", snapshot.join("tokenizer.json")).unwrap();
    let added = add_model(&ImportOptions { from: snapshot, ..bench.options() }).unwrap();
    assert!(added.folder.join("tokenizer.json").symlink_metadata().unwrap().is_file());
}

#[test]
fn a_package_is_added_as_it_is_or_not_at_all() {
    let bench = Bench::new();
    bench.link("magika/model.onnx", "model.onnx");
    bench.link("magika/hansa-model.toml", "hansa-model.toml");
    let folder = bench.options();
    let tar = ImportOptions { from: packed(&bench.export), ..folder.clone() };
    let renamed = ImportOptions { name: Some("other".to_owned()), ..folder };
    assert!(bench.refusal(&renamed).contains("leave these options out"));
    let added = add_model(&tar).unwrap();
    assert_eq!(added.package.manifest, read_package(&tools().join("models/magika")).unwrap().manifest);
    assert!(added.notes.iter().any(|note| note.contains("golden vectors that are right")), "{:?}", added.notes);
    std::fs::remove_dir_all(added.folder).unwrap();

    let manifest = std::fs::read_to_string(bench.export.join("hansa-model.toml")).unwrap();
    std::fs::remove_file(bench.export.join("hansa-model.toml")).unwrap();
    bench.text("hansa-model.toml", &manifest.replace("0.962184", "0.862184"));
    assert!(bench.refusal(&bench.options()).contains("golden vector 1"));
    bench.text("hansa-model.toml", &manifest.replace("Apache-2.0", "do what you like"));
    assert!(bench.refusal(&bench.options()).contains("no SPDX expression"));
    bench.text("hansa-model.toml", &manifest);
    std::fs::remove_file(bench.export.join("model.onnx")).unwrap();
    bench.text("model.onnx", "something else");
    assert!(bench.refusal(&bench.options()).contains("has size"));
}

/// A tar of the folder, beside it.
fn packed(folder: &Path) -> PathBuf {
    let path = folder.with_extension("tar");
    let mut archive = tar::Builder::new(std::fs::File::create(&path).unwrap());
    archive.append_dir_all("magika", folder).unwrap();
    archive.finish().unwrap();
    path
}

#[test]
fn a_tar_that_reaches_outside_is_refused() {
    let bench = Bench::new();
    let path = bench.export.with_extension("tar");
    let mut archive = tar::Builder::new(std::fs::File::create(&path).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "model.onnx", "/etc/hostname").unwrap();
    archive.finish().unwrap();
    let options = ImportOptions { from: path, ..bench.options() };
    assert!(bench.refusal(&options).contains("no plain file inside it"));
}

#[test]
fn a_tar_that_is_broken_is_told() {
    let bench = Bench::new();
    bench.link("magika/model.onnx", "model.onnx");
    bench.link("magika/hansa-model.toml", "hansa-model.toml");
    let path = packed(&bench.export);
    let whole = std::fs::read(&path).unwrap();
    for (bytes, says) in [
        (&b"this is no archive at all, and yet it is called one".repeat(30)[..], "no whole tar archive"),
        (&whole[..whole.len() / 2], "no whole tar archive"),
        (&[0; 2048], "holds no file"),
        (&[], "holds no file"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let refusal = bench.refusal(&ImportOptions { from: path.clone(), ..bench.options() });
        assert!(refusal.contains(says) && refusal.contains(".tar"), "{refusal}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(bench.refusal(&ImportOptions { from: path, ..bench.options() }).contains("cannot read"));
}

#[tokio::test]
async fn weights_in_a_file_of_their_own_are_verified_and_loaded() {
    let bench = Bench::new();
    bench.json("config.json", &json!({ "architectures": ["Adder"], "license": "mit" }));
    let weights: Vec<u8> = [2.5_f32, -1.0].iter().flat_map(|number| number.to_le_bytes()).collect();
    std::fs::write(bench.export.join("model.onnx"), adder("model.onnx_data", 0)).unwrap();
    std::fs::write(bench.export.join("model.onnx_data"), &weights).unwrap();
    let added = add_model(&ImportOptions { name: Some("adder".to_owned()), ..bench.options() }).unwrap();
    assert_eq!(added.package.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["model.onnx", "model.onnx_data"]);
    let inference = inference_of(&bench.models);
    let x = hansa_inference::Tensor::from_bytes(hansa_inference::Dtype::Fp32, &[2], &[0; 8]).unwrap();
    let found = inference.run(&Request::new("a"), "adder", vec![("x".to_owned(), x)], vec![]).await.unwrap();
    assert_eq!(found.outputs[0].1.as_fp32().unwrap(), [2.5, -1.0]);

    std::fs::write(added.folder.join("model.onnx_data"), [0; 8]).unwrap();
    assert!(verify_package(&added.folder).unwrap_err().to_string().contains("sha256"));
    let reason = inference_of(&bench.models).load("adder").await.unwrap_err().to_string();
    assert!(reason.contains("`model.onnx_data` has sha256"), "{reason}");
    std::fs::remove_dir_all(added.folder).unwrap();

    for (graph, says) in [
        (adder("../model.onnx_data", 0), "outside the"),
        (adder("/etc/hostname", 0), "outside the"),
        (adder("gone", 0), "cannot read"),
        (adder("model.onnx_data", 4), "up to byte 12, but that file has 8"),
    ] {
        std::fs::write(bench.export.join("model.onnx"), graph).unwrap();
        let reason = bench.refusal(&ImportOptions { name: Some("adder".to_owned()), ..bench.options() });
        assert!(reason.contains(says), "{says}: {reason}");
    }
}

#[tokio::test]
async fn classifiers_of_text_and_rankers_are_told_apart_by_their_labels() {
    let bench = Bench::new();
    bench.link("minilm/tokenizer.json", "tokenizer.json");
    let config =
        |labels: Value| json!({ "architectures": ["BertForSequenceClassification"], "id2label": labels, "license": "mit" });
    bench.json("config.json", &config(json!({ "0": "bad", "1": "good" })));
    std::fs::write(bench.export.join("model.onnx"), scorer(2)).unwrap();
    let named = |name: &str| ImportOptions { name: Some(name.to_owned()), ..bench.options() };
    let judge = add_model(&named("judge")).unwrap();
    assert_eq!((judge.package.task, judge.package.labels, judge.package.golden), (Task::Classify, 2, 2));
    let manifest = std::fs::read_to_string(judge.folder.join("hansa-model.toml")).unwrap();
    assert!(manifest.contains("activation = \"softmax\""), "{manifest}");
    inference_of(&bench.models).load("judge").await.unwrap();
    std::fs::remove_dir_all(&judge.folder).unwrap();

    bench.json("config.json", &config(json!({ "0": "good" })));
    assert!(
        bench.refusal(&ImportOptions { task: Some(Task::Classify), ..named("judge") }).contains("does not name all 2 labels")
    );
    std::fs::write(bench.export.join("model.onnx"), scorer(1)).unwrap();
    let ranker = add_model(&named("ranker")).unwrap();
    assert_eq!((ranker.package.task, ranker.package.golden), (Task::Rerank, 1));
    inference_of(&bench.models).load("ranker").await.unwrap();
}

#[test]
fn what_a_killed_addition_left_is_removed_when_it_is_old() {
    let bench = Bench::minilm();
    let [old, new, other] = [".adding-old", ".removing-new", ".kept"].map(|name| bench.models.join(name));
    for folder in [&old, &new, &other] {
        std::fs::create_dir_all(folder.join("package")).unwrap();
    }
    let days_ago = old.metadata().unwrap().modified().unwrap() - std::time::Duration::from_secs(3 * 24 * 3600);
    for folder in [&old, &other] {
        std::fs::File::open(folder).unwrap().set_modified(days_ago).unwrap();
    }
    add_model(&bench.options()).unwrap();
    assert_eq!([&old, &new, &other].map(|folder| folder.exists()), [false, true, true]);
}

#[tokio::test]
async fn a_decoder_of_either_layout_is_added_and_its_answers_are_checked_at_every_load() {
    let bench = Bench::new();
    for file in ["model.onnx", "tokenizer.json", "chat_template.jinja"] {
        bench.link(&format!("../fixtures/tinyllama/{file}"), file);
    }
    let named = |name: &str| ImportOptions { name: Some(name.to_owned()), ..bench.options() };
    bench.json(
        "config.json",
        &json!({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "license": "apache-2.0", "eos_token_id": [257, 261],
            "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "num_key_value_heads": 2,
            "max_position_embeddings": 1024, "vocab_size": 272,
        }),
    );
    let optimum = add_model(&named("optimum")).unwrap();
    assert_eq!((optimum.package.task, optimum.package.max_tokens, optimum.package.golden), (Task::Generate, Some(1024), 1));

    bench.json(
        "genai_config.json",
        &json!({ "model": {
            "context_length": 1024, "eos_token_id": [257, 261], "type": "llama", "vocab_size": 272,
            "decoder": { "filename": "model.onnx", "num_hidden_layers": 2 },
        }}),
    );
    let genai = add_model(&named("genai")).unwrap();
    assert_eq!((genai.package.task, genai.package.files.len()), (Task::Generate, 3));
    let inference = inference_of(&bench.models);
    for model in ["optimum", "genai"] {
        inference.load(model).await.unwrap();
    }

    let manifest = std::fs::read_to_string(genai.folder.join("hansa-model.toml")).unwrap();
    let wrong = manifest.replacen("expect = [", "expect = [1.0, ", 1);
    assert_ne!(manifest, wrong);
    std::fs::write(genai.folder.join("hansa-model.toml"), wrong).unwrap();
    let reason = inference_of(&bench.models).load("genai").await.unwrap_err().to_string();
    assert!(reason.contains("golden vector 1"), "{reason}");
}

/// A graph whose logits are, column by column, the largest of the tokens' numbers in a table; the filling's are the smallest.
fn scorer(width: u8) -> Vec<u8> {
    const TOKENS: u32 = 30_522;
    let number = |token: u32, column: u8| if token == 0 { -10.0 } else { (token * (7 + u32::from(column)) % 131) as f32 / 40.0 };
    let table = (0..TOKENS).flat_map(|token| (0..width).flat_map(move |column| number(token, column).to_le_bytes()));
    // TensorProto: dims, data_type FLOAT or INT64, name, raw_data
    let dims = [&[0x08, 0xba, 0xee, 1][..], &[0x08, width], &[0x10, 1]].concat();
    let table = [dims, field(8, b"table"), field(9, &table.collect::<Vec<u8>>())].concat();
    let axes = [&[0x08, 1, 0x10, 7][..], &field(8, b"axes"), &field(9, &1_i64.to_le_bytes())].concat();
    let gather = [field(1, b"table"), field(1, b"input_ids"), field(2, b"rows"), field(4, b"Gather")].concat();
    // AttributeProto: name, i 0, type INT, whose field number takes two bytes
    let flat = field(5, &[&field(1, b"keepdims")[..], &[0x18, 0], &[0xa0, 1, 2]].concat());
    let largest = [field(1, b"rows"), field(1, b"axes"), field(2, b"logits"), field(4, b"ReduceMax"), flat].concat();
    let port = |name: &[u8], kind: u8, second: Vec<u8>| {
        let shape = field(2, &[field(1, &field(2, b"batch")), field(1, &second)].concat());
        [field(1, name), field(2, &field(1, &[&[0x08, kind][..], &shape].concat()))].concat()
    };
    let inputs = field(11, &port(b"input_ids", 7, field(2, b"seq")));
    let outputs = field(12, &port(b"logits", 1, vec![0x08, width]));
    let graph =
        [field(1, &gather), field(1, &largest), field(2, b"scorer"), field(5, &table), field(5, &axes), inputs, outputs].concat();
    [&[0x08, 9][..], &field(7, &graph), &field(8, &[0x10, 18])].concat()
}

/// A graph `y = x + w` whose two numbers `w` lie in another file, from byte `offset` on.
fn adder(location: &str, offset: u64) -> Vec<u8> {
    let entry = |key: &str, value: &str| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
    let place = [entry("location", location), entry("offset", &offset.to_string()), entry("length", "8")].concat();
    // TensorProto: dims 2, data_type FLOAT, name, external_data, data_location EXTERNAL
    let weights = [&[0x08, 2, 0x10, 1][..], &field(8, b"w"), &place, &[0x70, 1]].concat();
    let node = [field(1, b"x"), field(1, b"w"), field(2, b"y"), field(4, b"Add")].concat();
    let shape = field(2, &field(1, &[0x08, 2]));
    let port = |name: &[u8]| [field(1, name), field(2, &field(1, &[&[0x08, 1][..], &shape].concat()))].concat();
    let graph =
        [field(1, &node), field(2, b"adder"), field(5, &weights), field(11, &port(b"x")), field(12, &port(b"y"))].concat();
    // ModelProto: ir_version 9, graph, opset 18
    [&[0x08, 9][..], &field(7, &graph), &field(8, &[0x10, 18])].concat()
}

/// A protobuf field of bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut size = content.len();
    let mut bytes = vec![number << 3 | 2];
    while size > 0x7f {
        bytes.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    bytes.push(size as u8);
    [bytes, content.to_vec()].concat()
}
