//! Languages: which files are theirs, and how they write comments and strings.

/// A language, as far as telling comments from strings and code needs it.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    pub name: &'static str,
    /// Without the dot.
    pub extensions: &'static [&'static str],
    /// Whole file names.
    pub file_names: &'static [&'static str],
    pub syntax: &'static Syntax,
    /// Written by people as a program (not markup, configuration or data).
    pub is_code: bool,
}

/// Comment and string syntax of a family of languages.
#[derive(Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of a language of its own; the table reads best so"
)]
pub struct Syntax {
    /// Start a comment that ends with the line.
    pub line: &'static [&'static str],
    /// Opening and closing of comments that span lines.
    pub block: &'static [(&'static str, &'static str)],
    /// Block comments nest.
    pub nested: bool,
    /// Tried in this order: longer openings first.
    pub strings: &'static [Quote],
    /// A line comment must start the line or follow white space (`#` in shell, YAML, ...).
    pub after_space: bool,
    /// `'a` can be a lifetime or label, `r#"..."#` is a string.
    pub rust: bool,
    /// `/.../` can be a regular expression.
    pub regex: bool,
    /// `<<WORD` starts a text that ends with a line `WORD`.
    pub heredoc: bool,
}

/// How a string starts, ends and whether a backslash escapes in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Quote {
    pub open: &'static str,
    pub close: &'static str,
    pub escape: bool,
    /// May go on after the end of the line. One that may not ends there, so that a stray quote
    /// spoils one line and not the rest of the file.
    pub multiline: bool,
}

/// The language of a path, by file name and extension.
pub fn of(path: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    LANGUAGES
        .iter()
        .find(|language| language.file_names.contains(&name))
        .or_else(|| {
            let (stem, extension) = name.rsplit_once('.')?;
            let extension = extension.to_ascii_lowercase();
            LANGUAGES.iter().find(|language| {
                !stem.is_empty() && language.extensions.contains(&extension.as_str())
            })
        })
}

const fn quote(mark: &'static str) -> Quote {
    Quote {
        open: mark,
        close: mark,
        escape: true,
        multiline: false,
    }
}

const fn raw(mark: &'static str) -> Quote {
    Quote {
        escape: false,
        multiline: true,
        ..quote(mark)
    }
}

const fn long(mark: &'static str) -> Quote {
    Quote {
        multiline: true,
        ..quote(mark)
    }
}

const NONE: Syntax = Syntax {
    line: &[],
    block: &[],
    nested: false,
    strings: &[],
    after_space: false,
    rust: false,
    regex: false,
    heredoc: false,
};

const C_BLOCK: &[(&str, &str)] = &[("/*", "*/")];
const QUOTES: &[Quote] = &[quote("\""), quote("'")];
const TRIPLE_QUOTES: &[Quote] = &[long("\"\"\""), long("'''"), quote("\""), quote("'")];

