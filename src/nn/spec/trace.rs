//! The shape of the data on its way through the layers.

use std::fmt;

use super::{Activation, Layer, MOST_DEPTH, MOST_SIZE, Mistake, NetworkSpec, Padding, Units};

/// What a layer sees of one row: positions in rows and columns, with channels at each.
///
/// A series has a height of 1; a plain row of numbers has one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of positions.
    pub height: usize,
    /// Columns of positions: the steps of a series.
    pub width: usize,
    /// Values at each position.
    pub channels: usize,
}

impl Shape {
    /// A series of `steps` with so many channels.
    pub fn series(steps: usize, channels: usize) -> Self {
        Self { height: 1, width: steps, channels }
    }

    /// A plain row of numbers.
    pub fn flat(channels: usize) -> Self {
        Self { height: 1, width: 1, channels }
    }

    /// How many values there are.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there is nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many positions there are.
    pub fn positions(self) -> usize {
        self.height * self.width
    }

    /// Whether it is a plain row of numbers.
    pub fn is_flat(self) -> bool {
        self.positions() == 1
    }
}

impl fmt::Display for Shape {
    /// `28 × 28 × 1`, `150 × 1` for a series, `10` for a plain row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { height, width, channels } = self;
        match (height, width) {
            (1, 1) => write!(f, "{channels}"),
            (1, _) => write!(f, "{width} × {channels}"),
            _ => write!(f, "{height} × {width} × {channels}"),
        }
    }
}

/// What is known of a layer before it exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// The layer, in words.
    pub text: String,
    /// How deep it stands in residual blocks.
    pub depth: usize,
    /// The layer it belongs to, counted from 0 without looking into residual blocks.
    pub layer: usize,
    /// What it sees.
    pub input: Shape,
    /// What it gives.
    pub output: Shape,
    /// Weights it learns.
    pub n_params: usize,
    /// Multiplications and additions for one row, forward.
    pub flops: f64,
}

impl NetworkSpec {
    /// Follows the shape through the layers: `input` is what the first of them sees, `n_static` the
    /// number of static columns, `n_out` what the target asks for.
    ///
    /// # Errors
    ///
    /// Points at the first layer that does not fit what comes before it.
    pub fn trace(
        &self,
        input: Shape,
        n_static: usize,
        n_out: usize,
    ) -> Result<Vec<Traced>, Mistake> {
        match self.follow(input, n_static, n_out) {
            (lines, None) => Ok(lines),
            (_, Some(mistake)) => Err(mistake),
        }
    }

    /// Like [`NetworkSpec::trace`], and keeps what is known of the layers before a mistake.
    pub fn follow(
        &self,
        input: Shape,
        n_static: usize,
        n_out: usize,
    ) -> (Vec<Traced>, Option<Mistake>) {
        let mut trace = Trace { n_static, n_out, joined: false, layer: 0, lines: Vec::new() };
        let mistake = match trace.layers(&self.layers, input, 0) {
            Ok(output) => self.check_end(output, &trace),
            Err(mistake) => Some(mistake),
        };
        (trace.lines, mistake)
    }

    /// What is wrong at the end of a network whose layers fit each other.
    fn check_end(&self, output: Shape, trace: &Trace) -> Option<Mistake> {
        let wrong = |what: String, hint: &str| {
            let layer = self.layers.len().saturating_sub(1);
            Some(Mistake { layer, at: 0..0, what, hint: hint.to_owned() })
        };
        if !output.is_flat() {
            let what = format!("the network ends in {output} and not in a row of values");
            return wrong(what, "end it with `gap` or `flatten`, then `dense out`");
        }
        if output.channels != trace.n_out {
            let what = format!(
                "the network ends in {} values and the target asks for {}",
                output.channels, trace.n_out
            );
            return wrong(what, "end it with `dense out`");
        }
        if trace.n_static > 0 && !trace.joined {
            let what = format!("{} static columns enter nowhere", trace.n_static);
            return wrong(what, "write `join` behind `gap` or `flatten`, or leave them out");
        }
        None
    }
}

