//! Secret values out of everything that is kept or shown.
//!
//! A value is looked for as it is and as programs commonly write it: base64 at every alignment, URL
//! encoding, JSON and shell escapes, hexadecimal, and line by line. One automaton finds all forms in
//! one pass, so the time is linear whatever the text. What no list of forms can cover (a value
//! reversed, split by words, encrypted) is not found: redaction is a net under the trapeze, no wall.

mod forms;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Shorter values are not looked for: they would shred every text. `Redactor::too_short` names them.
pub const MIN_LENGTH: usize = 6;

/// Of longer values, so much is looked for.
const MAX_LENGTH: usize = 64 * 1024;

/// Finds secrets. Cheap to clone; shows no value.
#[derive(Clone, Default)]
pub struct Redactor {
    inner: Option<Arc<Inner>>,
    too_short: Vec<String>,
}

struct Inner {
    automaton: AhoCorasick,
    /// By pattern of the automaton: index into `names`.
    owners: Vec<usize>,
    names: Vec<String>,
    /// Every form, sorted: what a text that ends here could still become.
    sorted: Vec<Vec<u8>>,
    longest: usize,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.inner.as_ref().map_or(&[][..], |inner| &inner.names);
        f.debug_tuple("Redactor").field(&names).finish()
    }
}

impl Redactor {
    /// From names and values.
    ///
    /// # Panics
    /// Never: an automaton of so many bytes can be built.
    pub fn new<N: Into<String>, V: AsRef<str>>(secrets: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut names = Vec::new();
        let mut found = Vec::new();
        let mut too_short = Vec::new();
        for (name, value) in secrets {
            let value = value.as_ref().trim_end();
            let value = &value[..value.floor_char_boundary(MAX_LENGTH)];
            if value.len() < MIN_LENGTH {
                if !value.is_empty() {
                    too_short.push(name.into());
                }
                continue;
            }
            found.extend(forms::of(value).into_iter().map(|form| (form, names.len())));
            names.push(name.into());
        }
        if found.is_empty() {
            return Self {
                inner: None,
                too_short,
            };
        }
        let automaton = AhoCorasick::new(found.iter().map(|(form, _)| form))
            .expect("an automaton fails above 2^31 states, and values are at most 64 KiB long");
        let owners = found.iter().map(|(_, owner)| *owner).collect();
        let mut sorted: Vec<_> = found.into_iter().map(|(form, _)| form).collect();
        sorted.sort_unstable();
        let longest = sorted.iter().map(Vec::len).max().unwrap_or(0);
        let inner = Some(Arc::new(Inner {
            automaton,
            owners,
            names,
            sorted,
            longest,
        }));
        Self { inner, too_short }
    }

    /// Names of secrets that are too short to be looked for.
    pub fn too_short(&self) -> &[String] {
        &self.too_short
    }

    /// The name of a secret that occurs in these bytes, in any form.
    pub fn find(&self, bytes: &[u8]) -> Option<&str> {
        let inner = self.inner.as_ref()?;
        let found = inner.automaton.find(bytes)?;
        Some(&inner.names[inner.owners[found.pattern().as_usize()]])
    }

    /// The bytes with every secret replaced by `[redacted NAME]`.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.find(bytes).is_none() {
            return Cow::Borrowed(bytes);
        }
        let mut stream = self.stream();
        let mut clean = stream.push(bytes);
        clean.extend(stream.finish());
        Cow::Owned(clean)
    }

    /// As `bytes`, for text.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Every form is UTF-8, so what is left between them is, too.
            Cow::Owned(clean) => Cow::Owned(String::from_utf8_lossy(&clean).into_owned()),
        }
    }

    /// The same value without secrets in any text of it; names of fields are ours.
    pub fn value<T: Serialize + DeserializeOwned + Clone>(&self, value: &T) -> T {
        let clean = serde_json::to_value(value)
            .ok()
            .map(|json| self.json(json))
            .and_then(|json| serde_json::from_value(json).ok());
        // What has no form as JSON has no text either.
        clean.unwrap_or_else(|| value.clone())
    }

    fn json(&self, json: Value) -> Value {
        match json {
            Value::String(text) => Value::String(self.text(&text).into_owned()),
            Value::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, field)| (name, self.json(field)))
                .collect(),
            other => other,
        }
    }

    /// For output that arrives in pieces: a secret may lie across them.
    pub fn stream(&self) -> Stream {
        Stream {
            redactor: self.clone(),
            held: Vec::new(),
            covered: 0,
        }
    }
}

