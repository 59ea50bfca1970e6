//! The form an agent fills in before it ends, read as data.

use super::neutral::Fence;

/// What an agent says of its work. Unchecked text: `neutral` it before use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    pub headline: Option<String>,
    pub rationale: Option<String>,
    pub root_cause: Option<String>,
    pub tests: Option<String>,
    pub reviewer: Option<String>,
}

/// Of a longer file, so much is read, in bytes.
const MAX_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Rationale,
    RootCause,
    Tests,
    Reviewer,
}

impl Part {
    /// By what its heading says; agents reword headings.
    fn of(heading: &str) -> Option<Self> {
        let heading = heading.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| heading.contains(word));
        if has(&["root cause", "cause"]) {
            Some(Self::RootCause)
        } else if has(&["test", "check", "verif"]) {
            Some(Self::Tests)
        } else if has(&["review", "note", "risk", "left", "trade"]) {
            Some(Self::Reviewer)
        } else if has(&["rationale", "why", "what", "summary", "change"]) {
            Some(Self::Rationale)
        } else {
            None
        }
    }
}

impl Summary {
    /// Never fails: text without headings is the rationale.
    pub fn parse(text: &str) -> Self {
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        let mut summary = Self::default();
        let mut part = Part::Rationale;
        let mut fence: Option<Fence> = None;
        for line in text.lines() {
            if let Some(open) = fence {
                if open.is_closed_by(line) {
                    fence = None;
                }
            } else if let Some(heading) = line.strip_prefix("# ") {
                if summary.headline.is_none() {
                    summary.headline = Some(heading.trim().trim_end_matches('#').trim().to_owned());
                    continue;
                }
            } else if let Some(heading) = line.strip_prefix("## ") {
                if let Some(next) = Part::of(heading) {
                    part = next;
                } else {
                    // Unknown headings stay visible, where a reviewer looks for the rest.
                    part = Part::Reviewer;
                    summary.push(part, &format!("**{}**\n", heading.trim()));
                }
                continue;
            } else {
                fence = Fence::opened_by(line);
            }
            summary.push(part, line);
        }
        summary.tidy();
        summary
    }

    fn push(&mut self, part: Part, line: &str) {
        let text = self.part(part).get_or_insert_default();
        text.push_str(line);
        text.push('\n');
    }

    fn part(&mut self, part: Part) -> &mut Option<String> {
        match part {
            Part::Rationale => &mut self.rationale,
            Part::RootCause => &mut self.root_cause,
            Part::Tests => &mut self.tests,
            Part::Reviewer => &mut self.reviewer,
        }
    }

    fn tidy(&mut self) {
        for part in [
            Part::Rationale,
            Part::RootCause,
            Part::Tests,
            Part::Reviewer,
        ] {
            let text = self.part(part);
            *text = text
                .take()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty());
        }
        self.headline = self.headline.take().filter(|line| !line.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form() {
        let summary = Summary::parse(
            "# Fix two things #\n## Rationale\nr1\n\nr2\n## Root cause\nc\n## Tests\nt\n## For the reviewer\nn\n",
        );
        let expected = Summary {
            headline: Some("Fix two things".to_owned()),
            rationale: Some("r1\n\nr2".to_owned()),
            root_cause: Some("c".to_owned()),
            tests: Some("t".to_owned()),
            reviewer: Some("n".to_owned()),
        };
        assert_eq!(summary, expected);
    }

    #[test]
    fn whatever_else_agents_write() {
        assert_eq!(Summary::parse(""), Summary::default());
        assert_eq!(
            Summary::parse("just text").rationale,
            Some("just text".to_owned())
        );
        let summary = Summary::parse(
            "## Test plan\n```\n## not a heading\n# nor this\n```\n## Oddities\nx\n# Second title\n",
        );
        assert_eq!(
            summary.tests,
            Some("```\n## not a heading\n# nor this\n```".to_owned())
        );
        assert_eq!(summary.headline, Some("Second title".to_owned()));
        assert_eq!(summary.reviewer, Some("**Oddities**\n\nx".to_owned()));
        assert!(
            Summary::parse(&"ü".repeat(1_000_000))
                .rationale
                .unwrap()
                .len()
                <= MAX_BYTES
        );
    }
}
