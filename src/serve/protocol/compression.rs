//! Bodies as they travel: gzip, deflate or plain.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};

use super::limits::Limits;
use super::refusal::Refusal;

/// Shorter answers are sent as they are: packing them costs more than it saves.
const WORTH_PACKING: usize = 1024;

/// The body as it was before it was packed; `encoding` is the header `Content-Encoding`.
pub fn unpack(encoding: Option<&str>, body: Bytes, limits: &Limits) -> Result<Bytes, Refusal> {
    if body.len() > limits.max_body {
        let most = limits.max_body;
        return Err(Refusal::too_large(format!("the body is longer than {most} bytes")));
    }
    let encoding = encoding.unwrap_or_default().trim();
    let is = |name: &str| encoding.eq_ignore_ascii_case(name);
    if encoding.is_empty() || is("identity") {
        Ok(body)
    } else if is("gzip") || is("x-gzip") {
        let mut decoder = MultiGzDecoder::new(&body[..]);
        inflate(&mut decoder, body.len(), limits).map(Bytes::from)
    } else if is("deflate") {
        let (unpacked, rest) = if is_zlib(&body) {
            let mut decoder = ZlibDecoder::new(&body[..]);
            (inflate(&mut decoder, body.len(), limits)?, decoder.into_inner())
        } else {
            let mut decoder = DeflateDecoder::new(&body[..]);
            (inflate(&mut decoder, body.len(), limits)?, decoder.into_inner())
        };
        if !rest.is_empty() {
            let n = rest.len();
            return Err(Refusal::bad_request(format!("{n} bytes follow the packed body")));
        }
        Ok(unpacked.into())
    } else {
        Err(Refusal::unsupported_encoding(encoding))
    }
}

/// An answer, packed if it is worth it and the caller's `Accept-Encoding` allows; with the
/// `Content-Encoding` to send.
pub fn pack(accept_encoding: Option<&str>, bytes: Bytes) -> (Option<&'static str>, Bytes) {
    let Some(wish) = accept_encoding.filter(|_| bytes.len() > WORTH_PACKING) else {
        return (None, bytes);
    };
    let (gzip, deflate) = (quality(wish, "gzip"), quality(wish, "deflate"));
    let done = if gzip > 0.0 && gzip >= deflate {
        let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
        encoder.write_all(&bytes).and_then(|()| encoder.finish()).map(|packed| ("gzip", packed))
    } else if deflate > 0.0 {
        let mut encoder =
            ZlibEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
        encoder.write_all(&bytes).and_then(|()| encoder.finish()).map(|packed| ("deflate", packed))
    } else {
        return (None, bytes);
    };
    let (name, packed) = done.expect("writing to memory does not fail");
    if packed.len() < bytes.len() { (Some(name), packed.into()) } else { (None, bytes) }
}

fn inflate(decoder: &mut dyn Read, packed: usize, limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let most = limits.max_decompressed;
    let mut unpacked = Vec::with_capacity(packed.saturating_mul(4).min(most));
    decoder
        .take(most as u64 + 1)
        .read_to_end(&mut unpacked)
        .map_err(|_| Refusal::bad_request("the body cannot be unpacked: it is damaged"))?;
    if unpacked.len() > most {
        return Err(Refusal::too_large(format!("the unpacked body is longer than {most} bytes")));
    }
    Ok(unpacked)
}

/// HTTP's `deflate` is zlib (RFC 9110, 8.4.1.2), but some callers leave its two bytes out.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [a, b, ..] if a & 0x0f == 8 && u16::from_be_bytes([*a, *b]) % 31 == 0)
}

