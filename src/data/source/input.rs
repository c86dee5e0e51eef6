//! Where bytes come from: a file or memory, counted and digested on their way, unpacked when they
//! are gzip or zstd, and turned into UTF-8.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use sha2::{Digest, Sha256};

use crate::data::Error;

/// Something that can be read from the start as often as needed.
pub(super) enum Input<'a> {
    /// A file on disk.
    File(PathBuf),
    /// Bytes in memory, by the name they go by.
    Bytes(&'a [u8]),
}

/// What has passed through so far.
#[derive(Clone, Default)]
pub(super) struct Meter(Arc<Mutex<Passed>>);

#[derive(Default)]
struct Passed {
    bytes: u64,
    sha256: Sha256,
    digesting: bool,
}

impl Meter {
    /// A meter that also digests.
    pub(super) fn digesting() -> Self {
        Self(Arc::new(Mutex::new(Passed { digesting: true, ..Passed::default() })))
    }

    /// How many bytes have passed.
    pub(super) fn bytes(&self) -> u64 {
        self.passed().bytes
    }

    /// The SHA-256 of all that has passed.
    pub(super) fn hex(&self) -> String {
        let digest = self.passed().sha256.clone().finalize();
        let mut hex = String::with_capacity(64);
        for byte in digest {
            hex.extend(
                [byte >> 4, byte & 15].map(|n| char::from_digit(n.into(), 16).unwrap_or('0')),
            );
        }
        hex
    }

    fn passed(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let mut passed = self.meter.passed();
        passed.bytes += n as u64;
        if passed.digesting {
            passed.sha256.update(&buffer[..n]);
        }
        Ok(n)
    }
}

/// How the bytes were packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Packing {
    /// The packing that begins with these bytes.
    pub(super) fn of(start: &[u8]) -> Self {
        if start.starts_with(&[0x1f, 0x8b]) {
            Self::Gzip
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Self::Zstd
        } else {
            Self::Plain
        }
    }

    /// How to name it behind the format.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ", gzip",
            Self::Zstd => ", zstd",
        }
    }
}

impl<'a> Input<'a> {
    /// How many bytes there are, packed.
    pub(super) fn size(&self) -> io::Result<u64> {
        match self {
            Self::File(path) => Ok(std::fs::metadata(path)?.len()),
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// The first bytes, as they are stored.
    pub(super) fn start(&self, n: usize) -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        match self {
            Self::File(path) => {
                File::open(path)?.take(n as u64).read_to_end(&mut start)?;
            }
            Self::Bytes(bytes) => start.extend_from_slice(&bytes[..n.min(bytes.len())]),
        }
        Ok(start)
    }

    /// A reader of the unpacked bytes; `meter` counts the packed ones.
    pub(super) fn reader(
        &self,
        packing: Packing,
        meter: &Meter,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        let raw: Box<dyn Read + Send + 'a> = match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(*bytes)),
        };
        let metered = Metered { inner: raw, meter: meter.clone() };
        Ok(match packing {
            Packing::Plain => Box::new(metered),
            Packing::Gzip => {
                let buffered = BufReader::with_capacity(1 << 17, metered);
                Box::new(flate2::bufread::MultiGzDecoder::new(buffered))
            }
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::new(metered)?),
        })
    }

    /// What went wrong while reading, with the file's name.
    pub(super) fn failed(&self, label: &str, packing: Packing, source: io::Error) -> Error {
        let cut =
            matches!(source.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
                || packing != Packing::Plain && source.kind() == io::ErrorKind::Other
                || packing != Packing::Plain && source.kind() == io::ErrorKind::InvalidInput;
        if packing != Packing::Plain && cut {
            return Error::NotATable {
                label: label.to_owned(),
                what: format!("it cannot be unpacked{}: {source}", packing.suffix()),
                hint: "the file may be cut off or damaged: fetch it again".to_owned(),
            };
        }
        match self {
            Self::File(path) => Error::Io { path: path.clone(), source },
            Self::Bytes(_) => Error::Io { path: PathBuf::from(label), source },
        }
    }
}