static C: Syntax = Syntax {
    line: &["//"],
    block: C_BLOCK,
    strings: QUOTES,
    ..NONE
};
static RUST: Syntax = Syntax {
    nested: true,
    rust: true,
    strings: &[long("\"")],
    ..C
};
static GO: Syntax = Syntax {
    strings: &[raw("`"), quote("\""), quote("'")],
    ..C
};
static SCRIPT: Syntax = Syntax {
    regex: true,
    strings: &[long("`"), quote("\""), quote("'")],
    ..C
};
static C_TRIPLE: Syntax = Syntax {
    strings: TRIPLE_QUOTES,
    ..C
};
static C_TRIPLE_NESTED: Syntax = Syntax {
    nested: true,
    ..C_TRIPLE
};
static C_SHARP: Syntax = Syntax {
    strings: &[
        long("\"\"\""),
        Quote {
            open: "@\"",
            close: "\"",
            escape: false,
            multiline: true,
        },
        quote("\""),
        quote("'"),
    ],
    ..C
};
static PHP: Syntax = Syntax {
    line: &["//", "#"],
    heredoc: true,
    ..C
};
static COMPONENT: Syntax = Syntax {
    block: &[("/*", "*/"), ("<!--", "-->")],
    ..SCRIPT
};
static CSS: Syntax = Syntax { line: &[], ..C };
static HCL: Syntax = Syntax {
    line: &["#", "//"],
    heredoc: true,
    strings: &[quote("\"")],
    ..C
};
static NIX: Syntax = Syntax {
    line: &["#"],
    strings: &[raw("''"), long("\"")],
    ..C
};
static PYTHON: Syntax = Syntax {
    line: &["#"],
    strings: TRIPLE_QUOTES,
    ..NONE
};
static RUBY: Syntax = Syntax {
    line: &["#"],
    block: &[("\n=begin", "\n=end")],
    strings: QUOTES,
    heredoc: true,
    after_space: true,
    ..NONE
};
static SHELL: Syntax = Syntax {
    line: &["#"],
    strings: &[long("\""), raw("'")],
    heredoc: true,
    after_space: true,
    ..NONE
};
static PERL: Syntax = Syntax {
    block: &[("\n=pod", "\n=cut")],
    ..SHELL
};
static POWERSHELL: Syntax = Syntax {
    block: &[("<#", "#>")],
    heredoc: false,
    ..SHELL
};
static HASH: Syntax = Syntax {
    line: &["#"],
    strings: QUOTES,
    after_space: true,
    ..NONE
};
static HASH_TRIPLE: Syntax = Syntax {
    strings: TRIPLE_QUOTES,
    ..HASH
};
static MAKE: Syntax = Syntax {
    line: &["#"],
    after_space: true,
    ..NONE
};
static JULIA: Syntax = Syntax {
    block: &[("#=", "=#")],
    nested: true,
    ..PYTHON
};
static SQL: Syntax = Syntax {
    line: &["--"],
    block: C_BLOCK,
    strings: &[raw("'"), raw("\"")],
    ..NONE
};
static LUA: Syntax = Syntax {
    line: &["--"],
    block: &[("--[[", "]]")],
    strings: &[
        Quote {
            open: "[[",
            close: "]]",
            escape: false,
            multiline: true,
        },
        quote("\""),
        quote("'"),
    ],
    ..NONE
};
static HASKELL: Syntax = Syntax {
    line: &["--"],
    block: &[("{-", "-}")],
    nested: true,
    strings: &[quote("\"")],
    ..NONE
};
static ML: Syntax = Syntax {
    block: &[("(*", "*)")],
    nested: true,
    strings: &[long("\"")],
    ..NONE
};
static F_SHARP: Syntax = Syntax {
    line: &["//"],
    ..ML
};
static LISP: Syntax = Syntax {
    line: &[";"],
    block: &[("#|", "|#")],
    strings: &[long("\"")],
    ..NONE
};
static PERCENT: Syntax = Syntax {
    line: &["%"],
    strings: &[quote("\"")],
    ..NONE
};
static MARKUP: Syntax = Syntax {
    block: &[("<!--", "-->")],
    ..NONE
};
static JINJA: Syntax = Syntax {
    block: &[("<!--", "-->"), ("{#", "#}")],
    ..NONE
};

const fn code(
    name: &'static str,
    extensions: &'static [&'static str],
    syntax: &'static Syntax,
) -> Language {
    Language {
        name,
        extensions,
        file_names: &[],
        syntax,
        is_code: true,
    }
}

const fn other(
    name: &'static str,
    extensions: &'static [&'static str],
    file_names: &'static [&'static str],
    syntax: &'static Syntax,
) -> Language {
    Language {
        file_names,
        is_code: false,
        ..code(name, extensions, syntax)
    }
}

