//! Aligned tables that never wrap: where there is no room, columns give way, and some go.

use anstyle::Style;

use super::style;
use super::text::{Cut, shorten, width};
use crate::names::printable;

/// Columns between two columns.
const GAP: usize = 2;

/// No column is made narrower than this, unless even that is too wide.
const NARROW: usize = 6;

/// Which columns give way when.
const FIRST: u8 = 0;
const MIDDLE: u8 = 1;
const LAST: u8 = 2;

/// A column: its title and how it gives way.
#[derive(Debug, Clone)]
pub struct Column {
    title: String,
    /// Columns of the lowest rank give way first, the widest of them foremost.
    rank: u8,
    cut: Cut,
    least: usize,
    right: bool,
    whole: bool,
    may_go: bool,
}

impl Column {
    pub fn new(title: impl Into<String>) -> Self {
        let title = title.into();
        Self {
            least: width(&title).max(NARROW),
            title,
            rank: MIDDLE,
            cut: Cut::End,
            right: false,
            whole: false,
            may_go: false,
        }
    }

    /// Never shortened while there is another column that can give way: what is typed again.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Left out before any column becomes narrower than it wants to be.
    #[must_use]
    pub fn may_go(mut self) -> Self {
        self.may_go = true;
        self
    }

    /// Gives way before the others.
    #[must_use]
    pub fn first_to_shrink(mut self) -> Self {
        self.rank = FIRST;
        self
    }

    /// Gives way only when all others did.
    #[must_use]
    pub fn last_to_shrink(mut self) -> Self {
        self.rank = LAST;
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
    /// What to say instead where there is no room for `text`.
    brief: Option<String>,
    style: Style,
}

impl Cell {
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::styled(Style::new(), text)
    }

    pub fn styled(style: Style, text: impl AsRef<str>) -> Self {
        Self {
            text: printable(text.as_ref()),
            brief: None,
            style,
        }
    }

    /// A shorter way to say it: used for all of its column when the table is too wide.
    #[must_use]
    pub fn or(mut self, brief: impl AsRef<str>) -> Self {
        self.brief = Some(printable(brief.as_ref()));
        self
    }

    fn text(&self, brief: bool) -> &str {
        self.brief
            .as_deref()
            .filter(|_| brief)
            .unwrap_or(&self.text)
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

/// How wide each column is, and whether it says things briefly.
type Layout = Vec<(usize, bool)>;

/// The table as text with styles, without a line break at its end. `limit`: no line is wider.
pub fn render(columns: &[Column], rows: &[Vec<Cell>], limit: Option<usize>) -> String {
    let layout = fit(columns, rows, limit.unwrap_or(usize::MAX));
    let titles: Vec<Cell> = columns
        .iter()
        .map(|column| Cell::styled(style::HEADING, &column.title))
        .collect();
    let mut lines = vec![line(columns, &titles, &layout, |_| Cut::End)];
    lines.extend(
        rows.iter()
            .map(|row| line(columns, row, &layout, |column| column.cut)),
    );
    lines.join("\n")
}

/// Finds room: first by saying things briefly, then by making columns narrower, both rank by rank and
/// down to what each column wants at least. Then without those that may go. In the end below that.
fn fit(columns: &[Column], rows: &[Vec<Cell>], limit: usize) -> Layout {
    let natural = |index: usize, brief: bool| {
        rows.iter()
            .filter_map(|row| row.get(index))
            .map(|cell| width(cell.text(brief)))
            .fold(width(&columns[index].title), usize::max)
    };
    let mut layout: Layout = (0..columns.len())
        .map(|index| (natural(index, false), false))
        .collect();
    let total = |layout: &Layout| {
        let shown = layout.iter().filter(|(width, _)| *width > 0).count();
        layout.iter().map(|(width, _)| width).sum::<usize>() + GAP * shown.saturating_sub(1)
    };
    let shrink = |layout: &mut Layout, least: &dyn Fn(usize) -> Option<usize>| {
        while total(layout) > limit {
            let widest = (0..columns.len())
                .filter(|index| least(*index).is_some_and(|least| layout[*index].0 > least))
                .max_by_key(|index| (layout[*index].0, *index));
            match widest {
                Some(index) => layout[index].0 -= 1,
                None => break,
            }
        }
    };
    let by_rank = |rank: u8| (0..columns.len()).filter(move |index| columns[*index].rank == rank);
    for index in (FIRST..=LAST).flat_map(by_rank) {
        if total(&layout) > limit {
            layout[index] = (natural(index, true), true);
        }
    }
    let may_shrink = |index: usize| !columns[index].whole;
    for rank in FIRST..=LAST {
        shrink(&mut layout, &|index| {
            (columns[index].rank == rank && may_shrink(index)).then_some(columns[index].least)
        });
    }
    for index in (FIRST..=LAST).flat_map(|rank| by_rank(rank).rev()) {
        if total(&layout) > limit && columns[index].may_go {
            layout[index].0 = 0;
        }
    }
    shrink(&mut layout, &|index| may_shrink(index).then_some(3));
    shrink(&mut layout, &|index| may_shrink(index).then_some(0));
    shrink(&mut layout, &|_| Some(0));
    // A column that became brief may have made more room than was missing: whole words first.
    for index in (FIRST..=LAST).rev().flat_map(by_rank) {
        let room = limit.saturating_sub(total(&layout));
        let (now, brief) = layout[index];
        if now > 0 {
            layout[index].0 = natural(index, brief).min(now + room);
        }
    }
    for index in (FIRST..=LAST).rev().flat_map(by_rank) {
        let room = limit.saturating_sub(total(&layout));
        let (now, brief) = layout[index];
        if now > 0 && brief && natural(index, false) <= now + room {
            layout[index] = (natural(index, false), false);
        }
    }
    layout
}

fn line(
    columns: &[Column],
    cells: &[Cell],
    layout: &Layout,
    cut: impl Fn(&Column) -> Cut,
) -> String {
    let mut line = String::new();
    let mut owed = 0;
    for ((column, cell), (columns, brief)) in columns.iter().zip(cells).zip(layout) {
        if *columns == 0 {
            continue;
        }
        let text = shorten(cell.text(*brief), *columns, cut(column));
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

    #[test]
    fn columns_go_before_a_whole_one_is_cut() {
        let [name, template, repo, runs] = columns();
        let columns = [name.whole(), template.may_go(), repo.may_go(), runs];
        let mut shown = String::new();
        for limit in [60, 44, 30, 18, 8] {
            shown += &plain(&columns, &ROWS, Some(limit));
            shown += "\n\n";
        }
        insta::assert_snapshot!(shown);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_line_is_too_wide(
            rows in prop::collection::vec(prop::array::uniform4("\\PC{0,40}"), 0..6),
            limit in 8_usize..130,
        ) {
            let rows: Vec<[&str; 4]> =
                rows.iter().map(|row| row.each_ref().map(String::as_str)).collect();
            let [name, template, repo, runs] = columns();
            for columns in [columns(), [name.whole(), template.may_go(), repo, runs.may_go()]] {
                for line in plain(&columns, &rows, Some(limit)).lines() {
                    prop_assert!(width(line) <= limit, "{:?}", line);
                }
            }
        }
    }
}
