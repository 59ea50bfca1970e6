//! What a template is told about the run it composes for.

use std::ops::RangeInclusive;

use crate::{Date, Failure};

/// The run to compose for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Name of the changeling.
    pub changeling: String,
    /// URL of the target repository, without credentials.
    pub repo: String,
    pub base_branch: String,
    /// Today, in the changeling's time zone.
    pub date: Date,
    /// As the user set them, defaults filled in.
    pub params: Vec<(String, String)>,
    /// Permissions in force.
    pub granted: Vec<String>,
    pub extras: Vec<(String, String)>,
}

impl Context {
    /// A parameter that is set to something other than white space, trimmed.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// A parameter that must be set.
    pub fn required_param(&self, name: &str) -> Result<&str, Failure> {
        self.param(name).ok_or_else(|| {
            Failure::invalid(format!("the parameter `{name}` is missing"))
                .hint(format!("set it: --param {name}=..."))
        })
    }

    /// A parameter that is a list: parts between commas, trimmed, none empty.
    pub fn list_param(&self, name: &str) -> Vec<&str> {
        self.param(name)
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// A parameter that is a whole number within bounds.
    pub fn number_param(
        &self,
        name: &str,
        bounds: RangeInclusive<u32>,
    ) -> Result<Option<u32>, Failure> {
        self.param(name)
            .map(|value| {
                value
                    .parse()
                    .ok()
                    .filter(|number| bounds.contains(number))
                    .ok_or_else(|| {
                        let (low, high) = (bounds.start(), bounds.end());
                        Failure::invalid(format!("the parameter `{name}` is `{value}`"))
                            .hint(format!("a whole number from {low} to {high}"))
                    })
            })
            .transpose()
    }

    /// A parameter that is one of a few words.
    pub fn choice_param<'a>(
        &'a self,
        name: &str,
        choices: &[&str],
    ) -> Result<Option<&'a str>, Failure> {
        match self.param(name) {
            Some(value) if !choices.contains(&value) => Err(Failure::invalid(format!(
                "the parameter `{name}` is `{value}`"
            ))
            .hint(format!("one of: {}", choices.join(", ")))),
            other => Ok(other),
        }
    }

    /// Whether a permission is in force.
    pub fn is_granted(&self, permission: &str) -> bool {
        self.granted.iter().any(|granted| granted == permission)
    }
}
