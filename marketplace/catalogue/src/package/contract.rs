//! What a component imports and exports: interfaces with their functions and types, named types spelled out.
//!
//! The text forms are those of the host, so that an author reads the same words wherever a contract is shown.

use std::fmt::{self, Display, Formatter};

use hansa_economy::Digest;

use super::tradable::NotTradable;

/// Everything that crosses a component's border.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// What it needs, in the component's order.
    pub imports: Vec<Interface>,
    /// What it offers, in the component's order.
    pub exports: Vec<Interface>,
    /// Imported functions and values that stand outside any interface.
    pub bare_imports: Vec<String>,
}

/// What an interface is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// Traded: imported to buy, exported to sell.
    Service,
    /// `hansa:*`: between guest and host.
    Capability,
    /// `wasi:*`: between guest and host, by its standard.
    Wasi,
}

/// One imported or exported interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// For example `acme:translate/translator@1.2.0`.
    pub name: String,
    /// Its functions in their order.
    pub functions: Vec<Function>,
    /// Can it cross the market?
    pub tradable: Result<(), NotTradable>,
}

/// One function of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// For example `translate`.
    pub name: String,
    /// Is it an `async func`?
    pub is_async: bool,
    /// Names and types of the parameters.
    pub params: Vec<(String, Type)>,
    /// The type of the result, where there is one.
    pub result: Option<Type>,
}

/// A type with all named types spelled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `bool`, `string`, numbers, `char`, by their WIT name.
    Plain(&'static str),
    /// `list<T>`
    List(Box<Type>),
    /// `option<T>`
    Option(Box<Type>),
    /// `tuple<A, B>`
    Tuple(Vec<Type>),
    /// `result<T, E>`
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// `record`: fields in their order.
    Record(Vec<(String, Type)>),
    /// `variant`: cases in their order.
    Variant(Vec<(String, Option<Type>)>),
    /// `enum`: labels in their order.
    Enum(Vec<String>),
    /// `flags`: labels in their order.
    Flags(Vec<String>),
    /// What cannot cross the market, in words: `a resource handle`, with its text.
    Unfit {
        /// The host's words for it.
        what: &'static str,
        /// As it would be written.
        text: String,
    },
}

/// The cases of `hansa:service/types.fault`, in their order; each carries a string.
const FAULT_CASES: [&str; 8] =
    ["no-offer", "over-budget", "deadline", "unavailable", "seller-failed", "refused", "invalid-input", "failed"];

impl Contract {
    /// The exported interface of exactly this name.
    pub fn export(&self, name: &str) -> Option<&Interface> {
        self.exports.iter().find(|interface| interface.name == name)
    }

    /// The exported services: what can be sold. Interfaces without functions are types only; those that bear no package's name are a
    /// tool chain's own, such as componentize-py's `exports`.
    pub fn services(&self) -> impl Iterator<Item = &Interface> {
        let sold = |interface: &&Interface| {
            interface.kind() == InterfaceKind::Service && interface.name.contains(':') && !interface.functions.is_empty()
        };
        self.exports.iter().filter(sold)
    }
}

impl Interface {
    /// What it is for, by its namespace.
    pub fn kind(&self) -> InterfaceKind {
        match self.name.split_once(':') {
            Some(("hansa", _)) => InterfaceKind::Capability,
            Some(("wasi", _)) => InterfaceKind::Wasi,
            _ => InterfaceKind::Service,
        }
    }

    /// The function of this name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// Its functions one a line, sorted by name, without `async`: two interfaces with one such text are one contract.
    pub fn canonical_text(&self) -> String {
        let mut lines: Vec<String> = self.functions.iter().map(|function| function.shape() + "\n").collect();
        lines.sort_unstable();
        lines.concat()
    }

    /// The digest of [`Interface::canonical_text`].
    pub fn digest(&self) -> Digest {
        Digest::of(self.canonical_text().as_bytes())
    }
}