/// Redacts piece after piece. Holds back only what could be the beginning of a secret.
pub struct Stream {
    redactor: Redactor,
    held: Vec<u8>,
    /// The first so many held bytes belong to a secret whose replacement is out already.
    covered: usize,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Stream({:?}, {} bytes held)",
            self.redactor,
            self.held.len()
        )
    }
}

impl Stream {
    /// Takes a piece; answers what is safe to show by now.
    #[must_use]
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let Some(inner) = self.redactor.inner.clone() else {
            return piece.to_vec();
        };
        self.held.extend_from_slice(piece);
        let decided = inner.undecided_from(&self.held);
        self.emit(&inner, decided)
    }

    /// The rest.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        match self.redactor.inner.clone() {
            Some(inner) => self.emit(&inner, self.held.len()),
            None => Vec::new(),
        }
    }

    fn emit(&mut self, inner: &Inner, until: usize) -> Vec<u8> {
        let mut clean = Vec::with_capacity(until);
        let mut position = self.covered.min(until);
        let mut covered = self.covered.saturating_sub(until);
        // End of the secret (or chain of overlapping ones) that was replaced last.
        let mut hidden = self.covered;
        for (span, owner) in inner.spans(&self.held) {
            if span.start >= until {
                break;
            }
            if span.start >= hidden {
                clean.extend_from_slice(&self.held[position..span.start]);
                clean.extend_from_slice(format!("[redacted {}]", inner.names[owner]).as_bytes());
            }
            hidden = hidden.max(span.end);
            position = hidden.min(until);
            covered = hidden.saturating_sub(until);
        }
        clean.extend_from_slice(&self.held[position..until]);
        self.held.drain(..until);
        self.covered = covered;
        clean
    }
}

impl Inner {
    /// All occurrences, overlapping ones too, sorted by where they start.
    fn spans(&self, bytes: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut spans: Vec<_> = self
            .automaton
            .find_overlapping_iter(bytes)
            .map(|found| {
                (
                    found.start()..found.end(),
                    self.owners[found.pattern().as_usize()],
                )
            })
            .collect();
        // Of two that start together the longer one names the replacement.
        spans.sort_unstable_by_key(|(span, owner)| (span.start, usize::MAX - span.end, *owner));
        spans
    }

    /// Where the earliest form begins that these bytes end in the middle of.
    fn undecided_from(&self, bytes: &[u8]) -> usize {
        let first = bytes.len().saturating_sub(self.longest - 1);
        (first..bytes.len())
            .find(|start| self.begins(&bytes[*start..]))
            .unwrap_or(bytes.len())
    }

    /// Some form starts with these bytes and is longer.
    fn begins(&self, bytes: &[u8]) -> bool {
        let at = self.sorted.partition_point(|form| form.as_slice() <= bytes);
        self.sorted
            .get(at)
            .is_some_and(|form| form.starts_with(bytes))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "ghp_x\"y$(z)/\\+ü=\nk";

    fn redactor() -> Redactor {
        Redactor::new([("TOKEN", TOKEN)])
    }

    fn check(text: &str) {
        let clean = redactor().text(text).into_owned();
        assert!(clean.contains("[redacted TOKEN]"), "{text} → {clean}");
        assert!(
            !clean.contains("ghp_x") && !clean.contains("ghp%5"),
            "{text} → {clean}"
        );
    }

    #[test]
    fn common_ways_to_write_it() {
        check(&format!("token is {TOKEN}."));
        check(&serde_json::to_string(&format!("a {TOKEN} b")).unwrap());
        check(&serde_json::to_string(&serde_json::to_string(TOKEN).unwrap()).unwrap());
        check("ghp_x\\\"y$(z)/\\\\+\\u00fc=\\nk");
        check("https://x/?t=ghp_x%22y%24%28z%29%2F%5C%2B%C3%BC%3D%0Ak&b");
        check("ghp_x%22y%24%28z%29/%5c%2b%c3%bc%3d%0ak");
        check("ghp_x%22y%24(z)%2F%5C%2B%C3%BC%3D%0Ak");
        check("declare -x T=\"ghp_x\\\"y\\$(z)/\\\\+ü=\nk\"");
        for before in ["", "x", "xy", "xyz", "user:"] {
            for engine in [&BASE64_STANDARD, &BASE64_URL_SAFE_NO_PAD] {
                let encoded = engine.encode(format!("{before}{TOKEN} and more"));
                let clean = redactor().text(&encoded).into_owned();
                assert!(
                    clean.contains("[redacted TOKEN]") && clean.len() < encoded.len(),
                    "{before}: {clean}"
                );
            }
        }
        let hex: Vec<_> = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(redactor().text(&hex.concat()), "[redacted TOKEN]");
    }

    #[test]
    fn a_key_is_found_line_by_line() {
        let body = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
        let key = format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\nc2hvcnQ\n-----END OPENSSH PRIVATE KEY-----\n"
        );
        let redactor = Redactor::new([("SSH_KEY", &key)]);
        assert_eq!(
            redactor.text(&format!("  {body}\r\n")),
            "  [redacted SSH_KEY]\r\n"
        );
        assert_eq!(redactor.find(b"-----BEGIN OPENSSH PRIVATE KEY-----"), None);
        // As `base64` prints it, broken into lines.
        let encoded = BASE64_STANDARD.encode(&key);
        assert_eq!(redactor.find(&encoded.as_bytes()[..76]), Some("SSH_KEY"));
    }

