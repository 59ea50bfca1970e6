//! The script mngr runs in tmux, which runs the agent: with exactly the run's environment, the prompt
//! on its standard input, its output into pipes of ours, and its exit code in a file.

use std::ffi::OsString;
use std::path::Path;

use super::files::Files;
use crate::agent::Variables;

/// Values travel to the wrapper under such names, through mngr, tmux and a shell: whatever they are
/// called in the end, none of these takes them for its own.
const CARRIER: &str = "CHANGELING_ENV_";

/// What a wrapper is made of.
#[derive(Debug)]
pub(super) struct Wrapper<'a> {
    pub(super) run_id: &'a str,
    pub(super) files: &'a Files,
    pub(super) workspace: &'a Path,
    /// The agent's command line.
    pub(super) argv: &'a [String],
    /// Names of the agent's variables, in the order of their carriers.
    pub(super) names: &'a [String],
}

/// Names of the variables, each once, and their values under the names that carry them.
pub(super) fn carried(variables: Variables) -> (Vec<String>, Variables) {
    let mut last: Vec<(String, OsString)> = Vec::new();
    for (name, value) in variables {
        last.retain(|(other, _)| *other != name);
        last.push((name, value));
    }
    let carriers = last.iter().enumerate();
    let carriers = carriers
        .map(|(index, (_, value))| (format!("{CARRIER}{index}"), value.clone()))
        .collect();
    (last.into_iter().map(|(name, _)| name).collect(), carriers)
}

impl Wrapper<'_> {
    /// For `/bin/sh`.
    pub(super) fn script(&self) -> String {
        let quoted = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
        let mut assignments = String::new();
        for (index, name) in self.names.iter().enumerate() {
            let line = format!("export {name}=\"${CARRIER}{index}\"; unset {CARRIER}{index}\n");
            assignments.push_str(&line);
        }
        format!(
            r#"#!/bin/sh
# Made by changeling for the run {run_id}: mngr runs it, it runs the agent.
command unset changeling_room changeling_path changeling_name
changeling_room={room}
changeling_path=$PATH
umask 077

# Once: mngr would start it again with its session.
mkdir "$changeling_room/started" || exit 0
echo "$$" > "$changeling_room/pid.new" && mv -f "$changeling_room/pid.new" "$changeling_room/pid"

ended() {{
    PATH=$changeling_path
    echo "$1" > "$changeling_room/exit.new" && mv -f "$changeling_room/exit.new" "$changeling_room/exit"
    exit 0
}}

# The agent gets the variables of the run and none that were added on the way.
for changeling_name in $(awk 'BEGIN {{ for (name in ENVIRON) print name }}'); do
    case $changeling_name in
    {CARRIER}* | *[!A-Za-z0-9_]* | [0-9]*) ;;
    *) command unset "$changeling_name" ;;
    esac
done
{assignments}
cd {workspace} || ended 126
{argv} \
    < "$changeling_room/prompt" > "$changeling_room/stdout" 2> "$changeling_room/stderr"
ended "$?"
"#,
            run_id = self.run_id,
            room = quoted(&self.files.root),
            workspace = quoted(self.workspace),
            argv = shell_words::join(self.argv),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;
    use crate::process::Command;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), OsString::from(*value)))
            .collect()
    }

    #[test]
    fn the_text_of_it() {
        let (names, carriers) = carried(variables(&[
            ("PATH", "/usr/bin:/bin"),
            ("API_KEY", "it's $(secret)"),
            ("PATH", "/opt/bin:/usr/bin:/bin"),
        ]));
        assert_eq!(names, ["API_KEY", "PATH"]);
        assert_eq!(carriers[1].1, "/opt/bin:/usr/bin:/bin");
        let wrapper = Wrapper {
            run_id: "7k2m",
            files: &Files::of(Path::new("/home/ada/the runs/7k2m")),
            workspace: Path::new("/home/ada/the runs/7k2m/workspace"),
            argv: &[
                "claude".into(),
                "-p".into(),
                "--model".into(),
                "a b$(id)".into(),
            ],
            names: &names,
        };
        insta::assert_snapshot!(wrapper.script());
    }

    #[test]
    fn it_runs_an_agent_with_exactly_its_environment() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::of(folder.path());
        files.make().unwrap();
        Files::write(&files.prompt(), b"Do it.\n", 0o600).unwrap();
        let secret = OsString::from_vec(b"a\"b'c $(id) `id` \\n\n\xff\\\\ $HOME \n\n".to_vec());
        let mut given = variables(&[("PATH", "/usr/bin:/bin"), ("CHANGELING_RUN_ID", "x")]);
        given.push(("API_KEY".to_owned(), secret.clone()));
        let (names, carriers) = carried(given);
        let script = "cat; printf %s \"$API_KEY\" > secret; awk 'BEGIN { for (name in ENVIRON) print name }' | sort > names; echo no >&2; exit 7";
        let wrapper = Wrapper {
            run_id: "7k2m",
            files: &files,
            workspace: folder.path(),
            argv: &["sh".into(), "-c".into(), script.into()],
            names: &names,
        };
        Files::write(&files.script(), wrapper.script().as_bytes(), 0o700).unwrap();
        let run = || {
            let mut command = Command::new(files.script())
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", "/nowhere")
                .env("BASH_FUNC_x%%", "() { :; }")
                .env("SHELLOPTS", "braceexpand")
                .env("changeling_room", "/elsewhere")
                .env("MNGR_AGENT_ID", "1");
            for (name, value) in &carriers {
                command = command.env(name, value);
            }
            command.run().unwrap()
        };
        let finished = run();
        assert!(
            finished.success(),
            "{}",
            String::from_utf8_lossy(&finished.stderr)
        );
        assert_eq!(files.exit(), Some(7));
        assert!(files.pid().is_some());
        let read = |path: &Path| std::fs::read(path).unwrap();
        assert_eq!(read(&files.stdout()), b"Do it.\n");
        assert_eq!(read(&files.stderr()), b"no\n");
        assert_eq!(read(&folder.path().join("secret")), secret.into_vec());
        let names = String::from_utf8(read(&folder.path().join("names"))).unwrap();
        // What a shell adds by itself.
        let names: Vec<_> = names
            .lines()
            .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
            .collect();
        assert_eq!(names, ["API_KEY", "CHANGELING_RUN_ID", "PATH"]);
        // A second start does nothing.
        std::fs::remove_file(files.stdout()).unwrap();
        assert!(run().success());
        assert!(!files.stdout().exists());
    }
}
