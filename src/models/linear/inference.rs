//! Standard errors of an unpenalised optimum, and what follows from them.

use super::Fit;
use super::design::Design;
use super::distribution::{NORMAL_95, normal_p, student_95, student_p};
use super::lanes::dot;
use super::triangle::Triangle;

/// Standard errors where they hold, else why they do not.
#[derive(Clone, Debug, PartialEq)]
pub enum Inference {
    /// One entry for each estimated coefficient, the intercept first.
    Exact(Vec<CoefficientStats>),
    /// Why there are no standard errors, as a clause without a full stop.
    WhyNot(String),
}

impl Inference {
    pub(super) fn penalised(alpha: f64) -> Self {
        Self::WhyNot(format!(
            "a penalty of alpha = {alpha} shrinks the coefficients, so standard errors do not hold"
        ))
    }

    pub(super) fn class_weights() -> Self {
        Self::WhyNot(
            "class weights stand for rows that were not seen, so standard errors do not hold"
                .into(),
        )
    }

    pub(super) fn row_weights() -> Self {
        Self::WhyNot(
            "row weights that are no counts say nothing of the spread, so standard errors do not \
             hold"
                .into(),
        )
    }

    pub(super) fn separated() -> Self {
        Self::WhyNot("the classes are separated, so the coefficients have no finite errors".into())
    }

    pub(super) fn not_converged() -> Self {
        Self::WhyNot("the fit did not converge, so standard errors do not hold".into())
    }
}

/// How well one coefficient is known.
#[derive(Clone, Debug, PartialEq)]
pub struct CoefficientStats {
    /// The column of the matrix, from 0; `None` for the intercept.
    pub column: Option<usize>,
    /// The column's name, or `intercept`.
    pub name: String,
    /// The estimate, on the scale of the matrix.
    pub value: f64,
    /// Its standard error.
    pub std_error: f64,
    /// Estimate over standard error: t for least squares, z for logistic regression.
    pub statistic: f64,
    /// Two-sided p-value of the statistic, by Student's t with `n - rank` degrees of freedom or by
    /// the normal distribution.
    pub p: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// By how much one unit more multiplies the odds; logistic regression only, and not for the
    /// intercept.
    pub odds_ratio: Option<OddsRatio>,
}

/// An odds ratio with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OddsRatio {
    /// The exponential of the coefficient.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The share of the target's squares below which residuals are nothing but rounding.
const PERFECT: f64 = 1e-24;

/// For least squares, from the triangle of columns and target.
pub(super) fn of_squares(design: &Design, fit: &Fit, triangle: &Triangle) -> Inference {
    let Some(sigma2) = fit.sigma2 else {
        return Inference::WhyNot(
            "there are as many coefficients as rows, so their errors are unknown".into(),
        );
    };
    if fit.deviance <= PERFECT * fit.null_deviance {
        return Inference::WhyNot("the fit is perfect, so there are no errors to speak of".into());
    }
    let df = (fit.n - fit.rank) as f64;
    let quantile = student_95(df);
    table(design, fit, triangle, sigma2.sqrt(), |value, std_error| {
        (student_p(value / std_error, df), quantile)
    })
}

/// For logistic regression, from the triangle of the information matrix.
pub(super) fn of_logistic(design: &Design, fit: &Fit, triangle: &Triangle) -> Inference {
    let stats =
        table(design, fit, triangle, 1.0, |value, error| (normal_p(value / error), NORMAL_95));
    match stats {
        Inference::Exact(mut stats) => {
            for stats in stats.iter_mut().filter(|stats| stats.column.is_some()) {
                let (value, low, high) = (stats.value.exp(), stats.low.exp(), stats.high.exp());
                stats.odds_ratio = Some(OddsRatio { value, low, high });
            }
            Inference::Exact(stats)
        }
        why_not @ Inference::WhyNot(_) => why_not,
    }
}

