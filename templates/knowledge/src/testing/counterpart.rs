//! Which source file has a test of its own: by the names and places of both.

use std::collections::{BTreeMap, HashSet};

use super::style;
use crate::{ecosystem, language};

/// Names that stand for their folder.
#[rustfmt::skip]
const POSITIONAL: &[&str] = &["mod", "lib", "main", "index", "init", "__init__", "page", "layout", "route"];

/// Names that many files have.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "utils", "util", "helpers", "helper", "types", "models", "model", "common", "base", "core", "api", "app",
    "views", "routes", "service", "handler", "client", "server", "config", "errors", "error", "constants",
    "schema", "store",
];

/// Folders that hold sources or tests of any kind.
#[rustfmt::skip]
const LAYOUT_FOLDERS: &[&str] = &[
    "src", "lib", "app", "main", "java", "kotlin", "scala", "groovy", "test", "tests", "spec", "specs",
    "__tests__", "unit", "integration", "pkg", "internal", "packages", "crates", "python",
];

/// Those of them that hold tests only.
const TEST_FOLDERS: &[&str] = &["test", "tests", "spec", "specs", "__tests__"];

/// The test files of a repository, by what they are named after.
#[derive(Debug, Default)]
pub struct Counterparts<'a> {
    /// By language family and subject.
    by_subject: BTreeMap<(usize, String), Vec<&'a str>>,
    /// By language family.
    all: Vec<(usize, &'a str)>,
    /// Sources with tests inside.
    inside: HashSet<&'a str>,
    /// Folders of packages, without a slash at the end.
    packages: HashSet<&'a str>,
}

impl<'a> Counterparts<'a> {
    /// `tests`: paths of test files; `inside`: sources with tests inside them (Rust); `packages`:
    /// folders with a package manifest.
    pub fn new(
        tests: impl IntoIterator<Item = &'a str>,
        inside: impl IntoIterator<Item = &'a str>,
        packages: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut files = Self {
            inside: inside.into_iter().collect(),
            packages: packages.into_iter().collect(),
            ..Self::default()
        };
        for path in tests {
            if let Some(family) = family(path) {
                let subject = subject(path);
                files
                    .by_subject
                    .entry((family, subject))
                    .or_default()
                    .push(path);
                files.all.push((family, path));
            }
        }
        files
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.inside.is_empty()
    }

    /// The test that is named after a source file: itself when its tests are inside.
    pub fn of(&self, source: &'a str) -> Option<&'a str> {
        if self.inside.contains(source) {
            return Some(source);
        }
        let family = family(source)?;
        let stem = snake(public(stem(source)));
        let parent = snake(parent(source));
        let is_positional = POSITIONAL.contains(&stem.as_str());
        let is_common = COMMON.contains(&stem.as_str());
        let mut named: Vec<&str> = Vec::new();
        let mut add = |subject: &str| {
            let key = (family, subject.to_owned());
            named.extend(self.by_subject.get(&key).into_iter().flatten());
        };
        add(&stem);
        add(&format!("{parent}_{stem}"));
        if is_positional {
            add(&parent);
        }
        if named.is_empty() && !is_positional && !is_common && stem.len() > 4 {
            // `test_parser_errors.py` is also about `parser.py`.
            let longer = format!("{stem}_");
            let from = self.by_subject.range((family, longer.clone())..);
            let paths = from.take_while(|((known, subject), _)| {
                *known == family && subject.starts_with(&longer)
            });
            named.extend(paths.flat_map(|(_, paths)| paths));
        }
        named.sort_unstable();
        named
            .into_iter()
            .find(|test| self.fits(test, source, is_positional, is_common))
    }

    /// Whether a test of the right name is also in a place where the source's test would be.
    fn fits(&self, test: &str, source: &str, is_positional: bool, is_common: bool) -> bool {
        let (here, there) = (folder(source), folder(test));
        if source.ends_with(".go") {
            return here == there;
        }
        let package = self.package_of(source);
        let package_name = package.rsplit('/').next().filter(|name| !name.is_empty());
        let is_in_package = self.package_of(test) == package
            || there
                .split('/')
                .chain([stem(test)])
                .any(|part| Some(part) == package_name);
        let (own, tests) = (telling(here), telling(there));
        let is_about_folder = own.last().is_some_and(|last| subject(test) == snake(last));
        // One folder of tests for everything.
        let is_flat = tests.is_empty() && there.split('/').any(|part| TEST_FOLDERS.contains(&part));
        is_in_package
            && match (is_positional, is_common) {
                (true, _) => is_about_folder || tests.last() == own.last() || is_flat,
                (_, true) => tests.iter().all(|part| own.contains(part)),
                _ => true,
            }
    }

    /// The innermost package that holds a path.
    fn package_of<'p>(&self, path: &'p str) -> &'p str {
        let mut inside = folder(path);
        while !inside.is_empty() && !self.packages.contains(inside) {
            inside = folder(inside);
        }
        inside
    }

    /// The test file, of the same family, that is nearest: how tests look around here.
    pub fn nearest(&self, source: &str) -> Option<&'a str> {
        let family = family(source)?;
        let package = self.package_of(source);
        let inside = self.inside.iter().map(|path| (self::family(path), *path));
        let tests = self.all.iter().map(|(family, path)| (Some(*family), *path));
        tests
            .chain(inside)
            .filter(|(of, path)| *of == Some(family) && *path != source)
            .map(|(_, path)| path)
            .max_by_key(|test| {
                // `conftest.py` and helpers show no test.
                let is_named_as_one = test.ends_with(".rs") || subject(test) != snake(stem(test));
                let name = std::cmp::Reverse(*test);
                (
                    self.package_of(test) == package,
                    is_named_as_one,
                    shared(test, source),
                    name,
                )
            })
    }
}

