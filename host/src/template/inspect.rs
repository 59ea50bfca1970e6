//! What can be told about a component from its bytes alone, before anything is compiled: whether it
//! is one, and whether its imports and exports are ours.

use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload};

use super::error::Problem;
use crate::names::printable;

/// The contract's package and the version of it this program offers.
pub(super) const PACKAGE: &str = "changelings:template";
pub(super) const VERSION: (u64, u64, u64) = (0, 1, 0);

/// The interfaces of the package a template may import.
const OFFERED: &[&str] = &["types", "repo", "github", "log"];

/// The interface a template exports.
const EXPORTED: &str = "template-api";

/// A component that is well formed and made for something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MismatchedWorld {
    #[error(
        "it was built for {PACKAGE}@{found}, and this program offers {PACKAGE}@{}",
        offered()
    )]
    Version { found: String },
    #[error("it does not export {PACKAGE}/{EXPORTED}@{}{}", offered(), instead(.exports))]
    Exports { exports: Vec<String> },
    #[error("it imports {0}: templates get no network")]
    Http(String),
    #[error("it imports {0}, which this program does not offer")]
    Import(String),
}

impl MismatchedWorld {
    pub(super) fn hint(&self) -> String {
        match self {
            Self::Version { .. } => format!(
                "rebuild it against {PACKAGE}@{}, or use the version of this program it was made for",
                offered()
            ),
            Self::Exports { .. } => {
                format!(
                    "a template implements the world `{PACKAGE}/template`; see the SDK's readme"
                )
            }
            Self::Http(_) => {
                "rebuild it without HTTP: for JavaScript, `jco componentize --disable \
                              http --disable fetch-event ...`"
                    .to_owned()
            }
            Self::Import(_) => {
                format!("a template may import {PACKAGE} and WASI 0.2 without http, nothing else")
            }
        }
    }
}

fn offered() -> String {
    let (major, minor, patch) = VERSION;
    format!("{major}.{minor}.{patch}")
}

fn instead(exports: &[String]) -> String {
    match exports {
        [] => String::new(),
        some => format!(" (it exports {})", some.join(", ")),
    }
}

/// Checks form, imports and exports.
pub(super) fn inspect(bytes: &[u8]) -> Result<(), Problem> {
    let outline = outline(bytes)?;
    check(&outline).map_err(Problem::World)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
}

