//! Mail, through the machine's own `sendmail` (postfix, exim, msmtp, ... all bring one).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Letter, NotifyError};
use crate::context::Environment;
use crate::names::{printable, printable_lines};
use crate::process::{Command, find_on_path};

/// Where it is when it is not on PATH, which it often is not for ordinary users.
const USUAL: [&str; 2] = ["/usr/sbin/sendmail", "/usr/lib/sendmail"];

pub(super) fn send(
    addresses: &[String],
    letter: &Letter,
    env: &Environment,
) -> Result<(), NotifyError> {
    let program = sendmail(env).ok_or(NotifyError::NoSendmail)?;
    // -i: a line with a single dot does not end the mail. Addresses were checked when the
    // configuration was read; behind `--` none is an option.
    let call = Command::new(program)
        .args(["-i", "--"])
        .args(addresses)
        .stdin(mail(addresses, letter));
    super::run(call, env)
}

fn sendmail(env: &Environment) -> Option<PathBuf> {
    let on_path = env
        .get_os("PATH")
        .and_then(|path| find_on_path("sendmail", path));
    on_path.or_else(|| {
        let there = USUAL.iter().map(Path::new).find(|path| path.is_file());
        there.map(Path::to_owned)
    })
}

/// Headers and text. Everything in a header is of a known form, on one line.
pub(super) fn mail(addresses: &[String], letter: &Letter) -> String {
    let run = &letter.run;
    let word = run.outcome.unwrap_or("running");
    let mut text = format!(
        "To: {}\nSubject: [changeling] {}: {word}\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n\n",
        addresses.join(", "),
        run.changeling,
        letter.line,
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<11} {}", printable(value));
    };
    line("run", &run.id);
    line("repository", &run.repo);
    line(
        "started",
        &run.started_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    );
    if let Some(branch) = &run.branch {
        line("branch", branch);
    }
    if let Some(cost) = run.cost_usd {
        line("cost", &format!("{cost:.2} USD"));
    }
    if let Some(url) = &run.url {
        line("link", url);
    }
    line("record", &run.folder.to_string_lossy());
    if !letter.next.is_empty() {
        text.push_str("\nNext, on the machine it ran on:\n");
        for advice in &letter.next {
            let _ = writeln!(text, "  {}:", advice.what);
            for line in printable_lines(&advice.command).lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text
}
