//! From what a person or a file says to a `RepoUrl`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

use super::{RepoUrl, RepoUrlError, strip_credentials};
use crate::names::{is_invisible, printable};

pub(super) const GITHUB: &str = "github.com";

pub(super) fn parse(text: &str, base: &Path) -> Result<RepoUrl, RepoUrlError> {
    let text = text.trim();
    let malformed = || RepoUrlError::Malformed(shown(text));
    if text.is_empty() {
        return Err(RepoUrlError::Empty);
    }
    if text.chars().any(|c| c.is_control() || is_invisible(c)) || text.starts_with('-') {
        return Err(malformed());
    }
    if is_folder(text) {
        return folder(text, base).ok_or_else(malformed);
    }
    if text.starts_with('~') {
        return Err(RepoUrlError::Tilde(shown(text)));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return with_scheme(text, &scheme.to_ascii_lowercase(), rest, base);
    }
    // `ext::sh -c ...`, `fd::17`: git's remote helpers.
    if let Some((helper, _)) = text.split_once("::")
        && !helper.contains(['/', '@'])
    {
        return Err(RepoUrlError::Protocol(shown(helper)));
    }
    if scp_password(text).is_some() {
        return Err(RepoUrlError::Credentials);
    }
    if let Some((user, rest)) = text.split_once('@')
        && !user.contains('/')
    {
        return scp(user, rest).ok_or_else(malformed);
    }
    if base.join(text).is_dir() {
        return folder(text, base).ok_or_else(malformed);
    }
    github(text).ok_or_else(malformed)
}

/// Text of a refused repository that can be repeated: without credentials or query, short.
fn shown(text: &str) -> String {
    let (text, _) = strip_credentials(text);
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let short: String = text[..end].chars().take(120).collect();
    printable(&short)
}

fn is_folder(text: &str) -> bool {
    matches!(text, "." | "..")
        || ["/", "./", "../"]
            .iter()
            .any(|start| text.starts_with(start))
}

fn folder(text: &str, base: &Path) -> Option<RepoUrl> {
    let joined = base.join(text);
    let climbs = joined.components().any(|part| part == Component::ParentDir);
    let path = match climbs.then(|| joined.canonicalize()) {
        Some(Ok(real)) => real,
        _ => tidy(&joined),
    };
    let shown = path.to_str()?;
    // The folder's own place may hold what the text did not.
    let safe = path.is_absolute() && !shown.chars().any(|c| c.is_control() || is_invisible(c));
    (safe && shown.trim() == shown).then_some(RepoUrl::Local(path))
}

/// Without `.`, `..` and doubled or trailing slashes.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                tidied.pop();
            }
            Component::CurDir => {}
            part => tidied.push(part),
        }
    }
    tidied
}

