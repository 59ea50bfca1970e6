//! What can be wrong with tests, and which of many findings to take on.

use std::collections::HashMap;

use changelings_sdk::prompt;
use knowledge::testing::runner;

/// What is wrong, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// It keeps the others of its file from running.
    Focused,
    /// A later one of the same name takes its place.
    Replaced,
    /// Nothing in it can fail.
    Unchecked,
    /// A mark keeps it from running.
    Skipped,
    /// A source file that changes often and has no test.
    Untested,
    /// It waits for a fixed time.
    Sleeping,
    /// It checks too much at once.
    Long,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] = [
        Self::Focused,
        Self::Replaced,
        Self::Unchecked,
        Self::Skipped,
        Self::Untested,
        Self::Sleeping,
        Self::Long,
    ];

    /// As the parameter `kinds` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Focused => "focused",
            Self::Replaced => "replaced",
            Self::Unchecked => "unchecked",
            Self::Skipped => "skipped",
            Self::Untested => "untested",
            Self::Sleeping => "sleeping",
            Self::Long => "long",
        }
    }

    /// One of them, for the list in a pull request.
    pub(crate) const fn short(self) -> &'static str {
        match self {
            Self::Focused => "keeps its neighbours from running",
            Self::Replaced => "never runs",
            Self::Unchecked => "checks nothing",
            Self::Skipped => "is skipped",
            Self::Untested => "has no test",
            Self::Sleeping => "waits for a fixed time",
            Self::Long => "checks much at once",
        }
    }

    /// The heading over those that were chosen.
    pub(crate) const fn heading(self) -> &'static str {
        match self {
            Self::Focused => "Tests that keep their neighbours from running",
            Self::Replaced => "Tests that never run",
            Self::Unchecked => "Tests that check nothing",
            Self::Skipped => "Skipped tests",
            Self::Untested => "Code that changes without a test",
            Self::Sleeping => "Tests that wait for a fixed time",
            Self::Long => "Tests that check much at once",
        }
    }

    /// Most of them that one pull request should hold: each of these is much to review.
    const fn most(self) -> usize {
        match self {
            Self::Untested => 3,
            Self::Long => 2,
            _ => usize::MAX,
        }
    }

    /// Why those of more than were chosen.
    pub(crate) const fn because(self) -> &'static str {
        match self {
            Self::Focused | Self::Replaced | Self::Unchecked | Self::Sleeping => {
                "those in files that changed most lately"
            }
            Self::Skipped => "the oldest whose age was looked up",
            Self::Untested => "those with most commits, times their functions and branches",
            Self::Long => "the longest",
        }
    }

    /// What to do about one, and when to leave it.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::Focused => {
                "The word that singles one test out keeps all others of the file from running. Take it away and run the \
                 whole file. If that brings up tests that fail, put it back, make no commit, and name them in the summary."
            }
            Self::Replaced => {
                "A later test of the same name in the same scope takes its place. Give the one that never ran a name of \
                 its own, which says what it checks, and run it. If both are the same word for word, leave them and say so."
            }
            Self::Unchecked => {
                "Nothing that the test calls checks a result, helpers of this repository included; it is green whatever \
                 the code answers. Find out from its name, the code and the callers what it is there to guarantee, and \
                 check that: the values, not only that something came back. Leave it when getting through without an \
                 error is all it is about."
            }
            Self::Skipped => {
                "Take the mark away and run the test five times; twenty times, or as often as fits into five minutes, when \
                 the reason speaks of flakiness. Always green: commit it without the mark. Red because the test is out of date, and documentation, \
                 callers or the commit that changed the behaviour say so: bring the test up to date. Red for any other \
                 reason, or not the same each time: put the mark back as it was, no commit, and say in the summary what you saw."
            }
            Self::Untested => {
                "Test what the callers rely on, the error paths and the edges included: three to eight tests for a file, \
                 each for one behaviour, in the style of the nearest test named. Take expected values from \
                 documentation, types and callers, never from what the code happens to answer."
            }
            Self::Sleeping => {
                "Wait for the thing itself: a condition with a deadline, an event, a channel, or the fake clock this \
                 repository already uses. A shorter sleep is no improvement; deleting it is one only when nothing in the \
                 test needs time to pass. Run the test twenty times afterwards, or as often as fits into five minutes. \
                 Leave it when the time itself is what is tested."
            }
            Self::Long => {
                "Split it so that the name of a red test says which behaviour broke. Every check survives: count them \
                 before and after, and put both numbers into the commit message. A table of cases is long for a good \
                 reason: leave it."
            }
        }
    }
}

/// One place to work on.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) path: String,
    /// `None`: the whole file.
    pub(crate) line: Option<u32>,
    /// Name of the test; empty: none.
    pub(crate) name: String,
    /// Where the test is declared, when it is known.
    pub(crate) test_line: Option<u32>,
    /// What was seen, for the agent.
    pub(crate) seen: String,
    /// More is more, among those of its kind.
    pub(crate) weight: i64,
    pub(crate) runner: Option<runner::Found>,
}

impl Finding {
    pub(crate) fn place(&self) -> String {
        match self.line {
            Some(line) => prompt::place(&self.path, line),
            None => prompt::code(&self.path),
        }
    }
}

/// The findings to take on, ordered by kind: each kind in turn gives its weightiest, until there are
/// enough. So that hundreds of one kind do not hide the others.
pub(crate) fn choose(findings: &[Finding], limit: usize) -> Vec<&Finding> {
    let mut ranked: Vec<&Finding> = findings.iter().collect();
    ranked.sort_by_key(|finding| (finding.kind, -finding.weight, &finding.path, finding.line));
    let mut turns: HashMap<Kind, usize> = HashMap::new();
    let mut with_turn: Vec<(usize, &Finding)> = ranked
        .into_iter()
        .map(|finding| {
            let turn = turns.entry(finding.kind).or_default();
            *turn += 1;
            (*turn, finding)
        })
        .filter(|(turn, finding)| *turn <= finding.kind.most())
        .collect();
    // Stable: within a turn the kinds stay in their order.
    with_turn.sort_by_key(|(turn, _)| *turn);
    let mut chosen: Vec<(usize, &Finding)> = with_turn.into_iter().take(limit).collect();
    chosen.sort_by_key(|(turn, finding)| (finding.kind, *turn));
    chosen.into_iter().map(|(_, finding)| finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_turn() {
        let finding = |kind, weight| Finding {
            kind,
            path: format!("{weight}"),
            line: None,
            name: String::new(),
            test_line: None,
            seen: String::new(),
            weight,
            runner: None,
        };
        let mut findings: Vec<Finding> = (0..100)
            .map(|weight| finding(Kind::Sleeping, weight))
            .collect();
        findings.extend([
            finding(Kind::Skipped, 1),
            finding(Kind::Long, 1),
            finding(Kind::Skipped, 9),
        ]);
        let chosen: Vec<(Kind, i64)> = choose(&findings, 6)
            .iter()
            .map(|finding| (finding.kind, finding.weight))
            .collect();
        assert_eq!(
            chosen,
            [
                (Kind::Skipped, 9),
                (Kind::Skipped, 1),
                (Kind::Sleeping, 99),
                (Kind::Sleeping, 98),
                (Kind::Sleeping, 97),
                (Kind::Long, 1),
            ]
        );
    }
}
