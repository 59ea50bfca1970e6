//! What is refused before Modal hears of it, and what Modal has already.

use changelings_tests::Output;

use super::{NIGHTLY, World};

#[track_caller]
fn refused(world: &World, output: Output, code: i32, name: &str) {
    let output = output.exits(code);
    insta::assert_snapshot!(name, output.normalised_stderr());
    world.nothing_was_sent();
}

#[test]
fn secrets_that_are_nowhere() {
    let Some(world) = World::new(&format!(
        "{NIGHTLY}secrets = [\"GITHUB_TOKEN\", \"NPM_TOKEN\"]\n"
    )) else {
        return;
    };
    let deploy = world
        .command(["deploy", "nightly"])
        .env_remove("GITHUB_TOKEN");
    refused(&world, deploy.run(), 3, "no_secrets");
}

#[test]
fn no_way_to_pay_the_agent() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let deploy = world
        .command(["deploy", "nightly"])
        .env_remove("ANTHROPIC_API_KEY");
    refused(&world, deploy.run(), 3, "no_credential");
    // Another one serves where nobody chose.
    let deploy = world
        .command(["deploy", "nightly"])
        .env_remove("ANTHROPIC_API_KEY");
    deploy
        .env("CLAUDE_CODE_OAUTH_TOKEN", "oauth-token-of-ada")
        .run()
        .success();
    let names = &world.modal.secrets()["changeling-nightly"];
    assert_eq!(names[0], "CLAUDE_CODE_OAUTH_TOKEN");
}

#[test]
fn a_folder_of_this_machine() {
    let Some(world) = World::new("") else { return };
    let repo = world.env.repo("shop");
    let entry = NIGHTLY.replace("acme/shop", repo.path().to_str().unwrap());
    world.configure(&entry);
    refused(&world, world.run(["deploy", "nightly"]), 2, "local_folder");
}

#[test]
fn ssh_without_a_key() {
    let entry = NIGHTLY.replace("acme/shop", "git@git.example.org:acme/shop");
    let Some(world) = World::new(&entry) else {
        return;
    };
    refused(&world, world.run(["deploy", "nightly"]), 3, "no_key");
}

#[test]
fn no_program_for_the_container() {
    let Some(world) = World::new("") else { return };
    world.env.write("changelings-home/script", "#!/bin/sh\n");
    world.env.write_config(&format!(
        "{NIGHTLY}modal.runner = \"script\"\nidentity = {{ name = \"A\", email = \"a@b.c\" }}\n"
    ));
    refused(&world, world.run(["deploy", "nightly"]), 2, "no_program");
}

#[test]
fn one_of_three() {
    let entries = format!(
        "{NIGHTLY}{}{}",
        NIGHTLY
            .replace("nightly", "daily")
            .replace("acme/shop", "/no/such/folder"),
        NIGHTLY.replace("nightly", "weekly") + "secrets = [\"NPM_TOKEN\"]\n",
    );
    let Some(world) = World::new(&entries) else {
        return;
    };
    refused(&world, world.run(["deploy", "--all"]), 3, "two_of_three");
}

#[test]
fn no_client() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    std::fs::remove_file(world.env.bin().join("modal")).unwrap();
    refused(&world, world.run(["deploy", "nightly"]), 3, "no_client");
}

#[test]
fn more_crons_than_the_workspace_may_have() {
    let entries: String = (0..4)
        .map(|n| NIGHTLY.replace("nightly", &format!("n{n}")))
        .collect();
    let Some(world) = World::new(&entries) else {
        return;
    };
    world.run(["deploy", "n0", "n1", "n2"]).success();
    world.configure_with("max_crons = 3", &entries);
    let asked = world.modal.asked().len();
    let output = world.run(["deploy", "n3"]).exits(3);
    insta::assert_snapshot!("crons", output.normalised_stderr());
    let since = world.modal.asked().split_off(asked);
    assert!(!since.iter().any(|call| call == "AppCreate"), "{since:?}");
    // Those that are there already do not count twice.
    world.run(["deploy", "n0", "n1", "n2"]).success();
}

#[test]
fn what_somebody_else_deployed() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    world.run(["deploy", "nightly"]).success();
    let elsewhere = world.env.root().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::copy(world.env.config_file(), elsewhere.join("config.toml")).unwrap();
    let there = |args: &[&str]| {
        let command = world.command(args.iter().copied());
        command.env("CHANGELINGS_HOME", elsewhere.as_os_str()).run()
    };
    let output = there(&["deploy", "nightly"]).exits(3);
    let stderr = output.normalised_stderr();
    let home = world.app("changeling-nightly")["tags"]["changelings-home"].clone();
    insta::assert_snapshot!("not_ours", stderr.replace(home.as_str().unwrap(), "[home]"));
    assert_eq!(world.app("changeling-nightly")["versions"], 1);
    there(&["deploy", "nightly", "--take-over"]).success();
    assert_eq!(world.app("changeling-nightly")["versions"], 2);
    assert_ne!(
        world.app("changeling-nightly")["tags"]["changelings-home"],
        home
    );
    world.run(["deploy", "nightly"]).exits(3);
}

#[test]
fn an_app_nobody_here_made() {
    let Some(world) = World::new(NIGHTLY) else {
        return;
    };
    let file = world.env.write(
        "work/other.py",
        "import modal\napp = modal.App()\n@app.function()\ndef f(): pass\n",
    );
    let file = file.to_str().unwrap();
    let Some(deploy) = world
        .modal
        .client(&world.env, ["deploy", file, "--name", "changeling-nightly"])
    else {
        return;
    };
    deploy.run().success();
    let output = world.run(["deploy", "nightly"]).exits(3);
    assert!(
        output.stderr.contains("was not deployed by changelings"),
        "{}",
        output.stderr
    );
}

/// Everything about the configuration is looked at before Modal is asked anything.
#[test]
fn what_the_configuration_has_wrong() {
    let Some(world) = World::new("") else { return };
    let wrong = [
        ("a schedule", "schedule = \"0 25 * * *\""),
        ("a zone", "timezone = \"Europe/Zuerich\""),
        ("a timeout", "timeout = \"25h\""),
        ("a template", "template = \"fixme-fairies\""),
        (
            "less time than it needs",
            "timeout = \"2h\"\nmodal.timeout = \"1h\"",
        ),
        ("a runner", "modal.runner = \"http://example.org/it\""),
    ];
    let mut said = String::new();
    for (what, line) in wrong {
        let key = line.split(' ').next().unwrap_or_default();
        let others = NIGHTLY.lines().filter(|line| !line.starts_with(key));
        let entry: String = others.map(|line| format!("{line}\n")).collect();
        world.configure(&format!("{entry}{line}\n"));
        let output = world.run(["deploy", "nightly"]).exits(2);
        said += &format!("# {what}\n{}\n", output.normalised_stderr());
    }
    insta::assert_snapshot!("wrong", said);
    let name = "n".repeat(41);
    world.configure(&NIGHTLY.replace("nightly", &name));
    world.run(["deploy", &name]).exits(2);
    world.nothing_was_sent();
}
