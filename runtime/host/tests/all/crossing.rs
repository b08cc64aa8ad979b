//! The fast path against the slow one: same bytes, value for value; and how fast they are.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use hansa_host::{Crossing, Prepared};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

use crate::{
    support::{BUYER, GREETER, Seller, agent, alone, call_bytes, host_of, trading},
    values::{everything, f32_json, f64_json, language, nested, schema, shape},
};

struct Pair {
    caller: Arc<Prepared>,
    greeter: Arc<Prepared>,
}

fn pair(crossing: Crossing) -> Pair {
    let host = host_of(crossing);
    Pair { caller: agent(&host, "caller"), greeter: agent(&host, "greeter") }
}

impl Pair {
    async fn echo(&self, function: &str, args: &Bytes) -> Bytes {
        call_bytes(&self.greeter, (GREETER, function), args.clone(), alone(), Duration::from_secs(20)).await.unwrap()
    }
    /// Through the caller's import and the greeter's export.
    async fn relay(&self, function: &str, args: &Bytes) -> Bytes {
        let market = trading(Seller(self.greeter.clone()));
        call_bytes(&self.caller, (BUYER, function), args.clone(), market, Duration::from_secs(20)).await.unwrap()
    }
}

/// Wire arguments of `function`, and the wire result that an echo of them must be.
fn wire(function: &str, args: Value, echo: Value) -> (Bytes, Bytes) {
    let schema = schema(function);
    let result = schema.result_from_json(&json!({"ok": echo})).unwrap();
    (schema.args_from_json(&args).unwrap().into(), result.into())
}

#[test]
fn both_paths_give_the_same_bytes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let (direct, values) = (pair(Crossing::Direct), pair(Crossing::Values));
    let small = (any::<(bool, i8, char)>(), f64_json(), nested(), shape(), language(), f32_json());
    let strategy = (vec(everything(), 0..3), small);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    runner
        .run(&strategy, |(list, (flat, double, nested, shape, language, single))| {
            runtime.block_on(async {
                for path in [&direct, &values] {
                    let (args, result) = wire("echo-list", json!([list]), json!(list));
                    prop_assert_eq!(&path.echo("echo-list", &args).await, &result);
                    prop_assert_eq!(&path.relay("relay", &args).await, &result);
                    prop_assert_eq!(&path.relay("relay-plain", &args).await, &result);
                    if let Some(value) = list.first() {
                        let (args, result) = wire("echo", json!([value]), value.clone());
                        prop_assert_eq!(&path.echo("echo", &args).await, &result);
                        prop_assert_eq!(&path.echo("echo-plain", &args).await, &result);
                    }
                    let items = json!([flat.0, flat.1, flat.2.to_string(), double, nested, shape, language]);
                    let (args, result) = wire("echo-small", items.clone(), items);
                    prop_assert_eq!(&path.echo("echo-small", &args).await, &result);
                    let (args, result) = wire("echo-shape", json!([shape, single]), json!([shape, single]));
                    prop_assert_eq!(&path.echo("echo-shape", &args).await, &result);
                }
                Ok(())
            })
        })
        .unwrap();
}

#[tokio::test]
async fn byte_and_float_lists_keep_every_bit() {
    for path in [pair(Crossing::Direct), pair(Crossing::Values)] {
        for size in [0, 1, 23, 24, 255, 256, 65_535, 65_536, 200_000] {
            let bytes: Vec<u8> = (0..size).map(|index: u32| index.wrapping_mul(2_654_435_761) as u8).collect();
            let mut args = vec![0x81];
            let mut item = match size {
                0..=23 => vec![0x40 | size as u8],
                24..=255 => vec![0x58, size as u8],
                256..=65_535 => [&[0x59][..], &(size as u16).to_be_bytes()].concat(),
                _ => [&[0x5a][..], &size.to_be_bytes()].concat(),
            };
            item.extend_from_slice(&bytes);
            args.extend_from_slice(&item);
            let result = [&[0x82, 0][..], &item].concat();
            assert_eq!(path.echo("echo-bytes", &args.clone().into()).await, result, "{size}");
            assert_eq!(path.relay("relay-bytes", &args.into()).await, result, "{size}");
        }
        // NaNs with a payload among the floats.
        let floats = [0x7fc0_0001_u32, 0xffff_ffff, 0x3f80_0000, 0x8000_0000, 0x0000_0001];
        let data: Vec<u8> = floats.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let item = [&[0xd8, 0x55, 0x54][..], &data].concat();
        let args: Bytes = [&[0x81][..], &item].concat().into();
        assert_eq!(path.echo("echo-floats", &args).await, [&[0x82, 0][..], &item].concat());
    }
}

/// Not a test of the code but a measurement: `cargo nextest run --release --run-ignored only --no-capture speed`.
#[tokio::test]
#[ignore = "a measurement; run it alone on a release build"]
async fn speed() {
    for crossing in [Crossing::Direct, Crossing::Values] {
        let pair = pair(crossing);
        let small: Bytes = schema("nothing").args_from_json(&json!({})).unwrap().into();
        let big: Bytes = [&[0x81, 0x5a, 0, 1, 0, 0][..], &vec![7; 65_536]].concat().into();
        for (name, args, rounds) in [("nothing", &small, 4000), ("echo-bytes", &big, 400)] {
            let mut times = Vec::new();
            for _ in 0..rounds {
                let begun = Instant::now();
                pair.echo(name, args).await;
                times.push(begun.elapsed());
            }
            times.sort();
            println!("{crossing:?} {name}: p50 {:?}, p99 {:?}", times[rounds / 2], times[rounds * 99 / 100]);
        }
    }
}
