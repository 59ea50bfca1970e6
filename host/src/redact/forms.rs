//! The ways a value is written.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// A form that is encoded needs this many bytes to be told from other text.
const MIN_ENCODED: usize = 8;

/// A line of a value with several lines needs this many bytes, and no blank in it.
const MIN_LINE: usize = 24;

/// Columns at which programs break base64.
const COLUMNS: [usize; 2] = [64, 76];

/// Every form of one value, each once.
pub(super) fn of(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    let mut encoded = Vec::new();
    encoded.extend(json(value));
    encoded.extend(url(value));
    encoded.extend(shell(value));
    encoded.extend(hex(value));
    encoded.extend(base64(value));
    forms.extend(encoded.into_iter().filter(|form| form.len() >= MIN_ENCODED));
    forms.extend(lines(value));
    forms.into_iter().map(String::into_bytes).collect()
}

fn json(value: &str) -> Vec<String> {
    let escaped = |text: &str| {
        let quoted = serde_json::Value::from(text).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let once = escaped(value);
    let mut ascii = String::new();
    for c in once.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    let twice = [escaped(&once), escaped(&ascii)];
    [vec![once, ascii], twice.to_vec()].concat()
}

/// Percent-encoding as different programs do it: what stays, and the case of the digits.
fn url(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for stays in ["-_.~", "-_.~/", "-_.!~*'()", "-_.*"] {
        let mut upper = String::new();
        let mut lower = String::new();
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || stays.as_bytes().contains(&byte) {
                upper.push(char::from(byte));
                lower.push(char::from(byte));
            } else {
                let _ = write!(upper, "%{byte:02X}");
                let _ = write!(lower, "%{byte:02x}");
            }
        }
        if value.contains(' ') {
            forms.push(upper.replace("%20", "+"));
        }
        forms.extend([upper, lower]);
    }
    forms
}

/// Inside double and single quotes of a shell.
fn shell(value: &str) -> Vec<String> {
    let mut double = String::new();
    for c in value.chars() {
        if matches!(c, '"' | '$' | '`' | '\\') {
            double.push('\\');
        }
        double.push(c);
    }
    vec![double, value.replace('\'', "'\\''")]
}

fn hex(value: &str) -> Vec<String> {
    let mut lower = String::new();
    for byte in value.bytes() {
        let _ = write!(lower, "{byte:02x}");
    }
    vec![lower.to_ascii_uppercase(), lower]
}

/// At each of the three alignments, without the characters that its neighbours decide; and, from
/// the beginning, as the lines of wrapped output.
fn base64(value: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for engine in [&BASE64_STANDARD, &BASE64_URL_SAFE] {
        for before in 0..3 {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(value.as_bytes());
            let encoded = engine.encode(&bytes);
            let decided = (before * 8).div_ceil(6)..bytes.len() * 8 / 6;
            forms.push(encoded[decided].to_owned());
        }
        let encoded = engine.encode(value);
        for width in COLUMNS {
            // Base64 is ASCII: any byte is a boundary.
            let rows = (0..encoded.len() / width).map(|row| &encoded[row * width..][..width]);
            forms.extend(rows.map(str::to_owned));
        }
    }
    forms
}

/// The telling lines of a key or a certificate; not its header, which is no secret.
fn lines(value: &str) -> Vec<String> {
    if !value.contains('\n') {
        return Vec::new();
    }
    let lines = value.lines().map(str::trim);
    lines
        .filter(|line| line.len() >= MIN_LINE && !line.starts_with("-----"))
        .filter(|line| !line.contains(char::is_whitespace))
        .map(str::to_owned)
        .collect()
}