/// The covariance is `sigma^2` times the inverse of `transpose(R) R`, on scaled columns.
fn table(
    design: &Design,
    fit: &Fit,
    triangle: &Triangle,
    sigma: f64,
    p_and_quantile: impl Fn(f64, f64) -> (f64, f64),
) -> Inference {
    let (k, first) = (design.n_unknowns(), design.first());
    let Some(inverse) = triangle.inverse(k) else { return Inference::not_converged() };
    let stats = |column: Option<usize>, name: &str, value: f64, std_error: f64| {
        let (p, quantile) = p_and_quantile(value, std_error);
        CoefficientStats {
            column,
            name: name.to_owned(),
            value,
            std_error,
            statistic: value / std_error,
            p,
            low: value - quantile * std_error,
            high: value + quantile * std_error,
            odds_ratio: None,
        }
    };
    let mut all = Vec::new();
    if design.has_intercept() {
        // The intercept lies where all columns are 0, far from their means.
        let mut at_zero = vec![1.0];
        at_zero.extend(design.moments().iter().map(|moments| -moments.mean / moments.std));
        let u = triangle.solve_transposed(&at_zero);
        all.push(stats(None, "intercept", fit.intercept, sigma * dot(&u, &u).sqrt()));
    }
    for (j, (moments, place)) in design.moments().iter().zip(design.places()).enumerate() {
        let row = j + first;
        let square: f64 = (row..k).map(|column| inverse.at(row, column).powi(2)).sum();
        let std_error = sigma * square.sqrt() / moments.std;
        let name = design.name(row).map_or("", String::as_str);
        all.push(stats(Some(*place), name, fit.coefficients[*place], std_error));
    }
    Inference::Exact(all)
}

impl Fit {
    /// A fit of which the coefficients are known and nothing else.
    pub(super) fn start(
        design: &Design,
        intercept: f64,
        coefficients: Vec<f64>,
        warnings: Vec<super::Warning>,
    ) -> Self {
        Self {
            intercept,
            coefficients,
            inference: Inference::not_converged(),
            warnings,
            history: Vec::new(),
            converged: false,
            iterations: 0,
            n: design.n_rows,
            weight_sum: design.total_weight,
            rank: design.n_unknowns(),
            loss: 0.0,
            log_likelihood: 0.0,
            deviance: 0.0,
            null_deviance: 0.0,
            aic: None,
            sigma2: None,
        }
    }

    /// Fills in what follows from the residual sum of squares.
    pub(super) fn describe_squares(&mut self, design: &Design, rss: f64, alpha: f64) {
        let n = self.n as f64;
        let target = design.target;
        let around = if design.has_intercept() { 0.0 } else { target.mean };
        self.loss = rss / self.weight_sum;
        self.deviance = rss;
        self.null_deviance = self.weight_sum * (target.std * target.std + around * around);
        let logs: f64 = if design.is_weighted() {
            let weights = (0..design.y.len()).map(|row| design.weight(row));
            weights.filter(|weight| 0.0 < *weight).map(f64::ln).sum()
        } else {
            0.0
        };
        self.log_likelihood = 0.5 * (logs - n * ((std::f64::consts::TAU * rss / n).ln() + 1.0));
        if alpha == 0.0 {
            self.aic = Some(2.0 * (self.rank as f64 + 1.0) - 2.0 * self.log_likelihood);
            self.sigma2 = (self.rank < self.n).then(|| rss / (n - self.rank as f64));
        }
    }

    /// Fills in what follows from the summed log-loss.
    pub(super) fn describe_logistic(&mut self, design: &Design, loss: f64, alpha: f64) {
        self.loss = loss / self.weight_sum;
        self.log_likelihood = -loss;
        self.deviance = 2.0 * loss;
        let positive: f64 = (0..design.y.len()).map(|row| design.weight(row) * design.y[row]).sum();
        let shares = [positive / self.weight_sum, 1.0 - positive / self.weight_sum];
        let entropy: f64 = if design.has_intercept() {
            shares.iter().map(|share| -share * share.ln()).sum()
        } else {
            std::f64::consts::LN_2
        };
        self.null_deviance = 2.0 * self.weight_sum * entropy;
        if alpha == 0.0 && !design.has_class_weights() {
            self.aic = Some(self.deviance + 2.0 * self.rank as f64);
        }
    }
}