/// Whether many files have a name like this, so that it does not tell which is meant.
pub fn is_common(stem: &str) -> bool {
    let stem = snake(stem);
    POSITIONAL.contains(&stem.as_str()) || COMMON.contains(&stem.as_str())
}

/// What the test of a source file would be called, for a person.
pub fn expected_names(source: &str) -> Vec<String> {
    let stem = public(stem(source));
    let stands_for_folder =
        POSITIONAL.contains(&snake(stem).as_str()) && !telling(folder(source)).is_empty();
    let name = if stands_for_folder {
        parent(source)
    } else {
        stem
    };
    let Some((_, extension)) = source.rsplit_once('.') else {
        return Vec::new();
    };
    match language::of(source).map_or("", |language| language.name) {
        "Rust" => vec![
            "mod tests in the file itself".into(),
            format!("tests/{name}.rs"),
        ],
        "Python" => vec![format!("test_{name}.py"), format!("{name}_test.py")],
        "TypeScript" | "JavaScript" => {
            vec![
                format!("{name}.test.{extension}"),
                format!("{name}.spec.{extension}"),
            ]
        }
        "Go" => vec![format!("{stem}_test.go")],
        "Ruby" => vec![format!("{name}_spec.rb"), format!("{name}_test.rb")],
        "Elixir" => vec![format!("{name}_test.exs")],
        "Dart" => vec![format!("{name}_test.dart")],
        "C" | "C++" => vec![format!("{name}_test.{extension}")],
        "Swift" => vec![format!("{name}Tests.swift")],
        "C#" => vec![format!("{name}Tests.cs"), format!("{name}Test.cs")],
        _ => vec![
            format!("{name}Test.{extension}"),
            format!("{name}Spec.{extension}"),
        ],
    }
}

/// Globs of all test files that names and folders tell.
pub fn globs() -> Vec<String> {
    let mut globs = Vec::new();
    for ecosystem in ecosystem::ECOSYSTEMS {
        let extensions: Vec<&str> = ecosystem
            .languages
            .iter()
            .filter_map(|name| {
                language::LANGUAGES
                    .iter()
                    .find(|language| language.name == *name)
            })
            .flat_map(|language| language.extensions.iter().copied())
            .collect();
        let extensions = extensions.join(",");
        let tests = &ecosystem.tests;
        globs.extend(
            tests
                .prefixes
                .iter()
                .map(|prefix| format!("**/{prefix}*.{{{extensions}}}")),
        );
        globs.extend(
            tests
                .suffixes
                .iter()
                .map(|suffix| match suffix.strip_prefix('/') {
                    Some(name) => format!("**/{name}"),
                    None => format!("**/*{suffix}"),
                }),
        );
        globs.extend(
            tests
                .folders
                .iter()
                .map(|folder| format!("**/{folder}/**/*.{{{extensions}}}")),
        );
    }
    globs.sort();
    globs.dedup();
    globs
}

/// Languages whose tests are written alike can test each other: TypeScript and JavaScript, Java and
/// Kotlin.
fn family(path: &str) -> Option<usize> {
    let (_, language) = style::of_path(path)?;
    ecosystem::ECOSYSTEMS
        .iter()
        .position(|ecosystem| ecosystem.languages.contains(&language.name))
}

/// What a test file is about, by its name: `parser` for `test_parser.py`, `ParserTest.java` and
/// `parser.spec.ts`; its folder for `parser/tests.rs`.
fn subject(path: &str) -> String {
    let stem = snake(stem(path));
    let mut subject = stem.as_str();
    for affix in ["test_", "tests_", "spec_", "it_"] {
        subject = subject.strip_prefix(affix).unwrap_or(subject);
    }
    for affix in [
        "_test",
        "_tests",
        "_spec",
        "_specs",
        "_it",
        "_unittest",
        "_cy",
        "_e2e",
    ] {
        subject = subject.strip_suffix(affix).unwrap_or(subject);
    }
    match subject {
        "" | "test" | "tests" | "spec" => snake(parent(path)),
        _ => subject.to_owned(),
    }
}

