//! MiniLM and Magika on the real ONNX Runtime: do the answers make sense, and are wrong packages refused?
#![expect(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::path::PathBuf;

use hansa_inference::{
    DeviceClass, Dtype, EngineStatus, Error, Example, Inference, InferenceOptions, ModelState, Relisted, Request, Tensor,
};
use sha2::{Digest, Sha256};

use tools::tools;

fn started() -> Inference {
    Inference::start(InferenceOptions::from_tools(&tools()))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[tokio::test]
async fn near_vectors_mean_near_sense() {
    let inference = started();
    let sentences = texts(&[
        "The contract was signed by both parties on Monday.",
        "On Monday the two sides put their names to the agreement.",
        "A kitten is sleeping in the sun.",
        "The little cat naps where it is warm and bright.",
    ]);
    let found = inference.embed(&Request::new("reader"), "minilm", sentences).await.unwrap();
    let rows: Vec<&[f32]> = found.data.chunks(found.dims as usize).collect();
    assert_eq!((found.dims, rows.len(), found.truncated), (384, 4, vec![false; 4]));
    for row in &rows {
        assert!((cosine(row, row) - 1.0).abs() < 1e-4, "not of length 1");
    }
    let near = cosine(rows[0], rows[1]).min(cosine(rows[2], rows[3]));
    let far = cosine(rows[0], rows[2]).max(cosine(rows[1], rows[3]));
    assert!(near > 0.5 && far < 0.3 && near > far + 0.3, "near {near}, far {far}");
    assert!(found.usage.device_us > 0 && found.usage.batch_rows >= 1);
}

#[tokio::test]
async fn tokens_are_counted_and_charged_without_padding_and_cut_at_the_limit() {
    let inference = started();
    let long = "word ".repeat(400);
    let counts = inference.count_tokens("minilm", texts(&["a", "a cat", &long])).await.unwrap();
    assert_eq!(counts, [3, 4, 256]);
    assert!(!inference.info("minilm").unwrap().is_loaded(), "counting loaded the model");
    let found = inference.embed(&Request::new("reader"), "minilm", texts(&["a", "a cat", &long])).await.unwrap();
    assert_eq!(found.truncated, [false, false, true]);
    let rates = inference.price("minilm").unwrap();
    assert_eq!((found.usage.input_units, found.usage.cost), (263, rates.cost(263, 0)));
    assert_eq!(found.usage.cost, 10 + 106);
}

#[tokio::test]
async fn files_are_told_apart_by_their_bytes() {
    let inference = started();
    let rust = include_bytes!("../src/model.rs").to_vec();
    let html = b"<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Offers</title>\n<link rel=\"stylesheet\" href=\"a.css\"></head>\n<body><h1>Offers</h1><ul><li><a href=\"/1\">One</a></li></ul></body>\n</html>\n".to_vec();
    let examples = vec![Example::Bytes(rust), Example::Bytes(html), Example::Bytes(png()), Example::Bytes(pdf())];
    let found = inference.classify(&Request::new("sorter"), "magika", examples, 2).await.unwrap();
    let best: Vec<&str> = found.rows.iter().map(|row| row[0].name.as_str()).collect();
    assert_eq!(best, ["rust", "html", "png", "pdf"]);
    assert!(found.rows.iter().all(|row| row.len() == 2 && row[0].score > row[1].score));
    assert_eq!((found.usage.input_units, found.usage.cost), (4, 5 + 40));
    let short = inference.classify(&Request::new("sorter"), "magika", vec![Example::Text("  hi \n".to_owned())], 1).await;
    assert!(matches!(short, Err(Error::BadInput(text)) if text.contains("8 are needed")));
}

/// A PNG of one pixel: signature, IHDR, IDAT, IEND.
fn png() -> Vec<u8> {
    let hex = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082";
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn pdf() -> Vec<u8> {
    b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>\nendobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \n0000000115 00000 n \ntrailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n186\n%%EOF\n".to_vec()
}

#[tokio::test]
async fn raw_tensors_give_what_the_pipeline_gives() {
    let inference = started();
    let request = Request::new("raw");
    let embedded = inference.embed(&request, "minilm", texts(&["a cat"])).await.unwrap();
    let port = |values: [i64; 4]| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Tensor::from_bytes(Dtype::Int64, &[1, 4], &bytes).unwrap()
    };
    let inputs = || {
        vec![
            ("input_ids".to_owned(), port([101, 1037, 4937, 102])),
            ("attention_mask".to_owned(), port([1; 4])),
            ("token_type_ids".to_owned(), port([0; 4])),
        ]
    };
    let found = inference.run(&request, "minilm", inputs(), texts(&["sentence_embedding"])).await.unwrap();
    assert_eq!(found.outputs.len(), 1);
    assert_eq!(found.outputs[0].1.as_fp32().unwrap(), embedded.data);
    let mut uneven = inputs();
    uneven[1].1 = Tensor::from_bytes(Dtype::Int64, &[1, 2], &[1; 16]).unwrap();
    assert!(
        matches!(inference.run(&request, "minilm", uneven, vec![]).await, Err(Error::Shape(shape)) if shape.port == "attention_mask")
    );
    let mut wild = inputs();
    wild[0].1 = port([101, 99_999_999, 4937, 102]);
    assert!(matches!(inference.run(&request, "minilm", wild, vec![]).await, Err(Error::BadInput(_))));
}

#[tokio::test]
async fn the_provider_is_read_back_and_status_tells_the_truth() {
    let inference = started();
    let names: Vec<String> = inference.models().into_iter().map(|model| model.name).collect();
    assert_eq!(names, ["magika", "minilm"]);
    assert_eq!(inference.info("magika").unwrap().provider, None);
    inference.load("magika").await.unwrap();
    let provider = inference.info("magika").unwrap().provider.unwrap();
    assert_eq!((provider.name.as_str(), provider.share, provider.device), ("CPUExecutionProvider", 1.0, DeviceClass::Cpu));
    let status = inference.status();
    assert!(
        matches!(&status.engine, EngineStatus::Ready { version, .. } if version.starts_with("ONNX Runtime 1.")),
        "{status:?}"
    );
    let states: Vec<&ModelState> = status.models.iter().map(|model| &model.state).collect();
    assert_eq!(states, [&ModelState::Ready, &ModelState::Listed]);
    inference.stop().await;
}

/// Inference with the real library and these packages.
fn inference_of(folders: Vec<PathBuf>) -> Inference {
    Inference::start(InferenceOptions { model_folders: folders, ..InferenceOptions::from_tools(&tools()) })
}

/// A copy of Magika's package with another graph and a manifest that lists its true hash, changed by `edit`.
fn magika_with(graph: &[u8], edit: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = tools().join("models/magika");
    let manifest = std::fs::read_to_string(source.join("hansa-model.toml")).unwrap();
    let real = std::fs::read(source.join("model.onnx")).unwrap();
    let manifest = manifest
        .replace(&sha256(&real), &sha256(graph))
        .replace(&format!("size = {}", real.len()), &format!("size = {}", graph.len()));
    std::fs::write(folder.path().join("hansa-model.toml"), edit(manifest)).unwrap();
    std::fs::write(folder.path().join("model.onnx"), graph).unwrap();
    folder
}

/// The bytes of Magika's graph.
fn magika_graph() -> Vec<u8> {
    std::fs::read(tools().join("models/magika/model.onnx")).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Loads a package that must be refused and gives the reason.
async fn refusal(folder: &tempfile::TempDir) -> String {
    let inference = inference_of(vec![folder.path().to_owned()]);
    assert_eq!(inference.status().refused, []);
    inference.load("magika").await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_package_that_is_not_what_it_says_is_refused() {
    let graph = magika_graph();
    let altered = magika_with(&graph, |manifest| manifest);
    let mut bytes = graph.clone();
    bytes[1000] ^= 1;
    std::fs::write(altered.path().join("model.onnx"), bytes).unwrap();
    assert!(refusal(&altered).await.contains("has sha256"));

    let cut = magika_with(&graph[..graph.len() / 2], |manifest| manifest);
    assert!(refusal(&cut).await.contains("ends too early"));

    let ports = magika_with(&graph, |manifest| {
        manifest
            .replace("name = \"target_label\"", "name = \"scores\"")
            .replace("output = \"target_label\"", "output = \"scores\"")
    });
    assert!(refusal(&ports).await.contains("declares the output `scores` fp32 [batch, 214], but the graph has none"));

    let golden = magika_with(&graph, |manifest| manifest.replace("0.962184", "0.862184"));
    assert!(refusal(&golden).await.contains("golden vector 1 of `magika` number 0"));

    let label = magika_with(&graph, |manifest| manifest.replace("labels = [\"rust\",", "labels = [\"zig\","));
    assert!(refusal(&label).await.contains("as the best"));
}

#[tokio::test]
async fn weights_in_files_that_are_not_listed_are_refused() {
    // an initializer in another file, appended as a second graph field that protobuf merges into the first
    for location in [&b"weights.bin"[..], b"../weights.bin", b"/etc/hosts"] {
        let entry = field(13, &[field(1, b"location"), field(2, location)].concat());
        let outside = field(7, &field(5, &[&entry[..], &[0x70, 1]].concat()));
        let folder = magika_with(&[magika_graph(), outside].concat(), |manifest| manifest);
        let reason = refusal(&folder).await;
        assert!(reason.contains("external data") && reason.contains("is not listed as a [[file]]"), "{reason}");
    }
}

/// A protobuf field of bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, content.len() as u8], content].concat()
}

#[tokio::test]
async fn a_graph_that_the_runtime_cannot_read_is_one_clear_line() {
    let folder = magika_with(&[0x3a, 0], |manifest| manifest);
    let reason = refusal(&folder).await;
    assert!(reason.contains("ONNX Runtime refuses the graph") && !reason.contains('\n'), "{reason}");
}

#[tokio::test]
async fn two_models_of_one_name_are_told_apart_at_start() {
    let folder = magika_with(&magika_graph(), |manifest| manifest);
    let inference = inference_of(vec![tools().join("models/magika"), folder.path().to_owned()]);
    assert_eq!(inference.models().len(), 1);
    assert!(inference.status().refused[0].reason.contains("`magika` is the name of the model in"));
}

#[tokio::test]
async fn the_list_follows_the_folders_while_models_run() {
    let (magika, minilm) = (tools().join("models/magika"), tools().join("models/minilm"));
    let options = InferenceOptions { model_folders: vec![magika.clone()], ..InferenceOptions::from_tools(&tools()) };
    let inference = Inference::start(options);
    inference.load("magika").await.unwrap();
    let request = Request::new("a");
    let embed = || inference.embed(&request, "minilm", texts(&["a"]));
    assert_eq!(embed().await.unwrap_err(), Error::NotFound("minilm".to_owned()));

    let broken = tempfile::tempdir().unwrap();
    let relisted = inference.relist(vec![magika.clone(), minilm.clone(), broken.path().to_owned()]);
    assert_eq!(relisted, Relisted { added: texts(&["minilm"]), removed: vec![] });
    assert_eq!(inference.status().refused.len(), 1);
    embed().await.unwrap();
    // what did not change is still in memory
    assert!(inference.info("magika").unwrap().is_loaded());

    let relisted = inference.relist(vec![minilm.clone()]);
    assert_eq!(relisted, Relisted { added: vec![], removed: texts(&["magika"]) });
    assert_eq!(
        (inference.info("magika").unwrap_err(), inference.status().refused.len()),
        (Error::NotFound("magika".to_owned()), 0)
    );
    embed().await.unwrap();
    assert_eq!(inference.relist(vec![minilm]), Relisted::default());
    inference.stop().await;
}