/// All languages known.
pub static LANGUAGES: &[Language] = &[
    code("Rust", &["rs"], &RUST),
    code("Python", &["py", "pyi", "pyx"], &PYTHON),
    code("TypeScript", &["ts", "tsx", "mts", "cts"], &SCRIPT),
    code("JavaScript", &["js", "jsx", "mjs", "cjs"], &SCRIPT),
    code("Go", &["go"], &GO),
    code("Java", &["java"], &C_TRIPLE),
    code("Kotlin", &["kt", "kts"], &C_TRIPLE_NESTED),
    code("Scala", &["scala", "sc"], &C_TRIPLE_NESTED),
    code("Groovy", &["groovy", "gradle"], &C_TRIPLE),
    code("Swift", &["swift"], &C_TRIPLE_NESTED),
    code("Dart", &["dart"], &C_TRIPLE_NESTED),
    code("C", &["c", "h"], &C),
    code(
        "C++",
        &["cc", "cpp", "cxx", "hpp", "hh", "hxx", "ipp", "cu"],
        &C,
    ),
    code("Objective-C", &["m", "mm"], &C),
    code("C#", &["cs"], &C_SHARP),
    code("F#", &["fs", "fsx"], &F_SHARP),
    code("PHP", &["php"], &PHP),
    code("Ruby", &["rb", "rake", "gemspec"], &RUBY),
    code("Shell", &["sh", "bash", "zsh", "ksh"], &SHELL),
    code("Fish", &["fish"], &SHELL),
    code("PowerShell", &["ps1", "psm1"], &POWERSHELL),
    code("Perl", &["pl", "pm"], &PERL),
    code("Elixir", &["ex", "exs"], &HASH_TRIPLE),
    code("Erlang", &["erl", "hrl"], &PERCENT),
    code("Haskell", &["hs"], &HASKELL),
    code("Elm", &["elm"], &HASKELL),
    code("PureScript", &["purs"], &HASKELL),
    code("OCaml", &["ml", "mli"], &ML),
    code("Clojure", &["clj", "cljs", "cljc"], &LISP),
    code("Lisp", &["lisp", "el", "scm", "rkt"], &LISP),
    code("Lua", &["lua"], &LUA),
    code("Julia", &["jl"], &JULIA),
    code("R", &["r"], &HASH),
    code("Nim", &["nim"], &PYTHON),
    code("Zig", &["zig"], &C),
    code("D", &["d"], &C),
    code("V", &["v"], &C),
    code("Solidity", &["sol"], &C),
    code("SQL", &["sql"], &SQL),
    code("Vue", &["vue"], &COMPONENT),
    code("Svelte", &["svelte"], &COMPONENT),
    code("Astro", &["astro"], &COMPONENT),
    code("Protocol Buffers", &["proto"], &C),
    code("Terraform", &["tf", "hcl"], &HCL),
    code("Nix", &["nix"], &NIX),
    other("CSS", &["css"], &[], &CSS),
    other("Sass", &["scss", "sass", "less"], &[], &C),
    other("GraphQL", &["graphql", "gql"], &[], &HASH_TRIPLE),
    other(
        "Makefile",
        &["mk"],
        &["Makefile", "makefile", "GNUmakefile"],
        &MAKE,
    ),
    other("CMake", &["cmake"], &["CMakeLists.txt"], &HASH),
    other(
        "Dockerfile",
        &["dockerfile"],
        &["Dockerfile", "Containerfile"],
        &HASH,
    ),
    other(
        "Just",
        &["just"],
        &["justfile", "Justfile", ".justfile"],
        &HASH,
    ),
    other("Bazel", &["bzl", "bazel"], &["BUILD", "WORKSPACE"], &PYTHON),
    other("YAML", &["yml", "yaml"], &[], &HASH),
    other("TOML", &["toml"], &[], &HASH_TRIPLE),
    other(
        "INI",
        &["ini", "cfg", "conf", "properties"],
        &[".editorconfig"],
        &MAKE,
    ),
    other("HTML", &["html", "htm", "xhtml"], &[], &MARKUP),
    other(
        "XML",
        &["xml", "xsd", "xsl", "csproj", "fsproj", "props", "targets"],
        &[],
        &MARKUP,
    ),
    other("Jinja", &["j2", "jinja", "jinja2"], &[], &JINJA),
    other("Markdown", &["md", "markdown", "mdx"], &[], &MARKUP),
    other("LaTeX", &["tex"], &[], &PERCENT),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_by_name_and_extension() {
        let name = |path| of(path).map(|language| language.name);
        assert_eq!(name("src/a.RS"), Some("Rust"));
        assert_eq!(name("deep/Makefile"), Some("Makefile"));
        assert_eq!(name("a.tar.gz"), None);
        assert_eq!(name(".rs"), None);
        assert_eq!(name("LICENSE"), None);
    }

    #[test]
    fn no_extension_belongs_to_two() {
        let mut seen = std::collections::HashSet::new();
        for language in LANGUAGES {
            for extension in language.extensions {
                assert!(seen.insert(extension), "{extension}");
            }
        }
    }
}
