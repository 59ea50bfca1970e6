//! Versions of Python packages, as far as they decide anything here.

use std::fmt;
use std::str::FromStr;

/// `0.2.17`: the release part of a version; what comes after it (`rc1`, `.post1`) decides nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    pub patch: u32,
}

impl Version {
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// It does not begin with a number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a version")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let mut parts = text.split('.').map(|part| {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            part[..digits].parse().ok()
        });
        let mut next = || parts.next().flatten();
        let major = next().ok_or(NoVersion)?;
        let minor = next();
        // `1.0rc1.2` is 1.0, whatever follows.
        let patch = minor.and_then(|_| next());
        Ok(Self::new(
            major,
            minor.unwrap_or_default(),
            patch.unwrap_or_default(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_packages_write_them() {
        let cases = [
            ("0.3.0", Version::new(0, 3, 0)),
            ("0.2.17", Version::new(0, 2, 17)),
            ("3.8", Version::new(3, 8, 0)),
            ("3.10.0.post1", Version::new(3, 10, 0)),
            ("1.0rc1", Version::new(1, 0, 0)),
            ("2", Version::new(2, 0, 0)),
            ("0.4.0.dev3+g1234", Version::new(0, 4, 0)),
        ];
        for (text, version) in cases {
            assert_eq!(text.parse(), Ok(version), "{text}");
        }
        assert_eq!("unknown".parse::<Version>(), Err(NoVersion));
        assert_eq!("".parse::<Version>(), Err(NoVersion));
        assert!(Version::new(3, 10, 0) > Version::new(3, 8, 0));
    }
}