/// More values or weights than this in one layer are a mistake, or a damaged file.
const MOST_VALUES: f64 = 2_147_483_648.0;

/// Weights of a layer, nearly, in floating point.
fn weights_of(layer: &Layer, input: Shape, output: Shape) -> f64 {
    let (from, to) = (input.channels as f64, output.channels as f64);
    match layer {
        Layer::Dense { .. } => from * to,
        Layer::Conv1d { kernel, .. } => *kernel as f64 * from * to,
        Layer::Conv2d { kernel: [rows, columns], .. } => (rows * columns) as f64 * from * to,
        Layer::Embedding { levels, width } => *levels as f64 * *width as f64,
        _ => from,
    }
}

struct Trace {
    n_static: usize,
    n_out: usize,
    joined: bool,
    layer: usize,
    lines: Vec<Traced>,
}

impl Trace {
    fn layers(&mut self, layers: &[Layer], input: Shape, depth: usize) -> Result<Shape, Mistake> {
        let mut shape = input;
        for (idx, layer) in layers.iter().enumerate() {
            if depth == 0 {
                self.layer = idx;
            }
            let has_bias = !matches!(layers.get(idx + 1), Some(Layer::BatchNorm));
            shape = self.layer(layer, shape, depth, usize::from(has_bias))?;
        }
        Ok(shape)
    }

    fn layer(
        &mut self,
        layer: &Layer,
        input: Shape,
        depth: usize,
        bias: usize,
    ) -> Result<Shape, Mistake> {
        self.check_sizes(layer, depth)?;
        let Shape { height, width, channels } = input;
        let flat = input.is_flat();
        let (output, n_params, flops) = match layer {
            Layer::Dense { units } => {
                if !flat {
                    let what = format!("`{layer}` needs a row of values and gets {input}");
                    return Err(self.wrong(what, "write `flatten` or `gap` before it"));
                }
                let units = match units {
                    Units::Count(units) => *units,
                    Units::Out => self.n_out,
                };
                (
                    Shape::flat(units),
                    (channels + bias).saturating_mul(units),
                    (2 * channels).saturating_mul(units),
                )
            }
            Layer::Conv1d { filters, kernel, stride, dilation, padding } => {
                if height > 1 {
                    let what = format!("`{layer}` slides along a series and gets {input}");
                    let hint = format!("for images write `conv {filters}x{kernel}x{kernel}`");
                    return Err(self.wrong(what, &hint));
                }
                let width = self.slid(layer, width, *kernel, *stride, *dilation, *padding)?;
                let output = Shape { height: 1, width, channels: *filters };
                (
                    output,
                    (kernel * channels + bias).saturating_mul(*filters),
                    (2 * kernel * channels).saturating_mul(filters * width),
                )
            }
            Layer::Conv2d { filters, kernel: [rows, columns], stride, dilation, padding } => {
                if height == 1 {
                    let what = format!("`{layer}` slides over an image and gets {input}");
                    let hint = format!("for series write `conv {filters}x{columns}`");
                    return Err(self.wrong(what, &hint));
                }
                let height = self.slid(layer, height, *rows, *stride, *dilation, *padding)?;
                let width = self.slid(layer, width, *columns, *stride, *dilation, *padding)?;
                let output = Shape { height, width, channels: *filters };
                let taps = rows * columns * channels;
                (
                    output,
                    (taps + bias).saturating_mul(*filters),
                    (2 * taps).saturating_mul(*filters).saturating_mul(height * width),
                )
            }
            Layer::Pool { size, .. } => {
                let rows = if height == 1 { 1 } else { *size };
                if width < *size || height < rows {
                    let what = format!("`{layer}` is longer than what it gets, {input}");
                    return Err(self.wrong(what, "make it smaller, or leave it out"));
                }
                (Shape { height: height / rows, width: width / size, channels }, 0, input.len())
            }
            Layer::GlobalPool { .. } => (Shape::flat(channels), 0, input.len()),
            Layer::BatchNorm | Layer::LayerNorm => (input, 2 * channels, 4 * input.len()),
            Layer::Dropout { .. } | Layer::Activation(_) => (input, 0, input.len()),
            Layer::Embedding { levels, width: vector } => {
                if channels != 1 {
                    let what = format!("`{layer}` looks up whole numbers and gets {input}");
                    return Err(self.wrong(what, "let it be the first layer, with one channel"));
                }
                (Shape { channels: *vector, ..input }, levels * vector, 0)
            }
            Layer::Residual { layers } => return self.residual(layers, input, depth),
            Layer::Flatten => (Shape::flat(input.len()), 0, 0),
            Layer::Join => {
                if depth > 0 {
                    let what = "`join` stands within a residual block".to_owned();
                    return Err(self.wrong(what, "write it behind the block"));
                }
                if !flat {
                    let what = format!("`join` needs a row of values and gets {input}");
                    return Err(self.wrong(what, "write `flatten` or `gap` before it"));
                }
                self.joined = true;
                (Shape::flat(channels + self.n_static), 0, 0)
            }
        };
        // Measured in floating point, where nothing can wrap round.
        let values = output.height as f64 * output.width as f64 * output.channels as f64;
        if values > MOST_VALUES || weights_of(layer, input, output) > MOST_VALUES {
            let what = format!("`{layer}` would have too many weights or values");
            return Err(self.wrong(what, "make it smaller"));
        }
        self.lines.push(Traced {
            text: layer.to_string(),
            depth,
            layer: self.layer,
            input,
            output,
            n_params,
            flops: flops as f64,
        });
        Ok(output)
    }

