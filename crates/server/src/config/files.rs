//! Reading files: the one place where configuration touches the disk, behind a trait so that tests need none.

use std::{
    cell::RefCell,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Larger than any key file and any sensible configuration; a database named by mistake is not read to its end.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a file holds and who may read it.
pub(super) struct Content {
    pub bytes: Vec<u8>,
    /// Unix permission bits; `None` where there are none.
    pub mode: Option<u32>,
}

pub(super) trait Files {
    fn read(&self, path: &Path) -> io::Result<Content>;
}

/// The real ones.
pub(super) struct Disk;

impl Files for Disk {
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
    pub read: RefCell<Vec<PathBuf>>,
}

impl Files for Remembering<'_> {
    fn read(&self, path: &Path) -> io::Result<Content> {
        self.read.borrow_mut().push(path.to_owned());
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