/// How text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// UTF-8; lines that are not are taken as Windows-1252.
    Utf8,
    /// Anything else that has a name.
    Other(&'static Encoding),
}

impl Coding {
    /// The encoding with this name, such as `latin1` or `utf-16le`.
    pub(super) fn named(name: &str) -> Result<Self, Error> {
        match Encoding::for_label(name.trim().as_bytes()) {
            Some(encoding) if encoding == UTF_8 => Ok(Self::Utf8),
            Some(encoding) => Ok(Self::Other(encoding)),
            None => Err(Error::Query {
                what: format!("there is no encoding `{name}`"),
                hint: "try utf-8, utf-16le, latin1 or windows-1252".to_owned(),
            }),
        }
    }

    /// The encoding that the first bytes show by a byte-order mark, or by the zeros between Latin
    /// letters.
    pub(super) fn of(start: &[u8]) -> Self {
        if let Some((encoding, _)) = Encoding::for_bom(start) {
            return if encoding == UTF_8 { Self::Utf8 } else { Self::Other(encoding) };
        }
        let start = &start[..start.len().min(4096) & !1];
        let zeros = |first: usize| start.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
        let (even, odd, half) = (zeros(0), zeros(1), start.len() / 2);
        if half >= 2 && odd * 10 > half * 6 && even * 20 < half {
            Self::Other(UTF_16LE)
        } else if half >= 2 && even * 10 > half * 6 && odd * 20 < half {
            Self::Other(UTF_16BE)
        } else {
            Self::Utf8
        }
    }

    /// How to name it behind the format.
    pub(super) fn suffix(self) -> String {
        match self {
            Self::Utf8 => String::new(),
            Self::Other(encoding) => format!(", {}", encoding.name()),
        }
    }
}

/// Reads bytes and gives UTF-8 (or bytes that should have been), without the byte-order mark.
pub(super) struct Text<'a> {
    inner: Box<dyn Read + Send + 'a>,
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    started: bool,
    ended: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(inner: Box<dyn Read + Send + 'a>, coding: Coding) -> Self {
        let decoder = match coding {
            Coding::Utf8 => None,
            Coding::Other(encoding) => Some(encoding.new_decoder_with_bom_removal()),
        };
        Self { inner, decoder, raw: Vec::new(), started: false, ended: false }
    }

    /// Appends about `n` more bytes to `out`; returns false at the end.
    pub(super) fn more(&mut self, out: &mut Vec<u8>, n: usize) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let first = !std::mem::replace(&mut self.started, true);
        let Some(decoder) = &mut self.decoder else {
            let before = out.len();
            let got = (&mut self.inner).take(n as u64).read_to_end(out)?;
            if first && out[before..].starts_with(&[0xef, 0xbb, 0xbf]) {
                out.drain(before..before + 3);
            }
            self.ended = got < n;
            return Ok(got > 0);
        };
        self.raw.clear();
        let got = (&mut self.inner).take(n as u64).read_to_end(&mut self.raw)?;
        self.ended = got < n;
        let room = decoder.max_utf8_buffer_length(got).unwrap_or(got * 3 + 16);
        let before = out.len();
        out.resize(before + room, 0);
        let (result, _, written, _) =
            decoder.decode_to_utf8(&self.raw, &mut out[before..], self.ended);
        debug_assert!(result == CoderResult::InputEmpty, "the buffer was long enough");
        out.truncate(before + written);
        Ok(got > 0)
    }
}

/// Bytes as UTF-8: lines that are not valid are taken as Windows-1252, and counted.
pub(super) fn into_utf8(bytes: Vec<u8>) -> (String, usize) {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return (text, 0),
        Err(err) => err.into_bytes(),
    };
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut n_repaired = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        if let Ok(line) = std::str::from_utf8(line) {
            text.push_str(line);
        } else {
            n_repaired += 1;
            text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(line).0);
        }
    }
    (text, n_repaired)
}
