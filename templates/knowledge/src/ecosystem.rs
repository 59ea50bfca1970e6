//! Package ecosystems: manifests, lockfiles, test files, and what to run when nothing says it.

/// How one ecosystem lays out its packages.
#[derive(Debug, PartialEq, Eq)]
pub struct Ecosystem {
    pub name: &'static str,
    /// Names (or `*.ext`) of the files that make a folder a package, the most telling first.
    pub manifests: &'static [&'static str],
    pub lockfiles: &'static [&'static str],
    /// Names of languages in [`crate::language::LANGUAGES`].
    pub languages: &'static [&'static str],
    /// Programs that work on this ecosystem only.
    pub tools: &'static [&'static str],
    pub tests: TestFiles,
    /// What its people type when nothing else is said.
    pub test_command: Option<&'static str>,
}

/// How test files are told from others.
#[derive(Debug, PartialEq, Eq)]
pub struct TestFiles {
    /// Beginnings of file names.
    pub prefixes: &'static [&'static str],
    /// Ends of file names.
    pub suffixes: &'static [&'static str],
    /// Folders, at any depth below the package.
    pub folders: &'static [&'static str],
}

/// All ecosystems known.
pub static ECOSYSTEMS: &[Ecosystem] = &[
    Ecosystem {
        name: "cargo",
        manifests: &["Cargo.toml"],
        lockfiles: &["Cargo.lock"],
        languages: &["Rust"],
        tools: &["cargo", "rustfmt"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["_test.rs", "_tests.rs", "/tests.rs"],
            folders: &["tests"],
        },
        test_command: Some("cargo test"),
    },
    Ecosystem {
        name: "npm",
        manifests: &["package.json"],
        lockfiles: &[
            "package-lock.json",
            "pnpm-lock.yaml",
            "yarn.lock",
            "bun.lock",
            "bun.lockb",
        ],
        languages: &["TypeScript", "JavaScript", "Vue", "Svelte", "Astro"],
        tools: &[
            "npm",
            "pnpm",
            "yarn",
            "bun",
            "npx",
            "node",
            "vitest",
            "jest",
            "eslint",
            "tsc",
            "prettier",
            "playwright",
        ],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &[
                ".test.ts",
                ".test.tsx",
                ".test.js",
                ".test.jsx",
                ".test.mjs",
                ".test.cjs",
                ".spec.ts",
                ".spec.tsx",
                ".spec.js",
                ".spec.jsx",
                ".spec.mjs",
                ".cy.ts",
                ".cy.js",
                "_test.ts",
            ],
            folders: &["__tests__", "test", "tests", "e2e", "cypress"],
        },
        test_command: Some("npm test"),
    },
    Ecosystem {
        name: "python",
        manifests: &[
            "pyproject.toml",
            "setup.py",
            "setup.cfg",
            "requirements.txt",
            "Pipfile",
        ],
        lockfiles: &[
            "uv.lock",
            "poetry.lock",
            "Pipfile.lock",
            "pdm.lock",
            "requirements.txt",
        ],
        languages: &["Python"],
        tools: &[
            "pytest", "python", "python3", "tox", "nox", "uv", "uvx", "poetry", "pdm", "hatch",
            "ruff", "mypy", "flake8", "black",
        ],
        tests: TestFiles {
            prefixes: &["test_"],
            suffixes: &["_test.py", "/tests.py", "/conftest.py"],
            folders: &["tests", "test"],
        },
        test_command: Some("python -m pytest"),
    },
    Ecosystem {
        name: "go",
        manifests: &["go.mod"],
        lockfiles: &["go.sum"],
        languages: &["Go"],
        tools: &["go", "golangci-lint", "gofmt", "staticcheck", "gotestsum"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["_test.go"],
            folders: &[],
        },
        test_command: Some("go test ./..."),
    },
    Ecosystem {
        name: "gradle",
        manifests: &["build.gradle", "build.gradle.kts"],
        lockfiles: &["gradle.lockfile"],
        languages: &["Java", "Kotlin", "Groovy", "Scala"],
        tools: &["gradle", "gradlew"],
        tests: JVM_TESTS,
        test_command: Some("./gradlew check"),
    },
    Ecosystem {
        name: "maven",
        manifests: &["pom.xml"],
        lockfiles: &[],
        languages: &["Java", "Kotlin", "Groovy", "Scala"],
        tools: &["mvn", "mvnw"],
        tests: JVM_TESTS,
        test_command: Some("mvn verify"),
    },
    Ecosystem {
        name: "bundler",
        manifests: &["Gemfile", "*.gemspec"],
        lockfiles: &["Gemfile.lock"],
        languages: &["Ruby"],
        tools: &["bundle", "rake", "rspec", "rubocop"],
        tests: TestFiles {
            prefixes: &["test_"],
            suffixes: &["_spec.rb", "_test.rb"],
            folders: &["spec", "test"],
        },
        test_command: None,
    },
    Ecosystem {
        name: "composer",
        manifests: &["composer.json"],
        lockfiles: &["composer.lock"],
        languages: &["PHP"],
        tools: &["composer", "phpunit", "phpstan"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["Test.php"],
            folders: &["tests"],
        },
        test_command: Some("vendor/bin/phpunit"),
    },
    Ecosystem {
        name: "mix",
        manifests: &["mix.exs"],
        lockfiles: &["mix.lock"],
        languages: &["Elixir"],
        tools: &["mix"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["_test.exs"],
            folders: &["test"],
        },
        test_command: Some("mix test"),
    },
    Ecosystem {
        name: "dotnet",
        manifests: &["*.csproj", "*.fsproj", "*.sln"],
        lockfiles: &["packages.lock.json"],
        languages: &["C#", "F#"],
        tools: &["dotnet"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["Test.cs", "Tests.cs"],
            folders: &[],
        },
        test_command: Some("dotnet test"),
    },
    Ecosystem {
        name: "swift",
        manifests: &["Package.swift"],
        lockfiles: &["Package.resolved"],
        languages: &["Swift"],
        tools: &["swift", "swiftlint"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["Tests.swift"],
            folders: &["Tests"],
        },
        test_command: Some("swift test"),
    },
    Ecosystem {
        name: "pub",
        manifests: &["pubspec.yaml"],
        lockfiles: &["pubspec.lock"],
        languages: &["Dart"],
        tools: &["dart", "flutter"],
        tests: TestFiles {
            prefixes: &[],
            suffixes: &["_test.dart"],
            folders: &["test"],
        },
        test_command: Some("dart test"),
    },
    Ecosystem {
        name: "cmake",
        manifests: &["CMakeLists.txt"],
        lockfiles: &["vcpkg.json", "conan.lock"],
        languages: &["C", "C++"],
        tools: &["cmake", "ctest"],
        tests: TestFiles {
            prefixes: &["test_"],
            suffixes: &["_test.cc", "_test.cpp", "_test.c", "_unittest.cc"],
            folders: &["test", "tests"],
        },
        test_command: None,
    },
];

