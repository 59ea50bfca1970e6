//! Just enough YAML to find commands in CI files: keys, list items and block texts with their
//! lines. Anchors, flow collections and multi-line plain scalars beyond what CI files use are not
//! understood; they yield nothing.

/// A piece of text in a YAML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The keys that lead to it, outermost first; list items add none.
    pub keys: Vec<String>,
    /// Which list item it is in: the count of dashes so far on each level above it, outermost
    /// first. Scalars with equal `items` belong to the same step.
    pub items: Vec<u32>,
    /// Each line of the text with its line number.
    pub lines: Vec<(u32, String)>,
}

impl Scalar {
    /// The key it stands under.
    pub fn key(&self) -> &str {
        self.keys.last().map_or("", String::as_str)
    }

    /// All of it in one line.
    pub fn text(&self) -> String {
        self.lines
            .iter()
            .map(|(_, text)| text.trim())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// All scalars of a text.
pub fn scalars(text: &str) -> Vec<Scalar> {
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = Reader::default();
    let mut number = 0;
    while number < lines.len() {
        number += reader.line(&lines, number);
    }
    reader.scalars
}

#[derive(Default)]
struct Reader {
    scalars: Vec<Scalar>,
    /// Open keys (with their indentation).
    keys: Vec<(usize, String)>,
    /// Open list items (indentation of the dash, number).
    items: Vec<(usize, u32)>,
    dashes: u32,
}

impl Reader {
    /// Reads the line at `number`; how many lines that took.
    fn line(&mut self, lines: &[&str], number: usize) -> usize {
        let line = lines[number];
        let mut content = line.trim_start();
        let mut indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') || content.starts_with("---") {
            return 1;
        }
        // What a block text must be indented by more than.
        let mut outer = indent;
        let mut is_item = false;
        self.items
            .retain(|(at, _)| *at < indent || (*at == indent && content.starts_with('-')));
        while let Some(rest) = content
            .strip_prefix("- ")
            .or((content == "-").then_some(""))
        {
            self.keys.retain(|(at, _)| *at <= indent);
            self.items.retain(|(at, _)| *at < indent);
            self.dashes += 1;
            self.items.push((indent, self.dashes));
            outer = indent;
            is_item = true;
            let trimmed = rest.trim_start();
            indent += content.len() - trimmed.len();
            content = trimmed;
        }
        let value = if let Some((key, value)) = key_and_value(content) {
            self.keys.retain(|(at, _)| *at < indent);
            self.keys.push((indent, key.to_owned()));
            if !is_item {
                outer = indent;
            }
            value
        } else if is_item {
            content
        } else {
            return 1;
        };
        self.value(value, outer, lines, number)
    }

    fn value(&mut self, value: &str, outer: usize, lines: &[&str], number: usize) -> usize {
        let value = value.trim();
        let mut taken = 1;
        let texts = if value.starts_with(['|', '>']) {
            let block: Vec<(usize, &str)> = lines
                .iter()
                .copied()
                .enumerate()
                .skip(number + 1)
                .take_while(|(_, line)| {
                    let trimmed = line.trim_start();
                    trimmed.is_empty() || line.len() - trimmed.len() > outer
                })
                .collect();
            taken += block.len();
            block
                .into_iter()
                .map(|(at, line)| (line_number(at), line.trim().to_owned()))
                .filter(|(_, text)| !text.is_empty())
                .collect()
        } else if let Some(list) = value
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            list.split(',')
                .map(|item| (line_number(number), unquoted(item)))
                .collect()
        } else {
            vec![(line_number(number), unquoted(value))]
        };
        let texts: Vec<(u32, String)> = texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .collect();
        if !texts.is_empty() {
            self.scalars.push(Scalar {
                keys: self.keys.iter().map(|(_, key)| key.clone()).collect(),
                items: self.items.iter().map(|(_, number)| *number).collect(),
                lines: texts,
            });
        }
        taken
    }
}

fn line_number(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}

/// `key: value`; a command with a colon in it is no key.
fn key_and_value(content: &str) -> Option<(&str, &str)> {
    let (key, value) = content.split_once(':')?;
    let key = key.trim_matches(['"', '\'']);
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.$/".contains(c))
        && (value.is_empty() || value.starts_with([' ', '\t']));
    is_key.then_some((key, value))
}

/// Without quotes, anchors and comments.
fn unquoted(value: &str) -> String {
    let mut value = value.trim();
    if value.starts_with(['&', '!'])
        && let Some((_, rest)) = value.split_once(' ')
    {
        value = rest.trim();
    }
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some(end) = rest.rfind(quote)
        {
            return rest[..end].replace("\\\"", "\"");
        }
    }
    let end = value.find(" #").unwrap_or(value.len());
    value[..end].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        scalars(text)
            .iter()
            .map(|scalar| {
                let lines: Vec<String> = scalar
                    .lines
                    .iter()
                    .map(|(line, text)| format!("{line}:{text}"))
                    .collect();
                format!(
                    "{} {:?} {}",
                    scalar.keys.join("."),
                    scalar.items,
                    lines.join("|")
                )
            })
            .collect()
    }

    #[test]
    fn steps_and_blocks() {
        let text = "\
jobs:
  test:
    steps:
      - uses: actions/checkout@v4
      - name: Test  # all
        working-directory: web
        run: |
          npm ci
          npm test

      - run: 'cargo test: x'
";
        assert_eq!(
            shown(text),
            [
                "jobs.test.steps.uses [1] 4:actions/checkout@v4",
                "jobs.test.steps.name [2] 5:Test",
                "jobs.test.steps.working-directory [2] 6:web",
                "jobs.test.steps.run [2] 8:npm ci|9:npm test",
                "jobs.test.steps.run [3] 11:cargo test: x",
            ]
        );
    }

    #[test]
    fn lists_at_the_key_s_own_indentation() {
        let text = "test:\n  script:\n  - make check\n  - |\n    a\n    b\n  stage: x\nflow:\n  script: [a, 'b']\n";
        assert_eq!(
            shown(text),
            [
                "test.script [1] 3:make check",
                "test.script [2] 5:a|6:b",
                "test.stage [] 7:x",
                "flow.script [] 9:a|9:b",
            ]
        );
    }
}
