//! Repositories and agents that turn on their host: nothing of theirs runs there.

use changelings_tests::hostile::{assert_not_sprung, trap};

use super::{COMMIT, Shop};

/// A shop in a repository that means harm, with branches named to be taken for something else.
pub(super) fn trapped() -> Shop {
    let shop = Shop::of(|env| trap(env, "trap").repo);
    let tripped = shop.env.root().join("tripped/trap");
    // Its own making may have sprung it.
    std::fs::remove_dir_all(&tripped).expect("a folder of the test");
    std::fs::create_dir(&tripped).expect("a folder of the test");
    let command = format!("$(touch${{IFS}}{}/ref)", tripped.display());
    for branch in ["--upload-pack=x", "-x", "$(id)", &command] {
        shop.in_bare([
            "update-ref",
            &format!("refs/heads/{branch}"),
            "refs/heads/main",
        ]);
    }
    shop
}

#[track_caller]
pub(super) fn nothing_fired(shop: &Shop) {
    assert_not_sprung(&shop.env.root().join("tripped/trap"));
}

#[test]
fn a_repository_that_means_harm() {
    let shop = trapped();
    let before = shop.branches().len();
    shop.with_agent(COMMIT).is("pull-request", 0);
    assert_eq!(shop.branches().len(), before + 1);
    nothing_fired(&shop);
    shop.nothing_lives();
}

#[test]
fn an_agent_that_turns_on_its_host() {
    let shop = Shop::new();
    let tripped = shop.env.root().join("tripped/trap");
    std::fs::create_dir_all(&tripped).unwrap();
    // Written by hand and last: git would spring them on the agent itself.
    let script = format!(
        r#"{COMMIT}
t="$root/tripped/trap"
for hook in pre-push post-checkout post-commit reference-transaction pre-receive post-receive update post-index-change; do
    printf '#!/bin/sh\ntouch %s/hook-%s\n' "$t" $hook > .git/hooks/$hook; chmod +x .git/hooks/$hook
done
cat >> .git/config <<END
[core]
	fsmonitor = touch $t/fsmonitor
	sshCommand = touch $t/ssh
	pager = touch $t/pager
	hooksPath = .git/hooks
[diff]
	external = touch $t/external-diff
[diff "trap"]
	textconv = touch $t/textconv
[filter "trap"]
	clean = touch $t/clean
	smudge = touch $t/smudge
	process = touch $t/process
[credential]
	helper = "!touch $t/credential"
[uploadpack]
	packObjectsHook = touch $t/pack-objects
[remote "origin"]
	uploadpack = touch $t/upload-pack
	receivepack = touch $t/receive-pack
[url "ext::sh -c touch% $t/url"]
	insteadOf = http://127.0.0.1
[include]
	path = $t/../included
END
printf '* filter=trap diff=trap\n' > .gitattributes
printf '#!/bin/sh\ntouch %s/program\n' "$t" > git; chmod +x git
mkdir -p .claude .mngr; printf '[pre_command_scripts]\ncreate = ["touch %s/mngr"]\n' "$t" > .mngr/settings.toml
echo more >> app.py"#
    );
    let ran = shop.with_agent(&script).is("pull-request", 0);
    nothing_fired(&shop);
    assert!(ran.file("uncommitted.diff").contains("+more"));
    assert_eq!(shop.branches().len(), 1);
}

/// What it does to refs of its own clone goes nowhere.
#[test]
fn an_agent_that_moves_other_refs() {
    let shop = Shop::new();
    let refs = || shop.in_bare(["for-each-ref", "--format=%(refname) %(objectname)"]);
    let before = refs();
    let script = format!(
        "{COMMIT}; git branch -f other HEAD; git update-ref refs/tags/v1 HEAD; git branch 'x$(id)'"
    );
    shop.with_agent(&script).is("pull-request", 0);
    let [branch] = &shop.branches()[..] else {
        panic!("{:?}", shop.branches())
    };
    let new = format!("refs/heads/{branch} ");
    let others: Vec<_> = refs()
        .lines()
        .filter(|line| !line.starts_with(&new))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(others, [before.trim()]);
}
