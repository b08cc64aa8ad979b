//! A look into an ONNX file before any loader sees it: which weights lie in other files, no operators from outside ONNX.
//!
//! ONNX is a protobuf (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>). Only the message fields in which a
//! tensor or a node can hide are followed; everything else is stepped over. How a tensor names another file:
//! <https://github.com/onnx/onnx/blob/main/docs/ExternalData.md>.

use std::collections::BTreeMap;

use crate::limits;

/// Operator domains that ONNX Runtime itself implements.
const DOMAINS: [&str; 6] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "ai.onnx.preview.training"];

#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Function,
    Training,
    SparseTensor,
    /// Weights of a graph, the one place from where other files may be named.
    Initializer,
    Tensor,
    ExternalEntry,
    OperatorSet,
}

/// What a field of a message means here.
enum Meaning {
    Nested(Message),
    Domain,
    /// Says that a tensor's numbers lie elsewhere.
    Location,
    Ignored,
}

impl Message {
    fn meaning(self, field: u64) -> Meaning {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) | (Self::Training, 1 | 2) => Meaning::Nested(Self::Graph),
            (Self::Model, 8) | (Self::Function, 9) => Meaning::Nested(Self::OperatorSet),
            (Self::Model, 20) => Meaning::Nested(Self::Training),
            (Self::Model, 25) => Meaning::Nested(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => Meaning::Nested(Self::Node),
            (Self::Graph, 5) => Meaning::Nested(Self::Initializer),
            (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Meaning::Nested(Self::Tensor),
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Meaning::Nested(Self::SparseTensor),
            (Self::Node, 5) | (Self::Function, 11) => Meaning::Nested(Self::Attribute),
            (Self::OperatorSet, 1) => Meaning::Domain,
            (Self::Tensor | Self::Initializer, 13) => Meaning::Nested(Self::ExternalEntry),
            (Self::Tensor | Self::Initializer, 14) => Meaning::Location,
            _ => Meaning::Ignored,
        }
    }
}

/// What a scan finds on its way.
#[derive(Default)]
struct Found {
    graphs: u32,
    /// The files that hold weights, by the names that the graph gives them, with the bytes that they must have.
    files: BTreeMap<String, u64>,
}

/// Refuses a file that is no whole protobuf, has no graph or imports foreign operators. Gives the files in which it keeps
/// weights, by the names that it gives them, each with the bytes that it must have at least.
pub(super) fn check(bytes: &[u8]) -> Result<BTreeMap<String, u64>, String> {
    let mut found = Found::default();
    walk(Message::Model, bytes, 0, &mut found)?;
    if found.graphs == 0 { Err("it holds no ONNX graph".to_owned()) } else { Ok(found.files) }
}

fn walk(message: Message, mut bytes: &[u8], depth: usize, found: &mut Found) -> Result<(), String> {
    if depth > 4 * limits::GRAPH_DEPTH_MAX {
        return Err(format!("its graphs are nested deeper than {}", limits::GRAPH_DEPTH_MAX));
    }
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = value(key & 7, &mut bytes)?;
        match (message.meaning(key >> 3), value) {
            (Meaning::Nested(Message::Initializer), Value::Bytes(content)) => initializer(content, found)?,
            // a tensor of an attribute, whose parts protobuf would merge: nothing else may be outside
            (Meaning::Nested(Message::ExternalEntry), _) | (Meaning::Location, Value::Bytes(_) | Value::Number(1..)) => {
                return Err("it keeps numbers other than weights in another file (external data); save it without".to_owned());
            }
            (Meaning::Nested(inner), Value::Bytes(content)) => {
                found.graphs += u32::from(matches!(inner, Message::Graph));
                walk(inner, content, depth + 1, found)?;
            }
            (Meaning::Domain, Value::Bytes(domain)) => check_domain(domain)?,
            // data_location 0 is the default, said aloud
            (Meaning::Location, Value::Number(0)) | (Meaning::Ignored, _) => {}
            (Meaning::Nested(_) | Meaning::Domain, Value::Number(_)) => return Err("it is no ONNX file".to_owned()),
        }
    }
    Ok(())
}

/// The weights of one initializer: inside, or a stretch of another file.
fn initializer(mut bytes: &[u8], found: &mut Found) -> Result<(), String> {
    let (mut outside, mut entries) = (false, BTreeMap::new());
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        match (Message::Initializer.meaning(key >> 3), value(key & 7, &mut bytes)?) {
            (Meaning::Nested(Message::ExternalEntry), Value::Bytes(content)) => {
                let (name, value) = external_entry(content)?;
                if entries.insert(name, value).is_some() {
                    return Err("a tensor says twice where its external data lies".to_owned());
                }
            }
            (Meaning::Location, Value::Number(place)) => outside = place != 0,
            (Meaning::Ignored, _) => {}
            _ => return Err("it is no ONNX file".to_owned()),
        }
    }
    if !outside && entries.is_empty() {
        return Ok(());
    }
    let number = |name: &str| match entries.get(name) {
        Some(text) => {
            text.parse::<u64>().map_err(|_| format!("the `{name}` of its external data is `{text}`, no number of bytes"))
        }
        None => Ok(0),
    };
    let end = number("offset")?.checked_add(number("length")?).ok_or("its external data ends beyond any file")?;
    let file = entries.get("location").ok_or("a tensor has external data, but no `location` of it")?;
    let least = found.files.entry(file.clone()).or_insert(0);
    *least = end.max(*least);
    Ok(())
}

