//! A named pipe an agent writes into, read without waiting: what it says is in no file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

/// Read at once, so that a flood cannot keep us from everything else.
const MAX_READ: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Pipe {
    reader: File,
    /// While we hold it there is no end: the agent opens its side when it likes.
    _writer: File,
}

impl Pipe {
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        let mode = Mode::RUSR | Mode::WUSR;
        #[cfg(not(target_vendor = "apple"))]
        rustix::fs::mknodat(CWD, path, rustix::fs::FileType::Fifo, mode, 0)?;
        #[cfg(target_vendor = "apple")]
        rustix::fs::mkfifoat(CWD, path, mode)?;
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
        let open = |options: &mut OpenOptions| options.custom_flags(flags).open(path);
        Ok(Self {
            reader: open(OpenOptions::new().read(true))?,
            _writer: open(OpenOptions::new().write(true))?,
        })
    }

    /// What there is.
    pub(super) fn read(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 16 * 1024];
        while bytes.len() < MAX_READ {
            match self.reader.read(&mut buffer) {
                Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Nothing more for now; any other error will show as an agent that says nothing.
                Ok(_) | Err(_) => break,
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let mut pipe = Pipe::make(&path).unwrap();
        assert_eq!(pipe.read(), b"");
        let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
        writer.write_all(b"hello").unwrap();
        assert_eq!(pipe.read(), b"hello");
        drop(writer);
        assert_eq!(pipe.read(), b"");
        let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
        writer.write_all(b"again").unwrap();
        assert_eq!(pipe.read(), b"again");
    }
}
