//! Writes that are seen whole or not at all.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::files::Error;

/// Replaces the file at `path` by `bytes`, readable by its owner alone; a crash leaves the old
/// content or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut writer = Writer::create(path)?;
    writer.write_all(bytes).map_err(|cause| Error::write(path, cause))?;
    writer.finish()
}

/// Makes an empty file, readable by its owner alone, where there is none.
///
/// A file that is there is not even opened: on Unix all locks that a process holds on a file are
/// gone as soon as it closes the file once, whoever holds them, and a database without its locks
/// loses what is written to it.
pub fn make_private(path: &Path) -> Result<(), Error> {
    let failed = |cause| Error::write(path, cause);
    match fs::metadata(path) {
        Ok(_) => return Ok(()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        Err(cause) => return Err(failed(cause)),
    }
    // It is closed before anyone can see it under its name, and so before anyone can lock it.
    let made = tempfile::Builder::new().prefix(".karat-").tempfile_in(folder(path));
    let made = made.map_err(|cause| failed(without_path(cause)))?.into_temp_path();
    match fs::hard_link(&made, path) {
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        // Some file systems know no links.
        Err(_) => made.persist_noclobber(path).map_err(|error| failed(error.error)),
        Ok(()) => Ok(()),
    }
}

/// A file in the making, for output too large to be held in memory.
///
/// Nothing stands at the target until [`Writer::finish`]; a writer that is dropped before leaves
/// no trace.
#[derive(Debug)]
pub struct Writer {
    target: PathBuf,
    temporary: BufWriter<NamedTempFile>,
}

impl Writer {
    /// Opens a temporary file (mode 0600) in the folder of `path`, because a rename is atomic
    /// only within one file system.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::write(path, cause);
        // The rename would put a file in the place of a folder's name or a device's.
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
            Ok(found) if !found.is_file() => {
                return Err(failed(io::ErrorKind::InvalidInput.into()));
            }
            _ => {}
        }
        // Through a symbolic link the file is replaced that it points to, and not the link.
        let target = match fs::canonicalize(path) {
            Ok(target) => target,
            Err(err) if err.kind() == io::ErrorKind::NotFound => path.to_owned(),
            Err(err) => return Err(failed(err)),
        };
        let temporary = tempfile::Builder::new()
            .prefix(".karat-")
            .tempfile_in(folder(&target))
            .map_err(|err| failed(without_path(err)))?;
        Ok(Self { target, temporary: BufWriter::with_capacity(1 << 16, temporary) })
    }

    /// Makes the file visible under its name, in place of what stood there before.
    pub fn finish(self) -> Result<(), Error> {
        let Self { target, temporary } = self;
        let failed = |cause| Error::write(&target, cause);
        let temporary = temporary.into_inner().map_err(|err| failed(err.into_error()))?;
        temporary.as_file().sync_all().map_err(failed)?;
        temporary.persist(&target).map_err(|err| failed(err.error))?;
        // The rename itself is safe once the folder is synced; some file systems refuse to.
        if let Ok(folder) = File::open(folder(&target)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temporary.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temporary.flush()
    }
}

impl Seek for Writer {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.temporary.seek(to)
    }
}

/// Makes a folder, and those above it that are missing, which its owner alone may enter. A folder
/// that is there keeps its mode, since it may be shared on purpose.
pub fn create_private_dir(path: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|cause| Error::folder(path, cause))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The plain error of the system: tempfile adds the temporary file's name, which means nothing to
/// the person who reads it.
fn without_path(err: io::Error) -> io::Error {
    let kind = err.kind();
    let inner = err.get_ref().and_then(std::error::Error::source);
    match inner.and_then(|source| source.downcast_ref::<io::Error>()?.raw_os_error()) {
        Some(code) => io::Error::from_raw_os_error(code),
        None if kind == io::ErrorKind::Other => err,
        None => kind.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_second_write_replaces_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("manifest.json");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["manifest.json"], "no temporary file is left");
    }

    #[test]
    fn an_unfinished_file_is_never_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("table.csv");
        write(&path, b"old").unwrap();
        let mut writer = Writer::create(&path).unwrap();
        writer.write_all(b"half").unwrap();
        drop(writer);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["table.csv"]);
    }

    #[test]
    #[cfg(unix)]
    fn files_and_folders_belong_to_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        create_private_dir(&folder).unwrap();
        create_private_dir(&folder).unwrap();
        let path = folder.join("keys");
        write(&path, b"secret").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&dir.path().join("a")), 0o700);
    }

    #[test]
    #[cfg(unix)]
    fn a_link_still_points_to_the_file_that_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("real"), dir.path().join("link"));
        write(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }

    #[test]
    fn a_missing_folder_is_named_with_a_hint() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nowhere/table.csv");
        let text = write(&path, b"1").unwrap_err().to_string();
        assert!(text.contains("nowhere/table.csv`: there is no such"), "{text}");
        assert!(text.contains("hint:") && !text.contains(".karat-"), "{text}");
    }

    #[test]
    fn a_folder_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let text = write(dir.path(), b"1").unwrap_err().to_string();
        assert!(text.contains("it is a folder"), "{text}");
        let file = dir.path().join("file");
        write(&file, b"1").unwrap();
        let text = create_private_dir(&file.join("sub")).unwrap_err().to_string();
        assert!(text.contains("a part of the path is a file"), "{text}");
    }

    #[test]
    #[cfg(unix)]
    fn a_device_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let text = write(&socket, b"1").unwrap_err().to_string();
        assert!(text.contains("it is a device or a pipe"), "{text}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_said() {
        let full = Error::write(
            Path::new("/dev/full"),
            fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .and_then(|mut file| file.write_all(b"1"))
                .unwrap_err(),
        );
        assert!(full.to_string().contains("the disk is full"), "{full}");
    }
}
