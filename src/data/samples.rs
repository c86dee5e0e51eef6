//! The sample tables inside the program, so that one copied file is enough to try everything.

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
        content: include_bytes!("../../sample_data/diabetes.csv"),
    },
];

/// The sample with this name, or with this file's name.
pub fn sample(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|s| s.name == name || s.file == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{OpenOptions, Role, open_bytes};
    use crate::jobs::Ctx;

    #[test]
    fn every_sample_is_what_the_gallery_says() {
        for sample in SAMPLES {
            let options = OpenOptions::default();
            let table = open_bytes(sample.file, sample.content, &options, &Ctx::quiet()).unwrap();
            assert_eq!((table.n_rows(), table.n_columns()), (sample.rows, sample.columns));
            let target = table.with_role(Role::Target).map(|c| c.name.as_str());
            assert_eq!(target, Some(sample.target), "{}", sample.name);
            assert!(table.columns.iter().all(|c| c.personal.is_none()), "{}", sample.name);
        }
    }
}
