//! Dependencies: what is locked, what floats, what has been held at one version.

use crate::checks::{ini, json};
use crate::ecosystem::Package;

/// Something about a manifest's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub line: u32,
    /// As the manifest says it: `lodash 4.17.15`.
    pub text: String,
    pub kind: Kind,
}

/// How a version is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Any version, or whatever a branch or URL holds.
    Floating,
    /// One version and no other: it gets no fixes by itself.
    Held,
}

/// The command that looks up known weaknesses of a package's dependencies, and the folder to run it
/// in. Most need the lockfile; `None` where nothing can be looked up without installing first.
pub fn audit<'a>(
    package: &Package<'a>,
    lockfile: Option<&'a str>,
) -> Option<(&'static str, &'a str)> {
    let split = |path: &'a str| path.rsplit_once('/').unwrap_or(("", path));
    let (locked_in, lock) = lockfile.map(split).unzip();
    let (_, manifest) = split(package.manifest);
    let command = match (package.ecosystem.name, lock) {
        ("cargo", Some(_)) => "cargo audit",
        ("npm", Some("package-lock.json")) => "npm audit",
        ("npm", Some("pnpm-lock.yaml")) => "pnpm audit",
        // The second for yarn 1, which does not know the first.
        ("npm", Some("yarn.lock")) => "yarn npm audit || yarn audit",
        ("npm", Some("bun.lock" | "bun.lockb")) => "bun audit",
        ("python", Some("uv.lock")) => {
            "uv export --frozen --no-emit-workspace -o /tmp/requirements.txt && \
             uvx pip-audit --disable-pip -r /tmp/requirements.txt"
        }
        ("python", Some("poetry.lock")) => {
            "poetry export -o /tmp/requirements.txt && pip-audit --disable-pip -r /tmp/requirements.txt"
        }
        ("python", Some("pdm.lock")) => {
            "pdm export -o /tmp/requirements.txt && pip-audit --disable-pip -r /tmp/requirements.txt"
        }
        ("python", Some("Pipfile.lock")) => {
            "pipenv requirements --hash > /tmp/requirements.txt && \
             pip-audit --disable-pip -r /tmp/requirements.txt"
        }
        ("python", Some("requirements.txt")) => "pip-audit -r requirements.txt",
        ("python", None) if manifest == "requirements.txt" => "pip-audit -r requirements.txt",
        ("python", None) if manifest == "pyproject.toml" => "pip-audit .",
        ("go", _) => "govulncheck ./...",
        ("bundler", Some(_)) => "bundle-audit check",
        ("composer", Some(_)) => "composer audit",
        ("dotnet", _) => "dotnet list package --vulnerable",
        ("maven", _) => "mvn org.owasp:dependency-check-maven:check",
        _ => return None,
    };
    Some((command, locked_in.unwrap_or(package.folder)))
}

/// The lockfile that covers a package: in its folder or, for workspaces, above it.
pub fn lockfile(package: &Package, exists: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut folder = package.folder;
    loop {
        let path = |name: &str| match folder {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        let found = package
            .ecosystem
            .lockfiles
            .iter()
            .map(|name| path(name))
            .find(|path| exists(path) && path != package.manifest);
        if found.is_some() || folder.is_empty() {
            return found;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// Whether a manifest names any dependency, as far as its text tells.
pub fn has_dependencies(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "go.mod" => text
            .lines()
            .any(|line| line.trim_start().starts_with("require")),
        "requirements.txt" => !text.trim().is_empty(),
        "composer.json" => text.contains("\"require"),
        "setup.py" | "setup.cfg" => text.contains("install_requires"),
        "mix.exs" => text.contains("deps"),
        _ if name.ends_with(".gemspec") => text.contains("dependency"),
        _ if name.ends_with("proj") => text.contains("PackageReference"),
        _ if name.ends_with(".sln") => true,
        _ => text.to_lowercase().contains("dependencies") || name == "Gemfile" || name == "Pipfile",
    }
}

/// What stands out in a manifest, in order of lines.
pub fn of_manifest(path: &str, text: &str) -> Vec<Dependency> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut found = match name {
        "package.json" => of_package_json(text),
        "Cargo.toml" => of_cargo_toml(text),
        "pyproject.toml" => of_pyproject(text),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => of_requirements(text),
        _ => Vec::new(),
    };
    found.sort_by_key(|dependency| dependency.line);
    found
}

fn of_package_json(text: &str) -> Vec<Dependency> {
    json::entries(text)
        .into_iter()
        .filter(|entry| {
            entry.keys.len() == 2
                && ["dependencies", "devDependencies", "optionalDependencies"]
                    .contains(&entry.keys[0].as_str())
        })
        .filter_map(|entry| {
            let version = entry.value.trim();
            let is_remote = ["git", "http", "github:"]
                .iter()
                .any(|start| version.starts_with(start));
            let kind = if matches!(version, "*" | "latest" | "x" | "") || is_remote {
                Kind::Floating
            } else if version.starts_with(|c: char| c.is_ascii_digit())
                && version.split('.').count() == 3
                && !version.contains(' ')
            {
                Kind::Held
            } else {
                return None;
            };
            Some(Dependency {
                line: entry.line,
                text: format!("{} {version}", entry.keys[1]),
                kind,
            })
        })
        .collect()
}

fn of_cargo_toml(text: &str) -> Vec<Dependency> {
    ini::entries(text)
        .into_iter()
        .filter(|entry| entry.table.ends_with("dependencies"))
        .filter_map(|entry| {
            let value = entry.value.trim();
            let kind = if value == "*" || value.contains("git =") && !value.contains("rev =") {
                Kind::Floating
            } else if value.starts_with('=') || value.contains("\"=") {
                Kind::Held
            } else {
                return None;
            };
            let shown = if kind == Kind::Held {
                value
            } else {
                value.split(',').next().unwrap_or(value)
            };
            Some(Dependency {
                line: entry.line,
                text: format!("{} {shown}", entry.key),
                kind,
            })
        })
        .collect()
}

/// Strings of the form `name==1.2` in a list, wherever it is.
fn of_pyproject(text: &str) -> Vec<Dependency> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim_start().starts_with('#'))
        .flat_map(|(line, content)| {
            content.split(['"', '\'']).filter_map(move |part| {
                requirement(line, part)
                    .filter(|found| found.kind == Kind::Held || found.text.contains('@'))
            })
        })
        .collect()
}

