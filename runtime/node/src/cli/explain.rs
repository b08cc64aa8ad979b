//! `hansa explain CODE`: cause and remedy of an error.

use clap::Args;

use super::Failure;
use super::output::line;

/// Explain an error code: cause and remedy.
#[derive(Args)]
#[command(after_help = "Examples:\n  hansa explain HA0001\n  hansa explain")]
pub(crate) struct Explain {
    /// The code, for example HA0001, or its number alone. None lists all.
    code: Option<String>,
}

macro_rules! pages {
    ($($code:literal),*) => {
        [$(($code, include_str!(concat!("../../../../docs/errors/", $code, ".md")))),*]
    };
}

const PAGES: [(&str, &str); 26] = pages![
    "HA0001", "HA0002", "HA0003", "HA0004", "HA0005", "HA0006", "HA0007", "HA0008", "HA0009", "HA0010", "HA0011", "HA0012",
    "HA0013", "HA0014", "HA0015", "HA0016", "HA0017", "HA0018", "HA0019", "HA0020", "HA0021", "HA0022", "HA0023", "HA0024",
    "HA0025", "HA0026"
];

pub(crate) fn run(explain: &Explain) -> Result<(), Failure> {
    let Some(code) = &explain.code else {
        PAGES.iter().for_each(|(_, page)| line(page.lines().next().unwrap_or_default().trim_start_matches("# ")));
        return Ok(());
    };
    let wanted = whole(code);
    let page = PAGES.iter().find(|(code, _)| *code == wanted);
    let (_, page) = page.ok_or_else(|| format!("`{code}` is no error code; `hansa explain` lists them all"))?;
    line(page.trim_end());
    Ok(())
}

/// `HA0023` of `HA0023`, `ha23` and `23`.
fn whole(code: &str) -> String {
    let code = code.to_ascii_uppercase();
    format!("HA{:0>4}", code.strip_prefix("HA").unwrap_or(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_enough() {
        assert_eq!(["HA0023", "ha0023", "ha23", "23", "0023"].map(whole), ["HA0023"; 5]);
        for wrong in ["", "HA", "x", "00023", "99", "-1"] {
            assert!(run(&Explain { code: Some(wrong.to_owned()) }).is_err(), "{wrong}");
        }
    }
}
