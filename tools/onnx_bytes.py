"""ONNX files as bytes: protobuf messages, nodes, initializers and ports, with the standard library only.

ONNX is a protobuf of a few message types. A message is a list of byte chunks, so that weights are never copied into a
parent; the same calls give the same bytes on every machine, so that a written model can be pinned by its sha256.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

import struct

FLOAT, INT64, BOOL, HALF = 1, 7, 9, 10  # TensorProto.DataType
IR_VERSION, OPSET = 9, 18


# --- protobuf ---

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return [varint(field << 3), varint(value)]


def single(field, value):
    return [varint(field << 3 | 5), struct.pack("<f", value)]


def nested(field, chunks):
    return [varint(field << 3 | 2), varint(sum(map(len, chunks))), *chunks]


def string(field, value):
    return nested(field, [value.encode()])


# --- ONNX ---

class Graph:
    """Nodes and initializers in the order of their making; each node's output carries the node's name."""

    def __init__(self):
        self.nodes = []
        self.tensors = {}

    def tensor(self, name, kind, shape, data):
        if name not in self.tensors:
            dims = [chunk for size in shape for chunk in number(1, size)]
            self.tensors[name] = [*dims, *number(2, kind), *string(8, name), *nested(9, [data])]
        return name

    def floats(self, name, value):
        return self.tensor(name, FLOAT, [], struct.pack("<f", value))

    def ints(self, name, values):
        return self.tensor(name, INT64, [len(values)], struct.pack("<%dq" % len(values), *values))

    def node(self, op, inputs, output, **attributes):
        chunks = [c for name in inputs for c in string(1, name)]
        chunks += string(2, output) + string(3, output) + string(4, op)
        for name, value in attributes.items():
            chunks += nested(5, attribute(name, value))
        self.nodes.append(chunks)
        return output

    def model(self, name, inputs, outputs):
        """The whole file; ports are (name, data type, dimensions), a dimension being a number or a name."""
        graph = [c for node in self.nodes for c in nested(1, node)] + string(2, name)
        graph += [c for tensor in self.tensors.values() for c in nested(5, tensor)]
        graph += [c for described in inputs for c in port(11, *described)]
        graph += [c for described in outputs for c in port(12, *described)]
        return number(1, IR_VERSION) + string(2, "hansa") + nested(7, graph) + nested(8, string(1, "") + number(2, OPSET))


def attribute(name, value):
    if isinstance(value, float):
        return string(1, name) + single(2, value) + number(20, 1)
    if isinstance(value, int):
        return string(1, name) + number(3, value) + number(20, 2)
    return string(1, name) + [c for v in value for c in number(8, v)] + number(20, 7)


def port(field, name, kind, dims):
    shape = [c for d in dims for c in nested(1, string(2, d) if isinstance(d, str) else number(1, d))]
    return nested(field, string(1, name) + nested(2, nested(1, number(1, kind) + nested(2, shape))))
