//! The way to the catalogue for whoever publishes or looks: over the bus, with an own key.

use std::time::Duration;

use hansa_bus::{Bus, Objects, RequestError};
use hansa_catalogue::Release;
use hansa_catalogue::limits::{COMPONENT_BYTES_MAX, LICENSE_BYTES_MAX, README_BYTES_MAX, WIT_BYTES_MAX};
use hansa_catalogue::names::{NameChain, NameChange, NameRecord};
use hansa_catalogue::package::{Files, PackageStatement};
use hansa_catalogue::releases::{Notice, Says};
use hansa_economy::digest::from_hex;
use hansa_economy::{Digest, Keypair, Signed, Statement};

use super::parts::{self, Stored, object};
use super::views::{NameView, PackageView, ResultsView, SellerView};
use super::wire::{Answer, Question, Submission, Wanted};
use super::{ASK_SUBJECT, PACKAGES, SUBMIT_SUBJECT};
use crate::ambient;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long one try to hand a statement in may take: its parts are fetched and verified meanwhile.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often it is tried, by other nodes where there are some; the same statement counts once.
const SUBMIT_TRIES: u32 = 6;
/// Pause before another try.
const SUBMIT_PAUSE: Duration = Duration::from_millis(500);

/// A connection to the catalogue.
#[derive(Clone)]
pub struct CatalogueLink {
    bus: Bus,
    objects: Objects,
}

/// A release with its component, verified.
pub struct Fetched {
    /// The release.
    pub release: Release,
    /// Its component.
    pub component: Vec<u8>,
}

/// Why the catalogue did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Nobody answers.
    #[error("no node on the bus keeps a catalogue; start one with `hansa up`")]
    Nobody,
    /// The catalogue's word, or the one of a check before.
    #[error("HA0024: {0}")]
    Refused(String),
    /// There is no answer.
    #[error("{0}")]
    Nothing(String),
    /// The bus' word.
    #[error("the catalogue cannot be reached: {0}")]
    Bus(String),
}

impl CatalogueLink {
    /// The catalogue of this bus.
    pub fn new(bus: &Bus) -> Result<CatalogueLink, CatalogueError> {
        let objects = bus.objects(PACKAGES).map_err(|error| CatalogueError::Bus(error.to_string()))?;
        Ok(CatalogueLink { bus: bus.clone(), objects })
    }

    /// Search.
    pub async fn find(&self, wanted: Wanted) -> Result<ResultsView, CatalogueError> {
        match self.ask(&Question::Find(wanted)).await? {
            Answer::Found(results) => Ok(results),
            other => Err(unexpected(other)),
        }
    }

    /// Who owns a publisher's name; none where nobody has claimed it.
    pub async fn name(&self, name: &str) -> Result<Option<NameView>, CatalogueError> {
        match self.ask(&Question::Name { name: name.to_owned() }).await? {
            Answer::Name { name } => Ok(name),
            other => Err(unexpected(other)),
        }
    }

    /// All records of a publisher's name, verified; none where nobody has claimed it.
    pub async fn name_chain(&self, name: &str) -> Result<Option<NameChain>, CatalogueError> {
        let records = match self.ask(&Question::NameRecords { name: name.to_owned() }).await? {
            Answer::NameRecords { records } => records,
            other => return Err(unexpected(other)),
        };
        let refused = |error: &dyn std::fmt::Display| CatalogueError::Refused(format!("the records of `{name}`: {error}"));
        let opened = records.iter().map(|record| {
            let bytes = from_hex(record).ok_or_else(|| refused(&"not in hexadecimal digits"))?;
            Signed::<NameRecord>::open(&bytes).map_err(|error| refused(&error))
        });
        NameChain::fold(opened.collect::<Result<Vec<_>, _>>()?).map_err(|error| refused(&error))
    }

    /// Hand in the records of a name from elsewhere that are not here yet.
    pub async fn bring_name(&self, chain: &NameChain) -> Result<(), CatalogueError> {
        let here = self.name(chain.name()).await?.map_or(0, |name| name.seq + 1);
        for record in chain.records().iter().filter(|record| record.body.seq >= here) {
            self.hand_in_name(record).await?;
        }
        Ok(())
    }

    /// Hand in one signed record of a publisher's name.
    pub async fn hand_in_name(&self, record: &Signed<NameRecord>) -> Result<(), CatalogueError> {
        self.submit(&Submission::Name(record.bytes().to_vec().into())).await
    }

    /// A release, by a wish such as `acme/translator@1`.
    pub async fn package(&self, wish: &str) -> Result<PackageView, CatalogueError> {
        match self.ask(&Question::Package { wish: wish.to_owned() }).await? {
            Answer::Package(package) => Ok(*package),
            other => Err(unexpected(other)),
        }
    }

    /// Who sells an interface, given with or without version.
    pub async fn sellers(&self, interface: &str) -> Result<Vec<SellerView>, CatalogueError> {
        match self.ask(&Question::Sellers { interface: interface.to_owned() }).await? {
            Answer::Sellers { sellers } => Ok(sellers),
            other => Err(unexpected(other)),
        }
    }

    /// Put a release's parts into the store and hand its statement in. When this returns, every node that reads the journal has it.
    pub async fn publish(&self, release: &Release, component: &[u8]) -> Result<(), CatalogueError> {
        let files = &release.files;
        for part in [component, files.readme.as_bytes(), files.license.as_bytes(), files.wit.as_bytes()] {
            self.store(part).await?;
        }
        self.submit(&Submission::Release(release.statement.bytes().to_vec().into())).await
    }

