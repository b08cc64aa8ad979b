//! Which models there are, and how the list follows the folders.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::info::RefusedPackage;
use crate::model::Model;

/// The models that are lent.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) models: BTreeMap<String, Arc<Model>>,
    pub(crate) refused: Vec<RefusedPackage>,
    /// Not lent any more; they may still serve what waited for them.
    retired: Vec<Arc<Model>>,
}

/// How the list changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relisted {
    /// Models that are lent now, and were not, or as something else.
    pub added: Vec<String>,
    /// Models that are not lent any more.
    pub removed: Vec<String>,
}

impl Listing {
    /// Takes over what was found, keeps what is as it was, lets go what is gone.
    pub(crate) fn follow(&mut self, found: Vec<Result<Arc<Model>, RefusedPackage>>) -> Relisted {
        let mut before = std::mem::take(&mut self.models);
        let mut added = Vec::new();
        self.refused.clear();
        for model in found {
            let model = model.and_then(|model| self.unique(model));
            match model {
                Ok(model) => {
                    let name = model.package.manifest.name.clone();
                    let kept = before.get(&name).is_some_and(|old| old.is_of(&model));
                    let kept = if kept { before.remove(&name) } else { None };
                    if kept.is_none() {
                        added.push(name.clone());
                    }
                    self.models.insert(name, kept.unwrap_or(model));
                }
                Err(refused) => {
                    tracing::warn!(folder = %refused.folder.display(), reason = refused.reason, "model package refused");
                    self.refused.push(refused);
                }
            }
        }
        let removed = before.keys().filter(|name| !self.models.contains_key(*name)).cloned().collect();
        self.retired.retain(|model| !model.has_ended());
        before.values().for_each(|model| model.retire());
        self.retired.extend(before.into_values());
        Relisted { added, removed }
    }

    fn unique(&self, model: Arc<Model>) -> Result<Arc<Model>, RefusedPackage> {
        let name = &model.package.manifest.name;
        let Some(other) = self.models.get(name) else { return Ok(model) };
        let reason = format!("`{name}` is the name of the model in `{}` too; list only one of them", other.folder.display());
        Err(RefusedPackage { folder: model.folder.clone(), reason })
    }

    /// Also those that are only serving what waited.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.models.values().chain(&self.retired)
    }
}
