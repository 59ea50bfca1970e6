use changelings_sdk::golden;
use changelings_sdk::testing::{Composed, Tree, changes};

use super::CodeCustodian;

fn tree(name: &str) -> Tree {
    Tree::load(format!("../fixtures/{name}"))
}

fn compose(tree: &Tree, scope: &str) -> Composed {
    tree.commit().compose::<CodeCustodian>(&[("scope", scope)])
}

#[test]
fn golden_plans() {
    for (name, scope) in [
        ("rust", "src/import"),
        ("python", "src/shelfmark"),
        ("typescript", "src/api/"),
        ("go", "internal"),
        ("monorepo", "services/worker"),
        ("quiet", "."),
    ] {
        let composed = compose(&tree(name), scope);
        assert!(!composed.to_string().contains("decoy"), "{name}");
        golden!(name, composed);
    }
    golden!(
        "scope-missing",
        tree("rust").commit().compose::<CodeCustodian>(&[])
    );
    golden!(
        "scope-not-there",
        compose(&tree("monorepo"), "services/wroker")
    );
    golden!("scope-outside", compose(&tree("rust"), "../../etc"));
    golden!("scope-vendored", compose(&tree("rust"), "vendor"));
}

#[test]
fn a_silenced_check_that_is_gone_changes_its_line_only() {
    let go = tree("go");
    let mended = go.clone().replace(
        "internal/relay/relay.go",
        " //nolint:staticcheck",
        " // safe",
    );
    assert_eq!(
        compose(&mended, "internal").skip_reason(),
        "nothing stands out in `internal`: no silenced check, long function, copy or commented-out code in 2 files"
    );
    let moved = go.clone().replace(
        "internal/relay/relay.go",
        "	r.queue.Push",
        "\n	r.queue.Push",
    );
    assert_eq!(
        changes(&compose(&go, "internal"), &compose(&moved, "internal")),
        [
            "-`internal`: 3 files of code, 2 of them read (not tests; those that changed most, then the largest), 79 lines. Changed most in the last 180 days: `internal/queue/queue.go` (1 commit), `internal/relay/relay.go` (1 commit).",
            "-- `internal/relay/relay.go:27` `r.queue.Push(queue.Message{Body: body}) //nolint:staticcheck`",
            "+`internal`: 3 files of code, 2 of them read (not tests; those that changed most, then the largest), 80 lines. Changed most in the last 180 days: `internal/queue/queue.go` (1 commit), `internal/relay/relay.go` (1 commit).",
            "+- `internal/relay/relay.go:28` `r.queue.Push(queue.Message{Body: body}) //nolint:staticcheck`",
        ]
    );
}

#[test]
fn a_renamed_check_changes_its_line_only() {
    let rust = tree("rust");
    let renamed = rust.clone().replace(
        ".github/workflows/ci.yml",
        "cargo test --locked",
        "cargo nextest run",
    );
    assert_eq!(
        changes(&compose(&rust, "src"), &compose(&renamed, "src")),
        [
            "-- test: `cargo test --locked` (`.github/workflows/ci.yml:19`)",
            "+- test: `cargo nextest run` (`.github/workflows/ci.yml:19`)",
        ]
    );
}

#[test]
fn a_scope_may_be_a_file_or_have_odd_characters() {
    let rust = tree("rust");
    assert!(
        compose(&rust, "src/import/mt940.rs")
            .prompt()
            .contains("1 file of code")
    );
    let odd = rust.write("app/[id]/page.ts", "// @ts-ignore\nf();\n");
    assert!(
        compose(&odd, "app/[id]")
            .prompt()
            .contains("`app/[id]/page.ts:1` `// @ts-ignore`")
    );
}

#[test]
fn a_large_scope_is_bounded_and_says_so() {
    let mut tree = tree("rust");
    for file in 0..400 {
        let body = format!("    step_{file}();\n").repeat(80);
        tree = tree.write(
            &format!("src/many/m{file:03}.rs"),
            format!("fn f{file}() {{\n{body}}}\n"),
        );
    }
    let composed = compose(&tree, "src/many");
    let prompt = composed.prompt();
    assert!(
        prompt.contains("400 files of code, 150 of them read"),
        "{prompt}"
    );
    assert!(
        prompt.contains("150 long functions, the 5 that weigh most:"),
        "{prompt}"
    );
    assert!(prompt.lines().count() < 90, "{prompt}");
}
