use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::*;
use crate::context::{Clock, Home};
use crate::error::Kind;
use crate::ui::Ui;

/// A `modal` whose Python is a shell script, in a folder as pip makes them.
fn installed(root: &Path, version: &str, python: &str) -> Context {
    let bin = root.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let interpreter = bin.join("python3.12");
    let script = format!("#!{}\n", interpreter.display());
    for (name, text) in [("modal", script.as_str()), ("python3.12", python)] {
        let file = bin.join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let packages = root.join("lib/python3.12/site-packages");
    std::fs::create_dir_all(packages.join(format!("modal-{version}.dist-info"))).unwrap();
    Context {
        env: Environment::from_pairs([("PATH", bin.to_str().unwrap()), ("PROXY", "mine")]),
        home: Home::at(root.join("home")),
        clock: Clock::SYSTEM,
        cwd: root.to_owned(),
        ui: Ui::without_terminal(),
    }
}

fn find(context: &Context) -> Result<Client, ModalError> {
    Client::find(&Config::load(&context.home).unwrap(), context)
}

#[test]
fn found_without_running_it() {
    let folder = tempfile::tempdir().unwrap();
    let context = installed(folder.path(), "1.6.4", "#!/bin/false");
    let client = find(&context).unwrap();
    assert_eq!(client.version, Version::new(1, 6, 4));
    assert!(client.folder.join("__main__.py").is_file());
    // A second time it is there already.
    assert_eq!(find(&context).unwrap().folder, client.folder);
    assert_eq!(
        std::fs::read_dir(context.home.cache_dir()).unwrap().count(),
        1
    );
}

#[test]
fn too_old_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut context = installed(folder.path(), "1.5.9", "");
    let error = crate::error::Error::from(find(&context).unwrap_err());
    assert_eq!(error.kind, Kind::NeedsPerson);
    assert!(error.to_string().contains("1.5.9"), "{error}");
    assert!(error.hint.unwrap().contains("modal>=1.6,<1.7"));
    context.env = Environment::from_pairs([("PATH", "/nowhere")]);
    assert!(matches!(find(&context), Err(ModalError::NotInstalled)));
}

/// What a client whose Python is this script answers to a request.
fn answers(script: &str) -> (Result<(), ModalError>, Vec<Answer>) {
    let folder = tempfile::tempdir().unwrap();
    let context = installed(folder.path(), "1.6.4", &format!("#!/bin/sh\n{script}\n"));
    let mut heard = Vec::new();
    let request = json!({ "op": "check", "environment": null });
    let mut client = find(&context).unwrap();
    client.patience = Duration::from_millis(300);
    let result = client.call(&request, &mut |answer| heard.push(answer));
    (result, heard)
}

#[test]
fn a_conversation() {
    let (result, heard) = answers(
        r#"IFS= read -r request
        echo '{"event":"connected"}'
        printf '{"event":"app","app":"changeling-a",'
        echo "\"state\":\"deployed\",\"git\":\"$GIT_DIR\",\"proxy\":\"$PROXY\",\"asked\":$request}"
        echo '{"event":"error","app":"changeling-b","kind":"image-build","message":"no \u001b[31m"}'
        echo noise >&2
        echo '{"event":"done"}'"#,
    );
    result.unwrap();
    assert_eq!(heard[0].app.as_deref(), Some("changeling-a"));
    assert_eq!(heard[0].text("proxy"), Some("mine"));
    assert_eq!(heard[0].fields["asked"]["op"], "check");
    assert!(!Path::new(heard[0].text("git").unwrap()).exists());
    let trouble = heard[1].trouble().unwrap();
    assert_eq!(trouble.cause, Cause::ImageBuild);
    assert_eq!(trouble.message, "no \\u{1b}[31m");
    assert_eq!(heard.len(), 2);
}

#[test]
fn several_requests_to_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"#!/bin/sh
        echo started >> ../../../started
        echo '{"event":"connected"}'
        while read -r request; do
            echo "{\"event\":\"app\",\"app\":\"a\",\"asked\":$request}"
            echo '{"event":"done"}'
        done"#;
    let context = installed(folder.path(), "1.6.4", script);
    let mut session = find(&context).unwrap().connect().unwrap();
    for number in [1, 2] {
        let mut heard = Vec::new();
        let request = json!({ "op": "look", "number": number });
        let mut hear = |answer: Answer| heard.push(answer.fields["asked"]["number"].clone());
        session.ask(&request, &mut hear).unwrap();
        assert_eq!(heard, [number]);
    }
    let started = std::fs::read_to_string(folder.path().join("home/started")).unwrap();
    assert_eq!(started, "started\n");
}

#[test]
fn what_concerns_the_whole_request() {
    let (result, _) = answers(
        r#"read -r request
        echo '{"event":"error","kind":"token-missing","message":"Token missing."}'; exit 1"#,
    );
    let error = crate::error::Error::from(result.unwrap_err());
    assert_eq!(error.kind, Kind::NeedsPerson);
    insta::assert_snapshot!(format!("{error}\n{}", error.hint.clone().unwrap()), @r"
    there is no Modal token on this machine
    make an account at modal.com, then: modal setup
    ");
}

#[test]
fn a_client_that_dies() {
    let (result, _) = answers("read -r request; echo 'SyntaxError: not Python' >&2; exit 7");
    let error = result.unwrap_err().to_string();
    assert!(error.contains("exit code 7"), "{error}");
    assert!(error.contains("SyntaxError: not Python"), "{error}");
}

#[test]
fn silence_after_an_answer() {
    let (result, _) =
        answers("read -r request; echo '{\"event\":\"connected\"}'; exec /bin/sleep 60");
    assert!(matches!(result, Err(ModalError::Silent(_))), "{result:?}");
}
