//! The types of tensor elements that the protocol knows, and their bytes.

use serde::Serialize;

/// The type of a tensor's elements (Open Inference Protocol v2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the protocol's own words")]
pub enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bf16,
    Bytes,
}

/// A type, its name in the protocol, its bytes per element, and its name in Triton's config.
type Row = (Datatype, &'static str, Option<usize>, &'static str);

#[rustfmt::skip]
const DATATYPES: &[Row] = &[
    (Datatype::Bool,   "BOOL",   Some(1), "TYPE_BOOL"),
    (Datatype::Uint8,  "UINT8",  Some(1), "TYPE_UINT8"),
    (Datatype::Uint16, "UINT16", Some(2), "TYPE_UINT16"),
    (Datatype::Uint32, "UINT32", Some(4), "TYPE_UINT32"),
    (Datatype::Uint64, "UINT64", Some(8), "TYPE_UINT64"),
    (Datatype::Int8,   "INT8",   Some(1), "TYPE_INT8"),
    (Datatype::Int16,  "INT16",  Some(2), "TYPE_INT16"),
    (Datatype::Int32,  "INT32",  Some(4), "TYPE_INT32"),
    (Datatype::Int64,  "INT64",  Some(8), "TYPE_INT64"),
    (Datatype::Fp16,   "FP16",   Some(2), "TYPE_FP16"),
    (Datatype::Fp32,   "FP32",   Some(4), "TYPE_FP32"),
    (Datatype::Fp64,   "FP64",   Some(8), "TYPE_FP64"),
    (Datatype::Bf16,   "BF16",   Some(2), "TYPE_BF16"),
    (Datatype::Bytes,  "BYTES",  None,    "TYPE_STRING"),
];

impl Datatype {
    /// Every type, in the protocol's order.
    pub fn all() -> impl Iterator<Item = Self> {
        DATATYPES.iter().map(|row| row.0)
    }

    /// The type of that name, as in `FP32`.
    pub fn named(name: &str) -> Option<Self> {
        DATATYPES.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name in requests and metadata, as in `FP32`.
    pub fn name(self) -> &'static str {
        DATATYPES[self as usize].1
    }

    /// Bytes per element; `None` for BYTES, whose elements say their own length.
    pub fn width(self) -> Option<usize> {
        DATATYPES[self as usize].2
    }

    /// The name in Triton's model configuration, as in `TYPE_FP32`.
    pub fn config_name(self) -> &'static str {
        DATATYPES[self as usize].3
    }

    /// The least and the greatest value, of the integer types.
    pub(super) fn bounds(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::Uint8 => (0, u8::MAX.into()),
            Self::Uint16 => (0, u16::MAX.into()),
            Self::Uint32 => (0, u32::MAX.into()),
            Self::Uint64 => (0, u64::MAX.into()),
            Self::Int8 => (i8::MIN.into(), i8::MAX.into()),
            Self::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Self::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Self::Int64 => (i64::MIN.into(), i64::MAX.into()),
            _ => return None,
        })
    }

    /// Appends the numbers in `bytes`, which are little-endian; false for BYTES.
    pub(super) fn decode(self, bytes: &[u8], into: &mut Vec<f64>) -> bool {
        macro_rules! each {
            ($width:literal, $from:expr) => {
                into.extend(bytes.chunks_exact($width).map(|chunk| {
                    let mut raw = [0; $width];
                    raw.copy_from_slice(chunk);
                    $from(raw)
                }))
            };
        }
        match self {
            Self::Bool => into.extend(bytes.iter().map(|b| f64::from(u8::from(*b != 0)))),
            Self::Uint8 => into.extend(bytes.iter().map(|b| f64::from(*b))),
            Self::Int8 => into.extend(bytes.iter().map(|b| f64::from(*b as i8))),
            Self::Uint16 => each!(2, |raw| f64::from(u16::from_le_bytes(raw))),
            Self::Int16 => each!(2, |raw| f64::from(i16::from_le_bytes(raw))),
            Self::Uint32 => each!(4, |raw| f64::from(u32::from_le_bytes(raw))),
            Self::Int32 => each!(4, |raw| f64::from(i32::from_le_bytes(raw))),
            Self::Uint64 => each!(8, |raw| u64::from_le_bytes(raw) as f64),
            Self::Int64 => each!(8, |raw| i64::from_le_bytes(raw) as f64),
            Self::Fp32 => each!(4, |raw| f64::from(f32::from_le_bytes(raw))),
            Self::Fp64 => each!(8, f64::from_le_bytes),
            Self::Fp16 => each!(2, |raw| from_half(u16::from_le_bytes(raw))),
            Self::Bf16 => each!(2, |raw| {
                f64::from(f32::from_bits(u32::from(u16::from_le_bytes(raw)) << 16))
            }),
            Self::Bytes => return false,
        }
        true
    }
}

