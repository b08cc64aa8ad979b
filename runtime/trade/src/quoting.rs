//! Naming a price before a call: the seller's side of quotes.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hansa_economy::call::{CallRequest, Refusal, RefusalCode};
use hansa_economy::offer::{Offer, Price};
use hansa_economy::quote::{BidIn, Quote, QuoteRequest, arguments_digest};
use hansa_economy::{Amount, Digest, Signed};

use crate::limits::{QUOTE_LIFE, QUOTE_TIME_MAX};
use crate::port::{Asked, PayReply};
use crate::proof;
use crate::seller::{Inner, not_sold, overloaded};

/// Answer a buyer who asks for a price.
pub(crate) async fn quote(inner: &Inner, asked: QuoteRequest) -> PayReply {
    match named(inner, asked).await {
        Ok(quote) => PayReply::Quoted(quote.bytes().to_vec().into()),
        Err(refusal) => PayReply::NoQuote(refusal),
    }
}

async fn named(inner: &Inner, asked: QuoteRequest) -> Result<Signed<Quote>, Refusal> {
    let question = Question::new(inner, asked)?;
    if !question.price.quoted {
        return Err(declined(format!("the price of `{}` is in the offer; call it without a quote", question.request.function)));
    }
    let asked = question.asked(QUOTE_TIME_MAX);
    let amount = question.said(inner.serve.price(asked), QUOTE_TIME_MAX).await?;
    question.check(amount)?;
    Ok(question.promise(amount, inner.exchange.now_ms().saturating_add(QUOTE_LIFE.as_millis() as u64), None))
}

/// A call that a price is worked out for, with the offer that it would be under.
pub(crate) struct Question<'a> {
    inner: &'a Inner,
    /// The call that it would be.
    pub(crate) request: CallRequest,
    pub(crate) offer: Arc<Offer>,
    pub(crate) price: Price,
}

impl<'a> Question<'a> {
    /// Refusal: it would not be served.
    pub(crate) fn new(inner: &'a Inner, asked: QuoteRequest) -> Result<Question<'a>, Refusal> {
        let request = as_call(asked);
        let offer = inner.offer(&request)?;
        let price = offer.functions.get(&request.function).ok_or_else(|| not_sold(&request))?.clone();
        inner.check_arguments(&request, &offer)?;
        Ok(Question { inner, request, offer, price })
    }
}

impl Question<'_> {
    /// As the agent gets it.
    pub(crate) fn asked(&self, time: Duration) -> Asked {
        let (service, function) = (self.request.service.clone(), self.request.function.clone());
        Asked { service, function, args: self.request.args.0.clone(), deadline: Instant::now() + time }
    }

    /// What the agent says, if there is room to ask it and it answers in time.
    pub(crate) async fn said<T>(&self, answer: impl Future<Output = Result<T, String>>, time: Duration) -> Result<T, Refusal> {
        let Ok(_place) = self.inner.quoting.try_acquire() else {
            return Err(overloaded());
        };
        let said = tokio::time::timeout(time, answer).await;
        said.map_err(|_| declined(format!("no price came within {} ms", time.as_millis())))?.map_err(declined)
    }

    /// The offer holds the agent to its limit.
    pub(crate) fn check(&self, amount: Amount) -> Result<(), Refusal> {
        match amount <= self.price.max {
            true => Ok(()),
            false => Err(declined(format!("this call would cost {amount}, above the offer's limit of {}", self.price.max))),
        }
    }

    /// The agent's word on it, until then or until the offer ends.
    pub(crate) fn promise(&self, price: Amount, until_ms: u64, bid: Option<BidIn>) -> Signed<Quote> {
        let quote = Quote {
            offer: self.request.offer,
            seller: self.inner.key.public(),
            arguments: arguments_digest(&self.request.salt, &self.request.args),
            service: self.request.service.clone(),
            function: self.request.function.clone(),
            price,
            valid_until_ms: self.offer.valid_until_ms.min(until_ms),
            bid,
        };
        Signed::new(quote, &self.inner.key)
    }
}

pub(crate) fn declined(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Quote, message)
}

fn as_call(asked: QuoteRequest) -> CallRequest {
    CallRequest {
        call: Digest::default(),
        service: asked.service,
        function: asked.function,
        args: asked.args,
        deadline_ms: u64::MAX,
        salt: asked.salt,
        offer: asked.offer,
        voucher: None,
        trace: None,
        quote: None,
        keep_s: None,
    }
}

/// The quote that a call goes by: needed where the price is named on request, else a bid in a tender; none where the offer itself tells the
/// price.
pub(crate) fn accepted(inner: &Inner, request: &CallRequest, price: &Price) -> Result<Option<Signed<Quote>>, Refusal> {
    let Some(bytes) = request.quote.as_ref() else {
        return match price.quoted {
            true => Err(declined("the price of this function is named on request; ask for a quote first")),
            false => Ok(None),
        };
    };
    let quote = proof::check_quote(bytes, &inner.verifier, inner.exchange.heads());
    let quote = quote.map_err(|error| declined(format!("the quote is not one of this seller: {error}")))?;
    match quote.body.covers(request, inner.exchange.now_ms()) {
        true => Ok(Some(quote)),
        false => Err(declined("the quote is past its time, or for another call; ask for another")),
    }
}
