//! Everything the Evaluation pane draws of one run on one side of its split, computed once on a
//! job's thread so that the arrow keys only look things up.

use super::several::Several;
use crate::data::Task;
use crate::metrics::{
    self, Binning, CalibrationBin, CoxCalibration, Decile, Histogram, Summary, Sweep,
};
use crate::train::{Metrics, Run, Scores};

/// Which rows of a run are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The rows kept back to test.
    Test,
    /// Every row, scored by the fold that did not train on it.
    OutOfFold,
    /// The rows to choose the threshold on.
    Valid,
    /// The rows it was trained on.
    Train,
}

impl Side {
    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::OutOfFold => "out of fold",
            Self::Valid => "validation",
            Self::Train => "training",
        }
    }

    /// The sides that a run has, the most telling first.
    pub fn of(run: &Run) -> Vec<Self> {
        let all = [Self::Test, Self::OutOfFold, Self::Valid, Self::Train];
        all.into_iter().filter(|side| side.scores(run).is_some()).collect()
    }

    /// The scores of a run on this side.
    pub fn scores(self, run: &Run) -> Option<&Scores> {
        match self {
            Self::Test => run.test_scores.as_ref(),
            Self::OutOfFold => run.oof_scores.as_ref(),
            Self::Valid => run.valid_scores.as_ref(),
            Self::Train => Some(&run.train_scores),
        }
        .filter(|scores| !scores.rows.is_empty())
    }

    /// The metrics of a run on this side, at the threshold it was trained with.
    pub fn metrics(self, run: &Run) -> Option<&Metrics> {
        match self {
            Self::Test => run.test.as_ref(),
            Self::OutOfFold => run.cv.as_ref(),
            Self::Valid => run.valid.as_ref(),
            Self::Train => Some(&run.train),
        }
    }
}

/// Points of a curve.
pub type Curve = Vec<(f64, f64)>;

/// How many points of a curve are kept; more cannot be told apart on any screen.
const MOST_POINTS: usize = 2000;

/// One run on one side.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Which rows.
    pub side: Side,
    /// How many of them.
    pub n_rows: usize,
    /// For two classes: everything that depends on the threshold.
    pub sweep: Option<Sweep>,
    /// False positive rate against true positive rate.
    pub roc: Curve,
    /// Recall against precision.
    pub pr: Curve,
    /// Share of rows called, worst first, against share of positives among them.
    pub gains: Curve,
    /// Predicted against observed, in ten bins of equal size.
    pub calibration: Vec<CalibrationBin>,
    /// The line through them on the scale of log-odds: slope 1 and intercept 0 are ideal.
    pub cox: Option<CoxCalibration>,
    /// Ten groups of rows by falling score.
    pub deciles: Vec<Decile>,
    /// Fitted value against residual (truth minus prediction).
    pub residuals: Curve,
    /// How the residuals are spread.
    pub errors: Option<Summary>,
    /// The same as bins.
    pub histogram: Option<Histogram>,
    /// Everything that several classes have.
    pub several: Option<Several>,
}

/// Every side of a run.
pub(super) fn assess(run: &Run) -> Vec<Assessment> {
    let sides = Side::of(run);
    sides.into_iter().filter_map(|side| Some(of(run, side, side.scores(run)?))).collect()
}

fn of(run: &Run, side: Side, scores: &Scores) -> Assessment {
    let scored = scores.scored(run.threshold);
    let mut out = Assessment {
        side,
        n_rows: scores.rows.len(),
        sweep: None,
        roc: vec![],
        pr: vec![],
        gains: vec![],
        calibration: vec![],
        cox: None,
        deciles: vec![],
        residuals: vec![],
        errors: None,
        histogram: None,
        several: Several::of(run, scores),
    };
    if run.task == Task::Binary {
        out.sweep = Sweep::new(&scored);
        out.roc = thin(metrics::roc(&scored).iter().map(|p| (p.fpr, p.tpr)));
        out.pr = thin(metrics::precision_recall(&scored).iter().map(|p| (p.recall, p.precision)));
        out.gains = thin(metrics::gains(&scored).iter().map(|p| (p.rows, p.captured)));
        out.calibration = metrics::calibration(&scored, 10, Binning::EqualMass);
        out.cox = metrics::cox_calibration(&scored);
        out.deciles = metrics::deciles(&scored, 10);
    } else if run.task == Task::Regression {
        let residuals = metrics::residuals(&scored);
        let mut points: Curve = scores.score.iter().copied().zip(residuals.clone()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        out.residuals = thin(points.into_iter());
        out.errors = metrics::summary(&residuals);
        out.histogram = metrics::histogram(&residuals, scored.weight, 24);
    }
    out
}

/// Every k-th point, with the first and the last.
fn thin(points: impl ExactSizeIterator<Item = (f64, f64)>) -> Curve {
    let n = points.len();
    let step = n.div_ceil(MOST_POINTS).max(1);
    points.enumerate().filter(|(i, _)| i % step == 0 || i + 1 == n).map(|(_, p)| p).collect()
}
