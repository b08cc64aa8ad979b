//! What the parts of a call cost by themselves, in one thread: instances, envelopes, signatures.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use hansa_economy::call::{CallReply, CallRequest, response_digest};
use hansa_economy::channel::{AccountId, ChannelTerms, LaneDebit, Voucher};
use hansa_economy::receipt::{Ending, Receipt};
use hansa_economy::{Amount, Digest, Keypair, Signed};
use hansa_host::{AgentIdentity, AgentSpec, CallLimits, Capabilities, Grants, Host, HostOptions, Invocation};
use serde::{Deserialize, Serialize};

use crate::agents::ECHO_SERVICE;
use crate::load::quantile_us;

/// Repetitions of each part.
const TIMES: usize = 4000;

/// Medians, microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Parts {
    /// A fresh instance, one call with 64 bytes, its drop.
    pub(crate) fresh_call_us: f64,
    /// 99 of 100 of the same.
    pub(crate) fresh_call_p99_us: f64,
    /// The instance alone.
    pub(crate) instantiate_us: f64,
    /// Request and reply written as CBOR.
    pub(crate) encode_us: f64,
    /// And read.
    pub(crate) decode_us: f64,
    /// One voucher and one receipt signed.
    pub(crate) sign_us: f64,
    /// One voucher and one receipt verified.
    pub(crate) verify_us: f64,
    /// Bytes of the request's envelope.
    pub(crate) request_bytes: usize,
    /// Bytes of the reply's.
    pub(crate) reply_bytes: usize,
}

/// Measure all parts with an echo of `bytes` bytes by `component`.
pub(crate) async fn measure(component: &Path, bytes: usize) -> anyhow::Result<Parts> {
    let mut parts = envelopes(&vec![7; bytes])?;
    let calls = fresh_calls(component, bytes).await?;
    (parts.fresh_call_us, parts.fresh_call_p99_us, parts.instantiate_us) = calls;
    Ok(parts)
}

async fn fresh_calls(component: &Path, bytes: usize) -> anyhow::Result<(f64, f64, f64)> {
    let host = Host::new(HostOptions::default())?;
    let program = host.compile(&std::fs::read(component)?)?;
    let text = || "bench".to_owned();
    let identity = AgentIdentity { agent: text(), name: text(), version: text(), node: text() };
    let prepared =
        host.prepare(&program, AgentSpec { identity, grants: Grants::default(), limits: CallLimits::default(), reuse: None })?;
    let mut args = minicbor::Encoder::new(Vec::new());
    args.array(1)?.bytes(&vec![7; bytes])?;
    let args = bytes::Bytes::from(args.into_writer());
    let (mut whole, mut instantiate) = (Vec::with_capacity(TIMES), Vec::with_capacity(TIMES));
    for _ in 0..TIMES {
        let invocation = Invocation {
            interface: ECHO_SERVICE.to_owned(),
            function: "echo-bytes".to_owned(),
            args: args.clone(),
            deadline: Instant::now() + Duration::from_secs(10),
            capabilities: Capabilities::absent(),
        };
        let begun = Instant::now();
        let outcome = prepared.call(invocation).await;
        whole.push(u64::try_from(begun.elapsed().as_nanos())?);
        instantiate.push(outcome.timings.instantiate_ns);
        outcome.result.map_err(|failure| anyhow::anyhow!("{failure}")).context("the echo broke")?;
    }
    whole.sort_unstable();
    instantiate.sort_unstable();
    Ok((quantile_us(&whole, 50), quantile_us(&whole, 99), quantile_us(&instantiate, 50)))
}

/// The signed statements of one call, as buyer and seller make them.
struct Statements {
    buyer: Keypair,
    seller: Keypair,
    voucher: Voucher,
    receipt: Receipt,
    request: CallRequest,
}

