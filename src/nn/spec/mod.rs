//! A network in words: the list of its layers, before any weight exists.
//!
//! The same network can be written in one line (`conv 128x8 bn relu | gap | dense 2`, see
//! [`NetworkSpec`]'s `FromStr`) or as TOML (`[[layer]]`, `kind = "conv1d"`). [`NetworkSpec::trace`]
//! follows the shape of the data through the layers, so that what does not fit together is pointed
//! at before anything is trained.

mod budget;
mod text;
mod toml;
mod trace;

use serde::{Deserialize, Serialize};

pub use budget::{Budget, budget};
pub use trace::{Shape, Traced};

/// The most filters, units, steps or levels that can be asked for.
const MOST_SIZE: usize = 1_000_000;

/// How deep residual blocks may stand in each other.
const MOST_DEPTH: usize = 8;

/// What becomes of the values at the border of a convolution or a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Zeros are put around, so that with a stride of 1 there is an output for each input. Of an
    /// odd number of zeros the one more stands behind, as in TensorFlow.
    #[default]
    Same,
    /// The kernel stays inside.
    Valid,
}

/// A function of each value by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, x)` (Nair and Hinton, 2010).
    Relu,
    /// `x` above 0, `slope x` below (Maas et al., 2013).
    LeakyRelu {
        /// The slope below 0.
        slope: f64,
    },
    /// `x Φ(x)` with the normal distribution Φ (Hendrycks and Gimpel, 2016).
    Gelu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
}

/// How many values a dense layer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// This many.
    Count(usize),
    /// As many as the target asks for: one for a number or two classes, else one for each class.
    Out,
}

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// Every output is a weighted sum of all inputs.
    Dense {
        /// How many outputs.
        units: Units,
    },
    /// A kernel that slides along a series.
    Conv1d {
        /// Output channels.
        filters: usize,
        /// Steps that the kernel spans.
        kernel: usize,
        /// Steps between two outputs.
        stride: usize,
        /// Steps between two taps of the kernel.
        dilation: usize,
        /// What happens at the ends.
        padding: Padding,
    },
    /// A kernel that slides over an image.
    Conv2d {
        /// Output channels.
        filters: usize,
        /// Rows and columns that the kernel spans.
        kernel: [usize; 2],
        /// Pixels between two outputs, in both directions.
        stride: usize,
        /// Pixels between two taps of the kernel, in both directions.
        dilation: usize,
        /// What happens at the border.
        padding: Padding,
    },
    /// The largest, or the mean, of each window; windows do not overlap, and what is left over at
    /// the end is left out.
    Pool {
        /// Which of the two.
        kind: PoolKind,
        /// Length of the window: steps of a series, or rows and columns of an image.
        size: usize,
    },
    /// The mean, or the largest, over all positions: one value for each channel.
    GlobalPool {
        /// Which of the two.
        kind: PoolKind,
    },
    /// Each channel brought to mean 0 and variance 1 over the batch (Ioffe and Szegedy, 2015).
    BatchNorm,
    /// The channels of each position brought to mean 0 and variance 1 (Ba et al., 2016).
    LayerNorm,
    /// Values left out at random while training (Srivastava et al., 2014).
    Dropout {
        /// The share that is left out.
        rate: f64,
    },
    /// A learned vector in place of each whole number.
    Embedding {
        /// How many different numbers there are, from 0.
        levels: usize,
        /// Length of the vectors.
        width: usize,
    },
    /// Layers whose result is added to what went into them (He et al., 2016). Where the shapes
    /// differ, a convolution of length 1 with batch norm brings the input to the new shape.
    Residual {
        /// The layers.
        layers: Vec<Self>,
    },
    /// All values in a row.
    Flatten,
    /// The static columns are put beside the values.
    Join,
    /// A function of each value by itself.
    Activation(Activation),
}

/// How a window becomes one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolKind {
    /// The largest.
    Max,
    /// The mean.
    Average,
}

/// A network: its layers from first to last.
///
/// ```
/// use karat::nn::spec::{NetworkSpec, Shape};
///
/// let fcn: NetworkSpec = "conv 128x8 bn relu | gap | dense 2".parse()?;
/// assert_eq!(fcn.layers.len(), 5);
/// assert_eq!(fcn.to_string(), "conv 128x8 bn relu | gap | dense 2");
/// let traced = fcn.trace(Shape::series(150, 1), 0, 2).unwrap();
/// assert_eq!(traced.last().unwrap().n_params, 128 * 2 + 2);
/// # Ok::<(), karat::nn::spec::Mistake>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkSpec {
    /// The layers.
    pub layers: Vec<Layer>,
}

/// Something in a network that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}\nhint: {hint}")]
pub struct Mistake {
    /// The layer it is about, counted from 0 and within a residual block from its beginning.
    pub layer: usize,
    /// The bytes of the one-line text that are wrong; empty when it was not read from text.
    pub at: std::ops::Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What can be done.
    pub hint: String,
}

impl Layer {
    /// A convolution along a series with stride 1, as it is mostly used.
    pub fn conv1d(filters: usize, kernel: usize) -> Self {
        Self::Conv1d { filters, kernel, stride: 1, dilation: 1, padding: Padding::Same }
    }

    /// A convolution over an image with a square kernel and stride 1.
    pub fn conv2d(filters: usize, kernel: usize) -> Self {
        let kernel = [kernel, kernel];
        Self::Conv2d { filters, kernel, stride: 1, dilation: 1, padding: Padding::Same }
    }
}