    /// Change a publisher's name by a record signed with `key`: claim it, pass it on, recover it, name another second key.
    pub async fn change_name(&self, name: &str, change: NameChange, key: &Keypair) -> Result<(), CatalogueError> {
        let before = self.name(name).await?;
        let seq = before.as_ref().map_or(0, |view| view.seq + 1);
        let previous = before.map(|view| view.head);
        let record = NameRecord { name: name.to_owned(), seq, previous, change, signed_ms: ambient::now_ms() };
        self.hand_in_name(&Signed::new(record, key)).await
    }

    /// Say something about a package (`acme/translator`) or one version of it (`acme/translator@1.2.0`).
    pub async fn say(&self, about: &str, says: Says, key: &Keypair) -> Result<(), CatalogueError> {
        let package = self.package(about).await?;
        let name_record = package.name.map(|name| name.head);
        let notice =
            Notice { about: about.to_owned(), seq: package.next_notice, says, name_record, signed_ms: ambient::now_ms() };
        self.submit(&Submission::Notice(signed(notice, key))).await
    }

    /// Fetch a release with all its parts and verify it.
    pub async fn fetch(&self, package: &PackageView) -> Result<Fetched, CatalogueError> {
        let refused = |error: &dyn std::fmt::Display| CatalogueError::Refused(error.to_string());
        let statement = from_hex(&package.signed).ok_or_else(|| refused(&"the node's answer holds no statement"))?;
        let body = Signed::<PackageStatement>::open(&statement).map_err(|error| refused(&error))?.body;
        let listed = body.files.unwrap_or_default();
        let named = |at: usize| listed.get(at).map(|file| file.digest).ok_or_else(|| refused(&"its statement lists no files"));
        let component = self.part(body.component, COMPONENT_BYTES_MAX).await?;
        let readme = self.text(named(0)?, README_BYTES_MAX).await?;
        let license = self.text(named(1)?, LICENSE_BYTES_MAX).await?;
        let wit = self.text(named(2)?, WIT_BYTES_MAX).await?;
        let opened = Release::open(&statement, component, Files { readme, license, wit });
        let (release, component) = opened.map_err(|error| refused(&error))?;
        Ok(Fetched { release, component })
    }

    /// A component that the store has; checked against its name.
    pub async fn component(&self, digest: Digest) -> Result<Vec<u8>, CatalogueError> {
        self.part(digest, COMPONENT_BYTES_MAX).await
    }

    async fn part(&self, digest: Digest, bytes_max: usize) -> Result<Vec<u8>, CatalogueError> {
        let again = "publish or deploy the package again";
        match parts::stored(&self.objects, digest, bytes_max).await.map_err(|error| CatalogueError::Bus(error.to_string()))? {
            Stored::Whole(bytes) => Ok(bytes),
            Stored::Nothing => Err(CatalogueError::Nothing(format!("{digest} is not in the store; {again}"))),
            Stored::Other => Err(CatalogueError::Nothing(format!(
                "the store holds something else as {digest}: it was damaged or replaced; {again}, which puts it right"
            ))),
        }
    }

    async fn text(&self, digest: Digest, bytes_max: usize) -> Result<String, CatalogueError> {
        let bytes = self.part(digest, bytes_max).await?;
        String::from_utf8(bytes).map_err(|_| CatalogueError::Refused(format!("{digest} is no text")))
    }

    async fn store(&self, bytes: &[u8]) -> Result<(), CatalogueError> {
        let kept = self.objects.keep(&object(Digest::of(bytes)), bytes).await;
        kept.map(drop).map_err(|error| CatalogueError::Bus(error.to_string()))
    }

    async fn submit(&self, submission: &Submission) -> Result<(), CatalogueError> {
        let payload = bytes::Bytes::from(submission.encode());
        let mut tried = 1;
        loop {
            match self.bus.request(SUBMIT_SUBJECT, payload.clone(), SUBMIT_TIMEOUT).await {
                Ok(_) => return Ok(()),
                Err(RequestError::NoResponders { .. }) if tried == 1 => return Err(CatalogueError::Nobody),
                // The node that took it may have been killed, with or without having written it down.
                Err(RequestError::NoResponders { .. } | RequestError::Timeout { .. } | RequestError::Disconnected { .. })
                    if tried < SUBMIT_TRIES =>
                {
                    tried += 1;
                    tokio::time::sleep(SUBMIT_PAUSE).await;
                }
                Err(error) => return Err(from_bus(error)),
            }
        }
    }

    async fn ask(&self, question: &Question) -> Result<Answer, CatalogueError> {
        let payload = serde_json::to_vec(question).expect("a question is plain data");
        let bytes = self.bus.request(ASK_SUBJECT, payload.into(), TIMEOUT).await.map_err(from_bus)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            CatalogueError::Bus(format!("its answer cannot be read ({error}); is that node of another version?"))
        })
    }
}

fn signed<T: Statement>(body: T, key: &Keypair) -> minicbor::bytes::ByteVec {
    Signed::new(body, key).bytes().to_vec().into()
}

fn unexpected(answer: Answer) -> CatalogueError {
    match answer {
        Answer::Nothing { reason } => CatalogueError::Nothing(reason),
        _ => CatalogueError::Bus("another answer than asked for; is that node of another version?".into()),
    }
}

fn from_bus(error: RequestError) -> CatalogueError {
    match error {
        RequestError::NoResponders { .. } => CatalogueError::Nobody,
        RequestError::ServiceError { message, .. } => CatalogueError::Refused(message),
        error => CatalogueError::Bus(error.to_string()),
    }
}
