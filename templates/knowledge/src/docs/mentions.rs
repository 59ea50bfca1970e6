//! What a document points at. Markdown first; of `reStructuredText` and `AsciiDoc` what is alike, and
//! their directives.

/// How something is mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A target of a link, picture or include.
    Link,
    /// Between backticks in a line of text.
    Code,
    /// A line of a block of code that may be typed into a terminal.
    Command,
}

/// Something a document points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<'a> {
    pub form: Form,
    /// From 1.
    pub line: u32,
    pub text: &'a str,
}

/// Languages of blocks that hold commands.
const SHELLS: &[&str] = &[
    "",
    "sh",
    "bash",
    "shell",
    "console",
    "shell-session",
    "zsh",
    "text",
    "terminal",
];

/// All mentions of a document, in order.
pub fn mentions<'a>(path: &str, text: &'a str) -> Vec<Mention<'a>> {
    let mut found = Vec::new();
    // The fence that is open, and whether the block holds commands.
    let mut fence: Option<(&str, bool)> = None;
    let mut in_comment = false;
    let mut before_is_blank = true;
    for (line, content) in (1..).zip(text.lines()) {
        let trimmed = content.trim();
        if let Some((mark, is_shell)) = fence {
            if trimmed.starts_with(mark) && trimmed.trim_matches(['`', '~', '-']).is_empty() {
                fence = None;
            } else if is_shell {
                found.extend(command(line, trimmed));
            }
            continue;
        }
        if in_comment {
            in_comment = !content.contains("-->");
            continue;
        }
        if let Some(mark) = ["```", "~~~", "----"]
            .into_iter()
            .find(|mark| trimmed.starts_with(mark))
        {
            let is_ascii_doc = path.ends_with(".adoc") || path.ends_with(".asciidoc");
            if mark != "----" || is_ascii_doc && trimmed == "----" {
                let language = trimmed.trim_start_matches(['`', '~', '-']).trim();
                let language = language.split([' ', '{', ',']).next().unwrap_or("");
                fence = Some((mark, SHELLS.contains(&language)));
                continue;
            }
        }
        if content.contains("<!--") && !content.contains("-->") {
            in_comment = true;
            continue;
        }
        let is_indented = content.starts_with("    ") || content.starts_with('\t');
        if is_indented && before_is_blank && !trimmed.starts_with(['-', '*', '+']) {
            found.extend(command(line, trimmed));
            continue;
        }
        before_is_blank = trimmed.is_empty();
        inline(path, line, content, &mut found);
    }
    found
}

/// `$ make test  # all` is `make test`.
fn command(line: u32, text: &str) -> Option<Mention<'_>> {
    let text = text
        .strip_prefix("$ ")
        .or_else(|| text.strip_prefix("% "))
        .unwrap_or(text);
    let text = text.split(" #").next().unwrap_or(text).trim();
    (!text.is_empty() && !text.starts_with('#')).then_some(Mention {
        form: Form::Command,
        line,
        text,
    })
}

fn inline<'a>(path: &str, line: u32, content: &'a str, found: &mut Vec<Mention<'a>>) {
    let is_restructured = path.ends_with(".rst");
    let mut outside = Vec::new();
    let mut rest = content;
    while let Some(start) = rest.find('`') {
        outside.push(&rest[..start]);
        let ticks = rest[start..]
            .bytes()
            .take_while(|byte| *byte == b'`')
            .count();
        let after = &rest[start + ticks..];
        let Some(end) = after.find(&rest[start..start + ticks]) else {
            break;
        };
        let text = after[..end].trim();
        match text
            .rsplit_once('<')
            .filter(|_| is_restructured && ticks == 1)
        {
            Some((_, target)) => found.push(Mention {
                form: Form::Link,
                line,
                text: target.trim_end_matches('>'),
            }),
            None => found.push(Mention {
                form: Form::Code,
                line,
                text,
            }),
        }
        rest = &after[end + ticks..];
    }
    outside.push(rest);
    for part in outside {
        links(line, part, found);
    }
    // A link's text may hold code: `[`a.md`](b.md)` falls apart above, its target is behind.
}

fn links<'a>(line: u32, text: &'a str, found: &mut Vec<Mention<'a>>) {
    let mut push = |text: &'a str| {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        if !text.is_empty() {
            found.push(Mention {
                form: Form::Link,
                line,
                text,
            });
        }
    };
    for (at, _) in text.match_indices("](") {
        let target = &text[at + 2..];
        // One pair of brackets may be part of it.
        let mut depth = 1;
        let end = target.find(|c: char| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        if let Some(end) = end {
            push(target[..end].split([' ', '\t']).next().unwrap_or(""));
        }
    }
    for attribute in ["href=\"", "src=\""] {
        for (at, _) in text.match_indices(attribute) {
            push(text[at + attribute.len()..].split('"').next().unwrap_or(""));
        }
    }
    let trimmed = text.trim_start();
    if let Some((label, target)) = trimmed
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
        && !label.starts_with('^')
        && !label.contains(']')
    {
        push(target.split_whitespace().next().unwrap_or(""));
    }
    for directive in [
        ".. image::",
        ".. figure::",
        ".. include::",
        ".. literalinclude::",
    ] {
        if let Some(target) = trimmed.strip_prefix(directive) {
            push(target.trim());
        }
    }
    for macro_ in ["link:", "xref:", "include::", "image::"] {
        if let Some((before, rest)) = text.split_once(macro_)
            && !before.ends_with(char::is_alphanumeric)
            && let Some((target, _)) = rest.split_once('[')
            && !target.contains(' ')
        {
            push(target);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str) -> Vec<String> {
        mentions(path, text)
            .iter()
            .map(|mention| format!("{} {:?} {}", mention.line, mention.form, mention.text))
            .collect()
    }

    #[test]
    fn markdown() {
        let text = "\
See [a](docs/a.md#top \"title\") and ![b](<img/b.png>), `src/c.rs` and ``x ` y``.

<!-- [gone](gone.md)
[gone](gone.md) -->
```rust
let x = \"[no](no.md)\";
```
```console
$ make test  # all
```

    ./run.sh --fast

[d]: ../d.md
<img src=\"e.png\"> [`code`](f_(1).md) [^1]: note
";
        assert_eq!(
            shown("a.md", text),
            [
                "1 Code src/c.rs",
                "1 Code x ` y",
                "1 Link docs/a.md#top",
                "1 Link img/b.png",
                "9 Command make test",
                "12 Command ./run.sh --fast",
                "14 Link ../d.md",
                "15 Code code",
                "15 Link e.png",
                "15 Link f_(1).md",
            ]
        );
    }

    #[test]
    fn others() {
        assert_eq!(
            shown(
                "a.rst",
                "See `the guide <guide.rst>`_ and ``code``.\n\n.. include:: ../x.rst\n"
            ),
            ["1 Link guide.rst", "1 Code code", "3 Link ../x.rst"]
        );
        assert_eq!(
            shown("a.adoc", "See xref:b.adoc[B].\n\n----\n$ make\n----\n"),
            ["1 Link b.adoc", "4 Command make"]
        );
    }
}
