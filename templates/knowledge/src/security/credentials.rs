//! Places where a credential seems to be written down. The value is looked at and never handed out.

/// Lines that may hold one, as a regular expression.
pub const PATTERN: &str = concat!(
    r#"(?i:(api_?key|secret|passw(or)?d|passphrase|token|access_?key|private_?key|credential)[a-z_]*["']?\s*[:=].{0,40}["'][^"'\s]{8,}["'])"#,
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{40}|\bglpat-[A-Za-z0-9_-]{20}",
    r"|\bxox[abprs]-[A-Za-z0-9-]{20}|\bsk_live_[A-Za-z0-9]{16}|\bAIza[0-9A-Za-z_-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY",
    r"|(?i:[a-z+]{3,10}://[^/\s:@]+:[^/\s:@${}<>]{6,}@[a-z0-9.-]+)",
);

/// Files (globs) that hold credentials by their nature.
#[rustfmt::skip]
pub const FILES: &[&str] = &[
    "**/.env", "**/.env.*", "**/*.pem", "**/*.p12", "**/*.pfx", "**/*.key", "**/*.jks", "**/*.keystore", "**/*.kdbx",
    "**/id_rsa", "**/id_ed25519", "**/id_ecdsa", "**/.netrc", "**/.pypirc", "**/.htpasswd", "**/.git-credentials",
    "**/credentials.json", "**/service-account*.json", "**/service_account*.json", "**/terraform.tfstate",
    "!**/.env.example", "!**/.env.sample", "!**/.env.template", "!**/.env.dist", "!**/.env.defaults",
];

/// Beginnings of well-known tokens, and whose they are.
const KNOWN: &[(&str, &str)] = &[
    ("AKIA", "an AWS key"),
    ("ASIA", "an AWS key"),
    ("ghp_", "a GitHub token"),
    ("gho_", "a GitHub token"),
    ("ghs_", "a GitHub token"),
    ("github_pat_", "a GitHub token"),
    ("glpat-", "a GitLab token"),
    ("xox", "a Slack token"),
    ("sk_live_", "a Stripe key"),
    ("AIza", "a Google key"),
    ("PRIVATE KEY", "a private key"),
];

/// Words in a value that say it is none.
#[rustfmt::skip]
const PLACEHOLDERS: &[&str] = &[
    "example", "changeme", "change-me", "change_me", "your", "xxxx", "<", "${", "{{", "%(", "dummy", "placeholder", "redacted",
    "process.env", "os.environ", "secrets.", "****", "....", "fake", "sample", "insert", "todo", "replace", "notreal",
];

/// What the line gives a credential's value to: the name on the left, or whose token it is by its
/// form. `None` when it is a placeholder or something else.
pub fn name_of(line: &str) -> Option<String> {
    if let Some((_, what)) = KNOWN.iter().find(|(start, _)| {
        line.match_indices(start).any(|(at, _)| {
            let value = &line[at..];
            value.starts_with("PRIVATE KEY") && line.contains("-----BEGIN")
                || value.len() >= 18 && looks_random(value)
        })
    }) && !is_placeholder(line)
    {
        return Some((*what).to_owned());
    }
    if let Some(value) = password_in_url(line) {
        return (!is_placeholder(value)).then(|| "a password in a URL".to_owned());
    }
    let at = line.find(['=', ':'])?;
    let (left, right) = line.split_at(at);
    let (left, right) = match left.rfind(is_secret_word(left)?) {
        Some(_) => (left, right),
        None => return None,
    };
    let value = quoted(right)?;
    let name = left
        .trim_end()
        .trim_end_matches(['"', '\'', ':'])
        .rsplit(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)))
        .find(|word| is_secret_word(word).is_some())?;
    (value.len() >= 8 && !is_placeholder(value) && looks_random(value)).then(|| name.to_owned())
}

#[rustfmt::skip]
const SECRET_WORDS: &[&str] = &[
    "api_key", "apikey", "api-key", "secret", "password", "passwd", "passphrase", "token", "access_key", "accesskey",
    "private_key", "privatekey", "credential", "API_KEY", "APIKEY", "SECRET", "PASSWORD", "PASSWD", "TOKEN", "ACCESS_KEY",
    "PRIVATE_KEY", "apiKey", "ApiKey", "Secret", "Password", "Token", "AccessKey", "PrivateKey",
];

fn is_secret_word(text: &str) -> Option<&'static str> {
    SECRET_WORDS
        .iter()
        .copied()
        .find(|word| text.contains(word))
}

/// What the first string on the right holds.
fn quoted(right: &str) -> Option<&str> {
    let start = right.find(['"', '\''])?;
    // What is looked up somewhere is not written down.
    if right[..start].contains('[') || right[..start].to_lowercase().contains("env") {
        return None;
    }
    let quote = &right[start..=start];
    let rest = &right[start + 1..];
    let value = &rest[..rest.find(quote)?];
    (!value.contains(char::is_whitespace)).then_some(value)
}

/// `postgres://user:value@host`.
fn password_in_url(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("://")?;
    let authority = rest.split(['/', '"', '\'', ' ', '`']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    (password.len() >= 6).then_some(password)
}

fn is_placeholder(value: &str) -> bool {
    let lower = value.to_lowercase();
    PLACEHOLDERS.iter().any(|word| lower.contains(word))
}

/// Names and sentences have no digits; identifiers do not mix them.
fn looks_random(value: &str) -> bool {
    value.chars().any(|c| c.is_ascii_digit()) && value.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_never_values() {
        let cases = [
            ("API_KEY = \"live-4f9a1c77e2b0\"", Some("API_KEY")),
            ("  \"db_password\": \"s3cr3tvalue\",", Some("db_password")),
            ("const apiKey = 'q9w8e7r6t5';", Some("apiKey")),
            ("aws = \"AKIAIOSFODNN7ABCDEFG\"", Some("an AWS key")),
            ("-----BEGIN RSA PRIVATE KEY-----", Some("a private key")),
            (
                "url = \"postgres://app:hunter22@db/app\"",
                Some("a password in a URL"),
            ),
            ("API_KEY = os.environ[\"API_KEY_2\"]", None),
            ("token = \"your-token-here-1\"", None),
            ("TOKEN = \"identifier\"", None),
            ("password = \"\"", None),
            ("url = \"postgres://app:${PASSWORD}@db/app\"", None),
            ("AKIA", None),
        ];
        for (line, expected) in cases {
            assert_eq!(name_of(line).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn the_pattern_finds_them() {
        let pattern = regex::Regex::new(PATTERN).unwrap();
        assert!(PATTERN.len() < 4_096);
        for line in [
            "API_KEY = \"live-4f9a1c77e2b0\"",
            "\"db_password\": \"s3cr3tvalue\"",
            "const token: string = 'q9w8e7r6t5';",
            "url = \"postgres://app:hunter22@db/app\"",
        ] {
            assert!(pattern.is_match(line), "{line}");
        }
        assert!(!pattern.is_match("if token == \"\" {"));
    }
}