impl Function {
    /// The signature as WIT text: `embed: async func(texts: list<string>) -> result<…, fault>`.
    pub fn signature(&self) -> String {
        self.written(if self.is_async { "async " } else { "" })
    }

    /// The signature without `async`, which makes no difference to a buyer.
    pub fn shape(&self) -> String {
        self.written("")
    }

    fn written(&self, how: &str) -> String {
        let params: Vec<String> = self.params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        let result = self.result.as_ref().map_or_else(String::new, |result| format!(" -> {result}"));
        format!("{}: {how}func({}){result}", self.name, params.join(", "))
    }
}

impl Type {
    /// Is this `fault` of `hansa:service/types`, by its shape?
    pub fn is_fault(&self) -> bool {
        let Type::Variant(cases) = self else { return false };
        let fits = |((name, payload), want): (&(String, Option<Type>), &str)| {
            name == want && matches!(payload, Some(Type::Plain("string")))
        };
        cases.len() == FAULT_CASES.len() && cases.iter().zip(FAULT_CASES).all(fits)
    }

    /// The first part that cannot cross the market, in the host's words.
    pub fn unfit(&self) -> Option<&'static str> {
        match self {
            Type::Unfit { what, .. } => Some(what),
            Type::Plain(_) | Type::Enum(_) | Type::Flags(_) => None,
            Type::List(inner) | Type::Option(inner) => inner.unfit(),
            Type::Tuple(types) => types.iter().find_map(Type::unfit),
            Type::Result(ok, err) => [ok, err].into_iter().flatten().find_map(|side| side.unfit()),
            Type::Record(fields) => fields.iter().find_map(|(_, ty)| ty.unfit()),
            Type::Variant(cases) => cases.iter().filter_map(|(_, ty)| ty.as_ref()).find_map(Type::unfit),
        }
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Type::Plain(name) => f.write_str(name),
            Type::List(element) => write!(f, "list<{element}>"),
            Type::Option(inner) => write!(f, "option<{inner}>"),
            Type::Tuple(types) => list(f, "tuple<", types.iter(), ">"),
            Type::Record(fields) => list(f, "record { ", fields.iter().map(|(name, ty)| format!("{name}: {ty}")), " }"),
            Type::Enum(labels) => list(f, "enum { ", labels.iter(), " }"),
            Type::Flags(labels) => list(f, "flags { ", labels.iter(), " }"),
            Type::Variant(_) if self.is_fault() => f.write_str("fault"),
            Type::Variant(cases) => list(f, "variant { ", cases.iter().map(written_case), " }"),
            Type::Result(None, None) => f.write_str("result"),
            Type::Result(Some(ok), None) => write!(f, "result<{ok}>"),
            Type::Result(None, Some(err)) => write!(f, "result<_, {err}>"),
            Type::Result(Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            Type::Unfit { text, .. } => f.write_str(text),
        }
    }
}

fn written_case((name, payload): &(String, Option<Type>)) -> String {
    payload.as_ref().map_or_else(|| name.clone(), |payload| format!("{name}({payload})"))
}

fn list<T: Display>(f: &mut Formatter<'_>, open: &str, items: impl Iterator<Item = T>, close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    f.write_str(close)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// componentize-py exports an interface of its own, called `exports`: no agent in Python could be published.
    #[test]
    fn a_tool_chains_own_export_is_no_service() {
        let function = Function { name: "f".into(), is_async: false, params: Vec::new(), result: None };
        let interface = |name: &str| Interface { name: name.into(), functions: vec![function.clone()], tradable: Ok(()) };
        let names = ["acme:words/words@0.1.0", "exports", "hansa:agent/lifecycle@0.1.0", "wasi:cli/run@0.2.0"];
        let contract = Contract { imports: Vec::new(), exports: names.map(interface).into(), bare_imports: Vec::new() };
        let services: Vec<&str> = contract.services().map(|service| service.name.as_str()).collect();
        assert_eq!(services, ["acme:words/words@0.1.0"]);
    }
}
