//! Just enough INI and TOML to find entries with their lines: tables, keys and raw values.

/// `key = value` in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Name of the table it is in, without brackets and quotes; empty at the top.
    pub table: String,
    pub key: String,
    /// As written, quotes at both ends and a comment after it taken away; lines that continue it
    /// follow after a line break.
    pub value: String,
    pub line: u32,
}

/// A table's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub line: u32,
}

/// The entries of a text.
pub fn entries(text: &str) -> Vec<Entry> {
    read(text).1
}

/// The tables of a text.
pub fn tables(text: &str) -> Vec<Table> {
    read(text).0
}

fn read(text: &str) -> (Vec<Table>, Vec<Entry>) {
    let mut tables: Vec<Table> = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut is_list_open = false;
    for (line, written) in (1..).zip(text.lines()) {
        let content = written.trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        let is_indented = written.starts_with([' ', '\t']);
        if is_list_open || (is_indented && !is_assignment(content)) {
            if let Some(entry) = entries.last_mut() {
                entry.value.push('\n');
                entry.value.push_str(content);
                is_list_open = is_list_open && !content.starts_with(']');
            }
        } else if let Some(name) = content.strip_prefix('[') {
            let name = name
                .split(']')
                .next()
                .unwrap_or(name)
                .trim_start_matches('[');
            let name = name.replace(['"', '\''], "").trim().to_owned();
            tables.push(Table { name, line });
        } else if let Some((key, value)) = content.split_once('=') {
            let value = without_comment(value.trim());
            is_list_open = value.starts_with('[') && !value.contains(']');
            entries.push(Entry {
                table: tables
                    .last()
                    .map(|table| table.name.clone())
                    .unwrap_or_default(),
                key: key.trim().trim_matches(['"', '\'']).to_owned(),
                value: unquoted(value).to_owned(),
                line,
            });
        }
    }
    (tables, entries)
}

fn is_assignment(content: &str) -> bool {
    content
        .split_once('=')
        .is_some_and(|(key, _)| !key.trim().is_empty() && !key.trim().contains([' ', '-', '(']))
}

fn without_comment(value: &str) -> &str {
    if value.starts_with(['"', '\'', '[', '{']) {
        return value;
    }
    value.split(" #").next().unwrap_or(value).trim()
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inside) = value.strip_prefix(quote)
            && let Some(end) = inside.find(quote)
        {
            return &inside[..end];
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_entries() {
        let text = "a = 1 # one\n[tool.\"x\"]\nb = \"two\" # 2\nc = [\n  \"d\",\n]\n[testenv:lint]\ncommands =\n    ruff check\n    mypy --strict=1\n";
        let shown: Vec<String> = entries(text)
            .iter()
            .map(|entry| {
                format!(
                    "{} [{}] {}={}",
                    entry.line, entry.table, entry.key, entry.value
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                "1 [] a=1",
                "3 [tool.x] b=two",
                "4 [tool.x] c=[\n\"d\",\n]",
                "8 [testenv:lint] commands=\nruff check\nmypy --strict=1",
            ]
        );
        assert_eq!(
            tables(text)[1],
            Table {
                name: "testenv:lint".into(),
                line: 7
            }
        );
    }
}
