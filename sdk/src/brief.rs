//! What a template answers: a brief for one run, or the reason to skip it.

/// A template's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Composition {
    /// An agent is to do this.
    Run(Brief),
    /// Nothing to do: the reason, for a person. No agent is paid for.
    Skip(String),
}

impl Composition {
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }
}

impl From<Brief> for Composition {
    fn from(brief: Brief) -> Self {
        Self::Run(brief)
    }
}

/// How the result reaches the owners of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Delivery {
    /// A branch and a pull request.
    #[default]
    PullRequest,
    /// An issue that holds the report.
    Issue,
    /// Kept in the run's record only.
    Record,
}

impl Delivery {
    pub const ALL: [Self; 3] = [Self::PullRequest, Self::Issue, Self::Record];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pull-request",
            Self::Issue => "issue",
            Self::Record => "record",
        }
    }

    /// The delivery of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|delivery| delivery.as_str() == name)
    }
}

/// One run's instructions. How to deliver (branch, push, pull request) is not said in the prompt:
/// the host appends that.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brief {
    pub prompt: String,
    /// `--flag=value` each.
    pub mngr_args: Vec<String>,
    /// What this run needs; the manifest must list it.
    pub permissions: Vec<String>,
    pub delivery: Delivery,
    /// Last part of the branch name, `[a-z0-9-]{1,60}`.
    pub slug: String,
    /// One line; `{commits}` stands for the number of commits the agent made.
    pub pr_title: Option<String>,
    /// The template's part of the body; the host adds what it knows after the run.
    pub pr_body: Option<String>,
    pub labels: Vec<String>,
    pub extras: Vec<(String, String)>,
}

impl Brief {
    /// `slug` becomes the last part of the branch name; anything but `[a-z0-9]` in it turns into
    /// single hyphens and it is cut at 60 characters.
    pub fn new(slug: &str, prompt: impl Into<String>) -> Self {
        Self {
            slug: slugify(slug),
            prompt: prompt.into(),
            ..Self::default()
        }
    }

    #[must_use]
    pub fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// Adds permissions this run needs; the manifest must list them.
    #[must_use]
    pub fn permissions<'a>(mut self, permissions: impl IntoIterator<Item = &'a str>) -> Self {
        self.permissions
            .extend(permissions.into_iter().map(str::to_owned));
        self
    }

    /// Title of the pull request or issue; `{commits}` stands for the number of commits.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.pr_title = Some(title.into());
        self
    }

    /// The template's part of the pull request's or issue's body.
    #[must_use]
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.pr_body = Some(body.into());
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.labels.push(label.into());
        self
    }

    /// Adds an mngr argument, `--flag=value`.
    #[must_use]
    pub fn mngr_arg(mut self, arg: impl Into<String>) -> Self {
        self.mngr_args.push(arg.into());
        self
    }

    /// Adds an extra the host may know.
    #[must_use]
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.extras.push((key.into(), value.into()));
        self
    }
}

/// Lowercase letters, digits and single hyphens, at most 60; `run` when nothing is left.
fn slugify(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(60);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "run" } else { slug }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_branch_parts() {
        assert_eq!(slugify("Fix #12: Größe & co"), "fix-12-gr-e-co");
        assert_eq!(slugify("../.."), "run");
        assert_eq!(slugify(&"ab-".repeat(40)).len(), 59);
    }
}
