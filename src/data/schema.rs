//! What is known of a table's columns: kind, role, marks, and how sure we are of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Ahead;

/// What a column's values are, beside how they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A quantity: can be averaged.
    Number,
    /// One of a few levels without arithmetic.
    Category,
    /// One of two opposite levels: true and false, yes and no.
    Boolean,
    /// A date, or a date with a time of day.
    Datetime,
    /// Free text, many words.
    Text,
    /// Names the row and carries nothing else, such as an account number.
    Identifier,
}

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The column to be predicted; at most one.
    Target,
    /// May enter the model.
    Feature,
    /// Names the row.
    Id,
    /// Orders the rows in time; at most one.
    Time,
    /// Text, used by text models only.
    Text,
    /// How much a row counts; at most one.
    Weight,
    /// Rows of one group never lie on both sides of a split; at most one.
    Group,
    /// Money at stake, for costs and profits.
    Amount,
    /// Left out.
    Ignored,
}

/// What was found out about the person behind a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    /// Names of people.
    Name,
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// Payment card numbers, confirmed by the Luhn checksum.
    Card,
    /// Bank account numbers, confirmed by the IBAN checksum.
    Iban,
    /// Postal addresses.
    Address,
}

/// An attribute that the law protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protected {
    /// Sex or gender.
    Sex,
    /// Age or date of birth.
    Age,
    /// Nationality or place of origin.
    Nationality,
    /// Marital or family state.
    MaritalState,
    /// Race, colour, religion, health and what else the law names.
    Other,
}

/// Everything known of one column, without its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The name, unique within its table.
    pub name: String,
    /// What the values are.
    pub kind: Kind,
    /// Whether the kind was inferred and nobody has confirmed it.
    pub kind_guessed: bool,
    /// What the column is for.
    pub role: Role,
    /// Whether the role was inferred and nobody has confirmed it.
    pub role_guessed: bool,
    /// Personal data of this sort was found, so the column is masked and kept out of everything.
    pub personal: Option<Personal>,
    /// The law protects this attribute, so it is a feature only on a person's word.
    pub protected: Option<Protected>,
    /// Values that stand for "missing", such as -999, as they are written in the file.
    pub special: Vec<String>,
    /// How the text of the file was understood, when that is not obvious: "decimal comma".
    pub reading: Option<String>,
    /// The step by which it looks ahead, when it does: it is known only later, so it may be a
    /// target and is never a feature.
    #[serde(default)]
    pub ahead: Option<Ahead>,
}

impl Column {
    /// A feature of the given kind about which nothing else is known.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            kind_guessed: true,
            role: Role::Feature,
            role_guessed: true,
            personal: None,
            protected: None,
            special: Vec::new(),
            reading: None,
            ahead: None,
        }
    }

    /// Whether the values must not be shown, logged or exported.
    pub fn is_masked(&self) -> bool {
        self.personal.is_some()
    }

    /// Whether the column enters a model; protected ones only with [`Column::role`] set by hand
    /// or when `use_protected` is given, and none that looks ahead.
    pub fn is_feature(&self, use_protected: bool) -> bool {
        self.role == Role::Feature
            && self.personal.is_none()
            && self.ahead.is_none()
            && !matches!(self.kind, Kind::Text | Kind::Identifier)
            && (self.protected.is_none() || use_protected || !self.role_guessed)
    }
}

/// What a person said about columns; it wins over every guess and is kept with the experiment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// Roles set by hand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
    /// Kinds set by hand.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub kinds: BTreeMap<String, Kind>,
    /// Codes that count as missing, by column; `*` means every column.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub special: BTreeMap<String, Vec<String>>,
    /// Attributes declared protected (true) or declared not to be (false).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub protected: BTreeMap<String, bool>,
    /// Columns declared personal (true) or declared not to be (false).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub personal: BTreeMap<String, bool>,
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order in which they are offered.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it on screen, command line and disk.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|v| v.word() == text).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|v| v.word()).collect();
                    format!("`{text}` is none of {}", all.join(", "))
                })
            }
        }
    };
}
pub(super) use words;

words!(Kind {
    Number = "number",
    Category = "category",
    Boolean = "boolean",
    Datetime = "datetime",
    Text = "text",
    Identifier = "identifier",
});
words!(Role {
    Target = "target",
    Feature = "feature",
    Id = "id",
    Time = "time",
    Text = "text",
    Weight = "weight",
    Group = "group",
    Amount = "amount",
    Ignored = "ignored",
});
words!(Personal {
    Name = "name",
    Email = "e-mail",
    Phone = "phone",
    Card = "card number",
    Iban = "IBAN",
    Address = "address",
});
words!(Protected {
    Sex = "sex",
    Age = "age",
    Nationality = "nationality",
    MaritalState = "marital state",
    Other = "protected",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(*role));
        }
        assert!("targt".parse::<Role>().unwrap_err().contains("target, feature"));
    }

    #[test]
    fn a_protected_column_is_a_feature_on_a_persons_word_only() {
        let mut age = Column::new("age", Kind::Number);
        age.protected = Some(Protected::Age);
        assert!(!age.is_feature(false));
        assert!(age.is_feature(true));
        age.role_guessed = false;
        assert!(age.is_feature(false), "the role was set by hand");
    }
}
