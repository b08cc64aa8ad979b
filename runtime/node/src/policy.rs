//! What an agent gets: what its manifest asks ∩ what the operator grants. A refusal names the line that would grant it.

use hansa_catalogue::Manifest;
use hansa_catalogue::runs::covers;
use hansa_host::{CallLimits, Grants, Reuse};

use crate::config::Grant;

/// Bytes of linear memory that an instance may have without a grant.
const MEMORY_DEFAULT: u64 = 64 << 20;

/// What an agent was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// For the host.
    pub grants: Grants,
    /// Bytes of own state; none without.
    pub keyvalue_bytes: Option<u64>,
    /// Limits of one call.
    pub limits: CallLimits,
    /// Whether its instances serve one call after another, as its author chose.
    pub reuse: Option<Reuse>,
}

/// Intersect `manifest` with the operator's `policy`. Error: what is not granted, and the line in `node.toml` that would.
///
/// `installed` names the models that may serve this agent: of those that it can do without it gets the granted ones among them.
pub fn grant(manifest: &Manifest, policy: &[Grant], installed: &[String]) -> Result<Granted, String> {
    let name = manifest.agent.name.as_str();
    let ours: Vec<&Grant> = policy.iter().filter(|grant| grant.matches(name)).collect();
    let refuse = |what: &str, line: &str| {
        Err(format!(
            "{name} asks for {what}, which is not granted; grant it in node.toml:\n  [[grant]]\n  package = \"{name}\"\n  {line}"
        ))
    };
    let lends = |model: &str| ours.iter().any(|grant| grant.inference.iter().any(|granted| granted == "*" || granted == model));
    let inference = &manifest.capabilities.inference;
    for model in &inference.models {
        if !lends(model) {
            return refuse(&format!("the model `{model}`"), &format!("inference = [\"{model}\"]"));
        }
    }
    for service in manifest.buys.keys() {
        if !ours.iter().any(|grant| grant.buys.iter().any(|granted| granted == "*" || hansa_host::satisfies(service, granted))) {
            return refuse(&format!("buying `{service}`"), &format!("buys = [\"{service}\"]"));
        }
    }
    let keyvalue_bytes = manifest.capabilities.keyvalue.as_ref().map(|asked| asked.bytes_max.0);
    let granted = ours.iter().filter_map(|grant| grant.keyvalue).map(|bytes| bytes.0).max().unwrap_or(0);
    if let Some(asked) = keyvalue_bytes.filter(|asked| *asked > granted) {
        return refuse(&format!("{asked} bytes of state ({granted} are granted)"), &format!("keyvalue = \"{asked}B\""));
    }
    let memory_max = ours.iter().filter_map(|grant| grant.memory).map(|bytes| bytes.0).max().unwrap_or(MEMORY_DEFAULT);
    if manifest.limits.memory.0 > memory_max {
        return refuse(
            &format!("{} bytes of memory ({memory_max} are granted)", manifest.limits.memory.0),
            &format!("memory = \"{}B\"", manifest.limits.memory.0),
        );
    }
    let spends = manifest.capabilities.wallet.as_ref().map(|wallet| wallet.spend_per_day);
    let may_spend = ours.iter().filter_map(|grant| grant.spend_per_day).max().unwrap_or_default();
    if let Some(asked) = spends.filter(|asked| *asked > may_spend) {
        return refuse(&format!("spending {asked} a day ({may_spend} are granted)"), &format!("spend-per-day = \"{asked}\""));
    }
    let publishes = &manifest.capabilities.topics.publish;
    for topic in publishes.iter().chain(&manifest.runs.topics) {
        if !ours.iter().any(|grant| grant.topics.iter().any(|granted| covers(granted, topic))) {
            return refuse(&format!("the topic `{topic}`"), &format!("topics = [\"{topic}\"]"));
        }
    }
    let optional = inference.models_optional.iter().filter(|model| installed.contains(model) && lends(model));
    let grants = Grants {
        inference_models: inference.models.iter().chain(optional).cloned().collect(),
        inference_optional: !inference.models_optional.is_empty(),
        keyvalue: keyvalue_bytes.is_some(),
        wallet: spends.is_some(),
        topics: !publishes.is_empty(),
        market_imports: manifest.buys.keys().cloned().collect(),
        // Run-times of some languages import them and never use them; every use fails.
        closed_sockets: true,
    };
    let limits = CallLimits {
        memory_bytes_max: usize::try_from(manifest.limits.memory.0).unwrap_or(usize::MAX),
        cpu_ms_max: u64::try_from(manifest.limits.cpu_per_call.0.as_millis()).unwrap_or(u64::MAX),
        ..CallLimits::default()
    };
    let reuse = manifest.instance.serial().map(|(calls_max, age_max)| Reuse { calls_max, age_max });
    Ok(Granted { grants, keyvalue_bytes, limits, reuse })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hansa_catalogue::units::Bytes;
    use hansa_economy::Amount;

    fn manifest() -> Manifest {
        let text = "[agent]\nname = \"a/b\"\nversion = \"1.0.0\"\n[capabilities]\ninference.models = [\"minilm\"]\nkeyvalue.bytes-max = \"1MiB\"\nwallet.spend-per-day = \"1\"\ntopics.publish = [\"news.ships\"]\n[runs]\ntopics = [\"news.*\"]\n[buys.\"x:y/z@1.0.0\"]\n";
        Manifest::parse(text).unwrap()
    }

    fn policy() -> Grant {
        Grant {
            package: "a/*".into(),
            inference: vec!["minilm".into()],
            keyvalue: Some(Bytes(2 << 20)),
            buys: vec!["x:y/z".into()],
            memory: None,
            spend_per_day: Some(Amount::credits(2)),
            topics: vec!["news.>".into()],
        }
    }

    #[test]
    fn what_is_asked_and_granted_is_given() {
        let granted = grant(&manifest(), &[policy()], &[]).unwrap();
        assert_eq!(granted.grants.inference_models, ["minilm"]);
        assert_eq!(granted.keyvalue_bytes, Some(1 << 20));
    }

    #[test]
    fn a_model_it_can_do_without_is_given_where_it_is_installed_and_granted() {
        let text = "[agent]\nname = \"a/b\"\nversion = \"1.0.0\"\n[capabilities]\ninference.models-optional = [\"writer\"]\n";
        let manifest = Manifest::parse(text).unwrap();
        let writes = Grant { inference: vec!["writer".into()], ..policy() };
        let given = |policy: &Grant, installed: &[String]| {
            let grants = grant(&manifest, std::slice::from_ref(policy), installed).unwrap().grants;
            assert!(grants.inference_optional, "its imports are linked in any case");
            grants.inference_models
        };
        assert_eq!(given(&writes, &["minilm".into(), "writer".into()]), ["writer"]);
        assert!(given(&writes, &["minilm".into()]).is_empty(), "it is not installed");
        assert!(given(&policy(), &["writer".into()]).is_empty(), "it is not granted");
        assert!(!grant(&self::manifest(), &[policy()], &[]).unwrap().grants.inference_optional);
    }

    #[test]
    fn a_refusal_prints_the_line() {
        let without = |change: fn(&mut Grant)| {
            let mut policy = policy();
            change(&mut policy);
            grant(&manifest(), &[policy], &[]).unwrap_err()
        };
        assert!(without(|grant| grant.inference.clear()).contains("inference = [\"minilm\"]"));
        assert!(without(|grant| grant.buys.clear()).contains("buys = [\"x:y/z@1.0.0\"]"));
        assert!(without(|grant| grant.keyvalue = None).contains("keyvalue = \"1048576B\""));
        assert!(without(|grant| grant.spend_per_day = None).contains("spend-per-day = \"1.000000\""));
        assert!(without(|grant| grant.topics = vec!["news.*.x".into()]).contains("topics = [\"news.ships\"]"));
        assert!(without(|grant| grant.topics = vec!["news.ships".into()]).contains("topics = [\"news.*\"]"));
        assert!(without(|grant| grant.package = "c/*".into()).contains("package = \"a/b\""));
    }
}
