//! Contents of a commit's files: from a fresh checkout, else from git's objects.

use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::path::Path;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, OpenOptions};

use super::{Entry, Git, GitError, Snapshot};
use crate::process::{Command, Conversation, ProcessError};

/// Bytes git may hold of one object; larger ones it streams.
const STREAMED_FROM: &str = "core.bigFileThreshold=8m";

/// A reader of files. Each thread has its own; it keeps a folder or a git process open.
#[derive(Debug)]
pub struct Files(Reader);

#[derive(Debug)]
enum Reader {
    Checkout(Checkout),
    Objects(Objects),
}

/// What was found in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// Larger than asked for, in bytes.
    TooLarge(u64),
    /// Gone, or no plain file.
    Unreadable,
}

impl Snapshot {
    /// # Errors
    /// The checkout cannot be opened, or git does not start.
    pub fn files(&self, git: &Git) -> Result<Files, GitError> {
        Ok(Files(match &self.checkout {
            Some(folder) => Reader::Checkout(Checkout::open(folder)?),
            None => Reader::Objects(Objects::open(self, git)?),
        }))
    }
}

impl Files {
    /// Reads each entry that is not larger than `max` bytes, in order, and shows it to `look`.
    /// `buffer` is reused from call to call.
    ///
    /// # Errors
    /// Git stopped answering. What is wrong with one file is told to `look`.
    pub fn each<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a Entry> + Clone,
        max: u64,
        buffer: &mut Vec<u8>,
        mut look: impl FnMut(&'a Entry, Content<'_>),
    ) -> Result<(), GitError> {
        match &mut self.0 {
            Reader::Checkout(checkout) => {
                for entry in entries {
                    look(entry, checkout.content(&entry.path, max, buffer));
                }
                Ok(())
            }
            Reader::Objects(objects) => objects.each(entries, max, buffer, look).map_err(pipe),
        }
    }
}

impl Files {
    /// The first bytes of one file, at most `max`, and whether there are more. `None`: it is gone, or
    /// is no plain file.
    ///
    /// # Errors
    /// Git stopped answering.
    pub fn beginning(
        &mut self,
        entry: &Entry,
        max: u64,
    ) -> Result<Option<(Vec<u8>, bool)>, GitError> {
        let beginning = match &mut self.0 {
            Reader::Checkout(checkout) => checkout.beginning(&entry.path, max + 1).ok(),
            Reader::Objects(objects) => objects.beginning(entry, max + 1)?,
        };
        Ok(beginning.map(|mut bytes| {
            let more = bytes.len() as u64 > max;
            bytes.truncate(usize::try_from(max).unwrap_or(usize::MAX));
            (bytes, more)
        }))
    }

    /// Size of an entry in bytes; `None`: it is gone, or is no plain file.
    pub fn size(&mut self, entry: &Entry) -> Option<u64> {
        match &mut self.0 {
            Reader::Objects(_) => entry.size,
            Reader::Checkout(checkout) => {
                let (folder, name) = checkout.folder_of(&entry.path).ok()?;
                let metadata = folder.symlink_metadata(name).ok()?;
                metadata.is_file().then(|| metadata.len())
            }
        }
    }
}

fn pipe(error: io::Error) -> GitError {
    GitError::Process(ProcessError::Pipe("git cat-file".to_owned(), error))
}

/// A checkout, through folders that are opened one below the other: no name can lead out of it,
/// and no link on the way is followed.
#[derive(Debug)]
struct Checkout {
    root: Dir,
    /// The folder that was read last: neighbours come one after the other.
    folder: Option<(String, Dir)>,
}

impl Checkout {
    fn open(folder: &Path) -> Result<Self, GitError> {
        let root =
            Dir::open_ambient_dir(folder, cap_std::ambient_authority()).map_err(|error| {
                GitError::Process(ProcessError::Pipe(folder.display().to_string(), error))
            })?;
        Ok(Self { root, folder: None })
    }

    /// The folder a file is in, and its name there.
    fn folder_of<'p>(&mut self, path: &'p str) -> io::Result<(&Dir, &'p str)> {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.folder.as_ref().is_none_or(|(open, _)| open != parent) {
            let mut folder = self.root.try_clone()?;
            for part in parent.split('/').filter(|part| !part.is_empty()) {
                folder = folder.open_dir_nofollow(part)?;
            }
            self.folder = Some((parent.to_owned(), folder));
        }
        Ok((
            self.folder
                .as_ref()
                .map_or(&self.root, |(_, folder)| folder),
            name,
        ))
    }

    /// Opens a plain file, no link.
    fn file(&mut self, path: &str) -> io::Result<File> {
        let (folder, name) = self.folder_of(path)?;
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        #[cfg(unix)]
        {
            // A pipe must not make us wait for its other end.
            use cap_std::fs::OpenOptionsExt as _;
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        }
        folder.open_with(name, &options)
    }

    fn beginning(&mut self, path: &str, max: u64) -> io::Result<Vec<u8>> {
        let file = self.file(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        file.take(max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn content<'b>(&mut self, path: &str, max: u64, buffer: &'b mut Vec<u8>) -> Content<'b> {
        match self.file(path).and_then(|file| fill(buffer, file, max)) {
            Ok(Read::Whole(length)) => Content::Whole(&buffer[..length]),
            Ok(Read::TooLarge(size)) => Content::TooLarge(size),
            Err(_) => Content::Unreadable,
        }
    }
}

