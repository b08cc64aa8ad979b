//! Inference in numbers: what each model did, and for whom, in the OpenMetrics text format
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>), which Prometheus and its kin read.

use std::fmt;

use hansa_inference::{BATCH_ROWS_BOUNDS, Histogram, Inference, ModelMetrics, QUEUE_US_BOUNDS, TenantMetrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

/// The metrics of a node's models, as text.
pub fn open_metrics(inference: &Inference) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot(inference.clone())));
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a string does not fail");
    text
}

/// All models at one moment.
struct Snapshot(Inference);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

/// A counter: name, help, value.
type CounterOf<T> = (&'static str, &'static str, fn(&T) -> f64);

/// What of a model is a counter.
const OF_MODELS: [CounterOf<ModelMetrics>; 6] = [
    ("hansa_inference_runs", "Runs of the device", |model| model.runs as f64),
    ("hansa_inference_units", "Units that runs computed, without padding", |model| model.units as f64),
    ("hansa_inference_padded_units", "Units that runs computed, padding included", |model| model.padded_units as f64),
    ("hansa_inference_device_seconds", "Time in runs", |model| seconds(model.device_us)),
    ("hansa_inference_loads", "Times that the model was loaded", |model| model.loads as f64),
    ("hansa_inference_unloads", "Times that the model left memory", |model| model.unloads as f64),
];

/// What of a tenant is a counter.
const OF_TENANTS: [CounterOf<TenantMetrics>; 7] = [
    ("hansa_inference_requests", "Requests answered", |tenant| tenant.requests as f64),
    ("hansa_inference_refused", "Requests refused because the queue was full", |tenant| tenant.refused as f64),
    ("hansa_inference_failed", "Rows that failed", |tenant| tenant.failed as f64),
    ("hansa_inference_input_units", "Input units charged", |tenant| tenant.input_units as f64),
    ("hansa_inference_output_units", "Output units charged", |tenant| tenant.output_units as f64),
    ("hansa_inference_tenant_device_seconds", "Share of the time in runs", |tenant| seconds(tenant.device_us)),
    ("hansa_inference_charged_microcredits", "Charges", |tenant| tenant.cost as f64),
];

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let models = self.0.metrics();
        for (name, help, value) in OF_MODELS {
            let lines = models.iter().map(|(model, metrics)| (vec![("model", model.as_str())], value(metrics)));
            counters(&mut encoder, name, help, lines)?;
        }
        let all = || {
            models.iter().flat_map(|(model, metrics)| {
                let labels = |tenant| vec![("model", model.as_str()), ("tenant", tenant)];
                metrics.tenants.iter().map(move |(tenant, metrics)| (labels(tenant), metrics))
            })
        };
        for (name, help, value) in OF_TENANTS {
            counters(&mut encoder, name, help, all().map(|(labels, metrics)| (labels, value(metrics))))?;
        }
        let rows = models.iter().map(|(model, metrics)| (vec![("model", model.as_str())], metrics.batch_rows));
        histograms(&mut encoder, "hansa_inference_batch_rows", "Rows of runs", rows, BATCH_ROWS_BOUNDS, 1.0)?;
        let waits = all().map(|(labels, metrics)| (labels, metrics.queue_us));
        let help = "From admission to the start of a request's first row";
        histograms(&mut encoder, "hansa_inference_queue_seconds", help, waits, QUEUE_US_BOUNDS, 1e6)?;
        self.now(&mut encoder)
    }
}

impl Snapshot {
    /// What goes up and down.
    fn now(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let status = self.0.status();
        let queued = status.models.iter().map(|model| (vec![("model", model.name.as_str())], model.queued as f64));
        gauges(encoder, "hansa_inference_queue_rows", "Rows that wait", queued)?;
        let models = self.0.models();
        let on = models.iter().filter_map(|model| Some((model, model.provider.as_ref()?)));
        let shares = on.map(|(model, provider)| {
            (vec![("model", model.name.as_str()), ("provider", provider.name.as_str())], f64::from(provider.share))
        });
        gauges(encoder, "hansa_inference_provider_share", "Share of a loaded model's nodes on its provider", shares)?;
        let used = self.0.memory_used();
        let devices: Vec<String> = (0..used.len()).map(|device| device.to_string()).collect();
        let bytes = devices.iter().zip(&used).map(|(device, bytes)| (vec![("device", device.as_str())], *bytes as f64));
        gauges(encoder, "hansa_inference_memory_bytes", "Memory of loaded models", bytes)
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

fn counters<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    lines: impl Iterator<Item = (Labels<'a>, f64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in lines {
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
    }
    Ok(())
}

fn gauges<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    lines: impl Iterator<Item = (Labels<'a>, f64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in lines {
        metric.encode_family(&labels)?.encode_gauge(&value)?;
    }
    Ok(())
}

fn histograms<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    lines: impl Iterator<Item = (Labels<'a>, Histogram)>,
    bounds: [u64; 7],
    parts: f64,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (labels, histogram) in lines {
        let ends = bounds.iter().map(|bound| *bound as f64 / parts).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = ends.zip(histogram.counts).collect();
        let count = histogram.counts.iter().sum();
        metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(histogram.sum as f64 / parts, count, &buckets, None)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hansa_inference::InferenceOptions;

    use super::open_metrics;

    #[test]
    fn a_node_without_models_has_metrics_too() {
        let text = open_metrics(&hansa_inference::Inference::start(InferenceOptions::default()));
        assert!(text.contains("# TYPE hansa_inference_requests counter") && text.ends_with("# EOF\n"), "{text}");
    }
}
