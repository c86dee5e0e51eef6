//! The result of an explainer, on the inputs of the model.

/// How much each input adds to the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribution {
    /// The score without any contribution.
    pub base: f64,
    /// The score of the row.
    pub score: f64,
    /// One contribution for each input.
    pub contributions: Vec<f64>,
}

impl Attribution {
    /// What base and contributions leave of the score: 0 but for rounding where a method is
    /// complete, and the interplay of inputs where it is not.
    pub fn remainder(&self) -> f64 {
        self.score - self.base - self.contributions.iter().sum::<f64>()
    }
}