    fn residual(&mut self, layers: &[Layer], input: Shape, depth: usize) -> Result<Shape, Mistake> {
        let output = self.layers(layers, input, depth + 1)?;
        if output.positions() != input.positions() {
            let what = format!("the block turns {input} into {output}, which cannot be added");
            return Err(self.wrong(what, "keep stride 1 and no pools within the block"));
        }
        let (text, n_params, flops) = if input.channels == output.channels {
            ("+ input".to_owned(), 0, output.len())
        } else {
            let weights = input.channels * output.channels;
            (
                format!("+ conv {}x1 bn", output.channels),
                weights + 2 * output.channels,
                2 * weights * output.positions(),
            )
        };
        let flops = flops as f64;
        self.lines.push(Traced {
            text,
            depth: depth + 1,
            layer: self.layer,
            input,
            output,
            n_params,
            flops,
        });
        Ok(output)
    }

    /// Refuses sizes that no layer can have, whichever form they were written in.
    fn check_sizes(&self, layer: &Layer, depth: usize) -> Result<(), Mistake> {
        let sizes: Vec<usize> = match layer {
            Layer::Dense { units: Units::Count(units) } => vec![*units],
            Layer::Conv1d { filters, kernel, stride, dilation, .. } => {
                vec![*filters, *kernel, *stride, *dilation]
            }
            Layer::Conv2d { filters, kernel: [rows, columns], stride, dilation, .. } => {
                vec![*filters, *rows, *columns, *stride, *dilation]
            }
            Layer::Pool { size, .. } => vec![*size],
            Layer::Embedding { levels, width } => vec![*levels, *width],
            _ => Vec::new(),
        };
        let wrong = |what: String, hint: &str| Err(self.wrong(what, hint));
        if let Some(size) = sizes.iter().find(|size| !(1..=MOST_SIZE).contains(*size)) {
            return wrong(format!("`{layer}` cannot have the size {size}"), "give it 1 to 1000000");
        }
        match layer {
            Layer::Dropout { rate } if !(0.0..1.0).contains(rate) => {
                wrong(format!("`{layer}` would leave nothing"), "give a share from 0 to below 1")
            }
            Layer::Activation(Activation::LeakyRelu { slope }) if !slope.is_finite() => {
                wrong(format!("`{layer}` has no slope"), "give a number such as 0.01")
            }
            Layer::Residual { layers } if layers.is_empty() => wrong(
                "a residual block has no layers".into(),
                "write its layers in brackets: `res( conv 64x3 bn )`",
            ),
            Layer::Residual { .. } if depth >= MOST_DEPTH => {
                wrong(format!("blocks stand {MOST_DEPTH} deep in blocks"), "nest them less")
            }
            _ => Ok(()),
        }
    }

