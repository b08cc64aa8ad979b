//! Workflows that were deployed: their files, by name and version, in a bucket that all nodes of the business share.

use hansa_bus::{Bucket, BucketOptions, BucketStorage, Bus};
use hansa_catalogue::strict_toml::nearest;
use hansa_workflow::Workflow;
use serde::{Deserialize, Serialize};

use crate::ambient;

/// A deployed workflow.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Deployed {
    pub(crate) file: String,
    /// When this text was deployed, Unix milliseconds: its schedules start nothing that was due before.
    pub(crate) at_ms: u64,
}

/// The files. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files {
    bucket: Bucket,
}

impl Files {
    pub(crate) async fn open(bus: &Bus, business: &str) -> Result<Files, String> {
        let name = format!("hansa-workflows-{business}");
        let options = BucketOptions { name, max_age: None, history: 8, storage: BucketStorage::File };
        Ok(Files { bucket: bus.bucket(options).await.map_err(|error| error.to_string())? })
    }

    /// The file of a workflow, as it was deployed last.
    pub(crate) async fn newest(&self, name: &str) -> Result<String, String> {
        self.deployed(name).await.map(|deployed| deployed.file)
    }

    /// The same, with when that was.
    pub(crate) async fn deployed(&self, name: &str) -> Result<Deployed, String> {
        let found = self.bucket.get(&key(name)).await.map_err(|error| error.to_string())?;
        match found {
            Some(entry) => serde_json::from_slice(&entry.value).map_err(|error| format!("`{name}` cannot be read: {error}")),
            None => Err(self.unknown(name).await),
        }
    }

    async fn unknown(&self, name: &str) -> String {
        let known = self.names().await.unwrap_or_default();
        match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("no workflow `{name}` is deployed; did you mean `{near}`?"),
            None => format!("no workflow `{name}` is deployed; `hansa workflow deploy FILE` does that"),
        }
    }

    /// Names of all that are deployed.
    pub(crate) async fn names(&self) -> Result<Vec<String>, String> {
        let keys = self.bucket.keys().await.map_err(|error| error.to_string())?;
        let mut names: Vec<String> = keys.iter().map(|key| key.replacen('.', "/", 1)).collect();
        names.sort();
        Ok(names)
    }

    /// Deploy a file. An older version does not replace a newer one, nor another text the same version.
    pub(crate) async fn deploy(&self, file: &str, workflow: &Workflow) -> Result<(), String> {
        let name = workflow.name.as_str();
        if let Some(entry) = self.bucket.get(&key(name)).await.map_err(|error| error.to_string())?
            && let Ok(Deployed { file: text, .. }) = serde_json::from_slice(&entry.value)
            && let Ok(known) = Workflow::read(&text)
        {
            if text == file {
                return Ok(());
            }
            if known.version > workflow.version {
                return Err(format!("version {} of `{name}` is deployed, which is newer; raise `version`", known.version));
            }
            if known.version == workflow.version {
                return Err(format!("version {} of `{name}` is deployed with another text; raise `version`", known.version));
            }
        }
        let deployed = Deployed { file: file.to_owned(), at_ms: ambient::now_ms() };
        let bytes = serde_json::to_vec(&deployed).expect("plain data");
        self.bucket.put(&key(name), bytes.into()).await.map(drop).map_err(|error| error.to_string())
    }

    /// Take a workflow out: nothing starts it any more. Runs of it go on.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), String> {
        match self.bucket.get(&key(name)).await.map_err(|error| error.to_string())? {
            Some(_) => self.bucket.delete(&key(name)).await.map_err(|error| error.to_string()),
            None => Err(self.unknown(name).await),
        }
    }

    pub(crate) fn watch(&self) -> hansa_bus::BucketWatch {
        self.bucket.watch_all()
    }
}

/// Names hold one slash and no dot.
fn key(name: &str) -> String {
    name.replacen('/', ".", 1)
}
