//! What is known of the labels of Magika `standard_v3_3` (PyPI `magika` 1.0.3, Apache-2.0): its `content_types_kb.min.json`
//! and `config.min.json`.

/// Labels whose files are text, sorted.
const TEXT: [&str; 113] = [
    "aidl",
    "appleplist",
    "asm",
    "asp",
    "autohotkey",
    "autoit",
    "awk",
    "batch",
    "bazel",
    "bib",
    "c",
    "clojure",
    "cmake",
    "cobol",
    "coffeescript",
    "cpp",
    "cs",
    "csproj",
    "css",
    "csv",
    "dart",
    "diff",
    "dm",
    "dockerfile",
    "dxf",
    "elixir",
    "eml",
    "erb",
    "erlang",
    "fortran",
    "gemfile",
    "gemspec",
    "gitattributes",
    "gitmodules",
    "go",
    "gradle",
    "groovy",
    "handlebars",
    "haskell",
    "hcl",
    "htaccess",
    "html",
    "ics",
    "ignorefile",
    "ini",
    "internetshortcut",
    "ipynb",
    "java",
    "javascript",
    "jinja",
    "json",
    "jsonl",
    "julia",
    "kotlin",
    "latex",
    "lisp",
    "lua",
    "m3u",
    "m4",
    "makefile",
    "markdown",
    "matlab",
    "mht",
    "mum",
    "objectivec",
    "ocaml",
    "pascal",
    "pem",
    "perl",
    "php",
    "po",
    "powershell",
    "prolog",
    "proteindb",
    "proto",
    "python",
    "r",
    "randomtxt",
    "rdf",
    "rst",
    "rtf",
    "ruby",
    "rust",
    "scala",
    "scss",
    "sgml",
    "shell",
    "smali",
    "solidity",
    "sql",
    "srt",
    "stltext",
    "sum",
    "svg",
    "swift",
    "tcl",
    "textproto",
    "toml",
    "tsv",
    "twig",
    "txt",
    "typescript",
    "vba",
    "vcxproj",
    "verilog",
    "vhdl",
    "vtt",
    "vue",
    "winregistry",
    "xml",
    "yaml",
    "yara",
    "zig",
];

/// Labels that are believed only above a score of their own, sorted.
const THRESHOLDS: [(&str, f32); 12] = [
    ("crt", 0.9),
    ("handlebars", 0.9),
    ("ignorefile", 0.95),
    ("latex", 0.95),
    ("markdown", 0.75),
    ("ocaml", 0.9),
    ("pascal", 0.95),
    ("r", 0.9),
    ("rst", 0.9),
    ("sql", 0.9),
    ("tsv", 0.9),
    ("zig", 0.9),
];

/// The score above which any other label is believed.
const THRESHOLD: f32 = 0.5;

/// Do files of this label hold text?
#[must_use]
pub fn is_text(label: &str) -> bool {
    TEXT.binary_search(&label).is_ok()
}

/// The score below which the label is a guess.
#[must_use]
pub fn threshold(label: &str) -> f32 {
    THRESHOLDS.iter().find(|(name, _)| *name == label).map_or(THRESHOLD, |(_, threshold)| *threshold)
}

#[cfg(test)]
mod tests {
    use super::{TEXT, is_text, threshold};

    #[test]
    fn text_is_sorted_for_the_search() {
        assert!(TEXT.is_sorted());
    }

    #[test]
    fn labels_are_known() {
        assert!(is_text("markdown") && is_text("rust") && is_text("txt"));
        assert!(!is_text("pdf") && !is_text("png") && !is_text("unknown"));
        assert_eq!((threshold("latex"), threshold("rust")), (0.95, 0.5));
    }
}
