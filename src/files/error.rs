//! What can go wrong with a file, in words that name it and the way out.
//!
//! The system's own error is a plain field and not a source, since its words are in the message.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file could not be written, read or digested.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target could not be written; what stood there before is untouched.
    #[error("cannot write `{}`: {}{}", path.display(), reason(cause), remedy(cause))]
    Write {
        /// The target, not the temporary file beside it.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file could not be opened or read to its end.
    #[error("cannot read `{}`: {}{}", path.display(), reason(cause), remedy(cause))]
    Read {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The folder is not there and could not be made.
    #[error("cannot create the folder `{}`: {}{}", path.display(), reason(cause), remedy(cause))]
    Folder {
        /// The folder as it was named.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Whoever asked for the work wanted it no longer.
    #[error("stopped reading `{}`", path.display())]
    Stopped {
        /// The file as it was named.
        path: PathBuf,
    },
}

impl Error {
    pub(super) fn write(path: &Path, cause: io::Error) -> Self {
        Self::Write { path: path.to_owned(), cause }
    }

    pub(super) fn read(path: &Path, cause: io::Error) -> Self {
        Self::Read { path: path.to_owned(), cause }
    }

    pub(super) fn folder(path: &Path, cause: io::Error) -> Self {
        Self::Folder { path: path.to_owned(), cause }
    }
}

/// The system's words without its error number, which helps nobody who reads the message.
fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::InvalidInput => "it is a device or a pipe".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is a file, not a folder".to_owned(),
        _ => {
            let text = cause.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "\nhint: check the path",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "\nhint: choose a place that you may write to, or ask for access to this one"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "\nhint: free some space, or choose another disk; what stood there before is unharmed"
        }
        io::ErrorKind::IsADirectory => "\nhint: name a file inside it",
        io::ErrorKind::InvalidInput => "\nhint: name an ordinary file",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_path_and_the_way_out() {
        let full = Error::write(Path::new("runs/7.karat"), io::ErrorKind::StorageFull.into());
        let text = full.to_string();
        assert!(
            text.starts_with("cannot write `runs/7.karat`: the disk is full\nhint: "),
            "{text}"
        );
    }

    #[test]
    fn the_number_of_the_error_is_left_out() {
        let error = Error::read(Path::new("a.csv"), io::Error::from_raw_os_error(libc::EIO));
        assert_eq!(error.to_string(), "cannot read `a.csv`: input/output error");
    }
}