enum Read {
    Whole(usize),
    TooLarge(u64),
}

/// Reads a plain file that is not larger than `max`; one look and, mostly, one read.
fn fill(buffer: &mut Vec<u8>, mut file: File, max: u64) -> io::Result<Read> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let length = match usize::try_from(metadata.len()) {
        Ok(length) if metadata.len() <= max => length,
        _ => return Ok(Read::TooLarge(metadata.len())),
    };
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let mut filled = 0;
    while filled < length {
        match file.read(&mut buffer[filled..length]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Read::Whole(filled))
}

/// One `git cat-file --batch`, and how to ask for a large object.
#[derive(Debug)]
struct Objects {
    talk: Conversation,
    blob: Command,
}

/// Objects up to this size, in bytes, are read whole even when only their beginning is wanted: asking
/// a running git is quicker than starting one.
const READ_WHOLE: u64 = 1 << 20;

/// Requests that are under way at once. They fit into a pipe, so writing them cannot block on a git
/// that waits for us to read.
const UNDER_WAY: usize = 256;

impl Objects {
    fn open(snapshot: &Snapshot, git: &Git) -> Result<Self, GitError> {
        let call = snapshot.call(git).args(["-c", STREAMED_FROM, "cat-file"]);
        Ok(Self {
            talk: call.clone().arg("--batch").converse()?,
            blob: call.arg("blob"),
        })
    }

    fn beginning(&mut self, entry: &Entry, max: u64) -> Result<Option<Vec<u8>>, GitError> {
        let mut beginning = None;
        if entry.size.is_some_and(|size| size <= READ_WHOLE) {
            let mut buffer = Vec::new();
            self.each([entry], READ_WHOLE, &mut buffer, |_, content| {
                if let Content::Whole(content) = content {
                    let length = usize::try_from(max).unwrap_or(usize::MAX);
                    beginning = Some(content[..content.len().min(length)].to_vec());
                }
            })
            .map_err(pipe)?;
        } else {
            // The process dies with the conversation, however much it still had to say.
            let mut talk = self.blob.clone().arg(&entry.blob).converse()?;
            let mut bytes = Vec::new();
            (&mut talk.stdout)
                .take(max)
                .read_to_end(&mut bytes)
                .map_err(pipe)?;
            beginning = Some(bytes);
        }
        Ok(beginning)
    }

    fn each<'a>(
        &mut self,
        entries: impl IntoIterator<Item = &'a Entry>,
        max: u64,
        buffer: &mut Vec<u8>,
        mut look: impl FnMut(&'a Entry, Content<'_>),
    ) -> io::Result<()> {
        let mut entries = entries.into_iter().peekable();
        let mut requests = Vec::new();
        while entries.peek().is_some() {
            let batch: Vec<_> = entries.by_ref().take(UNDER_WAY).collect();
            let fits = |entry: &Entry| entry.size.is_none_or(|size| size <= max);
            requests.clear();
            for entry in batch.iter().filter(|entry| fits(entry)) {
                requests.extend_from_slice(entry.blob.as_bytes());
                requests.push(b'\n');
            }
            let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
            self.talk
                .stdin
                .as_mut()
                .ok_or_else(gone)?
                .write_all(&requests)?;
            // Empty again when the last answer was read: git says nothing unasked.
            let mut answers = BufReader::with_capacity(32 << 10, &mut self.talk.stdout);
            for entry in batch {
                match entry.size {
                    Some(size) if size > max => look(entry, Content::TooLarge(size)),
                    _ => look(entry, answer(&mut answers, max, buffer)?),
                }
            }
        }
        Ok(())
    }
}

/// `OBJECT TYPE SIZE\n`, the content and a line break; or `OBJECT missing\n`.
fn answer<'b>(
    answers: &mut impl BufRead,
    max: u64,
    buffer: &'b mut Vec<u8>,
) -> io::Result<Content<'b>> {
    let mut head = String::new();
    // Longer than any head, in case this is not one.
    answers.by_ref().take(256).read_line(&mut head)?;
    let mut fields = head.split_ascii_whitespace().skip(1);
    let (kind, size) = (
        fields.next(),
        fields.next().and_then(|size| size.parse::<u64>().ok()),
    );
    let size = match (kind, size) {
        (Some(_), Some(size)) => size,
        (Some("missing"), None) => return Ok(Content::Unreadable),
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "git stopped answering",
            ));
        }
    };
    let length = match usize::try_from(size) {
        Ok(length) if size <= max => length,
        _ => {
            io::copy(&mut answers.take(size + 1), &mut io::sink())?;
            return Ok(Content::TooLarge(size));
        }
    };
    // With the line break after it.
    if buffer.len() <= length {
        buffer.resize(length + 1, 0);
    }
    answers.read_exact(&mut buffer[..=length])?;
    Ok(Content::Whole(&buffer[..length]))
}
