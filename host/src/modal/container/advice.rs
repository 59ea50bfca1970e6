//! What mends an error that happens in a container. The errors are those of every machine, and their
//! advice is for somebody who sits at one: in an image nothing can be installed by hand, and what was
//! deployed changes only with the next deploy.

use crate::error::Error;
use crate::git::GitError;
use crate::mngr::{MngrError, install_line};
use crate::modal::ModalError;
use crate::names::Name;

/// The same error with advice for whoever deployed the changeling.
pub(super) fn fit(mut error: Error, changeling: &Name) -> Error {
    let fitting = if let Some(error) = error.error.downcast_ref::<MngrError>() {
        Some(of_mngr(error, changeling))
    } else if let Some(error) = error.error.downcast_ref::<GitError>() {
        of_git(error, changeling)
    } else if error.error.is::<ModalError>() {
        let hint = error.hint.as_ref();
        hint.map(|hint| hint.replace("NAME", changeling.as_str()))
    } else {
        None
    };
    error.hint = fitting.or(error.hint);
    error
}

/// What the image brings is missing, or does not work.
pub(super) fn image(changeling: &Name) -> String {
    format!(
        "the image should bring it: look at `image`, `apt`, `pip` and `commands` in \
         [changelings.{changeling}.modal], then: {}",
        again(changeling)
    )
}

/// What makes everything anew.
pub(super) fn again(changeling: &Name) -> String {
    format!("changeling deploy {changeling} --verify quick")
}

fn of_mngr(error: &MngrError, changeling: &Name) -> String {
    let then = again(changeling);
    match error {
        MngrError::NoAgent(program) if program != "claude" => format!(
            "let the image bring it: commands = [\"{}\"] in [changelings.{changeling}.modal], then: {then}",
            match program.as_str() {
                "codex" => install_line(program),
                other => format!("... what installs {other}"),
            }
        ),
        MngrError::NoProgram => format!(
            "changeling edit {changeling} --extra-mngr-args='-- /path/in/the/image --option', then: {then}"
        ),
        MngrError::NoWrapper(_) => {
            format!("set `launch` of [mngr] to \"auto\" or \"native\", then: {then}")
        }
        _ => image(changeling),
    }
}

fn of_git(error: &GitError, changeling: &Name) -> Option<String> {
    let then = again(changeling);
    let first = match error {
        GitError::Authentication { repo, .. } if repo.starts_with("http") => {
            "renew the GITHUB_TOKEN on the machine you deploy from; a deploy sends it along"
        }
        GitError::Authentication { .. } => {
            "see that the key `ssh_key` names may read the repository; a deploy sends it along"
        }
        GitError::NoRepository(_) => {
            "check the spelling, and that the GITHUB_TOKEN that was deployed may read it"
        }
        GitError::NoDefaultBranch { .. } | GitError::NoBranch { .. } => {
            "name a branch that is there (`branch`)"
        }
        GitError::Process(crate::process::ProcessError::NotFound(_)) => {
            return Some(image(changeling));
        }
        _ => return None,
    };
    Some(format!("{first}; then: {then}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn nobody_is_told_to_install_something_here() {
        let name: Name = "nightly".parse().unwrap();
        let errors: [Error; 7] = [
            MngrError::NotInstalled.into(),
            MngrError::NoClaude.into(),
            MngrError::NoTmux.into(),
            MngrError::NoAgent("claude".to_owned()).into(),
            MngrError::NoAgent("codex".to_owned()).into(),
            MngrError::NoAgent("mine".to_owned()).into(),
            GitError::Authentication {
                repo: "https://github.com/acme/shop".to_owned(),
                message: "denied".to_owned(),
            }
            .into(),
        ];
        let told: Vec<_> = errors
            .into_iter()
            .map(|error| {
                let error = fit(error.context("agent"), &name);
                format!("{error}\n  {}", error.hint.as_deref().unwrap_or_default())
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn other_advice_stays() {
        let name: Name = "nightly".parse().unwrap();
        let error = Error::new(Kind::NeedsPerson, "paused").with_hint("changeling enable nightly");
        let hint = fit(error, &name).hint;
        assert_eq!(hint.as_deref(), Some("changeling enable nightly"));
    }
}
