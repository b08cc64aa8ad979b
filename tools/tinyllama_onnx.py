"""Write a tiny decoder in the layout of Llama, with its tokenizer: the fixture for generating text.

The weights are drawn from a small integer generator: the model has learned nothing and says nothing, but it computes
what a large one computes. Two layers with four query and two key-value heads of width 16, rotary positions, a key-value
cache, and a mask for rows that are filled up on the left.

Inputs  `input_ids`, `position_ids`: int64 [batch, seq]; `attention_mask`: int64 [batch, total], total = past + seq;
        `past_key_values.N.key` and `.value`: float32 [batch, 2, past, 16].
Outputs `logits`: float32 [batch, seq, 272]; `present.N.key` and `.value`: float32 [batch, 2, total, 16].

A second file has the same network with its keys, values and logits in half floats.

Tokens 0 to 255 are the bytes; then come the beginning, the end, the three roles, the end of a turn, and unused ones.
Printable characters weigh more in the output, so that tests get text that can be read.

Sources: Touvron et al. 2023 (Llama), Su et al. 2021 (rotary positions), Ainslie et al. 2023 (grouped heads),
Radford et al. 2019 (bytes as printable characters), https://huggingface.co/docs/tokenizers
"""

import array
import json
import math
import struct
import sys

from onnx_bytes import BOOL, FLOAT, HALF, INT64, Graph

