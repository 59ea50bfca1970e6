use changelings_sdk::golden;
use changelings_sdk::testing::{Composed, Tree, changes};

use super::TestTroll;

const REPOSITORIES: [&str; 6] = ["rust", "python", "typescript", "go", "monorepo", "quiet"];

fn tree(name: &str) -> Tree {
    Tree::load(format!("../fixtures/{name}"))
}

fn compose(tree: &Tree) -> Composed {
    compose_with(tree, &[])
}

fn compose_with(tree: &Tree, params: &[(&str, &str)]) -> Composed {
    tree.commit().compose::<TestTroll>(params)
}

#[test]
fn golden_plans() {
    for name in REPOSITORIES {
        let composed = compose(&tree(name));
        let text = composed.to_string();
        golden!(name, composed);
        assert!(!text.contains("decoy"), "{name}");
    }
    golden!(
        "bad-parameter",
        compose_with(&tree("rust"), &[("kinds", "flaky")])
    );
}
