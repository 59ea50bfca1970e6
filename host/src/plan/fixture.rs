//! A job, a brief and facts for the tests of this crate's pure parts.

use std::collections::BTreeMap;

use super::{Facts, PullRequestFact};
use crate::brief::{Brief, Delivery};
use crate::config::OnOpenPr;
use crate::git::Identity;
use crate::job::{JOB_VERSION, Job, TemplateId};
use crate::names::Digest;
use crate::permission::Permission;

pub(crate) fn job() -> Job {
    Job {
        version: JOB_VERSION,
        changeling: "nightly-fixmes".parse().unwrap(),
        template: TemplateId {
            name: "fixme-fairy".parse().unwrap(),
            version: "0.1.0".into(),
            digest: Digest::of(b"a component"),
            built_in: true,
        },
        repo: "https://github.com/acme/anvils"
            .to_owned()
            .try_into()
            .unwrap(),
        branch: None,
        timezone: "Europe/Zurich".into(),
        agent_type: None,
        message: None,
        message_append: None,
        permissions: None,
        granted: vec![Permission::RepoRead, Permission::Publish],
        extra_mngr_args: Vec::new(),
        env_vars: BTreeMap::from([("RUST_LOG".into(), "info".into())]),
        secrets: vec!["GITHUB_TOKEN".into(), "ANTHROPIC_API_KEY".into()],
        params: BTreeMap::new(),
        timeout_seconds: 3600,
        work_branch: None,
        pr_title: None,
        deliver: None,
        allow_paths: Vec::new(),
        on_open_pr: OnOpenPr::Update,
        max_turns: 100,
        max_budget_usd: 5.0,
        identity: Some(Identity {
            name: "Ada".into(),
            email: "ada@example.com".into(),
        }),
        unattended: true,
        ssh_key: None,
    }
}

pub(crate) fn brief() -> Brief {
    Brief {
        prompt: "Fix these FIXMEs, oldest first:\n\n1. `src/lib.rs:12` FIXME: handle the empty anvil (3 years old)\n\
                 2. `src/main.rs:40` FIXME: error message says nothing (14 months old)\n\nCheck with `cargo test`.\n"
            .into(),
        mngr_args: vec!["--label=kind=fixme".into()],
        permissions: vec![Permission::RepoRead, Permission::Publish],
        delivery: Delivery::PullRequest,
        slug: "fixme-fairy".into(),
        pr_title: Some("Fixme Fairy: Fixed {commits} FIXMEs".into()),
        pr_body: Some("Looked at 2 markers of 2 in 14 files.".into()),
        labels: vec!["changeling".into()],
        extras: BTreeMap::new(),
    }
}

pub(crate) fn facts() -> Facts {
    Facts {
        date: "2026-11-22".into(),
        run_id: "7k2m9x".into(),
        base_branch: "main".into(),
        base_commit: "1".repeat(40),
        on_github: true,
        remote: job().repo,
        remote_branches: BTreeMap::from([("main".into(), "1".repeat(40))]),
        pull_requests: Vec::new(),
    }
}

/// An earlier pull request, whose branch is on the remote.
pub(crate) fn pull_request(facts: &mut Facts, number: u64, state: &str, branch: &str) {
    facts
        .remote_branches
        .insert(branch.into(), format!("{number:040}"));
    facts.pull_requests.push(PullRequestFact {
        number,
        title: format!("Proposal {number}"),
        url: format!("https://github.com/acme/anvils/pull/{number}"),
        state: state.into(),
        branch: branch.into(),
        touched_by_people: false,
    });
}
