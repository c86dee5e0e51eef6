//! Numbers in JSON that are read back bit for bit.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number written as text in its shortest exact form: a JSON reader may be off by the last bit
/// of a plain number, and the score of a model must not be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::registry) struct Exact(pub(in crate::registry) f64);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:?}", self.0))
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Number(f64),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => {
                text.parse().map(Self).map_err(|_| de::Error::custom("a number is expected"))
            }
        }
    }
}

impl From<f64> for Exact {
    fn from(number: f64) -> Self {
        Self(number)
    }
}

impl From<Exact> for f64 {
    fn from(exact: Exact) -> Self {
        exact.0
    }
}

/// The stored form of a number that may be undefined.
pub(in crate::registry) fn exact(number: Option<f64>) -> Option<Exact> {
    number.map(Exact)
}

/// The opposite of [`exact`].
pub(in crate::registry) fn plain(exact: Option<Exact>) -> Option<f64> {
    exact.map(f64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_is_read_back_bit_for_bit(bits: u64) {
            let number = f64::from_bits(bits);
            let text = serde_json::to_string(&Exact(number)).unwrap();
            let Exact(read) = serde_json::from_str(&text).unwrap();
            prop_assert!(read.to_bits() == bits || (read.is_nan() && number.is_nan()));
        }
    }

    #[test]
    fn a_plain_number_is_understood_and_a_word_is_not() {
        assert_eq!(serde_json::from_str::<Exact>("0.5").unwrap(), Exact(0.5));
        assert_eq!(serde_json::from_str::<Exact>("3").unwrap(), Exact(3.0));
        assert!(serde_json::from_str::<Exact>("\"many\"").is_err());
    }
}
