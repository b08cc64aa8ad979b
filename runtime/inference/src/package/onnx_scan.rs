//! A look into an ONNX file before any loader sees it: no external data, no operators from outside ONNX.
//!
//! ONNX is a protobuf (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>). Only the message fields in which a
//! tensor or a node can hide are followed; everything else is stepped over.

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
    Tensor,
    OperatorSet,
}

/// What a field of a message means here.
enum Meaning {
    Nested(Message),
    Domain,
    External,
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
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Meaning::Nested(Self::Tensor),
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Meaning::Nested(Self::SparseTensor),
            (Self::Node, 5) | (Self::Function, 11) => Meaning::Nested(Self::Attribute),
            (Self::OperatorSet, 1) => Meaning::Domain,
            (Self::Tensor, 13 | 14) => Meaning::External,
            _ => Meaning::Ignored,
        }
    }
}

/// Refuses a file that is no whole protobuf, has no graph, points outside itself or imports foreign operators.
pub(super) fn check(bytes: &[u8]) -> Result<(), String> {
    let mut graphs = 0;
    walk(Message::Model, bytes, 0, &mut graphs)?;
    if graphs == 0 { Err("it holds no ONNX graph".to_owned()) } else { Ok(()) }
}

fn walk(message: Message, mut bytes: &[u8], depth: usize, graphs: &mut u32) -> Result<(), String> {
    if depth > 4 * limits::GRAPH_DEPTH_MAX {
        return Err(format!("its graphs are nested deeper than {}", limits::GRAPH_DEPTH_MAX));
    }
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let value = value(key & 7, &mut bytes)?;
        match (message.meaning(key >> 3), value) {
            (Meaning::Nested(inner), Value::Bytes(content)) => {
                *graphs += u32::from(matches!(inner, Message::Graph));
                walk(inner, content, depth + 1, graphs)?;
            }
            (Meaning::Domain, Value::Bytes(domain)) => check_domain(domain)?,
            // data_location 0 is the default, said aloud
            (Meaning::External, Value::Number(0)) | (Meaning::Ignored, _) => {}
            (Meaning::External, _) => {
                return Err("it keeps weights in another file (external data); save it as one file".to_owned());
            }
            (Meaning::Nested(_) | Meaning::Domain, Value::Number(_)) => return Err("it is no ONNX file".to_owned()),
        }
    }
    Ok(())
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
    use super::check;

    fn nested(field: u8, content: &[u8]) -> Vec<u8> {
        [&[field << 3 | 2, content.len() as u8], content].concat()
    }

    /// A model whose graph holds one initializer of these bytes.
    fn model_with(tensor: &[u8]) -> Vec<u8> {
        nested(7, &nested(5, tensor))
    }

    #[test]
    fn a_graph_with_its_weights_inside_passes() {
        assert_eq!(check(&model_with(&[0x70, 0])), Ok(()));
    }

    #[test]
    fn external_data_is_refused_wherever_it_hides() {
        let outside = [0x70, 1];
        let in_attribute = nested(7, &nested(1, &nested(5, &nested(5, &outside))));
        let in_subgraph = nested(7, &nested(1, &nested(5, &nested(6, &nested(5, &outside)))));
        for model in [model_with(&outside), model_with(&nested(13, &[])), in_attribute, in_subgraph] {
            assert!(check(&model).unwrap_err().contains("external data"), "{model:?}");
        }
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
