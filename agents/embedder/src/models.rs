//! Which of the node's models does what.

use hansa_sdk::inference::{ModelInfo, Task};

/// As `inference.models` of `agent.toml` names it.
pub const EMBEDS: &str = "minilm";

/// The name of the model that ranks: the first granted one that reads query and document together, else the one that embeds.
#[must_use]
pub fn ranks(granted: &[ModelInfo]) -> &str {
    let reads_both = granted.iter().find(|info| info.tasks.contains(&Task::Rerank));
    reads_both.map_or(EMBEDS, |info| &info.model.name)
}

#[cfg(test)]
mod tests {
    use super::ranks;
    use hansa_sdk::inference::{DeviceClass, ModelInfo, ModelRef, Task};

    fn model(name: &str, task: Task) -> ModelInfo {
        ModelInfo {
            model: ModelRef { name: name.into(), version: "1".into(), manifest: vec![] },
            license: "Apache-2.0".into(),
            tasks: vec![task, Task::Raw],
            inputs: vec![],
            outputs: vec![],
            device: DeviceClass::Cpu,
            provider: "CPUExecutionProvider".into(),
            provider_share: 1.0,
            max_batch: 8,
            max_tokens: Some(256),
            loaded: true,
        }
    }

    #[test]
    fn a_model_that_reads_query_and_document_together_is_better() {
        assert_eq!(ranks(&[model("minilm", Task::Embed)]), "minilm");
        assert_eq!(ranks(&[model("minilm", Task::Embed), model("reranker", Task::Rerank)]), "reranker");
    }
}
