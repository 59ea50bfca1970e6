//! Aligned tables that never wrap: where there is no room, columns give way.

use anstyle::Style;

use super::style;
use super::text::{Cut, shorten, width};
use crate::names::printable;

/// Columns between two columns.
const GAP: usize = 2;

/// No column is made narrower than this, unless even that is too wide.
const NARROW: usize = 6;

/// A column: its title and how it gives way.
#[derive(Debug, Clone)]
pub struct Column {
    title: String,
    /// Columns of the lowest rank give way first, the widest of them foremost.
    rank: u8,
    cut: Cut,
    least: usize,
    right: bool,
}

impl Column {
    pub fn new(title: impl Into<String>) -> Self {
        let title = title.into();
        Self {
            least: width(&title).max(NARROW),
            title,
            rank: 1,
            cut: Cut::End,
            right: false,
        }
    }

    /// Gives way before the others.
    #[must_use]
    pub fn first_to_shrink(mut self) -> Self {
        self.rank = 0;
        self
    }

    /// Gives way only when all others did.
    #[must_use]
    pub fn last_to_shrink(mut self) -> Self {
        self.rank = 2;
        self
    }

    /// Loses its start instead of its end: paths, URLs.
    #[must_use]
    pub fn keep_end(mut self) -> Self {
        self.cut = Cut::Start;
        self
    }

    /// Stays at least this wide while others can still give way.
    #[must_use]
    pub fn at_least(mut self, columns: usize) -> Self {
        self.least = columns;
        self
    }

    /// Numbers.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

impl From<&str> for Column {
    fn from(title: &str) -> Self {
        Self::new(title)
    }
}

/// One value. Control characters in it are shown escaped, so outside text is safe here.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::styled(Style::new(), text)
    }

    pub fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self {
            text: printable(text.as_ref()),
            style,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// The table as text with styles, without a line break at its end. `limit`: no line is wider.
pub fn render(columns: &[Column], rows: &[Vec<Cell>], limit: Option<usize>) -> String {
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            cells
                .map(|cell| width(&cell.text))
                .fold(width(&column.title), usize::max)
        })
        .collect();
    let widths = match limit {
        Some(limit) => fit(columns, natural, limit),
        None => natural,
    };
    let titles: Vec<Cell> = columns
        .iter()
        .map(|column| Cell::styled(style::HEADING, &column.title))
        .collect();
    let mut lines = vec![line(columns, &titles, &widths, |_| Cut::End)];
    lines.extend(
        rows.iter()
            .map(|row| line(columns, row, &widths, |column| column.cut)),
    );
    lines.join("\n")
}

/// Takes columns away, one at a time, until the row fits.
fn fit(columns: &[Column], mut widths: Vec<usize>, limit: usize) -> Vec<usize> {
    let total = |widths: &[usize]| {
        let shown = widths.iter().filter(|width| **width > 0).count();
        widths.iter().sum::<usize>() + GAP * shown.saturating_sub(1)
    };
    // First down to what each column wants at least, rank by rank; then below it.
    let by_rank = (0..=2).map(|rank| (Some(rank), None));
    for (rank, floor) in by_rank.chain([(None, Some(3)), (None, Some(0))]) {
        while total(&widths) > limit {
            let candidate = (0..columns.len())
                .filter(|index| rank.is_none_or(|rank| columns[*index].rank == rank))
                .filter(|index| widths[*index] > floor.unwrap_or(columns[*index].least))
                .max_by_key(|index| (widths[*index], *index));
            match candidate {
                Some(index) => widths[index] -= 1,
                None => break,
            }
        }
    }
    widths
}

fn line(
    columns: &[Column],
    cells: &[Cell],
    widths: &[usize],
    cut: impl Fn(&Column) -> Cut,
) -> String {
    let mut line = String::new();
    let mut owed = 0;
    for ((column, cell), columns) in columns.iter().zip(cells).zip(widths) {
        if *columns == 0 {
            continue;
        }
        let text = shorten(&cell.text, *columns, cut(column));
        let padding = columns - width(&text);
        let before = if column.right { padding } else { 0 };
        owed += before;
        if !text.is_empty() {
            line.push_str(&" ".repeat(owed));
            line.push_str(&style::paint(cell.style, &text));
            owed = 0;
        }
        // Owed, not written: a line does not end in spaces.
        owed += padding - before + GAP;
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(columns: &[Column], rows: &[[&str; 4]], limit: Option<usize>) -> String {
        let rows: Vec<Vec<Cell>> = rows
            .iter()
            .map(|row| row.iter().map(Cell::new).collect())
            .collect();
        anstream::adapter::strip_str(&render(columns, &rows, limit)).to_string()
    }

    const ROWS: [[&str; 4]; 3] = [
        [
            "nightly-fixmes",
            "fixme-fairy",
            "https://github.com/myorg/a-rather-long-name",
            "12",
        ],
        ["docs", "doc-reporter", "/home/ada/日本語のリポジトリ", "3"],
        ["x", "evil\x1b[31m\nrow", "", "100"],
    ];

    fn columns() -> [Column; 4] {
        [
            Column::new("NAME").last_to_shrink(),
            "TEMPLATE".into(),
            Column::new("REPOSITORY")
                .keep_end()
                .first_to_shrink()
                .at_least(14),
            Column::new("RUNS").right(),
        ]
    }

    #[test]
    fn columns_give_way() {
        let mut shown = String::new();
        for limit in [None, Some(80), Some(60), Some(40), Some(20)] {
            shown += &plain(&columns(), &ROWS, limit);
            shown += "\n\n";
        }
        insta::assert_snapshot!(shown);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(
            rows in prop::collection::vec(prop::array::uniform4("\\PC{0,40}"), 0..6),
            limit in 8_usize..130,
        ) {
            let rows: Vec<[&str; 4]> =
                rows.iter().map(|row| row.each_ref().map(String::as_str)).collect();
            for line in plain(&columns(), &rows, Some(limit)).lines() {
                prop_assert!(width(line) <= limit, "{:?}", line);
            }
        }
    }
}