/// A number of half precision (IEEE 754 binary16).
fn from_half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// How many elements a shape holds; `None` if the number does not fit.
pub(super) fn n_elements(shape: &[u64]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let n = shape.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim))?;
    usize::try_from(n).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_type() {
        for (i, row) in DATATYPES.iter().enumerate() {
            assert_eq!(row.0 as usize, i, "{}", row.1);
            assert_eq!(Datatype::named(row.1), Some(row.0));
            assert_eq!(serde_json::to_value(row.0).unwrap(), row.1);
        }
        assert_eq!(Datatype::all().count(), 14);
        assert_eq!(Datatype::named("fp32"), None);
    }

    #[test]
    fn bytes_are_read_as_their_type_says() {
        // Against numpy: np.array([…], dtype).tobytes(), and ml_dtypes for bfloat16.
        for (datatype, bytes, expected) in [
            (Datatype::Bool, &[0u8, 1, 2][..], vec![0.0, 1.0, 1.0]),
            (Datatype::Int8, &[0xff, 0x80], vec![-1.0, -128.0]),
            (Datatype::Uint16, &[0x01, 0x02], vec![513.0]),
            (Datatype::Int32, &[0xfe, 0xff, 0xff, 0xff], vec![-2.0]),
            (
                Datatype::Fp16,
                &[0x00, 0x3c, 0x01, 0x00, 0xff, 0x7b, 0x00, 0xfc, 0x00, 0xb8],
                vec![1.0, 5.960_464_477_539_063e-8, 65504.0, f64::NEG_INFINITY, -0.5],
            ),
            (Datatype::Bf16, &[0x80, 0x3f, 0x49, 0x40], vec![1.0, 3.140_625]),
            (Datatype::Fp32, &[0x00, 0x00, 0xc0, 0x3f], vec![1.5]),
            (Datatype::Fp64, &[0, 0, 0, 0, 0, 0, 0xf8, 0xbf], vec![-1.5]),
            (Datatype::Uint64, &[0xff; 8], vec![18_446_744_073_709_551_615.0]),
        ] {
            let mut numbers = Vec::new();
            assert!(datatype.decode(bytes, &mut numbers));
            assert_eq!(numbers, expected, "{}", datatype.name());
        }
        let mut numbers = Vec::new();
        assert!(!Datatype::Bytes.decode(&[1], &mut numbers));
        Datatype::Fp16.decode(&[0x01, 0x7e], &mut numbers);
        assert!(numbers[0].is_nan());
    }

    #[test]
    fn a_shape_never_overflows() {
        assert_eq!(n_elements(&[]), Some(1));
        assert_eq!(n_elements(&[3, 4]), Some(12));
        assert_eq!(n_elements(&[u64::MAX, 0, u64::MAX]), Some(0));
        assert_eq!(n_elements(&[16, (1 << 60) + 2]), None);
        assert_eq!(n_elements(&[1 << 32, 1 << 32]), None);
    }
}
