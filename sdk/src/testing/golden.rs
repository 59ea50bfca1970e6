//! Committed texts that what is composed must equal.

use std::path::Path;

/// Compares `actual` with the file; with `UPDATE_GOLDEN=1` in the environment writes it instead.
///
/// # Panics
/// They differ, or the file is missing.
#[track_caller]
pub fn golden(file: impl AsRef<Path>, actual: &str) {
    let file = file.as_ref();
    #[expect(clippy::disallowed_methods, reason = "a switch of the test run")]
    let update = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    if update {
        let written = file
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(file, actual));
        written.unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        expected == actual,
        "{} differs{}\nto accept: UPDATE_GOLDEN=1 cargo test",
        file.display(),
        difference(&expected, actual)
    );
}

/// The lines between the common beginning and the common end.
fn difference(expected: &str, actual: &str) -> String {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    let start = expected
        .iter()
        .zip(&actual)
        .take_while(|(a, b)| a == b)
        .count();
    let (rest, new) = (&expected[start..], &actual[start..]);
    let end = rest
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let mut text = format!(" from line {}", start + 1);
    for line in &rest[..rest.len() - end] {
        text.push_str("\n-");
        text.push_str(line);
    }
    for line in &new[..new.len() - end] {
        text.push_str("\n+");
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        assert_eq!(
            difference("a\nb\nc\n", "a\nx\ny\nc\n"),
            " from line 2\n-b\n+x\n+y"
        );
    }
}
