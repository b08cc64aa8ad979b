//! The documents of a release in a registry: media types, config, manifests. The header of the crate says why they are so.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use hansa_catalogue::Release;
use hansa_catalogue::package::files;
use hansa_economy::Digest;
use serde::{Deserialize, Serialize};

use crate::error::shown;
use crate::limits::{INTERFACES_MAX, REFUSAL_CHARS_MAX};
use crate::parcel::{self, Parcel};
use crate::reference::{oci_digest, read_digest};

/// Media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type of a list of manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Media type of the config of a WebAssembly artifact.
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Media type of a component.
pub const WASM: &str = "application/wasm";
/// Type of the attachment.
pub const ATTACHMENT: &str = "application/vnd.hansa.release.v1";
/// Media type of the signed statement, in its exact bytes.
pub const STATEMENT_TYPE: &str = "application/vnd.hansa.statement.v1+cose";
/// The annotation of the component's manifest that names the statement: `sha256:…`.
pub const STATEMENT: &str = "vnd.hansa.release.statement";
/// Media type of the records of the publisher's name: a CBOR list of signed statements.
pub const NAME_TYPE: &str = "application/vnd.hansa.name.v1+cbor";
/// The annotation of the component's manifest that names those records, where there are some: `sha256:…`.
pub const NAME: &str = "vnd.hansa.release.name";
/// Media type of the config of an artifact that has none.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// What the records of the publisher's name are called in errors.
pub(crate) const NAME_PART: &str = "publisher's name";
const TITLE: &str = "org.opencontainers.image.title";
const EMPTY_CONFIG: &[u8] = b"{}";

/// A blob or manifest as others name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// `sha256:…`
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// In a list of attachments: the type of an artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// [`MANIFEST`]; some old registries leave it out.
    #[serde(default)]
    pub media_type: String,
    /// [`ATTACHMENT`] for an attachment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The config.
    pub config: Descriptor,
    /// The content.
    pub layers: Vec<Descriptor>,
    /// The manifest that this one is attached to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Remarks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2.
    pub schema_version: u32,
    /// [`INDEX`].
    #[serde(default)]
    pub media_type: String,
    /// The manifests.
    pub manifests: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig {
    created: String,
    author: String,
    architecture: &'static str,
    os: &'static str,
    layer_digests: Vec<String>,
    component: Interfaces,
}

#[derive(Serialize)]
struct Interfaces {
    exports: Vec<String>,
    imports: Vec<String>,
}

/// A blob on its way to a registry.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

/// All documents of one release.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// The blobs, the smallest first, so that a refusal comes early.
    pub(crate) parts: Vec<Part>,
    /// The component's manifest.
    pub(crate) main: Bytes,
    /// The attachment's manifest.
    pub(crate) attachment: Bytes,
}

/// The component's manifest as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Main {
    pub(crate) component: Digest,
    pub(crate) component_bytes: u64,
    pub(crate) statement: Digest,
    pub(crate) name: Option<Digest>,
}

/// Why a manifest is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// Something else than WebAssembly, in words.
    NoWasm(String),
    /// A WebAssembly artifact without a statement.
    NoRelease,
}

impl Layout {
    /// The documents of `parcel`; the same every time, so that pushing again changes nothing.
    pub(crate) fn of(parcel: &Parcel) -> Layout {
        let release = &parcel.release;
        let part = |name, bytes: Bytes| Part { name, digest: Digest::of(&bytes), bytes };
        let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
        let component = part("component", Bytes::from(parcel.component.clone()));
        let config = part("config", json(&config(release, &component.digest)));
        let statement = part("statement", Bytes::copy_from_slice(release.statement.bytes()));
        let readme = part(files::README, text(&release.files.readme));
        let license = part(files::LICENSE, text(&release.files.license));
        let wit = part(files::WIT, text(&release.files.wit));
        let name = parcel.name.as_ref().map(|chain| part(NAME_PART, parcel::write(chain).into()));
        let empty = part("empty config", Bytes::from_static(EMPTY_CONFIG));
        let main = json(&Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            artifact_type: None,
            config: config_descriptor(WASM_CONFIG, &config),
            layers: vec![titled(WASM, &component, &format!("{}.wasm", release.name.short()))],
            subject: None,
            annotations: linked(about(release), &statement, name.as_ref()),
        });
        let attachment = json(&Manifest {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            artifact_type: Some(ATTACHMENT.to_owned()),
            config: config_descriptor(EMPTY, &empty),
            layers: [
                titled(STATEMENT_TYPE, &statement, "statement.cose"),
                titled("text/markdown", &readme, files::README),
                titled("text/plain", &license, files::LICENSE),
                titled("text/plain", &wit, files::WIT),
            ]
            .into_iter()
            .chain(name.as_ref().map(|name| titled(NAME_TYPE, name, "name.cbor")))
            .collect(),
            subject: Some(of_manifest(&main, None)),
            annotations: about(release),
        });
        let parts = [empty, config, statement].into_iter().chain(name).chain([license, readme, wit, component]).collect();
        Layout { parts, main, attachment }
    }
}

