//! Asking for a price before a call: the buyer's side of quotes.

use std::time::Duration;

use futures::future::join_all;
use hansa_bus::RequestError;
use hansa_economy::call::RefusalCode;
use hansa_economy::quote::{Quote, QuoteRequest};
use hansa_economy::{Amount, PublicKey, Signed};
use hansa_host::Fault;
use minicbor::bytes::ByteVec;

use crate::buyer::{Inner, Order};
use crate::exchange::pay_subject;
use crate::index::{Candidate, Listed, NoOffer, sort};
use crate::limits::{ENVELOPE_BYTES, QUOTE_WAIT, QUOTES_ASKED};
use crate::port::{PayReply, PayRequest};
use crate::proof;
use crate::seller::encode_sized;
use crate::terms::Terms;

/// A price that a seller named for one order, and what a call needs to go by it.
#[derive(Clone, Debug)]
pub struct HeldQuote {
    /// What the seller signed.
    pub quote: Signed<Quote>,
    pub(crate) salt: ByteVec,
}

impl Inner {
    /// The same candidates with the prices that sellers name on request: the first few of those are asked, all at once. Whoever
    /// names none in time, or one beyond the terms, is left out.
    pub(crate) async fn priced(&self, order: &Order, terms: &Terms, candidates: Vec<Candidate>) -> Result<Vec<Candidate>, Fault> {
        let (quoted, mut priced): (Vec<Candidate>, Vec<Candidate>) = candidates.into_iter().partition(Candidate::is_open);
        if quoted.is_empty() {
            return Ok(priced);
        }
        let asked = join_all(quoted.into_iter().take(QUOTES_ASKED).map(|candidate| self.ask(order, candidate))).await;
        let mut failure = None;
        for answer in asked {
            match answer {
                Ok(candidate) => priced.push(candidate),
                Err(fault) => failure = failure.or(Some(fault)),
            }
        }
        let cheapest = priced.iter().map(|candidate| candidate.price_max).min();
        priced.retain(|candidate| candidate.price_max <= terms.max_price);
        sort(&mut priced, terms.prefer);
        match (priced.is_empty(), cheapest, failure) {
            (false, ..) => Ok(priced),
            (true, None, Some(fault)) => Err(fault),
            (true, cheapest, _) => {
                let (cheapest, limit) = (cheapest.unwrap_or(Amount::ZERO), terms.max_price);
                Err(Fault::OverBudget(NoOffer::Price { cheapest, limit }.to_string()))
            }
        }
    }

    async fn ask(&self, order: &Order, candidate: Candidate) -> Result<Candidate, Fault> {
        let held = self.ask_seller(order, &candidate.listed).await?;
        Ok(candidate.at(held))
    }

    /// What is asked of this seller: the call under its own offer, with a salt for it alone.
    pub(crate) fn question(&self, order: &Order, listed: &Listed) -> QuoteRequest {
        QuoteRequest {
            offer: listed.digest,
            service: listed.offer.service.clone(),
            function: order.function.clone(),
            args: order.args.clone().into(),
            salt: self.exchange.ambient().bytes::<16>().to_vec().into(),
        }
    }

    async fn ask_seller(&self, order: &Order, listed: &Listed) -> Result<HeldQuote, Fault> {
        let asked = self.question(order, listed);
        let bytes = match self.say(listed, PayRequest::Quote(asked.clone()), QUOTE_WAIT).await {
            Ok(PayReply::Quoted(bytes)) => bytes,
            Ok(PayReply::NoQuote(refusal)) => return Err(no_quote(listed, refusal.code, &refusal.message)),
            Ok(_) => return Err(no_quote(listed, RefusalCode::Malformed, OTHER_ANSWER)),
            Err(unsaid) => return Err(no_quote(listed, RefusalCode::Overloaded, &unsaid.to_string())),
        };
        self.check_quote(&asked, listed, &bytes).map_err(|what| {
            self.exchange.distrust(listed.offer.agent);
            tracing::warn!(seller = %listed.offer.agent, %what, "a seller gave a false quote");
            Fault::SellerFailed(format!("{} on node {}: {what}", listed.offer.package, listed.offer.node_name))
        })
    }

    /// Say something on a seller's `pay` endpoint: straight where it lives on this node, else over the bus.
    pub(crate) async fn say(&self, listed: &Listed, request: PayRequest, wait: Duration) -> Result<PayReply, Unsaid> {
        let agent = listed.offer.agent;
        let said = async {
            match self.exchange.seller_here(&agent) {
                Some(seller) => Ok(seller.pay(request).await),
                None => self.say_over_the_bus(&agent, &request, wait).await,
            }
        };
        tokio::time::timeout(wait, said).await.unwrap_or(Err(Unsaid::Silent))
    }

    async fn say_over_the_bus(&self, agent: &PublicKey, request: &PayRequest, wait: Duration) -> Result<PayReply, Unsaid> {
        let payload = encode_sized(request, request.args_bytes() + ENVELOPE_BYTES).into();
        let answered = self.exchange.bus().request(&pay_subject(agent), payload, wait).await;
        let bytes = answered.map_err(|error| match error {
            RequestError::Timeout { .. } => Unsaid::Silent,
            RequestError::NoResponders { .. } => Unsaid::Lost("it is not there any more".into()),
            error => Unsaid::Lost(error.to_string()),
        })?;
        minicbor::decode(&bytes).map_err(|error| Unsaid::Lost(format!("its answer is none: {error}")))
    }

    fn check_quote(&self, asked: &QuoteRequest, listed: &Listed, bytes: &[u8]) -> Result<HeldQuote, String> {
        let quote = proof::check_quote(bytes, &listed.verifier, self.exchange.heads())
            .map_err(|error| format!("its quote is not valid: {error}"))?;
        let max = listed.offer.functions.get(&asked.function).map_or(Amount::ZERO, |price| price.max);
        if !quote.body.answers(asked, listed.offer.agent) {
            return Err("its quote is for another call".into());
        }
        if quote.body.price > max {
            return Err(format!("its quote of {} is above its offer's {max}", quote.body.price));
        }
        Ok(HeldQuote { quote, salt: asked.salt.clone() })
    }
}

/// What is said of an answer that is none to the question.
pub(crate) const OTHER_ANSWER: &str = "it answers something else";

/// Why a seller gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsaid {
    #[error("it does not answer in time")]
    Silent,
    #[error("{0}")]
    Lost(String),
}

fn no_quote(listed: &Listed, code: RefusalCode, message: &str) -> Fault {
    let message = format!("{} on node {} names no price: {message}", listed.offer.package, listed.offer.node_name);
    match code {
        RefusalCode::Arguments => Fault::InvalidInput(message),
        RefusalCode::Quote => Fault::Refused(message),
        _ => Fault::Unavailable(message),
    }
}
