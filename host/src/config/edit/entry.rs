//! Changes to one changeling's entry in a document, whatever form the user gave it: a table, an inline
//! table, dotted keys.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

const CHANGELINGS: &str = "changelings";

/// The entry of a changeling.
pub fn entry<'d>(doc: &'d mut DocumentMut, name: &str) -> Option<&'d mut dyn TableLike> {
    doc.get_mut(CHANGELINGS)?
        .as_table_like_mut()?
        .get_mut(name)?
        .as_table_like_mut()
}

/// Names of all entries, in the order of the file.
pub fn names(doc: &DocumentMut) -> Vec<String> {
    doc.get(CHANGELINGS)
        .and_then(Item::as_table_like)
        .map(|entries| entries.iter().map(|(name, _)| name.to_owned()).collect())
        .unwrap_or_default()
}

/// One entry as a file of its own: what `--dry-run` shows.
pub fn text(doc: &DocumentMut, name: &str) -> String {
    let mut alone = DocumentMut::new();
    let found = doc
        .get(CHANGELINGS)
        .and_then(Item::as_table_like)
        .and_then(|all| all.get(name));
    if let Some(Ok(mut table)) = found.cloned().map(Item::into_table) {
        table.decor_mut().clear();
        insert(&mut alone, name, table);
    }
    alone.to_string()
}

/// Adds an entry behind the last one. `false`: the name is taken, nothing was changed.
pub fn insert(doc: &mut DocumentMut, name: &str, mut entry: Table) -> bool {
    let is_empty = doc.is_empty();
    let entries = doc.entry(CHANGELINGS).or_insert_with(|| {
        let mut entries = Table::new();
        entries.set_implicit(true);
        Item::Table(entries)
    });
    let is_table = entries.is_table();
    let last = entries.as_table().and_then(last_position);
    let Some(entries) = entries.as_table_like_mut() else {
        return false;
    };
    if entries.contains_key(name) {
        return false;
    }
    let mut above = if is_empty {
        String::new()
    } else {
        "\n".to_owned()
    };
    let comes_last = last.is_none_or(|last| next_header(doc.as_table(), last).is_none());
    let trailing = doc.trailing().as_str().unwrap_or_default().to_owned();
    if is_table && comes_last && trailing.contains('#') {
        // The comments at the end of the file belong to what was there.
        let end = if trailing.ends_with('\n') { "" } else { "\n" };
        above = format!("{trailing}{end}\n");
        doc.set_trailing("");
    }
    entry.decor_mut().set_prefix(above);
    if let Some(entries) = doc[CHANGELINGS].as_table_like_mut() {
        entries.insert(name, Item::Table(entry));
    }
    true
}

/// Position of the last header in a table.
fn last_position(table: &Table) -> Option<isize> {
    children(table)
        .filter_map(last_position)
        .chain(table.position())
        .max()
}

/// Removes an entry with the comment that stands right above it. `false`: there is none.
pub fn remove(doc: &mut DocumentMut, name: &str) -> bool {
    let Some(entries) = doc.get_mut(CHANGELINGS).and_then(Item::as_table_like_mut) else {
        return false;
    };
    let Some(removed) = entries.remove(name) else {
        return false;
    };
    let Item::Table(table) = removed else {
        return true;
    };
    let position = table.position().unwrap_or(isize::MAX);
    let above = prefix_of(&table);
    // What is separated from the entry by an empty line is not about it.
    let kept = above
        .rfind("\n\n")
        .map(|end| &above[..=end])
        .filter(|kept| kept.contains('#'));
    let next = next_header(doc.as_table(), position);
    if let Some(next) = next.and_then(|position| header(doc.as_table_mut(), position)) {
        let prefix = prefix_of(next);
        if let Some(kept) = kept {
            next.decor_mut().set_prefix(format!("{kept}{prefix}"));
        } else if !above.starts_with('\n') {
            // It was the first thing in the file: no empty line instead of it.
            next.decor_mut().set_prefix(prefix.trim_start_matches('\n'));
        }
    } else if let Some(kept) = kept {
        let trailing = doc.trailing().as_str().unwrap_or_default().to_owned();
        doc.set_trailing(format!("{kept}{trailing}"));
    }
    true
}

fn prefix_of(table: &Table) -> String {
    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
    prefix.unwrap_or_default().to_owned()
}

/// The tables right below a table, those of arrays of tables among them.
fn children(table: &Table) -> impl Iterator<Item = &Table> {
    table.iter().flat_map(|(_, item)| {
        let many = item.as_array_of_tables().into_iter().flatten();
        item.as_table().into_iter().chain(many)
    })
}

/// Position of the first header behind a position.
fn next_header(table: &Table, after: isize) -> Option<isize> {
    let below = children(table).filter_map(|child| {
        let own = child
            .position()
            .filter(|position| *position > after && !child.is_implicit() && !child.is_dotted());
        own.into_iter().chain(next_header(child, after)).min()
    });
    below.min()
}

/// The table whose header has this position.
fn header(table: &mut Table, position: isize) -> Option<&mut Table> {
    for (_, item) in table.iter_mut() {
        let tables: Vec<&mut Table> = match item {
            Item::Table(table) => vec![table],
            Item::ArrayOfTables(tables) => tables.iter_mut().collect(),
            _ => continue,
        };
        for table in tables {
            if table.position() == Some(position) && !table.is_implicit() && !table.is_dotted() {
                return Some(table);
            }
            if let Some(found) = header(table, position) {
                return Some(found);
            }
        }
    }
    None
}

/// Sets a key, keeping the comment behind its old value.
pub fn set(entry: &mut dyn TableLike, key: &str, mut value: Value) {
    if let Some(old) = entry.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    match entry.get_mut(key) {
        Some(item) => *item = Item::Value(value),
        None => drop(entry.insert(key, Item::Value(value))),
    }
}

/// Sets a key of a table below an entry (`params`, `env_vars`, `modal`), which is made when absent.
pub fn set_in(entry: &mut dyn TableLike, table: &str, key: &str, value: Value) {
    let below = entry
        .entry(table)
        .or_insert_with(|| Item::Value(Value::InlineTable(InlineTable::new())));
    if below.as_table_like().is_none() {
        *below = Item::Value(Value::InlineTable(InlineTable::new()));
    }
    if let Some(below) = below.as_table_like_mut() {
        set(below, key, value);
    }
}

/// Removes a key. `false`: it was not set.
pub fn unset(entry: &mut dyn TableLike, key: &str) -> bool {
    entry.remove(key).is_some()
}
