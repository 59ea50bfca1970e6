//! Whether a program of ours can run in a container, told from its file: static, or content with the
//! glibc that is there.

use std::fmt;

use object::elf;
use object::endian::LittleEndian;
use object::read::elf::{FileHeader, ProgramHeader};

/// Libraries of Debian's own base, which a program may ask for.
const KNOWN: [&str; 7] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// Why a program cannot run there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    NotLinux,
    NotX86,
    /// It needs a library the image has not.
    Library(String),
    Glibc {
        needs: (u32, u32),
        has: (u32, u32),
    },
    /// It needs glibc, and nobody here knows which one the changeling's own image has.
    UnknownGlibc {
        needs: (u32, u32),
    },
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLinux => f.write_str("it is no program for Linux"),
            Self::NotX86 => f.write_str("it is not for x86-64"),
            Self::Library(name) => write!(f, "it needs {name}, which the image has not"),
            Self::Glibc { needs, has } => write!(
                f,
                "it needs glibc {}.{}, and the image has {}.{}",
                needs.0, needs.1, has.0, has.1
            ),
            Self::UnknownGlibc { needs } => write!(
                f,
                "it needs glibc {}.{} or newer, and what `image` has is not known here; the static \
                 release runs in any",
                needs.0, needs.1
            ),
        }
    }
}

/// What a file asks of the machine it runs on.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    libraries: Vec<String>,
    /// The newest version of glibc's symbols.
    glibc: Option<(u32, u32)>,
}

/// Whether the program can run with this glibc; `None`: not known which one there is.
pub(super) fn fits(bytes: &[u8], glibc: Option<(u32, u32)>) -> Result<(), Misfit> {
    let header = elf::FileHeader64::<LittleEndian>::parse(bytes).map_err(|_| Misfit::NotLinux)?;
    if header.e_machine(LittleEndian) != elf::EM_X86_64 {
        return Err(Misfit::NotX86);
    }
    let is_program = matches!(header.e_type(LittleEndian), elf::ET_EXEC | elf::ET_DYN);
    let needs = needs(header, bytes)
        .filter(|_| is_program)
        .ok_or(Misfit::NotLinux)?;
    if let Some(library) = needs
        .libraries
        .iter()
        .find(|name| !KNOWN.contains(&name.as_str()))
    {
        return Err(Misfit::Library(crate::names::printable(library)));
    }
    match (needs.glibc, glibc) {
        (Some(needs), Some(has)) if needs > has => Err(Misfit::Glibc { needs, has }),
        (Some(needs), None) => Err(Misfit::UnknownGlibc { needs }),
        _ => Ok(()),
    }
}

/// `None`: it is broken.
fn needs(header: &elf::FileHeader64<LittleEndian>, bytes: &[u8]) -> Option<Needs> {
    let mut needs = Needs::default();
    let segments = header.program_headers(LittleEndian, bytes).ok()?;
    if !segments
        .iter()
        .any(|segment| segment.p_type(LittleEndian) == elf::PT_INTERP)
    {
        // Static: it asks for nothing.
        return Some(needs);
    }
    let sections = header.sections(LittleEndian, bytes).ok()?;
    let (entries, index) = sections.dynamic(LittleEndian, bytes).ok()??;
    let strings = sections.strings(LittleEndian, bytes, index).ok()?;
    for entry in entries {
        if entry.d_tag.get(LittleEndian) == elf::DT_NEEDED {
            let at = u32::try_from(entry.d_val.get(LittleEndian)).ok()?;
            needs.libraries.push(text(strings.get(at).ok()?));
        }
    }
    if let Some((mut files, index)) = sections.gnu_verneed(LittleEndian, bytes).ok()? {
        let strings = sections.strings(LittleEndian, bytes, index).ok()?;
        while let Some((_, mut versions)) = files.next().ok()? {
            while let Some(version) = versions.next().ok()? {
                let name = text(version.name(LittleEndian, strings).ok()?);
                needs.glibc = needs.glibc.max(glibc(&name));
            }
        }
    }
    Some(needs)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `GLIBC_2.34`; a third number decides nothing.
fn glibc(name: &str) -> Option<(u32, u32)> {
    let mut parts = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_versions() {
        assert_eq!(glibc("GLIBC_2.34"), Some((2, 34)));
        assert_eq!(glibc("GLIBC_2.2.5"), Some((2, 2)));
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
        assert_eq!(glibc("GCC_3.0"), None);
    }

    #[test]
    fn what_is_no_program() {
        for bytes in [
            &b"#!/bin/sh\n"[..],
            b"",
            b"\x7fELF",
            &[0xcf, 0xfa, 0xed, 0xfe, 7, 0],
        ] {
            assert_eq!(fits(bytes, Some((2, 36))), Err(Misfit::NotLinux));
        }
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    #[test]
    fn this_test_asks_for_some_glibc() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(fits(&bytes, Some((2, 99))), Ok(()));
        let misfit = fits(&bytes, Some((2, 5))).unwrap_err();
        assert!(
            matches!(misfit, Misfit::Glibc { needs, has: (2, 5) } if needs >= (2, 14)),
            "{misfit}"
        );
        assert!(matches!(
            fits(&bytes, None),
            Err(Misfit::UnknownGlibc { .. })
        ));
        // For another machine.
        let mut other = bytes;
        other[18] = 183;
        assert_eq!(fits(&other, Some((2, 99))), Err(Misfit::NotX86));
    }

    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn cut_off() {
        let bytes = std::fs::read("/bin/sh").unwrap();
        for length in [64, 200, bytes.len() / 2] {
            let _ = fits(&bytes[..length], Some((2, 99)));
        }
    }
}
