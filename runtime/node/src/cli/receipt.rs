//! `hansa receipt …`: who did what, with what, for how much.

use std::path::PathBuf;

use clap::Subcommand;
use hansa_economy::receipt::{Ending, Metered, Receipt};
use hansa_economy::{Digest, Signed};
use hansa_node::admin::{Ask, Reply};
use hansa_node::{counted, tree};

use super::output::{json, line, note, table};
use super::{Context, Failure};

/// Digits of a digest that are enough to name a receipt by.
const DIGITS_MIN: usize = 6;
/// Receipts in which a shortened digest is looked for, the newest.
const RECEIPTS_SEARCHED: usize = 10_000;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  hansa receipt list\n  hansa receipt tree last\n  hansa receipt show 3fa9c2 --save answer.receipt\n  hansa receipt verify answer.receipt"
)]
pub(crate) enum Command {
    /// Your newest receipts.
    List {
        /// How many.
        #[arg(long, default_value_t = 20)]
        count: usize,
    },
    /// One receipt.
    Show {
        /// Its digest; of one of yours the first digits, at least six; or `last`, your newest.
        digest: String,
        /// Also write the signed receipt to this file.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Verify a receipt file: the signature and what it says. Needs no node and no bus.
    Verify {
        /// The file.
        file: PathBuf,
    },
    /// The receipts below one answer: what was bought to make it, down to the models.
    Tree {
        /// Digest of the answer's receipt; of one of yours the first digits, at least six; or `last`, your newest.
        digest: String,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { count } => list(context, count).await,
        Command::Show { digest, save } => show(context, &digest, save).await,
        Command::Verify { file } => verify(context, &file),
        Command::Tree { digest } => print_tree(context, &digest).await,
    }
}

async fn list(context: &Context, count: usize) -> Result<(), Failure> {
    let client = context.client().await?;
    let receipts = own(&client, count)?;
    if context.json {
        receipts.iter().for_each(|signed| json(&serde_json::json!({ "digest": signed.digest(), "receipt": signed.body })));
        return Ok(());
    }
    if receipts.is_empty() {
        note("no receipts yet; buy something: hansa service search, then hansa service call");
        return Ok(());
    }
    let row = |signed: &Signed<Receipt>| {
        let body = &signed.body;
        vec![signed.digest().short(), body.service.clone(), body.function.clone(), body.charged.to_string(), body.package.clone()]
    };
    table(&["RECEIPT", "SERVICE", "FUNCTION", "CHARGED", "BY"], &receipts.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

pub(super) fn own(client: &hansa_node::Client, count: usize) -> Result<Vec<Signed<Receipt>>, Failure> {
    let stored = client.exchange().books().receipts(count).map_err(|error| error.to_string())?;
    stored.iter().map(|bytes| Signed::open(bytes).map_err(|error| error.to_string())).collect()
}

/// A whole digest, the newest of our receipts, or the one of ours or of our node's that begins so.
async fn find(context: &Context, client: &hansa_node::Client, text: &str) -> Result<Digest, Failure> {
    if let Ok(digest) = text.parse() {
        return Ok(digest);
    }
    if text == "last" {
        let newest = own(client, 1)?.first().map(Signed::digest);
        return newest.ok_or_else(|| "you have no receipts yet; buy something: `hansa service search`".to_owned());
    }
    let digits = text.trim_end_matches('…').to_ascii_lowercase();
    if digits.len() < DIGITS_MIN || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("`{text}` names no receipt; write `last`, or at least {DIGITS_MIN} digits of `hansa receipt list`"));
    }
    let mut known: Vec<Digest> = own(client, RECEIPTS_SEARCHED)?.iter().map(Signed::digest).collect();
    // Runs of workflows are paid by the node, which keeps their receipts.
    if let Ok(Reply::Receipts { digests }) = context.ask(&Ask::Receipts { begins: digits.clone() }).await {
        known.extend(digests);
    }
    known.sort_unstable();
    known.dedup();
    begins(&digits, known.into_iter())
}

/// The only one of `digests` that begins with `digits`.
fn begins(digits: &str, digests: impl Iterator<Item = Digest>) -> Result<Digest, Failure> {
    let found: Vec<Digest> = digests.filter(|digest| digest.to_string().starts_with(digits)).collect();
    match found[..] {
        [digest] => Ok(digest),
        [] => Err(format!(
            "none of your receipts begins with `{digits}`; see `hansa receipt list` and `hansa workflow show`, or give all 64 digits"
        )),
        _ => {
            let all: Vec<String> = found.iter().map(|digest| format!("\n  {digest}")).collect();
            Err(format!("several of your receipts begin with `{digits}`; give more digits of one of them:{}", all.concat()))
        }
    }
}

async fn show(context: &Context, text: &str, save: Option<PathBuf>) -> Result<(), Failure> {
    let client = context.client().await?;
    let digest = find(context, &client, text).await?;
    let found = client.receipt(digest).await.map_err(|error| error.to_string())?;
    let signed = found.ok_or_else(|| format!("nobody on the bus has the receipt {digest}"))?;
    if let Some(file) = save {
        std::fs::write(&file, signed.bytes()).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    print(context, &signed);
    Ok(())
}

fn verify(context: &Context, file: &PathBuf) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let signed =
        Signed::<Receipt>::open(&bytes).map_err(|error| format!("{} is not a valid receipt: {error}", file.display()))?;
    if signed.signer != signed.body.seller {
        return Err(format!("{} is signed by {}, but speaks for {}", file.display(), signed.signer, signed.body.seller));
    }
    print(context, &signed);
    if !context.json {
        line("the signature is the seller's, over exactly this");
    }
    Ok(())
}

fn print(context: &Context, signed: &Signed<Receipt>) {
    let body = &signed.body;
    if context.json {
        return json(&serde_json::json!({ "digest": signed.digest(), "signer": signed.signer, "receipt": body }));
    }
    line(format!("receipt    {}", signed.digest()));
    line(format!("service    {} {}", body.service, body.function));
    line(format!("seller     {} ({})", body.seller, body.package));
    line(format!("node       {}", body.node));
    line(format!("buyer      {}", body.buyer));
    line(format!("component  {}", body.component));
    for run in &body.models {
        line(format!("model      {} {} ({})", run.model, run.manifest, counted(run.input_units, "unit")));
    }
    line(format!("charged    {} of at most {}{}", body.charged, body.price_max, basis(body.metered.as_ref())));
    line(format!("paid from  channel {} lane {} voucher {}", body.channel, body.lane, body.seq));
    match body.ending {
        Ending::Answered(digest) => line(format!("answer     {digest} (salted digest)")),
        Ending::Faulted(_) => line("answer     none: the call failed and cost nothing"),
    }
    body.children.iter().for_each(|child| line(format!("below it   {child}")));
}

/// What a charge was computed from, beyond sizes.
fn basis(metered: Option<&Metered>) -> String {
    let Some(metered) = metered else { return String::new() };
    let parts = [
        metered.free.then(|| format!("a free call, after {}", counted(metered.calls_before, "other"))),
        metered.quote.map(|quote| format!("by quote {}", quote.short())),
        (metered.items > 0).then(|| counted(metered.items, "item")),
        (metered.inference_units > 0).then(|| counted(metered.inference_units, "inference unit")),
        (metered.run_ms > 0).then(|| format!("{} ms", metered.run_ms)),
    ];
    format!(" ({})", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

async fn print_tree(context: &Context, text: &str) -> Result<(), Failure> {
    let client = context.client().await?;
    let digest = find(context, &client, text).await?;
    let tree = tree::fetch(&client, digest).await.map_err(|error| error.to_string())?;
    if context.json {
        json(&tree);
    } else {
        tree.lines().iter().for_each(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_digest_names_one_receipt_or_none() {
        let digest = |digits: &str| -> Digest { format!("{digits:0<64}").parse().unwrap() };
        let ours = [digest("abcdef1"), digest("abcdef2"), digest("123456")];
        let find = |digits: &str| begins(digits, ours.into_iter());
        assert_eq!(find("123456"), Ok(ours[2]));
        assert_eq!(find("abcdef2"), Ok(ours[1]));
        let several = find("abcdef").unwrap_err();
        assert!(several.contains(&ours[0].to_string()) && several.contains(&ours[1].to_string()), "{several}");
        assert!(find("777777").unwrap_err().contains("none of your receipts"));
    }
}
