//! Market imports: every function of an imported service becomes a purchase, from the component's own types.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime::component::{Accessor, Linker, LinkerInstance, Val};

use crate::{
    capability::market::{Fault, Market, Purchase},
    host::Crossing,
    program::{Function, Interface},
    raw::Import,
    state::State,
    wire::{FunctionSchema, values},
};

/// Links the functions of `imports`, which are all tradable.
pub(crate) fn services<'i>(
    linker: &mut Linker<State>,
    imports: impl Iterator<Item = &'i Interface>,
    crossing: Crossing,
) -> wasmtime::Result<()> {
    for import in imports {
        let mut instance = linker.instance(&import.name)?;
        for function in &import.functions {
            let item = Item { service: import.name.clone(), function: function.name.clone(), schema: function.schema.clone() };
            match crossing {
                Crossing::Direct => direct(&mut instance, function, item)?,
                Crossing::Values => dynamic(&mut instance, function, item)?,
            }
        }
    }
    Ok(())
}

/// What is bought by one import.
#[derive(Clone)]
struct Item {
    service: Arc<str>,
    function: Arc<str>,
    schema: Arc<FunctionSchema>,
}

impl Item {
    /// Buys; whatever goes wrong becomes a fault, as a failure inside an import would kill the instance.
    ///
    /// The purchase is a task of its own: its seller may be a guest of this process, and wasmtime forbids to run one
    /// store inside the poll of another.
    async fn buy(&self, market: Arc<dyn Market>, args: Bytes) -> Bytes {
        let Item { service, function, schema } = self.clone();
        let mut purchase = Task(tokio::spawn(async move { market.buy(Purchase { service, function, args, schema }).await }));
        let answer = (&mut purchase.0).await.unwrap_or_else(|error| {
            tracing::error!(service = &*self.service, %error, "a purchase broke");
            Err(Fault::Deadline("the buying side broke during the purchase; it may have had an effect".into()))
        });
        let fault = match answer {
            Ok(result) => match self.schema.validate_result(&result) {
                Ok(()) => return result,
                Err(error) => Fault::SellerFailed(format!(
                    "the answer of `{}`.`{}` is not of its declared type: {error}",
                    self.service, self.function
                )),
            },
            Err(fault) => fault,
        };
        fault.to_result()
    }

    async fn buy_values(&self, market: Arc<dyn Market>, params: &[Val], results: &mut [Val]) -> wasmtime::Result<()> {
        let args = values::encode_args(&self.schema, params)?;
        let result = self.buy(market, args.into()).await;
        Ok(values::decode_result(&self.schema, &result, results)?)
    }
}

/// A task that ends when nobody waits for it any more.
pub(crate) struct Task<T>(pub(crate) tokio::task::JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn market_of(accessor: &Accessor<State>) -> Arc<dyn Market> {
    accessor.with(|mut access| access.get().capabilities.market.clone())
}

fn direct(instance: &mut LinkerInstance<'_, State>, function: &Function, item: Item) -> wasmtime::Result<()> {
    if function.is_async {
        return instance.func_wrap_concurrent(&function.name, move |accessor: &Accessor<State>, args: Import| {
            let item = item.clone();
            Box::pin(async move {
                let market = market_of(accessor);
                Ok(Import::result(item.buy(market, args.bytes).await))
            })
        });
    }
    instance.func_wrap_async(&function.name, move |store, args: Import| {
        let (item, market) = (item.clone(), store.data().capabilities.market.clone());
        Box::new(async move { Ok(Import::result(item.buy(market, args.bytes).await)) })
    })
}

fn dynamic(instance: &mut LinkerInstance<'_, State>, function: &Function, item: Item) -> wasmtime::Result<()> {
    if function.is_async {
        return instance.func_new_concurrent(&function.name, move |accessor, _, params, results| {
            let item = item.clone();
            Box::pin(async move {
                let market = market_of(accessor);
                item.buy_values(market, params, results).await
            })
        });
    }
    instance.func_new_async(&function.name, move |store, _, params, results| {
        let (item, market) = (item.clone(), store.data().capabilities.market.clone());
        Box::new(async move { item.buy_values(market, params, results).await })
    })
}
