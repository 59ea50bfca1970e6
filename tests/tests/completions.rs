//! `completions`, and what else clap writes.

use changelings_tests::TestEnv;

#[test]
fn shells_take_their_script() {
    let env = TestEnv::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = env.changeling(["completions", shell]).success();
        assert!(output.stdout.contains("rehearse"), "{shell}");
        assert_eq!(output.stderr, "");
    }
    let script = env.changeling(["completions", "bash"]).stdout;
    let file = env.write("complete.bash", &script);
    let ask = format!(
        "source '{}' && COMP_WORDS=(changeling re) COMP_CWORD=1 && _changeling changeling re changeling && echo \"${{COMPREPLY[*]}}\"",
        file.display()
    );
    let output = env.external("bash", ["--norc", "-c", &ask]).run().success();
    let mut words: Vec<_> = output.stdout.split_whitespace().collect();
    words.sort_unstable();
    assert_eq!(words, ["rehearse", "remove"]);
}

#[test]
fn first_page() {
    let env = TestEnv::new();
    let shown = env.width(80).changeling(["-h"]).success().nothing_wrapped();
    assert!(shown.coloured());
    insta::assert_snapshot!(shown);
}
