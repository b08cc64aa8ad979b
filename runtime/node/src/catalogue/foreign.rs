//! Packages that go to other buses and come from there: taken into the catalogue under their publisher's own signature.
//!
//! A name belongs to whoever claimed it first, and each bus has its own order. So a package from elsewhere brings the records of its
//! publisher's name along. Where the name is claimed here by another, nothing is taken under it; where nobody has claimed it, somebody
//! has to say whose it is, as nothing here can tell a publisher from one who only says so. And then all its records have to be that
//! owner's own: whoever else had the name before could have kept a second key, and take the name back.

use hansa_catalogue::names::NameChain;
use hansa_economy::PublicKey;
use hansa_registry::Parcel;

use super::link::{CatalogueError, CatalogueLink};

impl CatalogueLink {
    /// A published release with all that is needed to use it elsewhere. `wish`: `acme/translator@1`.
    pub async fn parcel(&self, wish: &str) -> Result<Parcel, CatalogueError> {
        let fetched = self.fetch(&self.package(wish).await?).await?;
        let name = self.name_chain(fetched.release.name.publisher()).await?;
        Ok(Parcel { release: fetched.release, component: fetched.component, name })
    }

    /// Publish a release from elsewhere here. `owner`: whose the publisher's name is, as the caller knows by another way; needed where
    /// nobody has claimed it here. Returns whether the name is new here.
    pub async fn take_over(&self, parcel: &Parcel, owner: Option<PublicKey>) -> Result<bool, CatalogueError> {
        let publisher = parcel.release.name.publisher();
        let here = self.name_chain(publisher).await?;
        entitled(publisher, parcel.name.as_ref(), here.as_ref(), owner).map_err(CatalogueError::Refused)?;
        if let Some(owner) = owner.filter(|owner| *owner != parcel.release.signer()) {
            let signer = parcel.release.signer();
            return Err(CatalogueError::Refused(format!("the package is signed by {signer}, not by {owner}; do not use it")));
        }
        if let Some(chain) = &parcel.name {
            self.bring_name(chain).await?;
        }
        self.publish(&parcel.release, &parcel.component).await?;
        Ok(here.is_none())
    }
}

/// May a package of `publisher` be taken that comes with the records `brought`, where those `here` count? Error: why not, and what to do.
fn entitled(
    publisher: &str,
    brought: Option<&NameChain>,
    here: Option<&NameChain>,
    owner: Option<PublicKey>,
) -> Result<(), String> {
    let aside = "`--to FOLDER` only writes its files";
    let (brought, here) = match (brought, here) {
        (None, None) => {
            return Err(format!(
                "nobody on this bus has claimed `{publisher}`, and the package does not say whose it is; its publisher should push it again; {aside}"
            ));
        }
        (None, Some(here)) => (here, here),
        (Some(brought), None) => {
            let told = brought.state().owner;
            let others = brought.records().iter().any(|record| record.signer != told);
            return match owner {
                Some(owner) if owner == told && others => Err(format!(
                    "`{publisher}` has had other owners than {owner}, who may be able to take it back; its owner should claim it on this bus; {aside}"
                )),
                Some(owner) if owner == told => Ok(()),
                Some(owner) => Err(format!("by the package `{publisher}` belongs to {told}, not to {owner}; do not use it")),
                None => Err(format!(
                    "nobody on this bus has claimed `{publisher}`; by the package it belongs to {told}. Ask the publisher by another way \
                     whether that is their key, then pull again with `--owner {told}`; {aside}"
                )),
            };
        }
        (Some(brought), Some(here)) => (brought, here),
    };
    let (first, ours) = (&brought.records()[0], &here.records()[0]);
    if first.digest() != ours.digest() {
        return Err(format!(
            "`{publisher}` belongs to {} on this bus, and to {} where the package comes from: two publishers of one name, and nothing of the \
             other is taken under it here; {aside}",
            here.state().owner,
            brought.state().owner
        ));
    }
    let longer = if brought.state().seq > here.state().seq { brought } else { here };
    match owner {
        Some(owner) if owner != longer.state().owner => Err(format!(
            "`{publisher}` belongs to {}, not to {owner}; leave `--owner` out if that is right",
            longer.state().owner
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use hansa_catalogue::names::{NameChange, NameRecord};
    use hansa_economy::{Keypair, Signed};

    use super::*;

    fn key(seed: u8) -> Keypair {
        Keypair::from_seed(&[seed; 32])
    }

    fn claimed(by: u8) -> NameChain {
        let change = NameChange::Claim { owner: key(by).public(), recovery: None };
        let record = NameRecord { name: "acme".into(), seq: 0, previous: None, change, signed_ms: 1 };
        NameChain::begin(Signed::new(record, &key(by))).unwrap_or_else(|error| panic!("{error}"))
    }

    fn passed_on(mut chain: NameChain, from: u8, to: u8) -> NameChain {
        let change = NameChange::Transfer { owner: key(to).public() };
        let (seq, previous) = (chain.state().seq + 1, Some(chain.state().head));
        let record = NameRecord { name: "acme".into(), seq, previous, change, signed_ms: 2 };
        chain.push(Signed::new(record, &key(from))).unwrap_or_else(|error| panic!("{error}"));
        chain
    }

    #[test]
    fn a_name_from_elsewhere_is_taken_only_where_it_is_known_whose_it_is() {
        let (ann, bob) = (claimed(1), claimed(2));
        let may = |brought: Option<&NameChain>, here: Option<&NameChain>, owner: Option<u8>| {
            entitled("acme", brought, here, owner.map(|seed| key(seed).public())).err().unwrap_or_default()
        };
        assert!(may(None, None, None).contains("does not say whose it is"));
        assert!(may(Some(&ann), None, None).contains(&format!("--owner {}", key(1).public())));
        assert!(may(Some(&ann), None, Some(2)).contains("do not use it"));
        assert_eq!(may(Some(&ann), None, Some(1)), "");
        assert_eq!(may(Some(&ann), Some(&ann), None), "");
        assert_eq!(may(None, Some(&ann), None), "", "the catalogue compares the signer with the owner");
        assert!(may(Some(&bob), Some(&ann), None).contains("two publishers of one name"));
        assert!(may(Some(&bob), Some(&ann), Some(2)).contains("two publishers of one name"), "not even on request");
        let later = passed_on(ann.clone(), 1, 3);
        assert!(may(Some(&later), None, Some(3)).contains("other owners"), "whoever claimed it may have kept a second key");
        assert_eq!(may(Some(&later), Some(&ann), Some(3)), "");
        assert!(may(Some(&later), Some(&ann), Some(1)).contains("leave `--owner` out"));
        assert_eq!(may(Some(&ann), Some(&later), Some(3)), "");
    }
}
