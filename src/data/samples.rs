//! The sample tables inside the program, so that one copied file is enough to try everything.

use super::Ahead;

/// A table that ships with the program.
#[derive(Debug)]
pub struct Sample {
    /// What follows `sample:` to open it.
    pub name: &'static str,
    /// The name of its file in `sample_data/`.
    pub file: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What one can see in it.
    pub about: &'static str,
    /// How many rows it has.
    pub rows: usize,
    /// How many columns it has.
    pub columns: usize,
    /// The column to predict.
    pub target: &'static str,
    /// The step that makes that column out of what comes later, in words; empty when the file has
    /// it.
    pub ahead: &'static str,
    /// The file as it stands in `sample_data/`.
    pub content: &'static [u8],
}

/// The samples, in the order of the gallery.
pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "german_credit",
        file: "german_credit.csv",
        title: "German credit",
        about: "Who repays? The classic of credit scoring, with readable levels and protected attributes",
        rows: 1000,
        columns: 21,
        target: "credit_risk",
        ahead: "",
        content: include_bytes!("../../sample_data/german_credit.csv"),
    },
    Sample {
        name: "credit_data",
        file: "credit_data.txt",
        title: "German credit in numbers",
        about: "The same loans as bare numbers without a header: a first linear regression",
        rows: 1000,
        columns: 21,
        target: "x21",
        ahead: "",
        content: include_bytes!("../../sample_data/credit_data.txt"),
    },
    Sample {
        name: "credit_missing",
        file: "credit_missing.csv",
        title: "Consumer loans with gaps",
        about: "Income, assets and debt are missing here and there: what imputing does",
        rows: 4454,
        columns: 14,
        target: "Status",
        ahead: "",
        content: include_bytes!("../../sample_data/credit_missing.csv"),
    },
    Sample {
        name: "lending_club",
        file: "lending_club.csv",
        title: "LendingClub loans",
        about: "Only one loan in twenty goes bad: imbalance, thresholds and costs",
        rows: 9857,
        columns: 23,
        target: "Class",
        ahead: "",
        content: include_bytes!("../../sample_data/lending_club.csv"),
    },
    Sample {
        name: "bank_marketing",
        file: "bank_marketing.csv",
        title: "Bank marketing",
        about: "Who says yes on the telephone? The length of the call knows it, but too late: a leak",
        rows: 4521,
        columns: 17,
        target: "y",
        ahead: "",
        content: include_bytes!("../../sample_data/bank_marketing.csv"),
    },
    Sample {
        name: "diabetes",
        file: "diabetes.csv",
        title: "Diabetes progression",
        about: "A quantity to predict from ten measures: linear and ridge regression, checked digits",
        rows: 442,
        columns: 11,
        target: "target",
        ahead: "",
        content: include_bytes!("../../sample_data/diabetes.csv"),
    },
    Sample {
        name: "digits",
        file: "digits.csv",
        title: "Handwritten digits",
        about: "Which digit is it? Images of 8 x 8 pixels in columns: a first network that sees",
        rows: 1797,
        columns: 65,
        target: "digit",
        ahead: "",
        content: include_bytes!("../../sample_data/digits.csv"),
    },
    Sample {
        name: "us_stocks",
        file: "us_stocks.csv",
        title: "Five American shares",
        about: "Up or down the next day? Daily prices, 2000 to 2013, split by time: hard to beat a coin",
        rows: 12154,
        columns: 8,
        target: "up",
        ahead: "up = sign of adj_close in 1 by ticker along date",
        content: include_bytes!("../../sample_data/us_stocks.csv"),
    },
    Sample {
        name: "ecb_fx",
        file: "ecb_fx.csv",
        title: "Euro exchange rates",
        about: "The dollar's next day from 15 daily rates since 1999, split by time: returns are noise",
        rows: 7126,
        columns: 16,
        target: "usd_return",
        ahead: "usd_return = return of USD in 1 along Date",
        content: include_bytes!("../../sample_data/ecb_fx.csv"),
    },
];

impl Sample {
    /// The step that makes the column to predict, when the file does not have it.
    pub fn question(&self) -> Option<Ahead> {
        self.ahead.parse().ok()
    }
}

/// The sample with this name, or with this file's name.
pub fn sample(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|s| s.name == name || s.file == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Role, Step, apply, open_bytes};
    use crate::jobs::Ctx;

    #[test]
    fn every_sample_is_what_the_gallery_says() {
        for sample in SAMPLES {
            let options = OpenOptions::default();
            let mut table =
                open_bytes(sample.file, sample.content, &options, &Ctx::quiet()).unwrap();
            assert_eq!((table.n_rows(), table.n_columns()), (sample.rows, sample.columns));
            assert_eq!(sample.question().is_some(), !sample.ahead.is_empty(), "{}", sample.name);
            if let Some(ahead) = sample.question() {
                table = apply(&table, &Step::Ahead(ahead), &Ctx::quiet()).unwrap();
            }
            let target = table.with_role(Role::Target).map(|c| c.name.as_str());
            assert_eq!(target, Some(sample.target), "{}", sample.name);
            assert!(table.columns.iter().all(|c| c.personal.is_none()), "{}", sample.name);
        }
    }
}
