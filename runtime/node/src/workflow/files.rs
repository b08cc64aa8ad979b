//! Workflows that were deployed: their files, by name and version, in a bucket that all nodes of the business share.

use hansa_bus::{Bucket, BucketOptions, BucketStorage, Bus};
use hansa_catalogue::strict_toml::nearest;
use hansa_workflow::Workflow;

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
        let found = self.bucket.get(&key(name)).await.map_err(|error| error.to_string())?;
        match found {
            Some(entry) => String::from_utf8(entry.value.to_vec()).map_err(|error| error.to_string()),
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
        if let Some(known) = self.bucket.get(&key(name)).await.map_err(|error| error.to_string())?
            && let Ok(text) = std::str::from_utf8(&known.value)
            && let Ok(known) = Workflow::read(text)
        {
            if known.version > workflow.version {
                return Err(format!("version {} of `{name}` is deployed, which is newer; raise `version`", known.version));
            }
            if known.version == workflow.version && text != file {
                return Err(format!("version {} of `{name}` is deployed with another text; raise `version`", known.version));
            }
        }
        self.bucket.put(&key(name), file.to_owned().into()).await.map(drop).map_err(|error| error.to_string())
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