fn with_scheme(text: &str, scheme: &str, rest: &str, base: &Path) -> Result<RepoUrl, RepoUrlError> {
    let malformed = || RepoUrlError::Malformed(shown(text));
    if scheme == "file" {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        let path = path
            .starts_with('/')
            .then(|| decode(path))
            .flatten()
            .ok_or_else(malformed)?;
        if path.chars().any(char::is_control) {
            return Err(malformed());
        }
        return folder(&path, base).ok_or_else(malformed);
    }
    if !matches!(scheme, "https" | "http" | "ssh") {
        return Err(RepoUrlError::Protocol(shown(scheme)));
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (login, place) = match authority.rsplit_once('@') {
        Some((login, place)) => (Some(login), place),
        None => (None, authority),
    };
    let has_secret = login.is_some_and(|login| scheme != "ssh" || login.contains(':'));
    if has_secret {
        return Err(RepoUrlError::Credentials);
    }
    let (host, port) = host_and_port(place).ok_or_else(malformed)?;
    if scheme == "ssh" {
        let user = login.unwrap_or("git");
        return ssh(user, host, port, path).ok_or_else(malformed);
    }
    if scheme == "http" && !is_loopback(&host) {
        return Err(RepoUrlError::Protocol("http".to_owned()));
    }
    web(scheme == "https", host, port, path).ok_or_else(malformed)
}

fn web(secure: bool, host: String, port: Option<u16>, path: &str) -> Option<RepoUrl> {
    let mut path = path.trim_matches('/');
    let decoded = decode(path)?;
    let escapes_well = decoded.chars().all(|c| !c.is_control());
    if !is_path(path, true) || !escapes_well || decoded.split('/').any(|part| part == "..") {
        return None;
    }
    if host == GITHUB {
        path = path
            .strip_suffix(".git")
            .unwrap_or(path)
            .trim_end_matches('/');
    }
    let port = port.filter(|port| *port != if secure { 443 } else { 80 });
    (!path.is_empty()).then(|| RepoUrl::Web {
        secure,
        host,
        port,
        path: path.to_owned(),
    })
}

/// `user@` taken off: `host:path`.
fn scp(user: &str, rest: &str) -> Option<RepoUrl> {
    let end = if rest.starts_with('[') {
        rest.find(']')? + 1
    } else {
        rest.find(':')?
    };
    let (host, path) = rest.split_at(end);
    let path = path.strip_prefix(':')?;
    let (host, port) = host_and_port(host)?;
    ssh(user, host, port, path)
}

fn ssh(user: &str, host: String, port: Option<u16>, path: &str) -> Option<RepoUrl> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let user_ok = !user.is_empty() && !user.starts_with('-') && user.chars().all(plain);
    let port = port.filter(|port| *port != 22);
    let mut path = path.trim_end_matches('/');
    if host == GITHUB && port.is_none() {
        path = path.trim_start_matches('/');
    }
    let named = path.split('/').any(|part| !part.is_empty());
    if !user_ok || !named || path.starts_with('-') || !is_path(path, false) {
        return None;
    }
    // The form `ssh://` cannot say a relative path.
    (port.is_none() || path.starts_with('/')).then(|| RepoUrl::Ssh {
        user: user.to_owned(),
        host,
        port,
        path: path.to_owned(),
    })
}

fn github(text: &str) -> Option<RepoUrl> {
    let (owner, name) = text.split_once('/')?;
    let word = |text: &str, more: &[char]| {
        !text.is_empty()
            && !text.starts_with(['-', '.'])
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    if !word(owner, &['-']) || !word(name, &['-', '.', '_']) || name.len() > 100 {
        return None;
    }
    web(true, GITHUB.to_owned(), None, text)
}

fn host_and_port(place: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if place.starts_with('[') {
        let (address, port) = place.split_at(place.find(']')? + 1);
        let address: Ipv6Addr = address[1..address.len() - 1].parse().ok()?;
        (format!("[{address}]"), port)
    } else {
        let (host, port) = place.split_at(place.find(':').unwrap_or(place.len()));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.is_empty() || host.starts_with(['-', '.']) || !host.chars().all(plain) {
            return None;
        }
        (host.to_ascii_lowercase(), port)
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some("") => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(port.parse().ok().filter(|port| *port != 0)?)
        }
        _ => return None,
    };
    let host = if host == "www.github.com" {
        GITHUB.to_owned()
    } else {
        host
    };
    Some((host, port))
}

/// Characters of paths on servers; nothing a shell or git could read as something else.
fn is_path(path: &str, escapes: bool) -> bool {
    path.split('/').all(|part| part != "..")
        && path.chars().all(|c| {
            c.is_alphanumeric()
                || matches!(c, '/' | '.' | '_' | '~' | '-' | '+' | '@' | '=' | ',')
                || (escapes && c == '%')
        })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `user:password@rest`, as the user and the rest.
pub(super) fn scp_password(text: &str) -> Option<(&str, &str)> {
    let (user, rest) = text.split_once(':')?;
    let (password, place) = rest.split_once('@')?;
    let is_login = !user.is_empty() && !user.contains(['/', '@']) && !password.contains('/');
    (is_login && place.contains(':')).then_some((user, place))
}

/// Percent-decoded; `None` when an escape is broken or the result is no UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let digits = tail
                .get(..2)
                .filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}