/// How much the caller wants an encoding, 0 to 1 (RFC 9110, 12.5.3).
fn quality(wish: &str, encoding: &str) -> f32 {
    let mut any = 0.0;
    for part in wish.split(',') {
        let (name, weight) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        let weight = weight.ok().filter(|w| (0.0..=1.0).contains(w)).unwrap_or(0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case(encoding) => return weight,
            "*" => any = weight,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = br#"{"inputs":[]}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn status(encoding: &str, body: Vec<u8>) -> u16 {
        unpack(Some(encoding), body.into(), &Limits::default()).map_or_else(|r| r.status, |_| 200)
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let raw = zlib(TEXT)[2..].to_vec();
        let raw = raw[..raw.len() - 4].to_vec();
        for (encoding, body) in [
            (None, TEXT.to_vec()),
            (Some("identity"), TEXT.to_vec()),
            (Some("GZIP"), gzip(TEXT)),
            (Some("deflate"), zlib(TEXT)),
            (Some("deflate"), raw),
        ] {
            let unpacked = unpack(encoding, body.into(), &Limits::default());
            assert_eq!(unpacked.as_deref(), Ok(TEXT), "{encoding:?}");
        }
    }

    #[test]
    fn gzip_may_have_members_but_nothing_else_behind() {
        let twice = [gzip(&TEXT[..5]), gzip(&TEXT[5..])].concat();
        let unpacked = unpack(Some("gzip"), twice.into(), &Limits::default());
        assert_eq!(unpacked.as_deref(), Ok(TEXT));
        assert_eq!(status("gzip", [gzip(TEXT), b"tail".to_vec()].concat()), 400);
        assert_eq!(status("deflate", [zlib(TEXT), b"tail".to_vec()].concat()), 400);
        assert_eq!(status("gzip", gzip(TEXT)[..10].to_vec()), 400);
        assert_eq!(status("deflate", Vec::new()), 400);
    }

    #[test]
    fn a_bomb_is_too_large() {
        let limits = Limits { max_decompressed: 100_000, ..Limits::default() };
        let bomb = gzip(&vec![b'['; 10_000_000]);
        assert!(bomb.len() < 20_000);
        let many: Vec<u8> = std::iter::repeat_n(gzip(&[b'['; 1000]), 200).flatten().collect();
        for body in [bomb, many] {
            assert_eq!(unpack(Some("gzip"), body.into(), &limits).unwrap_err().status, 413);
        }
        let body = zlib(&vec![0; 100_001]);
        assert_eq!(unpack(Some("deflate"), body.into(), &limits).unwrap_err().status, 413);
        let limits = Limits { max_body: 10, ..limits };
        assert_eq!(unpack(None, vec![0; 11].into(), &limits).unwrap_err().status, 413);
    }

    #[test]
    fn another_encoding_is_refused_with_the_ones_we_know() {
        let refusal = unpack(Some("br\u{1b}"), Bytes::new(), &Limits::default()).unwrap_err();
        assert_eq!((refusal.status, refusal.accept_encoding), (415, Some("gzip, deflate")));
        assert!(!refusal.message.contains('\u{1b}'));
        assert_eq!(status("gzip, gzip", gzip(&gzip(TEXT))), 415);
    }

    #[test]
    fn answers_are_packed_for_those_who_ask() {
        let long = Bytes::from(vec![b'7'; 5000]);
        for (wish, expected) in [
            (None, None),
            (Some("gzip, deflate, br"), Some("gzip")),
            (Some("deflate"), Some("deflate")),
            (Some("gzip;q=0.5, deflate"), Some("deflate")),
            (Some("gzip;q=0, deflate;q=0.1"), Some("deflate")),
            (Some("br"), None),
            (Some("*"), Some("gzip")),
            (Some("*;q=0"), None),
            (Some("gzip;q=x"), None),
        ] {
            let (encoding, packed) = pack(wish, long.clone());
            assert_eq!(encoding, expected, "{wish:?}");
            assert_eq!(unpack(encoding, packed, &Limits::default()).unwrap(), long);
        }
        assert_eq!(pack(Some("gzip"), Bytes::from_static(TEXT)).0, None);
    }
}
