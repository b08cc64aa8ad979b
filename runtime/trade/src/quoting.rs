//! Naming a price before a call: the seller's side of quotes.

use std::time::Instant;

use hansa_economy::call::{CallRequest, Refusal, RefusalCode};
use hansa_economy::offer::{Offer, Price};
use hansa_economy::quote::{Quote, QuoteRequest, arguments_digest};
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
    let request = as_call(&asked);
    let offer = inner.offer(&request)?;
    let price = offer.functions.get(&asked.function).ok_or_else(|| not_sold(&request))?;
    if !price.quoted {
        let message = format!("the price of `{}` is in the offer; call it without a quote", asked.function);
        return Err(Refusal::new(RefusalCode::Quote, message));
    }
    inner.check_arguments(&request, &offer)?;
    let Ok(_place) = inner.quoting.try_acquire() else {
        return Err(overloaded());
    };
    let amount = asked_of_the_agent(inner, &asked, price).await?;
    let quote = Quote {
        offer: asked.offer,
        seller: inner.key.public(),
        arguments: arguments_digest(&asked.salt, &asked.args),
        service: asked.service,
        function: asked.function,
        price: amount,
        valid_until_ms: life_end(inner.exchange.now_ms(), &offer),
    };
    Ok(Signed::new(quote, &inner.key))
}

async fn asked_of_the_agent(inner: &Inner, asked: &QuoteRequest, price: &Price) -> Result<Amount, Refusal> {
    let deadline = Instant::now() + QUOTE_TIME_MAX;
    let (service, function) = (asked.service.clone(), asked.function.clone());
    let question = Asked { service, function, args: asked.args.0.clone(), deadline };
    let declined = |message: String| Refusal::new(RefusalCode::Quote, message);
    let named = tokio::time::timeout(QUOTE_TIME_MAX, inner.serve.price(question)).await;
    let amount = named.map_err(|_| declined(format!("no price came within {} ms", QUOTE_TIME_MAX.as_millis())))?;
    let amount = amount.map_err(declined)?;
    match amount <= price.max {
        true => Ok(amount),
        false => Err(declined(format!("this call would cost {amount}, above the offer's limit of {}", price.max))),
    }
}

fn life_end(now_ms: u64, offer: &Offer) -> u64 {
    offer.valid_until_ms.min(now_ms.saturating_add(QUOTE_LIFE.as_millis() as u64))
}

/// The call that it would be.
fn as_call(asked: &QuoteRequest) -> CallRequest {
    CallRequest {
        call: Digest::default(),
        service: asked.service.clone(),
        function: asked.function.clone(),
        args: asked.args.clone(),
        deadline_ms: u64::MAX,
        salt: asked.salt.clone(),
        offer: asked.offer,
        voucher: None,
        trace: None,
        quote: None,
    }
}

/// The quote that a call for a quoted price goes by; none where the offer itself tells the price.
pub(crate) fn accepted(inner: &Inner, request: &CallRequest, price: &Price) -> Result<Option<Signed<Quote>>, Refusal> {
    if !price.quoted {
        return Ok(None);
    }
    let wrong = |message: &str| Refusal::new(RefusalCode::Quote, message);
    let missing = || wrong("the price of this function is named on request; ask for a quote first");
    let bytes = request.quote.as_ref().ok_or_else(missing)?;
    let quote = proof::check_quote(bytes, &inner.verifier, inner.exchange.heads());
    let quote = quote.map_err(|error| wrong(&format!("the quote is not one of this seller: {error}")))?;
    match quote.body.covers(request, inner.exchange.now_ms()) {
        true => Ok(Some(quote)),
        false => Err(wrong("the quote is past its time, or for another call; ask for another")),
    }
}