/// `StringStringEntryProto`: a name and a value.
fn external_entry(mut bytes: &[u8]) -> Result<(String, String), String> {
    let (mut name, mut text) = (String::new(), String::new());
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let Value::Bytes(content) = value(key & 7, &mut bytes)? else { return Err("it is no ONNX file".to_owned()) };
        let content = String::from_utf8(content.to_vec()).map_err(|_| "the place of its external data is no text")?;
        match key >> 3 {
            1 => name = content,
            2 => text = content,
            _ => {}
        }
    }
    if ["location", "offset", "length", "checksum"].contains(&name.as_str()) {
        return Ok((name, text));
    }
    Err(format!("its external data has the unknown property `{name}`"))
}

fn check_domain(domain: &[u8]) -> Result<(), String> {
    if DOMAINS.iter().any(|known| known.as_bytes() == domain) {
        return Ok(());
    }
    Err(format!(
        "it uses operators of `{}`, which are not part of ONNX Runtime; export it without them",
        String::from_utf8_lossy(domain)
    ))
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn value<'a>(wire_type: u64, bytes: &mut &'a [u8]) -> Result<Value<'a>, String> {
    Ok(match wire_type {
        0 => Value::Number(varint(bytes)?),
        1 => Value::Bytes(take(bytes, 8)?),
        2 => {
            let size = varint(bytes)?;
            Value::Bytes(take(bytes, size)?)
        }
        5 => Value::Bytes(take(bytes, 4)?),
        _ => return Err("it is no ONNX file".to_owned()),
    })
}

fn take<'a>(bytes: &mut &'a [u8], size: u64) -> Result<&'a [u8], String> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (taken, rest) = bytes.split_at_checked(size).ok_or("it ends too early; it is cut off or no ONNX file")?;
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take(bytes, 1)? else { break };
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("it is no ONNX file".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::check;

    fn nested(field: u8, content: &[u8]) -> Vec<u8> {
        [&[field << 3 | 2, content.len() as u8], content].concat()
    }

    /// A model whose graph holds one initializer of these bytes.
    fn model_with(tensor: &[u8]) -> Vec<u8> {
        nested(7, &nested(5, tensor))
    }

    fn entry(name: &str, value: &str) -> Vec<u8> {
        nested(13, &[nested(1, name.as_bytes()), nested(2, value.as_bytes())].concat())
    }

    #[test]
    fn a_graph_with_its_weights_inside_passes() {
        assert_eq!(check(&model_with(&[0x70, 0])), Ok(BTreeMap::new()));
    }

    #[test]
    fn weights_in_other_files_are_told_with_the_bytes_they_need() {
        let tensor = |parts: &[(&str, &str)]| {
            let entries = parts.iter().flat_map(|(name, value)| entry(name, value));
            nested(5, &entries.chain([0x70, 1]).collect::<Vec<u8>>())
        };
        let first = tensor(&[("location", "a.bin"), ("offset", "4"), ("length", "8")]);
        let second = tensor(&[("location", "a.bin"), ("length", "3")]);
        let third = tensor(&[("location", "../b")]);
        let found = check(&nested(7, &[first, second, third].concat()));
        assert_eq!(found, Ok(BTreeMap::from([("a.bin".to_owned(), 12), ("../b".to_owned(), 0)])));
        for (parts, says) in [
            (vec![("location", "a"), ("location", "b")], "twice"),
            (vec![("offset", "1")], "no `location`"),
            (vec![("location", "a"), ("offset", "-1")], "no number of bytes"),
            (vec![("location", "a"), ("offset", "18446744073709551615"), ("length", "1")], "beyond any file"),
            (vec![("location", "a"), ("basepath", "/")], "unknown property `basepath`"),
        ] {
            let message = check(&nested(7, &tensor(&parts))).unwrap_err();
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn external_data_of_attributes_is_refused_wherever_it_hides() {
        for outside in [vec![0x70, 1], entry("location", "a")] {
            let in_attribute = nested(7, &nested(1, &nested(5, &nested(5, &outside))));
            let in_sparse = nested(7, &nested(15, &nested(1, &outside)));
            let in_subgraph = nested(7, &nested(1, &nested(5, &nested(6, &nested(1, &nested(5, &nested(5, &outside)))))));
            for model in [in_attribute, in_sparse, in_subgraph] {
                assert!(check(&model).unwrap_err().contains("external data"), "{model:?}");
            }
        }
        let unnamed = model_with(&[0x70, 1]);
        assert!(check(&unnamed).unwrap_err().contains("no `location`"));
    }

    #[test]
    fn foreign_operators_and_broken_files_are_refused() {
        let foreign = [nested(8, &nested(1, b"evil.ops")), model_with(&[])].concat();
        assert!(check(&foreign).unwrap_err().contains("`evil.ops`"));
        let whole = model_with(&[0x70, 0]);
        for cut in 1..whole.len() {
            assert!(check(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for broken in [&b""[..], b"not an onnx model", &[0xff; 20]] {
            assert!(check(broken).is_err(), "{broken:?}");
        }
    }
}
