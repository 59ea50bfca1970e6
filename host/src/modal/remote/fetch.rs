//! Asking Modal: what it lists of many apps at once, and the records that are not here yet.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Begun, Call, FIRE, RUN, Seen, call_of};
use crate::error::Result;
use crate::modal::client::{Answer, Cause, Client, Trouble};
use crate::names::{Name, printable};
use crate::record::{Exported, Store};

/// An app to ask about.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub changeling: &'a Name,
    pub app: &'a str,
    pub environment: Option<&'a str>,
    pub volume: &'a str,
    /// Its repositories; with several it has a function that starts a run for each.
    pub targets: usize,
    /// Of its deployment: what was seen is kept there.
    pub folder: &'a Path,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Fetched {
    pub seen: BTreeMap<Name, Seen>,
    /// Apps that could not be asked about.
    pub troubles: BTreeMap<Name, Trouble>,
    /// Records that are new here.
    pub new: usize,
    /// Records that cannot be read, in words.
    pub unread: Vec<String>,
}

/// What is said of an app while it is looked at.
pub(super) struct Look<'a> {
    pub(super) wanted: Wanted<'a>,
    /// A record that is fetched again when it is not here: history was thrown away.
    store: &'a Store,
    seen: Seen,
    new: usize,
    unread: Vec<String>,
}

/// Several fires of them all; Modal lists no more than a thousand.
pub fn most_calls(targets: usize) -> usize {
    (200 + 3 * targets).min(1000)
}

impl Wanted<'_> {
    pub fn functions(&self) -> &'static [&'static str] {
        if self.targets > 1 {
            &[RUN, FIRE]
        } else {
            &[RUN]
        }
    }

    /// How many of its newest calls are asked for, of each function.
    pub fn calls(&self) -> usize {
        most_calls(self.targets)
    }
}

impl<'a> Look<'a> {
    pub(super) fn new(wanted: Wanted<'a>, store: &'a Store, at: Timestamp) -> Result<Self> {
        let mut seen = Seen::new(at);
        let known = store.calls_of(wanted.changeling)?;
        // With nothing at all here, history was thrown away: it is fetched again.
        if !known.is_empty()
            && let Some(before) = Seen::read(wanted.folder)
        {
            seen.fetched = before.fetched;
        }
        seen.fetched.extend(known);
        Ok(Self {
            wanted,
            store,
            seen,
            new: 0,
            unread: Vec::new(),
        })
    }

    /// As the client's `look` is asked.
    pub(super) fn request(&self) -> Value {
        json!({
            "name": self.wanted.app,
            "environment": self.wanted.environment,
            "volume": self.wanted.volume,
            "functions": self.wanted.functions(),
            "calls": self.wanted.calls(),
            "known": self.seen.fetched,
        })
    }

