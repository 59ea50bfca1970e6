//! Agents of mngr's own types, with the user's settings: they are told what to do in a terminal, and
//! `mngr wait` says when they are done with it.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::create::{Caller, Failed};
use super::dialect::{Dialect, agent_name};
use super::launch::Launch;
use super::watch::left;
use super::{Installed, MngrError};
use crate::agent::{How, Room};
use crate::names::printable;

/// Longest single `mngr wait`.
const WAIT: Duration = Duration::from_hours(1);

/// Whether this way can be gone at all.
pub(super) fn check(agent_type: &str, mngr: &Installed) -> Result<(), MngrError> {
    if matches!(mngr.dialect, Dialect::Legacy | Dialect::Early) || !mngr.has_wait {
        return Err(MngrError::NoWait(agent_type.to_owned()));
    }
    if agent_type == "claude" && mngr.dialect == Dialect::Current && !mngr.has_claude {
        return Err(MngrError::NoClaude);
    }
    Ok(())
}

/// Waits until the agent is done, or waits for a person.
pub(super) fn watch(launch: &Launch, caller: &Caller, room: &Room, deadline: Instant) -> How {
    let name = agent_name(&room.plan.run_id);
    loop {
        let wait = left(deadline).min(WAIT);
        if wait.is_zero() {
            return How::TimedOut;
        }
        let mut argv = vec!["wait".to_owned(), name.clone()];
        argv.extend(
            ends(&launch.agent_type)
                .iter()
                .map(|&state| state.to_owned()),
        );
        argv.extend([
            "--timeout".to_owned(),
            format!("{}s", wait.as_secs().max(1)),
        ]);
        // It takes a while to begin and to notice; our own deadline is kept exactly.
        let patience = left(deadline).min(WAIT + Duration::from_secs(30));
        let waited = match caller.call(&argv, patience) {
            Ok(finished) => finished,
            Err(Failed::Interrupted) => return How::Interrupted,
            Err(Failed::Because(..)) if left(deadline).is_zero() => return How::TimedOut,
            Err(Failed::Because(why, _)) => return How::Failed(why),
        };
        match waited.code() {
            0 => {}
            // Not yet.
            2 => continue,
            code => {
                return How::Failed(format!("mngr wait ends with exit code {code}"));
            }
        }
        match look(&name, caller) {
            Ok(Some(agent)) => match how(&agent) {
                Some(how) => return how,
                // It went on in between.
                None => std::thread::sleep(Duration::from_secs(1)),
            },
            Ok(None) => return How::Failed("mngr does not know it any more".to_owned()),
            Err(Failed::Interrupted) => return How::Interrupted,
            Err(Failed::Because(why, _)) => return How::Failed(why),
        }
    }
}

/// States that mean an end. A command shows as waiting while it runs.
fn ends(agent_type: &str) -> &'static [&'static str] {
    if agent_type == "command" {
        &["DONE", "STOPPED", "REPLACED"]
    } else {
        &["WAITING", "DONE", "STOPPED", "REPLACED"]
    }
}

/// What mngr knows of the agent.
fn look(name: &str, caller: &Caller) -> Result<Option<Value>, Failed> {
    let argv = ["list", "--provider", "local", "--format", "json"].map(str::to_owned);
    let listed = caller.demand(&argv, Duration::from_mins(1))?;
    let listed = Caller::json(&listed).unwrap_or_default();
    let agents = listed.get("agents").and_then(Value::as_array);
    let is_it = |agent: &&Value| agent.get("name").and_then(Value::as_str) == Some(name);
    Ok(agents.and_then(|agents| agents.iter().find(is_it).cloned()))
}

/// The meaning of its state; `None`: it works.
fn how(agent: &Value) -> Option<How> {
    let state = agent.get("state").and_then(Value::as_str).unwrap_or("");
    let reason = agent
        .pointer("/plugin/claude/waiting_reason")
        .and_then(Value::as_str);
    Some(match (state, reason) {
        ("DONE", _) | ("WAITING", None | Some("END_OF_TURN")) => How::Exited(0),
        ("WAITING", Some("PERMISSIONS")) => How::Stuck(
            "the agent waits for somebody to allow what it wants to do: agents of mngr's own ask \
             before they act"
                .to_owned(),
        ),
        ("WAITING", Some(reason)) => How::Stuck(format!(
            "the agent waits for a person: {}",
            printable(reason)
        )),
        ("STOPPED", _) => How::Failed("the tmux session it ran in is gone".to_owned()),
        ("REPLACED", _) => How::Failed("another program took the agent's place".to_owned()),
        _ => return None,
    })
}

/// mngr forgets the agent. What it says is of no interest: what is left is ended anyway.
pub(super) fn destroy(caller: &Caller, room: &Room) {
    // Collecting garbage is the user's business, and would ask providers that are not there.
    let name = agent_name(&room.plan.run_id);
    let argv = ["destroy", &name, "--force", "--no-gc"].map(str::to_owned);
    match caller.clean_up(&argv, Duration::from_mins(1)) {
        Ok(finished) if !finished.success() => {
            tracing::warn!("mngr destroy ends with exit code {}", finished.code());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn states() {
        let of = |state: &str, reason: Value| {
            how(&json!({"state": state, "plugin": {"claude": {"waiting_reason": reason}}}))
        };
        assert_eq!(of("RUNNING", Value::Null), None);
        assert_eq!(of("DONE", Value::Null), Some(How::Exited(0)));
        assert_eq!(of("WAITING", json!("END_OF_TURN")), Some(How::Exited(0)));
        assert!(matches!(
            of("WAITING", json!("PERMISSIONS")),
            Some(How::Stuck(_))
        ));
        assert!(matches!(
            of("WAITING", json!("QUESTION")),
            Some(How::Stuck(_))
        ));
        assert!(matches!(of("STOPPED", Value::Null), Some(How::Failed(_))));
        assert_eq!(how(&json!({"state": "WAITING"})), Some(How::Exited(0)));
        assert_eq!(how(&json!({})), None);
    }
}
