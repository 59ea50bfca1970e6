//! The map in `specs/architecture.md` and the links in the documentation lead somewhere.

use std::path::{Path, PathBuf};

use changelings_tests::project_root;

/// Texts between backticks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Looks like a path of this project: below one of its folders, or a file at its root.
fn is_project_path(span: &str) -> bool {
    let folders = [
        "docs/",
        "host/",
        "sdk/",
        "specs/",
        "templates/",
        "tests/",
        "wit/",
    ];
    folders.iter().any(|folder| span.starts_with(folder)) && !span.contains(['*', '<', ' ', '{'])
}

#[test]
fn every_path_in_the_architecture_exists() {
    let text = std::fs::read_to_string(project_root().join("specs/architecture.md")).unwrap();
    let named: Vec<&str> = code_spans(&text)
        .filter(|span| is_project_path(span))
        .collect();
    assert!(named.len() > 30, "the map names only {} paths", named.len());
    let missing: Vec<_> = named
        .into_iter()
        .filter(|path| !project_root().join(path).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "the map names what is not there: {missing:?}"
    );
}

#[test]
fn every_module_of_the_host_is_on_the_map() {
    let text = std::fs::read_to_string(project_root().join("specs/architecture.md")).unwrap();
    let sources = std::fs::read_dir(project_root().join("host/src")).unwrap();
    let unmapped: Vec<_> = sources
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".rs") && name != "lib.rs")
        .filter(|name| !text.contains(&format!("`host/src/{name}`")))
        .collect();
    assert!(unmapped.is_empty(), "add to the map: {unmapped:?}");
}

#[test]
fn every_link_between_documents_leads_to_a_file() {
    let mut documents = vec![
        project_root().join("README.md"),
        project_root().join("sdk/README.md"),
    ];
    for folder in ["docs", "docs/templates", "specs"] {
        let entries = std::fs::read_dir(project_root().join(folder)).unwrap();
        documents.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|kind| kind == "md")),
        );
    }
    let mut broken = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        for target in links(&text) {
            if !leads_somewhere(&document, target) {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

/// Targets of `[text](target)`, outside of fenced code.
fn links(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let mut targets = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        targets.extend(
            line.split("](")
                .skip(1)
                .filter_map(|rest| rest.split_once(')'))
                .map(|(target, _)| target),
        );
    }
    targets
}

fn leads_somewhere(document: &Path, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file: PathBuf = if path.is_empty() {
        document.to_owned()
    } else {
        document.parent().unwrap().join(path)
    };
    if anchor.is_empty() {
        return file.exists();
    }
    std::fs::read_to_string(&file).is_ok_and(|text| {
        text.lines()
            .filter(|line| line.starts_with('#'))
            .any(|heading| slug(heading.trim_start_matches('#').trim()) == anchor)
    })
}

/// A heading's anchor as GitHub makes it.
fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
