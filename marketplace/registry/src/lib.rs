//! Releases in OCI registries: pushed and pulled as the WebAssembly artifacts that other tools know, and opened as what their
//! publisher signed.
//!
//! A release becomes two manifests in one repository:
//!
//! - **The component**, under the tag. It is the [Wasm OCI artifact] of the CNCF: a config `application/vnd.wasm.config.v0+json`
//!   and exactly one layer `application/wasm`. Tools on `oci-wasm`, such as `wkg`, refuse an artifact with further layers, so
//!   nothing of ours is a layer here. One annotation, [`layout::STATEMENT`], names the digest of the signed statement.
//! - **The attachment**, whose `subject` is the component's manifest: the statement, `README.md`, `LICENSE` and `package.wit` as
//!   layers with titles. Tools that copy artifacts with their referrers take it along, the registry's clean-up keeps its blobs,
//!   and everybody else does not see it. `agent.toml` stands in the statement. Where a registry does not note subjects, the
//!   attachment is listed by the specification's tag schema, and has a tag of its own, `sha256-….hansa`.
//!
//! Pulling does not ask for referrers, which many registries do not know. The annotation names the statement's blob, and the
//! signed statement names the digests of the files and of the component. So nothing but the signature decides what belongs
//! together: another attachment beside it, or an annotation that was changed, can only make pulling fail.
//!
//! The records of the publisher's name travel along ([`layout::NAME`]), so that a catalogue elsewhere can take both over. Each is
//! signed; that such a chain is the one that counts, only a catalogue or a person can say.
//!
//! All bytes are bounded while they come in ([`limits`]), compared with their digest, and opened by
//! [`Release::open`](hansa_catalogue::Release::open). Passwords go over https, and in plain HTTP only to this machine or where
//! the caller asks for it. Nothing is read from the environment but the certificates that the machine trusts.
//!
//! [Wasm OCI artifact]: https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/

mod attach;
mod blob;
mod challenge;
mod client;
mod docker;
mod error;
pub mod layout;
pub mod limits;
mod login;
mod parcel;
mod progress;
mod pull;
mod push;
mod reference;
mod remote;

pub use client::{Client, ClientError, Settings};
pub use error::RemoteError;
pub use login::{Login, LoginError};
pub use parcel::{NameProblem, Parcel};
pub use progress::{Direction, Progress, Watcher, unwatched};
pub use pull::{PullError, Pulled};
pub use push::{PushError, Pushed};
pub use reference::{Reference, ReferenceError, Scheme};
