//! What can go wrong at Modal, and what to do about it.

use crate::error::{Error, Kind};

/// What went wrong, in one word that decides what is advised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    TokenMissing,
    TokenWrong,
    NotAllowed,
    Unreachable,
    /// It answers, and not what was asked.
    Failing,
    EnvironmentMissing,
    NotFound,
    SecretMissing,
    ImageBuild,
    CronLimit,
    Stopped,
    /// The message is the id of the home it was deployed from, or nothing.
    NotOurs,
    /// The message is the workspace it is in.
    Elsewhere,
    Invalid,
    NoClient,
    /// What runs there fails, in its words.
    Container,
    Other,
}

/// Something that went wrong at Modal, in its words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Trouble {
    pub cause: Cause,
    /// Printable; may have several lines.
    pub message: String,
}

impl Cause {
    pub(super) fn of(word: &str) -> Self {
        match word {
            "token-missing" => Self::TokenMissing,
            "token-wrong" => Self::TokenWrong,
            "not-allowed" => Self::NotAllowed,
            "unreachable" => Self::Unreachable,
            "failing" => Self::Failing,
            "environment-missing" => Self::EnvironmentMissing,
            "not-found" => Self::NotFound,
            "secret-missing" => Self::SecretMissing,
            "image-build" => Self::ImageBuild,
            "cron-limit" => Self::CronLimit,
            "stopped" => Self::Stopped,
            "not-ours" => Self::NotOurs,
            "elsewhere" => Self::Elsewhere,
            "invalid" => Self::Invalid,
            "no-client" => Self::NoClient,
            "container" => Self::Container,
            _ => Self::Other,
        }
    }
}

impl Trouble {
    fn sentence(&self) -> String {
        let what = match self.cause {
            Cause::TokenMissing => return "there is no Modal token on this machine".to_owned(),
            Cause::NotOurs if self.message.is_empty() => {
                return "the app was not deployed by changelings".to_owned();
            }
            Cause::NotOurs => "the app was deployed from another CHANGELINGS_HOME",
            Cause::Elsewhere => "it is deployed in another workspace than the token is for",
            Cause::TokenWrong => "Modal does not accept the token",
            Cause::NotAllowed => "the token may not do this at Modal",
            Cause::Unreachable => "Modal cannot be reached",
            Cause::Failing => "Modal cannot answer now",
            Cause::EnvironmentMissing => "Modal has no such environment",
            Cause::NotFound => "Modal does not find it",
            Cause::SecretMissing => "the Modal secret is not there, or lacks a variable",
            Cause::ImageBuild => "the image could not be built",
            Cause::CronLimit => "the workspace has as many crons as its plan allows",
            Cause::Stopped => "the app is stopped",
            Cause::Invalid => "Modal refuses it",
            Cause::NoClient => "Modal's client cannot be loaded",
            Cause::Container => "it fails in its container",
            Cause::Other => "Modal's client failed",
        };
        format!("{what}: {}", self.message)
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let hint = match self.cause {
            Cause::TokenMissing => "make an account at modal.com, then: modal setup",
            Cause::TokenWrong => {
                "make a new one: modal setup (MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, when set, come first)"
            }
            Cause::NotAllowed => {
                "ask the owner of the workspace, or choose another: modal profile list"
            }
            Cause::Unreachable => {
                "look at the network, proxies and status.modal.com, then try again; \
                 `modal app list` asks Modal the same way"
            }
            Cause::Failing => "look at status.modal.com, and do the same again in a while",
            Cause::EnvironmentMissing => {
                "`modal environment list` shows those there are; `[modal] environment` names the one used"
            }
            Cause::NotFound | Cause::Stopped => "changeling deploy NAME",
            Cause::NotOurs => {
                "to stop it all the same: changeling undeploy NAME --take-over; to only forget it here, remove \
                 its folder below `deployments`"
            }
            Cause::Elsewhere => {
                "`modal profile list` shows which there are, `modal profile activate` switches"
            }
            Cause::SecretMissing => "`changeling deploy NAME` writes it anew",
            Cause::ImageBuild => {
                "mend `apt`, `pip` or `commands` of the changeling's `modal` table; what was deployed \
                 before goes on as it was"
            }
            Cause::CronLimit => {
                "one changeling with several repositories (`repos`) needs one cron for all of them; \
                 `changeling undeploy NAME` frees one"
            }
            Cause::NoClient => "install it anew: uv tool install --force 'modal>=1.6,<1.7'",
            Cause::Container => {
                "`modal app logs changeling-NAME` has more; when the image is to blame, mend `image`, `apt`, `pip` \
                 or `commands` in [changelings.NAME.modal], then: changeling deploy NAME --verify quick"
            }
            Cause::Invalid | Cause::Other => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        let kind = match trouble.cause {
            Cause::TokenMissing
            | Cause::TokenWrong
            | Cause::NotAllowed
            | Cause::EnvironmentMissing
            | Cause::SecretMissing
            | Cause::CronLimit
            | Cause::NotFound
            | Cause::NotOurs
            | Cause::Elsewhere
            | Cause::Stopped => Kind::NeedsPerson,
            _ => Kind::Failed,
        };
        let hint = trouble.hint();
        let error = Self::from_source(kind, trouble);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
