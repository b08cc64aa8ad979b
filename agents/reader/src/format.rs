//! How to read a file: by its kind as `commons:files/identifier` names it, or by its name where the kind says little.

use hansa_sdk::Fault;

/// The ways in which this agent reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Headings, paragraphs, lists, tables, code blocks.
    Markdown,
    /// What a browser shows.
    Html,
    /// Paragraphs.
    Prose,
    /// Items and their comments.
    Code,
    /// Lines that are records.
    Records,
    /// Lines that are records under column names.
    Table,
}

const MARKDOWN: [&str; 1] = ["markdown"];
const HTML: [&str; 7] = ["html", "sgml", "mht", "erb", "handlebars", "jinja", "twig"];
const PROSE: [&str; 7] = ["txt", "rst", "latex", "srt", "vtt", "eml", "po"];
const CODE: [&str; 62] = [
    "aidl",
    "asm",
    "asp",
    "autohotkey",
    "autoit",
    "awk",
    "batch",
    "bazel",
    "c",
    "clojure",
    "cmake",
    "cobol",
    "coffeescript",
    "cpp",
    "cs",
    "css",
    "dart",
    "dm",
    "dockerfile",
    "elixir",
    "erlang",
    "fortran",
    "gemfile",
    "gemspec",
    "go",
    "gradle",
    "groovy",
    "haskell",
    "hcl",
    "java",
    "javascript",
    "julia",
    "kotlin",
    "lisp",
    "lua",
    "m4",
    "makefile",
    "matlab",
    "objectivec",
    "ocaml",
    "pascal",
    "perl",
    "php",
    "powershell",
    "prolog",
    "proto",
    "python",
    "r",
    "ruby",
    "rust",
    "scala",
    "scss",
    "shell",
    "smali",
    "solidity",
    "sql",
    "swift",
    "tcl",
    "typescript",
    "verilog",
    "vhdl",
    "zig",
];
const RECORDS: [&str; 25] = [
    "appleplist",
    "bib",
    "csproj",
    "diff",
    "gitattributes",
    "gitmodules",
    "htaccess",
    "ics",
    "ignorefile",
    "ini",
    "ipynb",
    "json",
    "jsonl",
    "m3u",
    "rdf",
    "sum",
    "svg",
    "textproto",
    "toml",
    "vba",
    "vcxproj",
    "vue",
    "xml",
    "yaml",
    "yara",
];
const TABLE: [&str; 2] = ["csv", "tsv"];

/// Kinds that say no more than that it is text.
const VAGUE: [&str; 3] = ["txt", "randomtxt", "text"];

/// Kinds by the ends of file names.
const EXTENSIONS: [(&str, &str); 38] = [
    ("md", "markdown"),
    ("markdown", "markdown"),
    ("html", "html"),
    ("htm", "html"),
    ("xhtml", "html"),
    ("rst", "rst"),
    ("rs", "rust"),
    ("py", "python"),
    ("js", "javascript"),
    ("mjs", "javascript"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("go", "go"),
    ("java", "java"),
    ("c", "c"),
    ("h", "c"),
    ("cc", "cpp"),
    ("cpp", "cpp"),
    ("hpp", "cpp"),
    ("cs", "cs"),
    ("rb", "ruby"),
    ("php", "php"),
    ("kt", "kotlin"),
    ("swift", "swift"),
    ("scala", "scala"),
    ("sh", "shell"),
    ("sql", "sql"),
    ("lua", "lua"),
    ("zig", "zig"),
    ("wit", "rust"),
    ("proto", "proto"),
    ("toml", "toml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("json", "json"),
    ("csv", "csv"),
    ("tsv", "tsv"),
    ("xml", "xml"),
];

/// Choose how to read a file.
///
/// # Errors
/// [`Fault::InvalidInput`] for a kind that is no text or that nobody could read as such.
pub fn choose(name: &str, kind: &str) -> Result<Format, Fault> {
    let kind = kind.to_lowercase();
    let known = match VAGUE.contains(&kind.as_str()) {
        true => by_name(name).unwrap_or("txt"),
        false => kind.as_str(),
    };
    let all: [(&[&str], Format); 6] = [
        (&MARKDOWN, Format::Markdown),
        (&HTML, Format::Html),
        (&PROSE, Format::Prose),
        (&CODE, Format::Code),
        (&RECORDS, Format::Records),
        (&TABLE, Format::Table),
    ];
    all.iter().find(|(kinds, _)| kinds.contains(&known)).map(|(_, format)| *format).ok_or_else(|| {
        Fault::invalid_input(format!(
            "`{name}` is of kind `{kind}`, which cannot be read; send Markdown, HTML, plain text or source code"
        ))
    })
}

fn by_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let extension = extension.to_lowercase();
    EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::{Format, choose};

    #[test]
    fn the_kind_decides_and_a_vague_one_leaves_it_to_the_name() {
        let cases = [
            ("a", "markdown", Format::Markdown),
            ("a.txt", "HTML", Format::Html),
            ("README.md", "txt", Format::Markdown),
            ("notes", "txt", Format::Prose),
            ("lib.rs", "rust", Format::Code),
            ("a.json", "json", Format::Records),
            ("a.csv", "csv", Format::Table),
        ];
        for (name, kind, format) in cases {
            assert_eq!(choose(name, kind), Ok(format), "{name} {kind}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for kind in ["pdf", "png", "unknown", "empty", "rtf", ""] {
            assert!(choose("a.md", kind).unwrap_err().reason().contains("cannot be read"));
        }
    }
}
