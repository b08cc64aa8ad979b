//! `hansa account …`: your account.

use clap::Subcommand;
use hansa_economy::Amount;
use hansa_economy::channel::AccountId;
use hansa_node::admin::Ask;
use hansa_node::counted;

use super::output::{json, line};
use super::{Context, Failure};

#[derive(Subcommand)]
#[command(after_help = "Examples:\n  hansa account show\n  hansa account fund 10\n  hansa account close")]
pub(crate) enum Command {
    /// Your key, your account and what it can spend. Made at the first use.
    Show,
    /// Issue new credits to an account, by the operator of the node that keeps the ledger.
    Fund {
        /// Credits.
        amount: Amount,
        /// The account. Default: yours.
        #[arg(long, value_name = "ACCOUNT")]
        to: Option<AccountId>,
        /// Why, for the books.
        #[arg(long, default_value = "funded by hand")]
        reference: String,
    },
    /// Close all your channels: what is left of their deposits returns to your account.
    Close,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show => show(context).await,
        Command::Fund { amount, to, reference } => fund(context, amount, to, reference).await,
        Command::Close => close(context).await,
    }
}

async fn show(context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let balance = client.balance().await.map_err(|error| error.to_string())?;
    let (key, account) = (client.key().public(), client.account());
    if context.json {
        json(&serde_json::json!({ "key": key, "account": account, "balance": balance, "asset": "CRED" }));
        return Ok(());
    }
    line(format!("key      {key}"));
    line(format!("account  {account}"));
    line(format!("balance  {balance} CRED"));
    Ok(())
}

async fn fund(context: &Context, amount: Amount, to: Option<AccountId>, reference: String) -> Result<(), Failure> {
    let to = match to {
        Some(to) => to,
        None => context.client().await?.account(),
    };
    context.ask(&Ask::Issue { to, amount, reference }).await?;
    if context.json {
        json(&serde_json::json!({ "account": to, "issued": amount }))
    } else {
        line(format!("issued {amount} CRED to {to}"))
    }
    Ok(())
}

async fn close(context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let closed = client.close().await;
    let balance = client.balance().await.map_err(|error| error.to_string())?;
    if context.json {
        json(&serde_json::json!({ "closed": closed, "balance": balance }))
    } else {
        line(format!("closed {}; balance {balance} CRED", counted(closed, "channel")))
    }
    Ok(())
}