LAYERS, HEADS, KV_HEADS, WIDTH = 2, 4, 2, 16
HIDDEN, INNER = HEADS * WIDTH, 128
POSITIONS = 1024
SPECIAL = ["<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
VOCABULARY = 272


# --- weights ---

class Draw:
    """Numbers from -1 to 1, evenly spread: the upper bits of a linear congruential generator (Knuth's MMIX)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        return ((self.state >> 40) - (1 << 23)) / (1 << 23)

    def matrix(self, rows, columns, scale):
        return array.array("f", [self.next() * scale for _ in range(rows * columns)])


def little_endian(numbers):
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


class Decoder(Graph):
    """A graph that draws its weights as it grows."""

    def __init__(self, half):
        super().__init__()
        self.draw = Draw(7)
        self.half = half

    def table(self, name, rows, columns, numbers):
        return self.tensor(name, FLOAT, [rows, columns], little_endian(array.array("f", numbers)))

    def scalar(self, name, value):
        return self.tensor(name, INT64, [], struct.pack("<q", value))

    def linear(self, x, name, rows, columns, output):
        """Scaled so that outputs spread as inputs do: an even draw has the variance 1/3."""
        weight = self.table(name, rows, columns, self.draw.matrix(rows, columns, math.sqrt(3.0 / rows)))
        return self.node("MatMul", [x, weight], output)

    def extended(self, x, layer, part):
        """Keys or values of the tokens so far with those of the new ones; in half floats outside, where asked for."""
        past, present = "past_key_values.%d.%s" % (layer, part), "present.%d.%s" % (layer, part)
        if not self.half:
            return self.node("Concat", [past, x], present, axis=2)
        kept = self.node("Concat", [past, self.node("Cast", [x], present + "_new", to=HALF)], present, axis=2)
        return self.node("Cast", [kept], present + "_single", to=FLOAT)

    def norm(self, x, output):
        """Root mean square norm (Zhang and Sennrich 2019)."""
        mean = self.node("ReduceMean", [self.node("Mul", [x, x], output + "_square"), self.ints("last", [-1])], output + "_mean", keepdims=1)
        root = self.node("Sqrt", [self.node("Add", [mean, self.floats("epsilon", 1e-5)], output + "_least")], output + "_root")
        return self.node("Div", [x, root], output)

    def rotated(self, x, output):
        first = self.node("Slice", [x, self.ints("zero", [0]), self.ints("half", [WIDTH // 2]), self.ints("axis_3", [3])], output + "_first")
        second = self.node("Slice", [x, "half", self.ints("width", [WIDTH]), "axis_3"], output + "_second")
        turned = self.node("Concat", [self.node("Neg", [second], output + "_minus"), first], output + "_turned", axis=3)
        parts = [self.node("Mul", [x, "cos"], output + "_cos"), self.node("Mul", [turned, "sin"], output + "_sin")]
        return self.node("Add", parts, output)


# --- the graph ---

def rotary_tables(g):
    """`cos` and `sin` of each position, [batch, 1, seq, width]."""
    angles = [[place / 10000 ** (2 * i / WIDTH) for i in range(WIDTH // 2)] for place in range(POSITIONS)]
    for name, function in (("cos", math.cos), ("sin", math.sin)):
        table = g.table(name + "_table", POSITIONS, WIDTH, [function(angle) for row in angles for angle in row * 2])
        rows = g.node("Gather", [table, "position_ids"], name + "_rows", axis=0)
        g.node("Unsqueeze", [rows, g.ints("axis_1", [1])], name)


def added_mask(g):
    """0 where a query may look, -1e9 where not: keys after it, and the filling; [batch, 1, seq, total]."""
    def length(name, output):
        return g.node("Gather", [g.node("Shape", [name], output + "_shape"), g.scalar("one", 1)], output, axis=0)

    new, total = length("input_ids", "seq_length"), length("attention_mask", "total_length")
    past = g.node("Sub", [total, new], "past_length")
    keys = g.node("Range", [g.scalar("none", 0), total, "one"], "keys")
    queries = g.node("Add", [g.node("Range", ["none", new, "one"], "new_queries"), past], "queries")
    wide = [g.node("Unsqueeze", [keys, "zero"], "keys_row"), g.node("Unsqueeze", [queries, "axis_1"], "queries_column")]
    causal = g.node("LessOrEqual", wide, "causal")
    filled = g.node("Unsqueeze", ["attention_mask", g.ints("axes_1_2", [1, 2])], "mask_wide")
    seen = g.node("And", [causal, g.node("Cast", [filled], "mask_bool", to=BOOL)], "seen")
    return g.node("Where", [seen, g.floats("nothing", 0.0), g.floats("hidden", -1e9)], "mask_added")


def repeated(g, x, output):
    """Each key-value head once for each of its query heads."""
    wide = g.node("Unsqueeze", [x, g.ints("axis_2", [2])], output + "_wide")
    copies = g.node("Expand", [wide, g.ints("copies", [1, 1, HEADS // KV_HEADS, 1, 1])], output + "_copies")
    return g.node("Reshape", [copies, g.ints("all_heads", [0, HEADS, -1, WIDTH])], output)


def attention(g, x, mask, layer):
    prefix = "layer%d_" % layer

    def split(part, heads):
        out = g.linear(x, prefix + part + "_weight", HIDDEN, heads * WIDTH, prefix + part)
        out = g.node("Reshape", [out, g.ints("split_%d" % heads, [0, 0, heads, WIDTH])], prefix + part + "_split")
        return g.node("Transpose", [out], prefix + part + "_heads", perm=[0, 2, 1, 3])

    query, key, value = split("query", HEADS), split("key", KV_HEADS), split("value", KV_HEADS)
    query, key = g.rotated(query, prefix + "query_turned"), g.rotated(key, prefix + "key_turned")
    key, value = g.extended(key, layer, "key"), g.extended(value, layer, "value")
    across = g.node("Transpose", [repeated(g, key, prefix + "keys")], prefix + "keys_across", perm=[0, 1, 3, 2])
    scores = g.node("Mul", [g.node("MatMul", [query, across], prefix + "scores"), g.floats("scale", 1 / math.sqrt(WIDTH))], prefix + "scaled")
    shares = g.node("Softmax", [g.node("Add", [scores, mask], prefix + "masked")], prefix + "shares", axis=-1)
    mixed = g.node("MatMul", [shares, repeated(g, value, prefix + "values")], prefix + "mixed")
    rows = g.node("Transpose", [mixed], prefix + "mixed_rows", perm=[0, 2, 1, 3])
    merged = g.node("Reshape", [rows, g.ints("merge", [0, 0, HIDDEN])], prefix + "merged")
    return g.linear(merged, prefix + "output_weight", HIDDEN, HIDDEN, prefix + "attended")


def feed_forward(g, x, layer):
    prefix = "layer%d_" % layer
    gate = g.linear(x, prefix + "gate_weight", HIDDEN, INNER, prefix + "gate")
    gate = g.node("Mul", [gate, g.node("Sigmoid", [gate], prefix + "gate_sigmoid")], prefix + "gate_silu")
    up = g.linear(x, prefix + "up_weight", HIDDEN, INNER, prefix + "up")
    return g.linear(g.node("Mul", [gate, up], prefix + "gated"), prefix + "down_weight", INNER, HIDDEN, prefix + "down")


def output_weight(draw):
    """Columns of printable characters and of the end weigh full, others a quarter."""
    def share(token):
        return 1.0 if 32 <= token < 127 or token in (10, 257) else 0.25

    scale = math.sqrt(3.0 / HIDDEN)
    return [draw.next() * scale * share(token) for _ in range(HIDDEN) for token in range(VOCABULARY)]


def onnx_chunks(half=False):
    """The ONNX file as a list of byte chunks."""
    g, kind = Decoder(half), HALF if half else FLOAT
    table = g.table("embedding", VOCABULARY, HIDDEN, g.draw.matrix(VOCABULARY, HIDDEN, math.sqrt(3.0)))
    x = g.node("Gather", [table, "input_ids"], "embedded", axis=0)
    rotary_tables(g)
    g.ints("zero", [0])
    mask = added_mask(g)
    for layer in range(LAYERS):
        prefix = "layer%d_" % layer
        x = g.node("Add", [x, attention(g, g.norm(x, prefix + "norm"), mask, layer)], prefix + "attention_out")
        x = g.node("Add", [x, feed_forward(g, g.norm(x, prefix + "second_norm"), layer)], prefix + "out")
    weight = g.table("vocabulary_weight", HIDDEN, VOCABULARY, output_weight(g.draw))
    logits = g.node("MatMul", [g.norm(x, "last_norm"), weight], "logits_single" if half else "logits")
    if half:
        g.node("Cast", [logits], "logits", to=HALF)
    parts = [(layer, part) for layer in range(LAYERS) for part in ("key", "value")]
    inputs = [("input_ids", INT64, ["batch", "seq"]), ("attention_mask", INT64, ["batch", "total"]), ("position_ids", INT64, ["batch", "seq"])]
    inputs += [("past_key_values.%d.%s" % part, kind, ["batch", KV_HEADS, "past", WIDTH]) for part in parts]
    outputs = [("logits", kind, ["batch", "seq", VOCABULARY])]
    outputs += [("present.%d.%s" % part, kind, ["batch", KV_HEADS, "total", WIDTH]) for part in parts]
    return g.model("tinyllama", inputs, outputs)


# --- the tokenizer ---

def byte_characters():
    """The printable character that stands for each byte in byte-level vocabularies."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def tokenizer_chunks():
    """`tokenizer.json`: a byte is a token; nothing is merged."""
    special = SPECIAL + ["<|unused%d|>" % count for count in range(VOCABULARY - 256 - len(SPECIAL))]
    added = [
        {"id": 256 + count, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for count, name in enumerate(special)
    ]
    begin = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    bytes_as_they_are = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": bytes_as_they_are,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [begin, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [256], "tokens": ["<s>"]}},
        },
        "decoder": bytes_as_they_are,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {character: byte for byte, character in enumerate(byte_characters())}, "merges": [],
        },
    }
    return [json.dumps(tokenizer, ensure_ascii=True, indent=1).encode() + b"\n"]


def template_chunks():
    """`chat_template.jinja`: each message between its role and the end of the turn."""
    return [b"""{{- bos_token -}}
{%- for message in messages -%}
{%- if message.role not in ['system', 'user', 'assistant'] -%}{{ raise_exception('this model knows no role `' ~ message.role ~ '`; use system, user or assistant') }}{%- endif -%}
<|{{ message.role }}|>{{ message.content.strip() }}<|end|>
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"""]
