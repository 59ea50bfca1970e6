use super::*;
use crate::language;

/// Comment lines of a text in the language of `path`, as `line:text`.
fn comments(path: &str, text: &str) -> Vec<String> {
    let language = language::of(path).expect("a known language");
    comment_lines(text, language.syntax)
        .iter()
        .map(|comment| format!("{}:{}", comment.line, comment.text.trim()))
        .collect()
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(comments(path, text), expected, "{path}: {text}");
    let language = language::of(path).expect("a known language");
    let whole: String = regions(text, language.syntax)
        .iter()
        .map(|region| region.text)
        .collect();
    assert_eq!(whole, text, "regions leave no gap");
}

#[test]
fn rust() {
    check("a.rs", "let a = \"// FIXME\"; // real", &["1:// real"]);
    check(
        "a.rs",
        "let a = r#\"a \" // no\n// no\"#; // yes",
        &["2:// yes"],
    );
    check("a.rs", "fn f<'a>(x: &'a str) {} // yes", &["1:// yes"]);
    check(
        "a.rs",
        "let q = '\"'; // yes\nlet r = '\\''; // yes",
        &["1:// yes", "2:// yes"],
    );
    check(
        "a.rs",
        "/* a /* b */ c */ let x; /* d */",
        &["1:/* a /* b */ c */", "1:/* d */"],
    );
    check("a.rs", "let s = \"two\n// lines\"; // yes", &["2:// yes"]);
    check("a.rs", "let for_ = bar\"x\"; // yes", &["1:// yes"]);
}

#[test]
fn python() {
    check("a.py", "x = '# no'  # yes\n", &["1:# yes"]);
    check("a.py", "\"\"\"doc\n# no\n\"\"\"\n# yes\n", &["4:# yes"]);
    check(
        "a.py",
        "x = r'\\'  # still the string\ny = 1  # yes\n",
        &["2:# yes"],
    );
}

#[test]
fn scripts() {
    check(
        "a.ts",
        "const u = `http://x // no ${a}`; // yes",
        &["1:// yes"],
    );
    check("a.ts", "x.replace(/\"/g, '//'); // yes", &["1:// yes"]);
    check("a.ts", "const re = /[/\"]/; // yes", &["1:// yes"]);
    check("a.ts", "const a = b / c; // yes / no", &["1:// yes / no"]);
    check(
        "a.vue",
        "<!-- yes -->\n<p>\"</p>\n// also",
        &["1:<!-- yes -->", "3:// also"],
    );
}

#[test]
fn go_and_c() {
    check(
        "a.go",
        "s := `// no\n// no` // yes\nr := '\"' // yes",
        &["2:// yes", "3:// yes"],
    );
    check(
        "a.c",
        "char *s = \"/* no */\"; /* yes\n * yes */",
        &["1:/* yes", "2:* yes */"],
    );
    check(
        "A.java",
        "String s = \"\"\"\n  // no\n  \"\"\"; // yes",
        &["3:// yes"],
    );
}

#[test]
fn hashes() {
    check(
        "a.sh",
        "echo $# ${#a} \"# no\" # yes\ncat <<EOF\n# no\nEOF\n# yes",
        &["1:# yes", "5:# yes"],
    );
    check("a.sh", "x=$((1 << 3)) # yes", &["1:# yes"]);
    check("a.yml", "a: b#c # yes\nurl: 'x # no'", &["1:# yes"]);
    check("Makefile", "# it's\nall: # yes", &["1:# it's", "2:# yes"]);
    check(
        "a.rb",
        "=begin\nyes\n=end\nx = \"#{a} # no\" # yes",
        &["1:=begin", "2:yes", "3:=end", "4:# yes"],
    );
}

#[test]
fn others() {
    check(
        "a.sql",
        "select '-- no' -- yes\n/* yes */",
        &["1:-- yes", "2:/* yes */"],
    );
    check(
        "a.lua",
        "--[[ yes\nyes ]] x = [[-- no]] -- yes",
        &["1:--[[ yes", "2:yes ]]", "2:-- yes"],
    );
    check(
        "a.hs",
        "{- yes -} x = \"-- no\" -- yes",
        &["1:{- yes -}", "1:-- yes"],
    );
    check("a.md", "FIXME <!-- yes -->", &["1:<!-- yes -->"]);
    check("a.cs", "var p = @\"c:\\\"; // yes", &["1:// yes"]);
    check("a.tex", "100\\% of % yes", &["1:% yes"]);
}

#[test]
fn a_stray_quote_spoils_one_line_only() {
    check("a.c", "#error don't\n// yes", &["2:// yes"]);
    check("a.py", "it's broken\n# yes", &["2:# yes"]);
}

#[test]
fn masking_keeps_lines_and_columns() {
    let syntax = language::of("a.rs").unwrap().syntax;
    let text = "let a = \"x\ny\"; // c\nb";
    assert_eq!(
        masked(text, syntax, &[Kind::Code]),
        "let a =   \n  ;     \nb"
    );
    assert_eq!(
        masked(text, syntax, &[Kind::Code, Kind::String, Kind::Comment]),
        text
    );
}

#[test]
fn nothing_makes_it_panic() {
    let pieces = [
        "\"", "'", "`", "/*", "*/", "//", "#", "r#\"", "<<A", "\n", "\\", "ä", "=begin", "/", "[",
        "{-", " ",
    ];
    // Every sequence of three pieces, in every family.
    for language in language::LANGUAGES {
        for number in 0..pieces.len().pow(3) {
            let n = pieces.len();
            let text: String = [number % n, number / n % n, number / n / n % n]
                .iter()
                .map(|&piece| pieces[piece])
                .collect();
            let whole: String = regions(&text, language.syntax)
                .iter()
                .map(|region| region.text)
                .collect();
            assert_eq!(whole, text);
        }
    }
}
