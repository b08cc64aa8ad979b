"""Write the ONNX graph of a BERT sentence encoder (all-MiniLM-L6-v2) from its config.json and safetensors bytes.

Only the standard library: safetensors is a JSON header before raw numbers, and onnx_bytes.py writes the rest.
The same input gives the same bytes on every machine, so that the result can be pinned by its sha256.

Inputs  `input_ids`, `attention_mask`, `token_type_ids`: int64 [batch, seq].
Outputs `last_hidden_state`: float32 [batch, seq, hidden]; `sentence_embedding`: float32 [batch, hidden], the mean of
the hidden states under the mask, scaled to length 1.

Sources: https://github.com/huggingface/safetensors#format, Devlin et al. 2019 (BERT), Reimers and Gurevych 2019 (mean
pooling).
"""

import array
import json
import math
import struct

from onnx_bytes import FLOAT, INT64, Graph


# --- safetensors ---

def read_safetensors(data):
    """{name: (shape, little-endian float32 bytes)} of the float tensors."""
    view = memoryview(data)
    (size,) = struct.unpack_from("<Q", view)
    header = json.loads(bytes(view[8:8 + size]))
    start = 8 + size
    return {
        name.removeprefix("bert."): (entry["shape"], view[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


def transposed(shape, data):
    """A [rows, columns] float32 matrix as [columns, rows]. Byte order does not matter: numbers are only moved."""
    rows, columns = shape
    numbers, out = array.array("I"), array.array("I")
    assert numbers.itemsize == 4
    numbers.frombytes(data)
    for column in range(columns):
        out.extend(numbers[column::columns])
    return [columns, rows], memoryview(out).cast("B")


# --- the graph ---

class Encoder(Graph):
    """A graph with the published weights at hand."""

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def weight(self, name):
        shape, data = self.weights[name]
        return self.tensor(name, FLOAT, shape, data)

    def linear(self, x, name, output):
        shape, data = transposed(*self.weights[name + ".weight"])
        weight = self.tensor(name + ".weight_t", FLOAT, shape, data)
        product = self.node("MatMul", [x, weight], output + "_product")
        return self.node("Add", [product, self.weight(name + ".bias")], output)

    def layer_norm(self, x, name, output, epsilon):
        inputs = [x, self.weight(name + ".weight"), self.weight(name + ".bias")]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=epsilon)


def embeddings(g, epsilon):
    words = g.node("Gather", [g.weight("embeddings.word_embeddings.weight"), "input_ids"], "words", axis=0)
    types = g.node("Gather", [g.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"], "types", axis=0)
    shape = g.node("Shape", ["input_ids"], "shape")
    length = g.node("Gather", [shape, g.ints("one_index", [1])], "length", axis=0)
    table = g.weight("embeddings.position_embeddings.weight")
    places = g.node("Slice", [table, g.ints("zero_index", [0]), length, g.ints("axis_0", [0]), "one_index"], "places")
    both = g.node("Add", [words, types], "words_types")
    return g.layer_norm(g.node("Add", [both, places], "embedded"), "embeddings.LayerNorm", "embeddings_out", epsilon)


def additive_mask(g):
    """0 where a token counts, the lowest float32 where it does not; [batch, 1, 1, seq]."""
    wide = g.node("Unsqueeze", ["attention_mask", g.ints("axes_1_2", [1, 2])], "mask_wide")
    wide = g.node("Cast", [wide], "mask_float", to=FLOAT)
    hidden = g.node("Sub", [g.floats("one", 1.0), wide], "mask_hidden")
    return g.node("Mul", [hidden, g.floats("lowest", -3.4028234663852886e38)], "mask_added")


def attention(g, x, mask, layer, prefix, heads, width):
    def split(part, perm):
        out = g.linear(x, "%s.attention.self.%s" % (layer, part), prefix + part)
        out = g.node("Reshape", [out, g.ints("split_heads", [0, 0, heads, width])], prefix + part + "_split")
        return g.node("Transpose", [out], prefix + part + "_heads", perm=perm)

    query, key, value = split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]), split("value", [0, 2, 1, 3])
    scores = g.node("MatMul", [query, key], prefix + "scores")
    scores = g.node("Div", [scores, g.floats("head_scale", math.sqrt(width))], prefix + "scaled")
    scores = g.node("Softmax", [g.node("Add", [scores, mask], prefix + "masked")], prefix + "shares", axis=-1)
    mixed = g.node("Transpose", [g.node("MatMul", [scores, value], prefix + "mixed")], prefix + "mixed_rows", perm=[0, 2, 1, 3])
    merged = g.node("Reshape", [mixed, g.ints("merge_heads", [0, 0, heads * width])], prefix + "merged")
    return g.linear(merged, layer + ".attention.output.dense", prefix + "attended")


def gelu(g, x, prefix):
    inner = g.node("Erf", [g.node("Div", [x, g.floats("sqrt_2", math.sqrt(2.0))], prefix + "gelu_scaled")], prefix + "gelu_erf")
    outer = g.node("Mul", [x, g.node("Add", [inner, "one"], prefix + "gelu_shift")], prefix + "gelu_product")
    return g.node("Mul", [outer, g.floats("half", 0.5)], prefix + "gelu")


def encoder_layer(g, x, mask, index, config):
    layer, prefix, epsilon = "encoder.layer.%d" % index, "layer%d_" % index, config["layer_norm_eps"]
    heads = config["num_attention_heads"]
    attended = attention(g, x, mask, layer, prefix, heads, config["hidden_size"] // heads)
    first = g.node("Add", [attended, x], prefix + "attention_residual")
    first = g.layer_norm(first, layer + ".attention.output.LayerNorm", prefix + "attention_out", epsilon)
    inner = gelu(g, g.linear(first, layer + ".intermediate.dense", prefix + "inner"), prefix)
    second = g.node("Add", [g.linear(inner, layer + ".output.dense", prefix + "outer"), first], prefix + "residual")
    return g.layer_norm(second, layer + ".output.LayerNorm", prefix + "out", epsilon)


def mean_pool(g, hidden):
    counted = g.node("Cast", ["attention_mask"], "pool_mask", to=FLOAT)
    wide = g.node("Unsqueeze", [counted, g.ints("axis_2", [2])], "pool_mask_wide")
    total = g.node("ReduceSum", [g.node("Mul", [hidden, wide], "pool_kept"), g.ints("axis_1", [1])], "pool_sum", keepdims=0)
    count = g.node("ReduceSum", [counted, "axis_1"], "pool_count", keepdims=1)
    mean = g.node("Div", [total, g.node("Max", [count, g.floats("least_count", 1e-9)], "pool_count_least")], "pool_mean")
    length = g.node("ReduceL2", [mean, "axis_1"], "pool_length", keepdims=1)
    length = g.node("Max", [length, g.floats("least_length", 1e-12)], "pool_length_least")
    g.node("Div", [mean, length], "sentence_embedding")


def onnx_chunks(config, safetensors):
    """The ONNX file as a list of byte chunks, from the parsed config.json and the bytes of model.safetensors."""
    for key, want in (("model_type", "bert"), ("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config.get(key) != want:
            raise ValueError("config.json: `%s` is `%s`; only `%s` can be written" % (key, config.get(key), want))
    g = Encoder(read_safetensors(safetensors))
    x, mask = embeddings(g, config["layer_norm_eps"]), additive_mask(g)
    for index in range(config["num_hidden_layers"]):
        x = encoder_layer(g, x, mask, index, config)
    mean_pool(g, g.node("Identity", [x], "last_hidden_state"))
    inputs = [(name, INT64, ["batch", "seq"]) for name in ("input_ids", "attention_mask", "token_type_ids")]
    hidden, pooled = ["batch", "seq", config["hidden_size"]], ["batch", config["hidden_size"]]
    return g.model("sentence_encoder", inputs, [("last_hidden_state", FLOAT, hidden), ("sentence_embedding", FLOAT, pooled)])
