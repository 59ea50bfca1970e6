//! A repository to compose for.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use tempfile::TempDir;

use super::Composed;
use crate::github::{Issue, Pull};
use crate::native::{Snapshot, World, serve};
use crate::{Composition, Context, Date, Failure, Manifest, Template};

/// A repository (or plain folder), issues and pull requests, and a fixed day.
#[derive(Debug)]
pub struct Fixture {
    world: Rc<World>,
    base_branch: String,
    repo: String,
    /// Permissions in force; `None`: what the manifest lists.
    granted: Option<Vec<String>>,
    /// Deletes the repository in the end when it was made for this fixture.
    folder: Option<TempDir>,
}

impl Fixture {
    /// Composes for HEAD of the git repository at `folder`, or for its files when it is none. The
    /// day is 2026-11-22 until [`Fixture::date`] says otherwise.
    ///
    /// # Panics
    /// The folder cannot be read.
    pub fn folder(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        let snapshot = Rc::new(Snapshot::of(folder).unwrap_or_else(|failure| panic!("{failure}")));
        Self {
            world: Rc::new(World {
                snapshot,
                issues: Vec::new(),
                pulls: Vec::new(),
                date: Date::parse("2026-11-22").expect("it is a date"),
                granted: Vec::new(),
                log: RefCell::default(),
                calls: RefCell::default(),
            }),
            base_branch: "main".into(),
            repo: "https://github.com/example/fixture".into(),
            granted: None,
            folder: None,
        }
    }

    pub(super) fn temporary(folder: TempDir) -> Self {
        let mut fixture = Self::folder(folder.path());
        fixture.folder = Some(folder);
        fixture
    }

    /// Where the repository is.
    pub fn path(&self) -> Option<&Path> {
        self.folder.as_ref().map(TempDir::path)
    }

    /// Sets today, `2026-11-22`.
    ///
    /// # Panics
    /// It is no date.
    #[must_use]
    pub fn date(mut self, date: &str) -> Self {
        self.world_mut().date = Date::parse(date).unwrap_or_else(|| panic!("`{date}` is no date"));
        self
    }

    /// The issues GitHub has.
    #[must_use]
    pub fn issues(mut self, issues: impl IntoIterator<Item = Issue>) -> Self {
        self.world_mut().issues = issues.into_iter().collect();
        self
    }

    /// The pull requests GitHub has.
    #[must_use]
    pub fn pulls(mut self, pulls: impl IntoIterator<Item = Pull>) -> Self {
        self.world_mut().pulls = pulls.into_iter().collect();
        self
    }

    /// Only these permissions are in force.
    #[must_use]
    pub fn granted<'a>(mut self, permissions: impl IntoIterator<Item = &'a str>) -> Self {
        self.granted = Some(permissions.into_iter().map(str::to_owned).collect());
        self
    }

    /// Composes as the host would: unknown parameters are refused, defaults filled in, a missing
    /// required parameter is left to the template.
    ///
    /// # Panics
    /// The brief breaks what the host would refuse: a permission the manifest does not list, a
    /// malformed slug.
    pub fn compose<T: Template>(&self, params: &[(&str, &str)]) -> Composed {
        let manifest = T::manifest();
        let granted = self
            .granted
            .clone()
            .unwrap_or_else(|| manifest.permissions.clone());
        let world = Rc::new(World {
            snapshot: Rc::clone(&self.world.snapshot),
            issues: self.world.issues.clone(),
            pulls: self.world.pulls.clone(),
            date: self.world.date,
            granted: granted.clone(),
            log: RefCell::default(),
            calls: RefCell::default(),
        });
        let result = filled_params(&manifest, params).and_then(|params| {
            let context = Context {
                changeling: format!("nightly-{}", manifest.name),
                repo: self.repo.clone(),
                base_branch: self.base_branch.clone(),
                date: world.date,
                params,
                granted,
                extras: Vec::new(),
            };
            serve(&world, || T::compose(&context))
        });
        if let Ok(Composition::Run(brief)) = &result {
            for permission in &brief.permissions {
                let listed = manifest.permissions.contains(permission);
                assert!(
                    listed,
                    "the brief asks for `{permission}`, which the manifest does not list"
                );
            }
        }
        Composed {
            result,
            log: world.log.take(),
            calls: world.calls.take(),
        }
    }

    fn world_mut(&mut self) -> &mut World {
        Rc::get_mut(&mut self.world).expect("only `compose` shares it, and it makes its own")
    }
}

fn filled_params(
    manifest: &Manifest,
    params: &[(&str, &str)],
) -> Result<Vec<(String, String)>, Failure> {
    if let Some((unknown, _)) = params
        .iter()
        .find(|(name, _)| manifest.params.iter().all(|param| param.name != *name))
    {
        return Err(Failure::invalid(format!(
            "there is no parameter `{unknown}`"
        )));
    }
    let given = params
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let defaults = manifest
        .params
        .iter()
        .filter(|param| params.iter().all(|(name, _)| *name != param.name))
        .filter_map(|param| Some((param.name.clone(), param.default.clone()?)));
    Ok(given.chain(defaults).collect())
}