fn of_requirements(text: &str) -> Vec<Dependency> {
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim_start().starts_with(['#', '-']) && !line.trim().is_empty())
        .filter_map(|(line, content)| requirement(line, content.split(['#', ';', '\\']).next()?))
        // Here a held version is the lock.
        .filter(|found| found.kind == Kind::Floating)
        .collect()
}

/// `requests==2.19.0` is held, `requests` and `x @ git+https://...` float.
fn requirement(line: u32, text: &str) -> Option<Dependency> {
    let text = text.trim();
    let name_ends = text
        .find(|c: char| !(c.is_alphanumeric() || "-_.[],".contains(c)))
        .unwrap_or(text.len());
    let (name, version) = text.split_at(name_ends);
    let version = version.trim();
    if name.is_empty() || !name.starts_with(char::is_alphanumeric) {
        return None;
    }
    let kind = if version.starts_with("==") && !version.contains('*') {
        Kind::Held
    } else if version.is_empty() || version.starts_with("@ git") || version.starts_with("@ http") {
        Kind::Floating
    } else {
        return None;
    };
    let shown = version.split(['?', '#']).next().unwrap_or(version);
    let separator = if kind == Kind::Held { "" } else { " " };
    Some(Dependency {
        line,
        text: format!("{name}{separator}{shown}").trim().to_owned(),
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecosystem::package_of_manifest;

    fn shown(path: &str, text: &str) -> Vec<String> {
        of_manifest(path, text)
            .iter()
            .map(|found| format!("{} {:?} {}", found.line, found.kind, found.text))
            .collect()
    }

    #[test]
    fn held_and_floating() {
        assert_eq!(
            shown(
                "package.json",
                "{\"dependencies\": {\n\"a\": \"^1.0.0\",\n\"b\": \"4.17.15\",\n\"c\": \"latest\"}}"
            ),
            ["3 Held b 4.17.15", "4 Floating c latest"]
        );
        assert_eq!(
            shown(
                "pyproject.toml",
                "[project]\nname = \"x\"\ndependencies = [\"flask>=3\", \"requests==2.19.0\"]\n"
            ),
            ["3 Held requests==2.19.0"]
        );
        assert_eq!(
            shown(
                "requirements.txt",
                "a==1.0\nb\nc @ git+https://x/y.git\n# d\n-r other.txt\ne>=1 \n"
            ),
            ["2 Floating b", "3 Floating c @ git+https://x/y.git"]
        );
        assert_eq!(
            shown(
                "Cargo.toml",
                "[dependencies]\na = \"1\"\nb = \"*\"\nc = \"=1.2.3\"\nd = { git = \"https://x\" }\n"
            ),
            [
                "3 Floating b *",
                "4 Held c =1.2.3",
                "5 Floating d { git = \"https://x\" }"
            ]
        );
    }

    #[test]
    fn what_looks_weaknesses_up_follows_the_lockfile() {
        let of = |manifest, lock| audit(&package_of_manifest(manifest).unwrap(), lock);
        assert_eq!(
            of("package.json", Some("pnpm-lock.yaml")),
            Some(("pnpm audit", ""))
        );
        assert_eq!(
            of("crates/a/Cargo.toml", Some("Cargo.lock")),
            Some(("cargo audit", ""))
        );
        assert_eq!(
            of("a/requirements.txt", None),
            Some(("pip-audit -r requirements.txt", "a"))
        );
        assert_eq!(
            of("api/go.mod", Some("api/go.sum")),
            Some(("govulncheck ./...", "api"))
        );
        assert_eq!(of("Cargo.toml", None), None);
        assert_eq!(of("ui/package.json", None), None);
        let exported = of("pyproject.toml", Some("uv.lock")).unwrap().0;
        assert!(exported.starts_with("uv export "), "{exported}");
    }

    #[test]
    fn lockfiles_of_workspaces() {
        let exists = |path: &str| path == "Cargo.lock" || path == "ui/yarn.lock";
        let of = |path| lockfile(&package_of_manifest(path).unwrap(), &exists);
        assert_eq!(of("crates/a/Cargo.toml").as_deref(), Some("Cargo.lock"));
        assert_eq!(of("ui/package.json").as_deref(), Some("ui/yarn.lock"));
        assert_eq!(of("api/go.mod"), None);
    }
}
