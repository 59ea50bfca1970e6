use super::*;
use crate::schedule::{Schedule, Zone};

const NOW: &str = "2026-03-05T08:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn call(id: &str, enqueued: &str, status: Status) -> Call {
    Call {
        id: id.to_owned(),
        function: RUN.to_owned(),
        enqueued: Some(at(enqueued)),
        started: None,
        seconds: None,
        status,
    }
}

fn begun(call: &str, attempt: &str, began: &str) -> Begun {
    Begun {
        call: call.to_owned(),
        attempt: attempt.to_owned(),
        at: Some(at(began)),
        repo: Some("https://github.com/o/r".to_owned()),
        trigger: Some(Trigger::Schedule),
        lives: None,
    }
}

fn recorded<'a>(run: &'a str, call: &'a str, attempt: &'a str, started: &str) -> Recorded<'a> {
    Recorded {
        run,
        call,
        attempt,
        repo: "https://github.com/o/r",
        trigger: Trigger::Schedule,
        started_at: at(started),
        refused: false,
    }
}

fn joined(calls: &[Call], begun: &[Begun], records: &[Recorded]) -> Joined {
    join(&Facts {
        calls,
        begun,
        records,
        promise: None,
        at: at(NOW),
    })
}

/// The state of the only call.
fn state(status: Status, begun: &[Begun], records: &[Recorded]) -> State {
    let calls = [call("fc-1", "2026-03-05T03:00:05Z", status)];
    let joined = joined(&calls, begun, records);
    joined.calls.into_iter().next().unwrap().state
}

#[test]
fn every_status_with_and_without_a_beginning_and_a_record() {
    let began = [begun("fc-1", "a", "2026-03-05T03:01:00Z")];
    let record = [recorded("r1", "fc-1", "a", "2026-03-05T03:01:00Z")];
    let ended = State::Ended {
        run: "r1".to_owned(),
    };
    for (status, bare, with_beginning) in [
        (Status::Pending, State::NeverStarted, State::Running),
        (Status::Running, State::Running, State::Running),
        (Status::Success, State::NoRecord, State::NoRecord),
        (Status::Failure, State::DiedAtStart, State::Crashed),
        (Status::InternalFailure, State::DiedAtStart, State::Crashed),
        (Status::Unknown, State::DiedAtStart, State::Crashed),
        (Status::InitFailure, State::DiedAtStart, State::DiedAtStart),
        (Status::Timeout, State::TimedOut, State::TimedOut),
        (Status::IdleTimeout, State::TimedOut, State::TimedOut),
        (Status::Terminated, State::Stopped, State::Stopped),
        (Status::OutOfMemory, State::OutOfMemory, State::OutOfMemory),
    ] {
        assert_eq!(state(status, &[], &[]), bare, "{status:?}");
        assert_eq!(state(status, &began, &[]), with_beginning, "{status:?}");
        // What Modal says of a call with a record changes nothing.
        assert_eq!(state(status, &[], &record), ended, "{status:?}");
        assert_eq!(state(status, &began, &record), ended, "{status:?}");
    }
}

#[test]
fn a_call_that_waits_is_told_from_one_that_never_starts() {
    let waiting = call("fc-2", "2026-03-05T07:50:00Z", Status::Pending);
    let alone = joined(std::slice::from_ref(&waiting), &[], &[]);
    assert_eq!(alone.calls[0].state, State::Waiting { behind: false });

    let long = call("fc-2", "2026-03-05T03:00:00Z", Status::Pending);
    let running = call("fc-1", "2026-03-05T02:00:00Z", Status::Running);
    let behind = joined(&[long, running], &[], &[]);
    assert_eq!(behind.calls[0].state, State::Waiting { behind: true });
    assert!(!behind.calls[0].state.is_bad());
}