    #[test]
    fn values_keep_their_shape() {
        let redactor = Redactor::new([("A", "hunter2hunter2")]);
        let value = (1, vec!["x hunter2hunter2".to_owned()], Some("y".to_owned()));
        let clean = redactor.value(&value);
        assert_eq!(clean, (1, vec!["x [redacted A]".to_owned()], value.2));
    }

    #[test]
    fn overlapping_secrets_leave_no_rest() {
        let redactor = Redactor::new([("A", "abcdef12"), ("B", "ef12xyz9"), ("C", "abcdef")]);
        assert_eq!(
            redactor.text("-abcdef12xyz9-abcdef-"),
            "-[redacted A]-[redacted C]-"
        );
    }

    #[test]
    fn short_and_empty_values() {
        let redactor = Redactor::new([("PIN", "1234"), ("NOTHING", "")]);
        assert_eq!(redactor.text("1234"), "1234");
        assert_eq!(redactor.too_short(), ["PIN"]);
        assert_eq!(Redactor::default().text("x"), "x");
    }

    #[test]
    fn nothing_is_shown_by_debug() {
        assert_eq!(format!("{:?}", redactor()), "Redactor([\"TOKEN\"])");
        let mut stream = redactor().stream();
        let _ = stream.push(b"ghp_x\"");
        assert_eq!(
            format!("{stream:?}"),
            "Stream(Redactor([\"TOKEN\"]), 6 bytes held)"
        );
    }

    #[test]
    fn a_stream_holds_back_no_more_than_it_must() {
        let mut stream = redactor().stream();
        assert_eq!(stream.push(b"hello ghp"), b"hello ");
        assert_eq!(stream.push(b" bye\n"), b"ghp bye\n");
        // A secret that repeats itself without end does not pile up.
        let mut stream = Redactor::new([("A", "aaaaaaaa")]).stream();
        assert_eq!(stream.push("a".repeat(100_000).as_bytes()), b"[redacted A]");
        assert!(stream.held.len() < 8);
        assert_eq!(stream.push(b"aab"), b"b");
        assert_eq!(stream.finish(), b"");
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("hunter2hunter2"), Just("hunter2"), Just("hunter"), Just("2hunt"), Just("aHVudGVy"),
                    Just("%68"), Just("x"), Just("ü"), Just("\n"),
                ],
                0..20,
            ),
            cuts in proptest::collection::vec(1..9_usize, 0..60),
        ) {
            let redactor = Redactor::new([("A", "hunter2hunter2"), ("B", "2hunterü")]);
            let text = words.concat();
            let whole = redactor.text(&text).into_owned();
            prop_assert!(redactor.find(whole.as_bytes()).is_none(), "{}", whole);

            let mut stream = redactor.stream();
            let mut rest = text.as_bytes();
            let mut clean = Vec::new();
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                clean.extend(stream.push(piece));
                rest = more;
            }
            clean.extend(stream.push(rest));
            clean.extend(stream.finish());
            prop_assert_eq!(String::from_utf8(clean).unwrap(), whole);
        }

        #[test]
        fn every_secret_goes_and_nothing_else(secret in "[!-~äß]{6,40}", before in "[ \n]{0,5}", after in "[ \n]{0,5}") {
            let redactor = Redactor::new([("S", &secret)]);
            let text = format!("{before}{secret}{after}");
            prop_assert_eq!(redactor.text(&text).into_owned(), format!("{before}[redacted S]{after}"));
            for k in 0..3 {
                let encoded = BASE64_STANDARD.encode(format!("{}{secret}{after}", &"zzz"[..k]));
                if secret.len() >= 10 {
                    prop_assert_eq!(redactor.find(encoded.as_bytes()), Some("S"));
                }
            }
        }
    }
}