/// How a list names a manifest.
pub(crate) fn of_manifest(manifest: &Bytes, artifact_type: Option<&str>) -> Descriptor {
    Descriptor {
        media_type: MANIFEST.to_owned(),
        digest: oci_digest(&Digest::of(manifest)),
        size: manifest.len() as u64,
        artifact_type: artifact_type.map(str::to_owned),
        annotations: BTreeMap::new(),
    }
}

/// Read the component's manifest.
pub(crate) fn read_main(bytes: &[u8]) -> Result<Main, Stranger> {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else {
        let what = if serde_json::from_slice::<Index>(bytes).is_ok() { "a list of images" } else { "no manifest of this format" };
        return Err(Stranger::NoWasm(what.to_owned()));
    };
    if manifest.config.media_type != WASM_CONFIG {
        return Err(Stranger::NoWasm(format!(
            "an artifact with the config `{}`",
            shown(&manifest.config.media_type, REFUSAL_CHARS_MAX)
        )));
    }
    let [component] = manifest.layers.as_slice() else {
        return Err(Stranger::NoWasm(format!("an artifact of {} layers", manifest.layers.len())));
    };
    if component.media_type != WASM {
        return Err(Stranger::NoWasm(format!("an artifact with a layer `{}`", shown(&component.media_type, REFUSAL_CHARS_MAX))));
    }
    let statement = manifest.annotations.get(STATEMENT).and_then(|digest| read_digest(digest)).ok_or(Stranger::NoRelease)?;
    let odd = || Stranger::NoWasm(format!("digested as `{}`", shown(&component.digest, REFUSAL_CHARS_MAX)));
    let digest = read_digest(&component.digest).ok_or_else(odd)?;
    let name = manifest.annotations.get(NAME).and_then(|digest| read_digest(digest));
    Ok(Main { component: digest, component_bytes: component.size, statement, name })
}

/// A document in its exact bytes.
pub(crate) fn json(document: &impl Serialize) -> Bytes {
    serde_json::to_vec(document).expect("structs of texts and numbers are always JSON").into()
}

fn config(release: &Release, component: &Digest) -> WasmConfig {
    let names = |interfaces: &[hansa_catalogue::package::Interface]| {
        interfaces.iter().take(INTERFACES_MAX).map(|interface| interface.name.clone()).collect()
    };
    WasmConfig {
        created: created(release),
        author: release.name.publisher().to_owned(),
        architecture: "wasm",
        os: "wasip2",
        layer_digests: vec![oci_digest(component)],
        component: Interfaces { exports: names(&release.contract.exports), imports: names(&release.contract.imports) },
    }
}

/// What registries show to people; nothing relies on it.
fn about(release: &Release) -> BTreeMap<String, String> {
    let agent = &release.manifest.agent;
    let text = |key: &str, value: &str| (format!("org.opencontainers.image.{key}"), value.to_owned());
    let mut all = BTreeMap::from([
        text("title", release.name.as_str()),
        text("version", &release.version.to_string()),
        text("description", &agent.description),
        text("licenses", &agent.license),
        text("created", &created(release)),
    ]);
    all.extend(agent.homepage.as_deref().map(|homepage| text("url", homepage)));
    all
}

/// With the annotations by which the parts are found that are no layers of the component's manifest.
fn linked(mut about: BTreeMap<String, String>, statement: &Part, name: Option<&Part>) -> BTreeMap<String, String> {
    about.insert(STATEMENT.to_owned(), oci_digest(&statement.digest));
    about.extend(name.map(|name| (NAME.to_owned(), oci_digest(&name.digest))));
    about
}

/// RFC 3339; a publisher's clock may say anything.
fn created(release: &Release) -> String {
    let time = i64::try_from(release.published_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn config_descriptor(media_type: &str, part: &Part) -> Descriptor {
    Descriptor {
        media_type: media_type.to_owned(),
        digest: oci_digest(&part.digest),
        size: part.bytes.len() as u64,
        artifact_type: None,
        annotations: BTreeMap::new(),
    }
}

fn titled(media_type: &str, part: &Part, title: &str) -> Descriptor {
    Descriptor { annotations: BTreeMap::from([(TITLE.to_owned(), title.to_owned())]), ..config_descriptor(media_type, part) }
}