#[test]
fn a_restart_is_counted_and_the_attempt_that_began_last_has_the_last_word() {
    let first = recorded("r1", "fc-1", "a", "2026-03-05T03:01:00Z");
    let calls = |status| [call("fc-1", "2026-03-05T03:00:00Z", status)];
    let second = [begun("fc-1", "b", "2026-03-05T03:40:00Z")];

    let again = &joined(&calls(Status::Running), &second, &[first]).calls[0];
    assert_eq!((again.attempts, &again.state), (2, &State::Running));
    let died = &joined(&calls(Status::Failure), &second, &[first]).calls[0];
    assert_eq!((died.attempts, &died.state), (2, &State::Crashed));

    let both = [first, recorded("r2", "fc-1", "b", "2026-03-05T03:40:00Z")];
    let ended = &joined(&calls(Status::Success), &second, &both).calls[0];
    let run = "r2".to_owned();
    assert_eq!((ended.attempts, &ended.state), (2, &State::Ended { run }));
}

#[test]
fn an_attempt_that_was_refused_says_nothing_while_another_is_known() {
    let refused = Recorded {
        refused: true,
        ..recorded("r2", "fc-1", "b", "2026-03-05T03:40:00Z")
    };
    let lives = |lives| Begun {
        lives,
        ..begun("fc-1", "a", "2026-03-05T03:01:00Z")
    };
    let ended = |run: &str| State::Ended {
        run: run.to_owned(),
    };
    // Its end is what Modal takes for the end of the call.
    let status = Status::Failure;
    assert_eq!(
        state(status, &[lives(Some(true))], &[refused]),
        State::Running
    );
    for gone in [lives(Some(false)), lives(None)] {
        assert_eq!(state(status, &[gone], &[refused]), State::Crashed);
    }
    assert_eq!(state(status, &[], &[refused]), ended("r2"));
    let first = recorded("r1", "fc-1", "a", "2026-03-05T03:01:00Z");
    assert_eq!(state(status, &[], &[refused, first]), ended("r1"));
}

#[test]
fn a_fan_out_that_failed_is_told_and_one_that_worked_is_no_run() {
    let fire = |id, status| Call {
        function: FIRE.to_owned(),
        ..call(id, "2026-03-05T03:00:00Z", status)
    };
    let calls = [
        fire("fc-1", Status::Success),
        fire("fc-2", Status::InitFailure),
    ];
    let fates = joined(&calls, &[], &[]).calls;
    assert_eq!(fates.len(), 1);
    assert_eq!(
        (&*fates[0].call, &fates[0].state),
        ("fc-2", &State::DiedAtStart)
    );
}

#[test]
fn the_last_call_of_a_repository_may_be_one_that_never_said_which() {
    let other = Begun {
        repo: Some("https://github.com/o/other".to_owned()),
        ..begun("fc-3", "a", "2026-03-05T07:00:00Z")
    };
    let calls = [
        call("fc-1", "2026-03-05T03:00:00Z", Status::Running),
        call("fc-2", "2026-03-05T05:00:00Z", Status::InitFailure),
        call("fc-3", "2026-03-05T07:00:00Z", Status::Running),
    ];
    let joined = joined(&calls, &[other], &[]);
    let last = |repo| joined.last(repo).map(|fate| &*fate.call);
    assert_eq!(last("https://github.com/o/r"), Some("fc-2"));
    assert_eq!(last("https://github.com/o/other"), Some("fc-3"));
}

