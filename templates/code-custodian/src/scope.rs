//! The part of the repository to look after.

use changelings_sdk::repo::{self, File};
use changelings_sdk::{Context, Failure, prompt};
use knowledge::{decoy, language};

/// Most files of a part, most folders named in a hint.
const MAX_FILES: u32 = 5_000;
const MAX_FOLDERS: usize = 8;

/// A folder (or a file) and the code of the owners in it.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Without slashes at either end; `.` is the whole repository.
    pub(crate) path: String,
    /// Sorted by path; decoys and files that are no program are not among them.
    pub(crate) code: Vec<File>,
    /// There are more than were listed.
    pub(crate) truncated: bool,
}

impl Scope {
    /// The scope the user set; a failure when it is missing, malformed or not there.
    pub(crate) fn of(context: &Context) -> Result<Self, Failure> {
        let set = context.required_param("scope").map_err(|missing| {
            missing.hint("a folder or file of the repository: --param scope=src/api")
        })?;
        let path = set
            .trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned();
        let is_plain =
            !set.starts_with('/') && path.split('/').all(|part| !part.is_empty() && part != "..");
        if !is_plain {
            return Err(Failure::invalid(format!(
                "the scope `{}` is no path inside the repository",
                shown(set)
            ))
            .hint("a folder or file relative to the repository's root, such as src/api"));
        }
        let inside = if path == "." {
            "**".to_owned()
        } else {
            format!("/{}", escaped(&path))
        };
        let globs: Vec<String> = std::iter::once(inside).chain(decoy::excluding()).collect();
        let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
        let listed = repo::files(&globs, MAX_FILES)?;
        if listed.items.is_empty() && !exists(globs[0])? {
            return Err(Failure::invalid(format!(
                "the scope `{}` does not exist in the repository",
                shown(&path)
            ))
            .hint(hint(&path)?));
        }
        let is_code = |file: &File| {
            decoy::of_path(&file.path).is_none()
                && language::of(&file.path).is_some_and(|language| language.is_code)
        };
        Ok(Self {
            path,
            truncated: listed.truncated,
            code: listed.items.into_iter().filter(is_code).collect(),
        })
    }
}

/// Also when all of it is vendored or generated.
fn exists(glob: &str) -> Result<bool, Failure> {
    Ok(!repo::files(&[glob], 1)?.items.is_empty())
}

/// The folders that the user may have meant.
fn hint(path: &str) -> Result<String, Failure> {
    let wanted = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let mut folders: Vec<String> = Vec::new();
    for file in repo::files(&[], 20_000)? {
        let mut folder = file.path.as_str();
        while let Some((above, _)) = folder.rsplit_once('/') {
            folder = above;
            if !folders.iter().rev().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
    }
    folders.retain(|folder| {
        !folder.starts_with('.') && decoy::of_path(&format!("{folder}/x")).is_none()
    });
    folders.sort();
    let name = |folder: &str| folder.rsplit('/').next().unwrap_or(folder).to_lowercase();
    let near: Vec<&String> = folders
        .iter()
        .filter(|folder| is_near(&name(folder), &wanted))
        .collect();
    let above = path.rsplit_once('/').map_or("", |(above, _)| above);
    let is_beside =
        |folder: &&String| folder.rsplit_once('/').map_or("", |(above, _)| above) == above;
    let beside: Vec<&String> = folders.iter().filter(is_beside).collect();
    let outermost = folders
        .iter()
        .filter(|folder| !folder.contains('/'))
        .collect();
    let named = [near, beside, outermost]
        .into_iter()
        .find(|named| !named.is_empty())
        .unwrap_or_default();
    let named: Vec<String> = named
        .into_iter()
        .take(MAX_FOLDERS)
        .map(|folder| shown(folder))
        .collect();
    Ok(match named.as_slice() {
        [] => "the repository has no folders; use --param scope=.".to_owned(),
        _ => format!("there are: {}", named.join(", ")),
    })
}

/// A typing error apart, or a part of the other.
fn is_near(name: &str, wanted: &str) -> bool {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    name.contains(wanted)
        || wanted.contains(name)
        || is_one_edit_away(name, wanted)
        || letters(name) == letters(wanted)
}

fn is_one_edit_away(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = |chars: &[char], skip: usize| chars[(start + skip).min(chars.len())..].to_vec();
    rest(&a, 1) == rest(&b, 1) || rest(&a, 0) == rest(&b, 1) || rest(&a, 1) == rest(&b, 0)
}

/// Without meaning as a glob.
fn escaped(path: &str) -> String {
    let special = |c: char| "*?[]{}!\\".contains(c);
    path.chars()
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

fn shown(path: &str) -> String {
    prompt::one_line(path, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_near() {
        assert!(is_one_edit_away("srcc", "src"));
        assert!(is_one_edit_away("sr", "src"));
        assert!(is_one_edit_away("sra", "src"));
        assert!(!is_one_edit_away("docs", "src"));
        assert!(is_near("worker", "wroker"));
    }
}
