//! A function's signature in the notation of WIT; named types are spelled out, as a component does not keep their names.

use std::fmt::{self, Display, Formatter};

use super::schema::{FunctionSchema, Type, is_fault};

impl FunctionSchema {
    /// The signature as WIT text, for example `embed: async func(texts: list<string>) -> result<…, fault>`.
    pub fn signature(&self) -> String {
        let mut text = format!("{}: {}func(", self.name, if self.is_async { "async " } else { "" });
        for (index, (name, ty)) in self.params.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            text.push_str(&format!("{comma}{name}: {ty}"));
        }
        text.push(')');
        if let Some(result) = &self.result {
            text.push_str(&format!(" -> {result}"));
        }
        text
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::U8 => f.write_str("u8"),
            Type::U16 => f.write_str("u16"),
            Type::U32 => f.write_str("u32"),
            Type::U64 => f.write_str("u64"),
            Type::S8 => f.write_str("s8"),
            Type::S16 => f.write_str("s16"),
            Type::S32 => f.write_str("s32"),
            Type::S64 => f.write_str("s64"),
            Type::F32 => f.write_str("f32"),
            Type::F64 => f.write_str("f64"),
            Type::Char => f.write_str("char"),
            Type::String => f.write_str("string"),
            Type::Bytes => f.write_str("list<u8>"),
            Type::F32s => f.write_str("list<f32>"),
            Type::F64s => f.write_str("list<f64>"),
            Type::List(element) => write!(f, "list<{element}>"),
            Type::Option(inner) => write!(f, "option<{inner}>"),
            Type::Tuple(types) => list(f, "tuple<", types.iter(), ">"),
            Type::Record(fields) => list(f, "record { ", fields.iter().map(|(n, t)| format!("{n}: {t}")), " }"),
            Type::Enum(names) => list(f, "enum { ", names.iter(), " }"),
            Type::Flags(names) => list(f, "flags { ", names.iter(), " }"),
            Type::Variant(_) if is_fault(self) => f.write_str("fault"),
            Type::Variant(cases) => list(f, "variant { ", cases.iter().map(case), " }"),
            Type::Result(sides) => match &**sides {
                (None, None) => f.write_str("result"),
                (Some(ok), None) => write!(f, "result<{ok}>"),
                (None, Some(err)) => write!(f, "result<_, {err}>"),
                (Some(ok), Some(err)) => write!(f, "result<{ok}, {err}>"),
            },
        }
    }
}

fn case((name, payload): &(Box<str>, Option<Type>)) -> String {
    match payload {
        Some(payload) => format!("{name}({payload})"),
        None => name.to_string(),
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, open: &str, items: impl Iterator<Item = T>, close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    f.write_str(close)
}
