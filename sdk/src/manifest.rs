//! What a template says of itself.

/// Name, parameters, permissions and instructions of a template; the host reads it before anything
/// else and shows it in `template show`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// `[a-z0-9]+(-[a-z0-9]+)*`, at most 40 characters.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// mngr's agent type; `None`: the host's default.
    pub agent_type: Option<String>,
    pub params: Vec<Param>,
    /// Everything a brief of this template may ask for.
    pub permissions: Vec<String>,
    /// The instructions every prompt is made of, with `{findings}` where the findings of a run go.
    pub default_message: String,
    /// mngr arguments that every brief carries, `--flag=value` each.
    pub default_mngr_args: Vec<String>,
    pub extras: Vec<(String, String)>,
}

impl Manifest {
    /// `version` is best `env!("CARGO_PKG_VERSION")`.
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            description: description.into(),
            ..Self::default()
        }
    }

    /// Adds a parameter users may set.
    #[must_use]
    pub fn param(mut self, param: Param) -> Self {
        self.params.push(param);
        self
    }

    /// Adds permissions a brief may ask for: `repo:read`, `github:read`, `publish`, ...
    #[must_use]
    pub fn permissions<'a>(mut self, permissions: impl IntoIterator<Item = &'a str>) -> Self {
        self.permissions
            .extend(permissions.into_iter().map(str::to_owned));
        self
    }

    /// The fixed instructions, with `{findings}` where what was found goes.
    #[must_use]
    pub fn default_message(mut self, message: impl Into<String>) -> Self {
        self.default_message = message.into();
        self
    }

    /// The agent type to use instead of the host's default.
    #[must_use]
    pub fn agent_type(mut self, agent_type: impl Into<String>) -> Self {
        self.agent_type = Some(agent_type.into());
        self
    }

    /// What a run does while a pull request of the same changeling is open, unless the user chose:
    /// `update` it (the default), `skip` the run, or open a `new` one. `new` is for templates whose
    /// runs are separate pieces of work.
    #[must_use]
    pub fn on_open_pr(mut self, what: &str) -> Self {
        self.extras.push(("on-open-pr".into(), what.into()));
        self
    }

    /// Adds an mngr argument that every brief carries, `--flag=value`.
    #[must_use]
    pub fn mngr_arg(mut self, arg: impl Into<String>) -> Self {
        self.default_mngr_args.push(arg.into());
        self
    }
}

/// A parameter a user may set under `params`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    /// One sentence: what it means and what values it takes.
    pub description: String,
    pub required: bool,
    pub default: Option<String>,
}

impl Param {
    /// May be left out.
    pub fn optional(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            required: false,
            default: None,
        }
    }

    /// Must be set by the user.
    pub fn required(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            required: true,
            ..Self::optional(name, description)
        }
    }

    /// The value when the user sets none.
    #[must_use]
    pub fn default(mut self, value: impl Into<String>) -> Self {
        self.default = Some(value.into());
        self
    }
}