/// Fires missed by a schedule at 03:00 in Zurich (02:00 UTC in winter).
fn missed(since: &str, cut: bool, calls: &[Call], begun: &[Begun], records: &[Recorded]) -> String {
    let schedule = Schedule::parse("0 3 * * *").unwrap();
    let zone = Zone::parse("Europe/Zurich").unwrap();
    let promise = Promise {
        schedule: &schedule,
        zone: &zone,
        function: RUN,
        since: at(since),
        cut,
    };
    let joined = join(&Facts {
        calls,
        begun,
        records,
        promise: Some(promise),
        at: at(NOW),
    });
    let days = joined
        .missed
        .iter()
        .map(|fire| fire.strftime("%d").to_string());
    days.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_fire_without_a_call_is_missed() {
    const LONG_AGO: &str = "2026-01-01T00:00:00Z";
    let third = call("fc-3", "2026-03-03T02:00:07Z", Status::Success);
    let fifth = call("fc-5", "2026-03-05T01:59:58Z", Status::InitFailure);
    assert_eq!(missed(LONG_AGO, false, &[], &[], &[]), "03 04 05");
    assert_eq!(
        missed(LONG_AGO, false, &[third.clone(), fifth.clone()], &[], &[]),
        "04"
    );
    // Not before it was deployed, and not before the oldest call of a list that is cut.
    assert_eq!(missed("2026-03-04T12:00:00Z", false, &[], &[], &[]), "05");
    assert_eq!(
        missed(LONG_AGO, true, std::slice::from_ref(&fifth), &[], &[]),
        ""
    );
}

#[test]
fn a_call_by_hand_answers_to_no_fire_and_a_record_alone_does() {
    const SINCE: &str = "2026-03-04T12:00:00Z";
    let hand = call("fc-5", "2026-03-05T02:05:00Z", Status::Running);
    let began = Begun {
        trigger: Some(Trigger::Hand),
        ..begun("fc-5", "a", "2026-03-05T02:06:00Z")
    };
    let calls = [hand];
    assert_eq!(missed(SINCE, false, &calls, &[began], &[]), "05");
    assert_eq!(missed(SINCE, false, &calls, &[], &[]), "");
    let record = recorded("r1", "fc-9", "a", "2026-03-05T02:00:30Z");
    assert_eq!(missed(SINCE, false, &[], &[], &[record]), "");
}

#[test]
fn one_call_answers_to_one_fire() {
    let schedule = Schedule::parse("*/5 * * * *").unwrap();
    let zone = Zone::parse("UTC").unwrap();
    let calls = [call("fc-1", "2026-03-05T07:30:10Z", Status::Success)];
    let joined = join(&Facts {
        calls: &calls,
        begun: &[],
        records: &[],
        promise: Some(Promise {
            schedule: &schedule,
            zone: &zone,
            function: RUN,
            since: at("2026-03-05T07:26:00Z"),
            cut: false,
        }),
        at: at(NOW),
    });
    let missed: Vec<_> = joined
        .missed
        .iter()
        .map(|fire| fire.strftime("%M").to_string())
        .collect();
    // 07:55 and 08:00 are not due yet.
    assert_eq!(missed, ["35", "40", "45", "50"]);
}

#[test]
fn fates_in_words() {
    let mut lines = String::new();
    let name: crate::names::Name = "nightly".parse().unwrap();
    for state in [
        State::Waiting { behind: false },
        State::Waiting { behind: true },
        State::NeverStarted,
        State::Running,
        State::Ended {
            run: "20260305-030100-abcdef".to_owned(),
        },
        State::DiedAtStart,
        State::Crashed,
        State::OutOfMemory,
        State::TimedOut,
        State::Stopped,
        State::NoRecord,
    ] {
        let fate = Fate {
            call: "fc-1".to_owned(),
            at: at("2026-03-05T05:00:00Z"),
            repo: None,
            trigger: None,
            attempts: usize::from(state == State::Crashed) * 2,
            state,
        };
        let word = serde_json::to_value(&fate.state).unwrap()["state"].clone();
        assert_eq!(word, fate.state.word());
        let command = fate.command(&name).unwrap_or_else(|| "-".to_owned());
        let sentence = fate.sentence(at(NOW));
        lines.extend([
            word.as_str().unwrap(),
            ": ",
            &sentence,
            "\n  ",
            &command,
            "\n",
        ]);
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn what_the_bridge_says_is_read() {
    let text = r#"{"event":"call","app":"changeling-a","function":"run","call":"fc-1","enqueued":"2026-03-05T03:00:05.250Z",
        "started":null,"seconds":null,"status":"init failure"}"#;
    let call: Call = serde_json::from_str(text).unwrap();
    assert_eq!((&*call.id, call.status), ("fc-1", Status::InitFailure));
    for (word, status) in [
        ("kernel oom kill", Status::OutOfMemory),
        ("memory manager eviction", Status::OutOfMemory),
        ("idle timeout", Status::IdleTimeout),
        ("13", Status::Unknown),
        ("unspecified", Status::Unknown),
    ] {
        let read: Status = serde_json::from_value(word.into()).unwrap();
        assert_eq!(read, status, "{word}");
    }
    assert_eq!(call_of("fc-1.abc"), Some(("fc-1", "abc")));
    assert_eq!(call_of("fc-1"), None);
    assert_eq!(call_of(".a"), None);
}
