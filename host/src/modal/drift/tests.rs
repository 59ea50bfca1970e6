use super::*;
use crate::modal::deployment::seal;

fn document() -> Document {
    let text = include_str!("job.json");
    let mut document = Document::parse(text.as_bytes(), "job.json".as_ref()).unwrap();
    seal(&mut document, crate::modal::APP);
    document
}

fn told(change: impl FnOnce(&mut Document)) -> String {
    let deployed = document();
    let mut here = document();
    change(&mut here);
    seal(&mut here, crate::modal::APP);
    let found = between(&here, &deployed);
    let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

fn entry_of(document: &mut Document) -> &mut toml::Table {
    let changelings = document.config["changelings"].as_table_mut().unwrap();
    changelings["nightly"].as_table_mut().unwrap()
}

#[test]
fn nothing_changed() {
    assert_eq!(told(|_| {}), "");
}

#[test]
fn what_is_told() {
    let told = told(|here| {
        here.changelings = "0.2.0".to_owned();
        here.template.digest = crate::names::Digest::of(b"another");
        let entry = entry_of(here);
        entry.insert("schedule".to_owned(), "0 4 * * *".into());
        entry.insert("enabled".to_owned(), false.into());
        entry.insert(
            "message".to_owned(),
            format!("Do {}", "much ".repeat(30)).into(),
        );
        entry.insert(
            "repos".to_owned(),
            toml::Value::Array(vec!["a/b".into(), "a/c".into()]),
        );
        let modal = entry["modal"].as_table_mut().unwrap();
        modal.insert("cpu".to_owned(), 2.into());
        here.jobs[0].granted.clear();
    });
    insta::assert_snapshot!(told);
}

#[test]
fn pins_of_the_image() {
    let told = told(|here| here.app.image.base = "debian:13".to_owned());
    assert_eq!(
        told,
        "image: python:3.12.11-slim-bookworm is deployed, here it is debian:13"
    );
}

#[test]
fn another_program_of_the_same_version() {
    let told = told(|here| here.app.runner_digest = Some(crate::names::Digest::of(b"mine")));
    assert!(told.starts_with("program: "), "{told}");
}

#[test]
fn what_nothing_else_explains() {
    let told = told(|here| here.app.timeout_seconds += 1);
    assert!(told.starts_with("app.py: "), "{told}");
}