fn statements(argument: &[u8]) -> Statements {
    let (buyer, seller) = (Keypair::from_seed(&[1; 32]), Keypair::from_seed(&[2; 32]));
    let (some, price) = (Digest::of(b"some"), Amount(10));
    let terms = ChannelTerms {
        ledger: some,
        payer: AccountId(some.to_u128()),
        payer_key: buyer.public(),
        payee: AccountId(some.to_u128() + 1),
        payee_key: seller.public(),
        asset: 1,
        grace_s: 60,
        nonce: 7,
        shares: vec![],
    };
    let request = CallRequest {
        call: some,
        service: ECHO_SERVICE.to_owned(),
        function: "echo-bytes".to_owned(),
        args: argument.to_vec().into(),
        deadline_ms: 1_700_000_000_000,
        salt: vec![3; 16].into(),
        offer: some,
        voucher: None,
        trace: None,
        quote: None,
        keep_s: None,
    };
    let debit = LaneDebit { seq: 1000, last_receipt: Some(some), ..LaneDebit::default() };
    let voucher = debit.next(&terms, terms.id(), 3, price, Some((some, request.digest())));
    let receipt = receipt(&voucher, &request, &buyer, &seller);
    Statements { buyer, seller, voucher, receipt, request }
}

fn receipt(voucher: &Voucher, request: &CallRequest, buyer: &Keypair, seller: &Keypair) -> Receipt {
    Receipt {
        call: request.call,
        service: request.service.clone(),
        function: request.function.clone(),
        offer: request.offer,
        channel: voucher.channel,
        lane: voucher.lane,
        seq: voucher.seq,
        prev_receipt: voucher.prev_receipt,
        buyer: buyer.public(),
        seller: seller.public(),
        node: seller.public(),
        package: "bench/echo@0.1.0".to_owned(),
        component: request.offer,
        models: Vec::new(),
        request: request.digest(),
        ending: Ending::Answered(response_digest(&request.salt, &request.args)),
        price_max: Amount(10),
        charged: Amount(10),
        cumulative: Amount(10_000),
        started_ms: request.deadline_ms,
        finished_ms: request.deadline_ms,
        children: Vec::new(),
        metered: None,
    }
}

fn envelopes(argument: &[u8]) -> anyhow::Result<Parts> {
    let Statements { buyer, seller, voucher, receipt, mut request } = statements(argument);
    let (by_buyer, by_seller) = (buyer.verifier(), seller.verifier());
    let vouched = Signed::new(voucher.clone(), &buyer);
    let receipted = Signed::new(receipt.clone(), &seller);
    let sign = || (Signed::new(voucher.clone(), &buyer), Signed::new(receipt.clone(), &seller));
    let verify = || {
        let voucher = Signed::<Voucher>::open_by(vouched.bytes(), &by_buyer);
        let receipt = Signed::<Receipt>::open_by(receipted.bytes(), &by_seller);
        voucher.is_ok() && receipt.is_ok()
    };
    request.voucher = Some(vouched.bytes().to_vec().into());
    let reply = <CallReply>::Answered(argument.to_vec().into(), Some(receipted.bytes().to_vec().into()));
    let encode = || Ok::<_, anyhow::Error>((minicbor::to_vec(&request)?, minicbor::to_vec(&reply)?));
    let (sent, answered) = encode()?;
    let decode = || minicbor::decode::<CallRequest>(&sent).is_ok() && minicbor::decode::<CallReply>(&answered).is_ok();
    anyhow::ensure!(verify() && decode(), "the statements of a call do not read back");
    Ok(Parts {
        encode_us: median_us(encode),
        decode_us: median_us(decode),
        sign_us: median_us(sign),
        verify_us: median_us(verify),
        request_bytes: sent.len(),
        reply_bytes: answered.len(),
        ..Parts::default()
    })
}

fn median_us<T>(mut part: impl FnMut() -> T) -> f64 {
    let once = |_| {
        let begun = Instant::now();
        black_box(part());
        u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
    };
    let mut took: Vec<u64> = (0..TIMES).map(once).collect();
    took.sort_unstable();
    quantile_us(&took, 50)
}
