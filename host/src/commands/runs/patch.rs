//! What a kept patch changes, file by file.

use crate::pull_request::preview::FileStat;

/// Files of a patch as git writes it, in its order.
pub(super) fn files(patch: &str) -> Vec<FileStat> {
    let mut files: Vec<FileStat> = Vec::new();
    // Lines of the hunk that are still to come: what looks like a header in there is text.
    let (mut old, mut new) = (0_u64, 0_u64);
    for line in patch.lines() {
        let in_hunk = old > 0 || new > 0;
        if in_hunk && let Some(file) = files.last_mut() {
            let (added, removed) = file.lines.get_or_insert((0, 0));
            match line.as_bytes().first() {
                Some(b'+') => (*added += 1, new = new.saturating_sub(1)).1,
                Some(b'-') => (*removed += 1, old = old.saturating_sub(1)).1,
                Some(b'\\') => {}
                _ => (old, new) = (old.saturating_sub(1), new.saturating_sub(1)),
            }
        } else if let Some(names) = line.strip_prefix("diff --git ") {
            files.push(FileStat {
                path: path(names),
                lines: Some((0, 0)),
            });
        } else if line.starts_with("@@ ") {
            (old, new) = counts(line);
        } else if (line.starts_with("Binary files ") || line == "GIT binary patch")
            && let Some(file) = files.last_mut()
        {
            file.lines = None;
        }
    }
    files
}

/// `a/x b/x`: both the same, or a rename, whose new name counts.
fn path(names: &str) -> String {
    let unquoted = names.trim_end_matches('"');
    [" b/", " \"b/"]
        .iter()
        .find_map(|mark| unquoted.rfind(mark).map(|at| &unquoted[at + mark.len()..]))
        .unwrap_or(unquoted)
        .to_owned()
}

/// How many lines of both sides follow `@@ -1,2 +3,4 @@`.
fn counts(line: &str) -> (u64, u64) {
    let mut sides = line.split(' ').skip(1).take(2).map(|side| {
        let count = side.split_once(',').map_or("1", |(_, count)| count);
        count.parse().unwrap_or(0)
    });
    (sides.next().unwrap_or(0), sides.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted() {
        let patch = "\
diff --git a/src/a.py b/src/a.py
index 1..2 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,3 @@ def a():
 x
--- not a header
++++ nor this
+diff --git a/no b/no
-y
@@ -9 +9 @@
-z
\\ No newline at end of file
+Z
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git \"a/\\303\\244\" \"b/\\303\\244\"
new file mode 100644
GIT binary patch
literal 5
";
        let shown: Vec<_> = files(patch)
            .into_iter()
            .map(|file| format!("{} {:?}", file.path, file.lines))
            .collect();
        assert_eq!(
            shown,
            [
                "src/a.py Some((3, 3))",
                "new name Some((0, 0))",
                "\\303\\244 None"
            ]
        );
        assert!(files("").is_empty());
    }
}