/// `a/b/parser.test.ts` is `parser.test`.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// `_client` is tested as `client`; `__init__` stays.
fn public(stem: &str) -> &str {
    if stem.starts_with("__") {
        stem
    } else {
        stem.trim_start_matches('_')
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn parent(path: &str) -> &str {
    folder(path).rsplit('/').next().unwrap_or("")
}

/// The folders of a path that say what it is about.
fn telling(folder: &str) -> Vec<&str> {
    folder
        .split('/')
        .filter(|part| !part.is_empty() && !LAYOUT_FOLDERS.contains(part))
        .collect()
}

/// Folders that both paths start with.
fn shared(a: &str, b: &str) -> usize {
    folder(a)
        .split('/')
        .zip(folder(b).split('/'))
        .take_while(|(a, b)| a == b)
        .count()
}

/// `ParserErrors`, `parser-errors` and `parser.errors` are `parser_errors`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            snake.push('_');
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric() {
            snake.extend(c.to_lowercase());
        } else if !snake.ends_with('_') || c == '_' {
            snake.push('_');
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_named_after_their_source() {
        let cases: [(&str, &[&str], Option<&str>); 25] = [
            (
                "src/parser.py",
                &["tests/test_parser.py"],
                Some("tests/test_parser.py"),
            ),
            ("src/parser.py", &["tests/test_parsers.py"], None),
            (
                "src/parser.py",
                &["tests/test_parser_errors.py"],
                Some("tests/test_parser_errors.py"),
            ),
            ("src/a/utils.py", &["tests/b/test_utils.py"], None),
            (
                "src/a/utils.py",
                &["tests/a/test_utils.py"],
                Some("tests/a/test_utils.py"),
            ),
            (
                "src/auth/__init__.py",
                &["tests/test_auth.py"],
                Some("tests/test_auth.py"),
            ),
            (
                "src/cart.ts",
                &["src/cart.test.tsx"],
                Some("src/cart.test.tsx"),
            ),
            (
                "src/cart/index.ts",
                &["src/cart/__tests__/index.test.ts"],
                Some("src/cart/__tests__/index.test.ts"),
            ),
            ("src/cart/index.ts", &["src/shop/index.test.ts"], None),
            ("web/src/cart.ts", &["api/src/cart.test.ts"], None),
            (
                "src/CartItem.tsx",
                &["tests/cart-item.spec.js"],
                Some("tests/cart-item.spec.js"),
            ),
            ("pkg/a/a.go", &["pkg/a/a_test.go"], Some("pkg/a/a_test.go")),
            ("pkg/a/a.go", &["pkg/b/a_test.go"], None),
            (
                "src/main/java/org/x/Cart.java",
                &["src/test/java/org/x/CartTest.java"],
                Some("src/test/java/org/x/CartTest.java"),
            ),
            (
                "src/main/java/Cart.java",
                &["src/test/kotlin/CartTest.kt"],
                Some("src/test/kotlin/CartTest.kt"),
            ),
            (
                "src/lexer.rs",
                &["src/lexer/tests.rs"],
                Some("src/lexer/tests.rs"),
            ),
            ("src/lexer.rs", &["tests/lexer.rs"], Some("tests/lexer.rs")),
            (
                "lib/cart.rb",
                &["spec/lib/cart_spec.rb"],
                Some("spec/lib/cart_spec.rb"),
            ),
            (
                "httpx/_main.py",
                &["tests/test_main.py"],
                Some("tests/test_main.py"),
            ),
            ("src/cart.py", &["tests/cart.test.ts"], None),
            (
                "httpx/_decoders.py",
                &["tests/test_decoders.py"],
                Some("tests/test_decoders.py"),
            ),
            (
                "src/shop/config.py",
                &["tests/test_config.py"],
                Some("tests/test_config.py"),
            ),
            ("src/cart/index.ts", &["src/index.test.ts"], None),
            (
                "src/index.ts",
                &["src/index.test.ts"],
                Some("src/index.test.ts"),
            ),
            (
                "src/store.ts",
                &["src/store.test.ts"],
                Some("src/store.test.ts"),
            ),
        ];
        for (source, tests, expected) in cases {
            let files = Counterparts::new(tests.iter().copied(), [], ["web", "api", ""]);
            assert_eq!(files.of(source), expected, "{source} {tests:?}");
        }
    }

    #[test]
    fn tests_inside_and_nearest() {
        let files = Counterparts::new(
            ["api/tests/a.rs", "tests/test_b.py"],
            ["api/src/lib.rs", "src/x.rs"],
            ["api", ""],
        );
        assert_eq!(files.of("src/x.rs"), Some("src/x.rs"));
        assert_eq!(files.nearest("api/src/deep/y.rs"), Some("api/src/lib.rs"));
        assert_eq!(files.nearest("worker/b.py"), Some("tests/test_b.py"));
        assert_eq!(files.nearest("worker/b.go"), None);
    }

    #[test]
    fn names_of_tests() {
        assert_eq!(
            expected_names("src/cart/index.ts"),
            ["cart.test.ts", "cart.spec.ts"]
        );
        assert_eq!(expected_names("a/B.java"), ["BTest.java", "BSpec.java"]);
    }
}
