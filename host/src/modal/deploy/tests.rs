use std::path::Path;

use super::*;

fn document() -> Document {
    let text = include_str!("../drift/job.json");
    Document::parse(text.as_bytes(), Path::new("job.json")).unwrap()
}

fn found(state: &str, home: Option<&str>) -> Found {
    let tags = home.map(|home| (TAG_HOME.to_owned(), home.to_owned()));
    Found {
        state: state.to_owned(),
        app_id: (state != "absent").then(|| "ap-1".to_owned()),
        environment: None,
        version: 1,
        tags: tags.into_iter().collect(),
    }
}

fn deployed(document: &Document) -> Deployed {
    Deployed {
        version: 1,
        at: jiff::Timestamp::UNIX_EPOCH,
        app_id: "ap-1".to_owned(),
        deployment: 1,
        environment: None,
        document: document.clone(),
    }
}

#[test]
fn whose_app_it_is() {
    let document = document();
    let before = deployed(&document);
    let mine = Some(document.home.as_str());
    let is_fine = |found: &Found, before: Option<&Deployed>| {
        check_owner(&document, found, before, false).is_ok()
    };
    assert!(is_fine(&found("absent", None), None));
    assert!(is_fine(&found("deployed", mine), None));
    assert!(is_fine(&found("stopped", Some("another")), None));
    assert!(!is_fine(&found("deployed", Some("another")), None));
    // It was ours, and was taken over.
    assert!(!is_fine(&found("deployed", Some("another")), Some(&before)));
    // Somebody took its tags off.
    assert!(is_fine(&found("deployed", None), Some(&before)));
    assert!(!is_fine(&found("deployed", None), None));
    assert!(check_owner(&document, &found("deployed", Some("another")), None, true).is_ok());
}

#[test]
fn crons_that_fit() {
    let document = document();
    let crons = |apps: &[(&str, usize)]| Crons {
        apps: apps
            .iter()
            .map(|(app, count)| ((*app).to_owned(), *count))
            .collect(),
    };
    let told = |crons: &Crons, limit| {
        check_crons(&[&document], crons, limit).map_err(|error| error.to_string())
    };
    assert_eq!(told(&crons(&[]), 1), Ok(()));
    assert_eq!(told(&crons(&[("changeling-nightly", 1)]), 1), Ok(()));
    assert_eq!(
        told(&crons(&[("a", 3), ("changeling-nightly", 1)]), 4),
        Ok(())
    );
    insta::assert_snapshot!(
        told(&crons(&[("a", 3), ("changeling-nightly", 1)]), 3).unwrap_err(),
        @"1 cron is needed beside the 3 that are deployed, and the workspace may have 3"
    );
    let mut by_hand = document.clone();
    by_hand.app.schedule = None;
    assert!(check_crons(&[&by_hand], &crons(&[("a", 9)]), 1).is_ok());
}

#[test]
fn what_modal_must_say_to_be_believed() {
    let mut document = document();
    crate::modal::deployment::seal(&mut document);
    let context = Context {
        env: crate::context::Environment::default(),
        home: crate::context::Home::at("/nowhere".into()),
        clock: crate::context::Clock::SYSTEM,
        cwd: "/".into(),
        ui: crate::ui::Ui::without_terminal(),
    };
    let told = |found: &Found| confirmed(&document, found, &context).map_err(|e| e.to_string());
    let mut right = found("deployed", None);
    right.tags = document.app.tags.clone();
    assert_eq!(told(&right).unwrap().app_id, "ap-1");
    let other = told(&found("deployed", None)).unwrap_err();
    assert!(other.contains("something else"), "{other}");
    let stopped = told(&found("stopped", None)).unwrap_err();
    assert!(stopped.contains("the app is stopped"), "{stopped}");
}

#[test]
fn the_configuration_that_travels_is_understood() {
    let document = document();
    let config = document.config().unwrap();
    let changeling = config.changeling(&document.changeling).unwrap();
    assert_eq!(
        changeling.repos()[0].to_string(),
        "https://github.com/acme/shop"
    );
    assert_eq!(changeling.timezone.name(), "Europe/Zurich");
    assert!(changeling.unattended);
    assert!(config.secrets.is_empty());
    // Written and read again it is the same.
    let again = Document::parse(document.text().as_bytes(), Path::new("job.json")).unwrap();
    assert_eq!(again, document);
}

#[test]
fn a_newer_document() {
    let text = r#"{ "version": 2, "changelings": "9.0.0", "what": "unknown" }"#;
    let error = Document::parse(text.as_bytes(), Path::new("job.json")).unwrap_err();
    assert!(error.to_string().contains("9.0.0"), "{error}");
}