fn outline(bytes: &[u8]) -> Result<Outline, Problem> {
    if !bytes.starts_with(b"\0asm") {
        return Err(Problem::NotWasm);
    }
    let malformed =
        |error: wasmparser::BinaryReaderError| Problem::Malformed(printable(error.message()));
    let mut outline = Outline::default();
    // Names of nested components and modules are of no interest.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                return Err(Problem::CoreModule);
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    outline
                        .imports
                        .push(import.map_err(malformed)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    if export.kind == ComponentExternalKind::Instance {
                        outline.exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(outline)
}

fn check(outline: &Outline) -> Result<(), MismatchedWorld> {
    let ours = |name: &String| {
        let (interface, version) = split(name);
        let interface = interface.strip_prefix(PACKAGE)?.strip_prefix('/')?;
        Some((interface.to_owned(), version.to_owned()))
    };
    // The version first: it explains what would be puzzling as a missing import or export.
    for (_, version) in outline
        .exports
        .iter()
        .chain(&outline.imports)
        .filter_map(ours)
    {
        if !fits(&version) {
            return Err(MismatchedWorld::Version {
                found: printable(&version),
            });
        }
    }
    for name in &outline.imports {
        let offered = match (ours(name), split(name)) {
            (Some((interface, _)), _) => OFFERED.contains(&interface.as_str()),
            (None, (interface, _)) if interface.starts_with("wasi:http/") => {
                return Err(MismatchedWorld::Http(printable(name)));
            }
            (None, (interface, version)) => {
                interface.starts_with("wasi:") && version.starts_with("0.2.")
            }
        };
        if !offered {
            return Err(MismatchedWorld::Import(printable(name)));
        }
    }
    if !outline
        .exports
        .iter()
        .filter_map(ours)
        .any(|(interface, _)| interface == EXPORTED)
    {
        return Err(MismatchedWorld::Exports {
            exports: outline
                .exports
                .iter()
                .take(5)
                .map(|name| printable(name))
                .collect(),
        });
    }
    Ok(())
}

/// `interface@version`; without a version, the second part is empty.
fn split(name: &str) -> (&str, &str) {
    name.split_once('@').unwrap_or((name, ""))
}

/// Versions link when they agree on the first number that is not zero; prereleases only with
/// themselves, and we release none. A newer patch may import what we do not have: linking tells.
fn fits(version: &str) -> bool {
    let numbers: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
    matches!(numbers.as_deref(), Some([major, minor, _]) if (*major, *minor) == (VERSION.0, VERSION.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(imports: &[&str], exports: &[&str]) -> Result<(), MismatchedWorld> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        check(&Outline {
            imports: owned(imports),
            exports: owned(exports),
        })
    }

    const API: &str = "changelings:template/template-api@0.1.0";

    #[test]
    fn not_components() {
        assert!(matches!(inspect(b"#!/bin/sh"), Err(Problem::NotWasm)));
        assert!(matches!(inspect(b""), Err(Problem::NotWasm)));
        assert!(matches!(
            inspect(b"\0asm\x01\0\0\0"),
            Err(Problem::CoreModule)
        ));
        assert!(matches!(
            inspect(b"\0asm\x0d\0"),
            Err(Problem::Malformed(_))
        ));
        // A component whose only section claims more bytes than there are.
        assert!(matches!(
            inspect(b"\0asm\x0d\0\x01\0\x00\x7fabc"),
            Err(Problem::Malformed(_))
        ));
    }

    #[test]
    fn an_empty_component_exports_nothing() {
        assert!(matches!(
            inspect(b"\0asm\x0d\0\x01\0"),
            Err(Problem::World(MismatchedWorld::Exports { exports })) if exports.is_empty()
        ));
    }

    #[test]
    fn what_fits() {
        let wasi = "wasi:cli/stderr@0.2.6";
        assert_eq!(
            world(&[wasi, "changelings:template/repo@0.1.0"], &[API, "init"]),
            Ok(())
        );
        assert_eq!(
            world(&[], &["changelings:template/template-api@0.1.7"]),
            Ok(())
        );
    }

    #[test]
    fn what_does_not() {
        use MismatchedWorld::*;
        for version in ["0.2.0", "1.0.0", "0.1.0-rc.1", "0.1"] {
            let name = format!("changelings:template/template-api@{version}");
            assert_eq!(
                world(&[], &[&name]),
                Err(Version {
                    found: version.into()
                })
            );
        }
        assert_eq!(
            world(&[], &["wasi:cli/run@0.2.0"]),
            Err(Exports {
                exports: vec!["wasi:cli/run@0.2.0".into()]
            })
        );
        assert!(matches!(
            world(&["wasi:http/types@0.2.0"], &[API]),
            Err(Http(_))
        ));
        assert!(matches!(
            world(&["wasi:cli/stderr@0.3.0"], &[API]),
            Err(Import(_))
        ));
        assert!(matches!(
            world(&["evil:host/shell@1.0.0"], &[API]),
            Err(Import(_))
        ));
        assert!(matches!(
            world(&["changelings:template/secrets@0.1.0"], &[API]),
            Err(Import(_))
        ));
    }

    #[test]
    fn both_versions_are_named() {
        let error = world(&[], &["changelings:template/template-api@0.2.0"]).unwrap_err();
        insta::assert_snapshot!(error, @"it was built for changelings:template@0.2.0, and this program offers changelings:template@0.1.0");
    }
}