    /// How many outputs a kernel has along one direction.
    fn slid(
        &self,
        layer: &Layer,
        len: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> Result<usize, Mistake> {
        let span = (kernel - 1) * dilation + 1;
        if span > len && (padding == Padding::Valid || kernel > len) {
            let what = format!("the kernel of `{layer}` spans {span} and gets {len}");
            return Err(self.wrong(what, "make the kernel shorter"));
        }
        Ok(match padding {
            Padding::Same => len.div_ceil(stride),
            Padding::Valid => (len - span) / stride + 1,
        })
    }

    fn wrong(&self, what: String, hint: &str) -> Mistake {
        Mistake { layer: self.layer, at: 0..0, what, hint: hint.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traced(text: &str, input: Shape, n_out: usize) -> Result<Vec<Traced>, Mistake> {
        text.parse::<NetworkSpec>().unwrap().trace(input, 0, n_out)
    }

    #[test]
    fn parameters_are_those_of_keras() {
        // keras.Sequential of the same layers, `count_params()`, less the biases before batch norm.
        let lenet = "conv 6x5x5 relu | avgpool 2 | conv 16x5x5 valid relu | avgpool 2 | flatten | \
                     dense 120 relu | dense 84 relu | dense out";
        let lines = traced(lenet, Shape { height: 28, width: 28, channels: 1 }, 10).unwrap();
        assert_eq!(lines.iter().map(|line| line.n_params).sum::<usize>(), 61_706);
        let fcn = "conv 128x8 bn relu | conv 256x5 bn relu | conv 128x3 bn relu | gap | dense out";
        let lines = traced(fcn, Shape::series(150, 1), 5).unwrap();
        let n_params: usize = lines.iter().map(|line| line.n_params).sum();
        assert_eq!(n_params, 1024 + 256 + 163_840 + 512 + 98_304 + 256 + 645);
        let flops: f64 = lines.iter().map(|line| line.flops).sum();
        assert!((64.0 * 3.0 * flops / 15.1e9 - 1.0).abs() < 0.02, "{flops}");
    }

    #[test]
    fn what_does_not_fit_is_pointed_at() {
        let series = Shape::series(24, 1);
        let check = |text: &str, layer: usize, what: &str| {
            let mistake = traced(text, series, 2).unwrap_err();
            assert!(mistake.to_string().contains(what), "{mistake}");
            assert_eq!(mistake.layer, layer, "{text}");
        };
        check("conv 8x30 | gap | dense 2", 0, "the kernel of `conv 8x30` spans 30 and gets 24");
        check("conv 8x3 | dense 2", 1, "`dense 2` needs a row of values and gets 24 × 8");
        check("conv 8x3x3 | gap | dense 2", 0, "for series write `conv 8x3`");
        check("conv 8x3 | gap", 1, "ends in 8 values and the target asks for 2");
        check("conv 2x3", 0, "ends in 24 × 2");
        check("res( maxpool 2 ) | gap | dense 2", 0, "cannot be added");
        check("maxpool 30", 0, "longer than");
        let image = Shape { height: 8, width: 8, channels: 1 };
        assert!(traced("conv 8x3 | gap", image, 8).unwrap_err().hint.contains("conv 8x3x3"));
        let spec: NetworkSpec = "gap | dense out".parse().unwrap();
        assert!(spec.trace(series, 3, 2).unwrap_err().to_string().contains("`join`"));
        let spec: NetworkSpec = "gap | join | dense out".parse().unwrap();
        assert_eq!(spec.trace(series, 3, 2).unwrap()[2].n_params, 10);
    }
}
