//! Facts that matter to security: risky calls, places of credentials, entry points, workflows that
//! strangers reach, dependencies that are not pinned.
//!
//! All of it points at places for a person (or an agent) to judge. No function here hands out the
//! value of a string: it could be a credential. [`Redacted`] shows code without them.

pub mod credentials;
pub mod dependencies;
pub mod entries;
mod redacted;
pub mod risks;
pub mod workflows;

pub use redacted::Redacted;

/// Where `needle` stands in `line` as a word of its own: a needle that starts or ends like a name
/// must not go on there, and a call must not be another object's method of the same name.
pub(crate) fn find(line: &str, needle: &str) -> Option<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let starts_as_name = needle.starts_with(is_name);
    let ends_as_name = needle.ends_with(is_name);
    line.match_indices(needle).map(|(at, _)| at).find(|&at| {
        let before = line[..at].chars().next_back();
        let after = line[at + needle.len()..].chars().next();
        let starts = !starts_as_name
            || before.is_none_or(|c| !is_name(c) && (c != '.' || needle.contains('.')));
        let ends = !ends_as_name || after.is_none_or(|c| !is_name(c));
        starts && ends
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn words_of_their_own() {
        assert!(find("x = eval(y)", "eval(").is_some());
        assert!(find("x = retrieval(y)", "eval(").is_none());
        assert!(find("regex.exec(y)", "exec(").is_none());
        assert!(find("a.b.extractall(y)", ".extractall(").is_some());
        assert!(find("f(verify=False)", "verify=False").is_some());
        assert!(find("f(verify=Falsehood)", "verify=False").is_none());
    }
}
