//! Files that are read already: runs of one file share what was made of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use hansa_economy::Digest;
use hansa_workflow::Problem;
use hansa_workflow::run::Plan;

/// From so many files on, those that no run holds are forgotten.
const FILES_MANY: usize = 256;

/// Plans that runs hold.
#[derive(Default)]
pub(crate) struct Plans {
    known: Mutex<HashMap<Digest, Weak<Plan>>>,
}

impl Plans {
    /// The plan of a file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn of(&self, file: &str) -> Result<Arc<Plan>, Vec<Problem>> {
        let digest = Digest::of(file.as_bytes());
        if let Some(plan) = self.known.lock().expect("no panic while plans are locked").get(&digest).and_then(Weak::upgrade) {
            return Ok(plan);
        }
        let plan = Arc::new(Plan::new(file)?);
        let mut known = self.known.lock().expect("no panic while plans are locked");
        if known.len() >= FILES_MANY {
            known.retain(|_, plan| plan.strong_count() > 0);
        }
        known.insert(digest, Arc::downgrade(&plan));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_file_share_its_plan() {
        let file = |nth: usize| format!("workflow: a/b\nversion: 1.0.{nth}\nbudget: 0\nsteps: [{{ id: a, set: 1 }}]\n");
        let plans = Plans::default();
        let first = plans.of(&file(0)).unwrap();
        assert!(Arc::ptr_eq(&first, &plans.of(&file(0)).unwrap()));
        assert!(plans.of("workflow: a").is_err());
        (1..2 * FILES_MANY).for_each(|nth| drop(plans.of(&file(nth)).unwrap()));
        assert!(plans.known.lock().unwrap().len() <= FILES_MANY, "what nobody holds is forgotten");
        assert!(Arc::ptr_eq(&first, &plans.of(&file(0)).unwrap()));
    }
}
