//! Reading files: the one place where configuration touches the disk, behind a trait so that tests need none.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Larger than any key file and any sensible configuration; a database named by mistake is not read to its end.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a file holds and who may read it.
pub(super) struct Content {
    pub bytes: Vec<u8>,
    /// Unix permission bits; `None` where there are none.
    pub mode: Option<u32>,
}

/// What a file looks like from outside: not the same after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    modified: SystemTime,
    bytes: u64,
}

impl Look {
    /// Of the file at a path; `None` if there is none that can be looked at.
    #[must_use]
    pub fn at(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { modified: metadata.modified().ok()?, bytes: metadata.len() })
    }
}

/// A file that was read, and what it looked like before: if it looks otherwise now, something else may stand there.
pub type Seen = (PathBuf, Option<Look>);

pub(super) trait Files {
    fn look(&self, path: &Path) -> Option<Look>;

    fn read(&self, path: &Path) -> io::Result<Content>;
}

/// The real ones.
pub(super) struct Disk;

impl Files for Disk {
    fn look(&self, path: &Path) -> Option<Look> {
        Look::at(path)
    }

    fn read(&self, path: &Path) -> io::Result<Content> {
        let file = File::open(path)?;
        let mode = mode(&file)?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Content { bytes, mode })
    }
}

/// Others, and which of them were read.
pub(super) struct Remembering<'a> {
    pub files: &'a dyn Files,
    pub read: RefCell<Vec<Seen>>,
}

impl Files for Remembering<'_> {
    fn look(&self, path: &Path) -> Option<Look> {
        self.files.look(path)
    }

    fn read(&self, path: &Path) -> io::Result<Content> {
        // Order matters: what changes while it is read looks otherwise afterwards.
        self.read.borrow_mut().push((path.to_owned(), self.look(path)));
        self.files.read(path)
    }
}

#[cfg(unix)]
fn mode(file: &File) -> io::Result<Option<u32>> {
    use std::os::unix::fs::PermissionsExt;
    Ok(Some(file.metadata()?.permissions().mode() & 0o7777))
}

#[cfg(not(unix))]
fn mode(_: &File) -> io::Result<Option<u32>> {
    Ok(None)
}