const JVM_TESTS: TestFiles = TestFiles {
    prefixes: &[],
    suffixes: &[
        "Test.java",
        "Tests.java",
        "IT.java",
        "Test.kt",
        "Tests.kt",
        "Spec.groovy",
        "Spec.scala",
        "Test.scala",
        "Spec.kt",
    ],
    folders: &["src/test", "src/androidTest", "src/integrationTest"],
};

/// A package: a folder with a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package<'a> {
    /// Without a slash at the end; empty: the root.
    pub folder: &'a str,
    /// Path of the manifest.
    pub manifest: &'a str,
    pub ecosystem: &'static Ecosystem,
}

/// The package that a path is the manifest of.
pub fn package_of_manifest(path: &str) -> Option<Package<'_>> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    ECOSYSTEMS
        .iter()
        .find(|ecosystem| {
            ecosystem
                .manifests
                .iter()
                .any(|manifest| match manifest.strip_prefix('*') {
                    Some(end) => name.ends_with(end),
                    None => name == *manifest,
                })
        })
        .map(|ecosystem| Package {
            folder,
            manifest: path,
            ecosystem,
        })
}

/// The ecosystem of a language's name.
pub fn of_language(language: &str) -> Option<&'static Ecosystem> {
    ECOSYSTEMS
        .iter()
        .find(|ecosystem| ecosystem.languages.contains(&language))
}

/// The ecosystem a command's first program belongs to; `None` for programs of no or every one.
pub fn of_command(command: &str) -> Option<&'static Ecosystem> {
    let is_assignment = |word: &&str| word.contains('=');
    let program = command
        .split_whitespace()
        .find(|word| !is_assignment(word))?;
    let program = program.rsplit('/').next().unwrap_or(program);
    ECOSYSTEMS
        .iter()
        .find(|ecosystem| ecosystem.tools.contains(&program))
}

/// Whether a path is that of a test file, in any ecosystem its language belongs to. Tests inside a
/// source file (Rust's `mod tests`) are not seen.
pub fn is_test_file(path: &str) -> bool {
    let Some(language) = crate::language::of(path) else {
        return false;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    ECOSYSTEMS
        .iter()
        .filter(|ecosystem| ecosystem.languages.contains(&language.name))
        .any(|ecosystem| {
            let tests = &ecosystem.tests;
            tests.prefixes.iter().any(|prefix| name.starts_with(prefix))
                || tests.suffixes.iter().any(|suffix| is_end(path, suffix))
                || tests.folders.iter().any(|folder| is_inside(path, folder))
        })
}

/// Whether a path ends like this; an end that starts with a slash is a whole name.
fn is_end(path: &str, end: &str) -> bool {
    path.ends_with(end) || end.strip_prefix('/') == Some(path)
}

/// Whether a folder of that name (or names, with slashes between) is somewhere above.
fn is_inside(path: &str, folder: &str) -> bool {
    let bytes = path.as_bytes();
    path.match_indices(folder).any(|(at, _)| {
        (at == 0 || bytes[at - 1] == b'/') && bytes.get(at + folder.len()) == Some(&b'/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_files() {
        for test in [
            "tests/cli.rs",
            "src/lexer/tests.rs",
            "src/a.test.ts",
            "pkg/a_test.go",
            "tests/test_a.py",
            "app/src/test/java/FooTest.java",
            "web/__tests__/a.js",
            "tests.py",
        ] {
            assert!(is_test_file(test), "{test}");
        }
        for other in [
            "src/contest.rs",
            "src/latest.ts",
            "test.md",
            "pkg/test/a.go",
            "attests/a.py",
        ] {
            assert!(!is_test_file(other), "{other}");
        }
    }

    #[test]
    fn manifests() {
        let package = package_of_manifest("services/api/go.mod").unwrap();
        assert_eq!(
            (package.folder, package.ecosystem.name),
            ("services/api", "go")
        );
        assert_eq!(
            package_of_manifest("a/b.csproj").unwrap().ecosystem.name,
            "dotnet"
        );
        assert!(package_of_manifest("src/main.rs").is_none());
    }
}