    /// Takes one answer in; `false`: it is about something else.
    pub(super) fn hear(&mut self, answer: &Answer) -> Result<bool> {
        let fields = || Value::Object(answer.fields.clone());
        match answer.event.as_str() {
            "call" => {
                // One that a newer Modal describes in another way is no reason to show nothing.
                if let Ok(call) = serde_json::from_value::<Call>(fields()) {
                    self.seen.calls.push(call);
                }
            }
            "record" => self.record(answer)?,
            "started" => {
                let began = answer.text("key").and_then(|key| {
                    let said = answer.fields.get("started").cloned().unwrap_or_default();
                    let lives = answer.fields.get("lives").and_then(Value::as_bool);
                    began(key, said, lives)
                });
                self.seen.begun.extend(began);
            }
            "looked" => {
                let is = |name: &str| answer.fields.get(name).and_then(Value::as_bool);
                self.seen.deployed = is("deployed").unwrap_or(false);
                self.seen.volume = is("volume").unwrap_or(true);
                self.seen.cut = is("cut").unwrap_or(false);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn record(&mut self, answer: &Answer) -> Result<()> {
        let (Some(key), Some(record)) = (answer.text("key"), answer.fields.get("record")) else {
            return Ok(());
        };
        let place = Path::new(self.wanted.volume).join("records").join(key);
        let exported = match Exported::parse(record.to_string().as_bytes(), &place) {
            Ok(exported) => exported,
            Err(error) => {
                self.unread.push(error.to_string());
                return Ok(());
            }
        };
        let is_its_own = exported.record.changeling == *self.wanted.changeling
            && exported
                .record
                .origin
                .as_ref()
                .map(crate::record::Origin::key)
                .as_deref()
                == Some(key);
        if !is_its_own {
            let place = printable(&place.to_string_lossy());
            self.unread
                .push(format!("the record in `{place}` is of another run"));
            return Ok(());
        }
        self.new += usize::from(self.store.import(&exported, None)?);
        self.seen.fetched.insert(key.to_owned());
        Ok(())
    }

    /// Keeps what was seen for when Modal cannot be asked.
    pub(super) fn finish(self, into: &mut Fetched) -> Result<()> {
        self.seen.write(self.wanted.folder)?;
        into.seen.insert(self.wanted.changeling.clone(), self.seen);
        into.new += self.new;
        into.unread.extend(self.unread);
        Ok(())
    }
}

/// What a container wrote when it began. Of one that wrote less, or nothing, the name says that it did.
fn began(key: &str, said: Value, lives: Option<bool>) -> Option<Begun> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Said {
        at: Option<Timestamp>,
        repo: Option<String>,
        by: Option<crate::exec::Trigger>,
    }
    let (call, attempt) = call_of(key)?;
    let said: Said = serde_json::from_value(said).unwrap_or_default();
    Some(Begun {
        call: call.to_owned(),
        attempt: attempt.to_owned(),
        at: said.at,
        repo: said.repo,
        trigger: said.by,
        lives,
    })
}

/// Asks about all of them, in one process, and takes new records into the history.
///
/// # Errors
/// Modal cannot be reached, refuses the token, or the history cannot be written. What is wrong with one
/// app alone is among `troubles`.
pub fn look(client: &Client, wanted: &[Wanted], store: &Store, at: Timestamp) -> Result<Fetched> {
    let mut fetched = Fetched::default();
    if wanted.is_empty() {
        return Ok(fetched);
    }
    let mut looks = Vec::new();
    for wanted in wanted {
        looks.push(Look::new(*wanted, store, at)?);
    }
    let request = json!({
        "op": "look",
        "environment": null,
        "apps": looks.iter().map(Look::request).collect::<Vec<_>>(),
    });
    let mut failed = Ok(());
    let asked = client.call(&request, &mut |answer| {
        let own = |look: &&mut Look| answer.app.as_deref() == Some(look.wanted.app);
        let Some(look) = looks.iter_mut().find(own) else {
            return;
        };
        if let Some(trouble) = answer.trouble() {
            fetched
                .troubles
                .insert(look.wanted.changeling.clone(), trouble);
        } else if let Err(error) = look.hear(&answer)
            && failed.is_ok()
        {
            failed = Err(error);
        }
    });
    failed?;
    asked?;
    // About none of them there was an answer.
    let is_away = |trouble: &Trouble| trouble.cause == Cause::Unreachable;
    if fetched.troubles.len() == looks.len()
        && fetched.troubles.values().all(is_away)
        && let Some((_, trouble)) = fetched.troubles.pop_first()
    {
        return Err(trouble.into());
    }
    for look in looks {
        if !fetched.troubles.contains_key(look.wanted.changeling) {
            look.finish(&mut fetched)?;
        }
    }
    Ok(fetched)
}

/// Brings the files of a run here that were left on its volume.
///
/// # Errors
/// Modal cannot be reached, or they cannot be written.
pub fn files(client: &Client, wanted: &Wanted, key: &str, run: &str, store: &Store) -> Result<()> {
    let aside = tempfile::tempdir()?;
    let request = json!({
        "op": "files",
        "environment": wanted.environment,
        "volume": wanted.volume,
        "key": key,
        "into": aside.path(),
    });
    let mut names = Vec::new();
    client.call(&request, &mut |answer| {
        if answer.event == "file"
            && let Some(name) = answer.text("name")
        {
            names.push(name.to_owned());
        }
    })?;
    store.take_files(run, aside.path(), &names)?;
    Ok(())
}
