//! Convolution along a series or over an image.

use std::ops::Range;

use super::windows::{self, Span};
use super::{Activation, Finish, Toom, add_positions, direct, lines};
use crate::jobs::Team;
use crate::nn::Real;
use crate::nn::batch::{Batch, Geometry};
use crate::nn::product::{Grid, Into, product};
use crate::nn::spec::{Padding, Shape};

/// A kernel that slides over positions (LeCun et al., 1989), as networks define it: without the
/// flip of signal processing.
///
/// ```text
/// y[p, f] = b[f] + Σ_t Σ_c W[t, c, f] · x[s p + δ t − l, c]
/// ```
///
/// with output position `p`, filter `f`, tap `t`, input channel `c`, stride `s`, dilation `δ` and
/// `l` zeros in front; over an image `p`, `t` and `l` are pairs of row and column. Backward, with
/// `d = ∂L/∂y`:
///
/// ```text
/// ∂L/∂W[t, c, f] = Σ_p x[s p + δ t − l, c] · d[p, f]      ∂L/∂b[f] = Σ_p d[p, f]
/// ∂L/∂x[i, c]    = Σ_t Σ_f W[t, c, f] · d[(i + l − δ t) / s, f]   where that is whole
/// ```
///
/// Along a series with stride and dilation 1 the windows of all rows form one matrix whose rows
/// overlap, so that each of the three is a single matrix product over memory as it lies. Elsewhere
/// the windows of a few rows at a time are copied side by side first (im2col).
#[derive(Clone, Debug)]
pub(in crate::nn) struct Conv {
    pub(in crate::nn) input: Shape,
    pub(in crate::nn) n_filters: usize,
    /// Rows and columns of the kernel.
    pub(in crate::nn) size: [usize; 2],
    pub(in crate::nn) stride: usize,
    pub(in crate::nn) dilation: usize,
    pub(in crate::nn) padding: Padding,
    /// Zeros in front of the first row and of the first column.
    pub(in crate::nn) before: [usize; 2],
    pub(in crate::nn) kernel: Range<usize>,
    pub(in crate::nn) bias: Option<Range<usize>>,
    /// For each output column the taps of a line that lie within the input.
    pub(in crate::nn) spans: Vec<Span>,
}

/// Values of copied windows that are multiplied at once: few enough to stay in the cache.
const TILE: usize = 1 << 16;

impl Conv {
    /// A convolution whose weights have no place yet.
    pub(in crate::nn) fn new(
        input: Shape,
        n_filters: usize,
        size: [usize; 2],
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> Self {
        let before = |len: usize, size: usize| match padding {
            Padding::Valid => 0,
            Padding::Same => {
                let span = (size - 1) * dilation + 1;
                ((len.div_ceil(stride) - 1) * stride + span).saturating_sub(len) / 2
            }
        };
        let before = [before(input.height, size[0]), before(input.width, size[1])];
        let (kernel, bias) = (0..0, None);
        let spans = Vec::new();
        let mut conv =
            Self { input, n_filters, size, stride, dilation, padding, before, kernel, bias, spans };
        conv.spans = windows::spans(&conv);
        conv
    }

    /// What it makes of its input.
    #[inline(always)]
    pub(in crate::nn) fn output(&self) -> Shape {
        let len = |len: usize, size: usize| match self.padding {
            Padding::Same => len.div_ceil(self.stride),
            Padding::Valid => (len - (size - 1) * self.dilation - 1) / self.stride + 1,
        };
        Shape {
            height: len(self.input.height, self.size[0]),
            width: len(self.input.width, self.size[1]),
            channels: self.n_filters,
        }
    }

    /// Taps of the kernel.
    pub(in crate::nn) fn taps(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Whether the windows can be read from memory as it lies.
    pub(in crate::nn) fn slides(&self) -> bool {
        self.input.height == 1 && self.stride == 1 && self.dilation == 1
    }

    /// Values of one window.
    fn depth(&self) -> usize {
        self.taps() * self.input.channels
    }

    /// Rows whose windows are copied at once.
    fn tile_rows(&self) -> usize {
        (TILE / (self.depth() * self.output().positions())).max(1)
    }

    /// The same for a batch that lies like this: its rows are one matrix only if nothing lies
    /// between them.
    fn rows_at_once(&self, output: Geometry) -> usize {
        if output.gap == 0 { self.tile_rows() } else { 1 }
    }

    /// Room for copied windows and what is made of them, in values, for up to so many rows.
    pub(in crate::nn) fn scratch(&self, capacity: usize) -> usize {
        let direct = direct::scratch(self);
        if self.slides() {
            return direct;
        }
        let n_rows = self.tile_rows().min(capacity);
        let of_windows = n_rows * self.output().positions() * (self.depth() + self.n_filters);
        direct.max(of_windows + self.depth() * self.n_filters)
    }

    /// Room for the flipped kernel, in values.
    pub(in crate::nn) fn flipped_len(&self) -> usize {
        if self.slides() { self.kernel.len() } else { 0 }
    }

    /// The kernel as the gradient of the input needs it where windows slide: taps in reverse,
    /// filters before channels.
    pub(in crate::nn) fn flip<F: Real>(&self, params: &[F], flipped: &mut [F]) {
        if !self.slides() {
            return;
        }
        let (n_channels, n_filters) = (self.input.channels, self.n_filters);
        let taps = params[self.kernel.clone()].chunks_exact(n_channels * n_filters);
        for (tap, out) in taps.rev().zip(flipped.chunks_exact_mut(n_channels * n_filters)) {
            for (channel, weights) in tap.chunks_exact(n_filters).enumerate() {
                let places = out[channel..].iter_mut().step_by(n_channels);
                places.zip(weights).for_each(|(place, weight)| *place = *weight);
            }
        }
    }

    pub(in crate::nn) fn forward<F: Real>(
        &self,
        params: &[F],
        mut finish: Finish<'_, F>,
        input: &Batch<F>,
        output: &mut Batch<F>,
        (scratch, team): (&mut [F], Option<&Team>),
        n_rows: usize,
    ) {
        let kernel = (&params[self.kernel.clone()], self.kernel_grid());
        if direct::takes(self, n_rows) {
            for idx in 0..n_rows {
                let (from, to) = (input.row(idx), output.row_mut(idx));
                direct::slide(self, kernel.0, &finish, from, to, scratch, team);
            }
            return;
        }
        if self.slides() {
            let to = self.slid_rows(output, n_rows);
            let from = self.slid_windows(input, to.rows);
            product((&mut output.values, to), (&input.values, from), kernel, Into::Replace);
            output.clear_gaps(n_rows);
        } else {
            let n_positions = self.output().positions();
            let n_made = scratch.len() / (self.depth() + self.n_filters) * self.n_filters;
            let (copied, made) = scratch.split_at_mut(scratch.len() - n_made);
            let mut added = false;
            let at_once = self.rows_at_once(output.geometry);
            for first in (0..n_rows).step_by(at_once) {
                let n = at_once.min(n_rows - first);
                let grid = windows::copy(self, input, first..first + n, copied);
                let m = n * n_positions;
                if self.n_filters < windows::FEW_FILTERS && grid.row_step == 1 {
                    // Few filters: positions run fastest in the product, and are turned round after.
                    let turned = Grid::new(0, self.n_filters, m, m);
                    let made = &mut made[..m * self.n_filters];
                    let kernel = (kernel.0, kernel.1.transposed());
                    product((made, turned), kernel, (copied, grid.transposed()), Into::Replace);
                    for idx in 0..n {
                        let (row, at) = (output.row_mut(first + idx), (idx * n_positions, m));
                        lines::to_rows(made, at, finish.bias, row, self.n_filters);
                    }
                    added = true;
                } else {
                    let lead = output.geometry.lead() + first * output.geometry.pitch();
                    let to = Grid::new(lead, m, self.n_filters, self.n_filters);
                    product((&mut output.values, to), (copied, grid), kernel, Into::Replace);
                }
            }
            finish.bias = finish.bias.filter(|_| !added);
        }
        (0..n_rows).for_each(|idx| finish.apply(output.row_mut(idx)));
    }

    /// The bias, and what else is to follow the products.
    pub(in crate::nn) fn finish<'a, F: Real>(
        &self,
        params: &'a [F],
        norm: Option<[&'a [F]; 4]>,
        activation: Option<Activation>,
    ) -> Finish<'a, F> {
        Finish { bias: self.bias.clone().map(|bias| &params[bias]), norm, activation }
    }

    #[expect(clippy::too_many_arguments, reason = "what goes in and what comes out")]
    pub(in crate::nn) fn backward<F: Real>(
        &self,
        params: &[F],
        (flipped, toom): (&[F], Option<&Toom<F>>),
        input: &Batch<F>,
        d: &Batch<F>,
        grads: &mut [F],
        mut d_input: Option<(&mut Batch<F>, Into)>,
        scratch: &mut [F],
        n_rows: usize,
    ) {
        if let Some((d_input, into)) = d_input.take_if(|_| toom.is_some())
            && let Some(toom) = toom
        {
            for idx in 0..n_rows {
                let to = d_input.row_mut(idx);
                toom.slide(d.row(idx), to, &Finish::NONE, into, scratch, None);
            }
        }
        if let Some(bias) = self.bias.clone() {
            let sums = &mut grads[bias];
            sums.fill(F::ZERO);
            (0..n_rows).for_each(|idx| add_positions(sums, d.row(idx)));
        }
        let d_kernel = &mut grads[self.kernel.clone()];
        if self.slides() {
            let of_d = self.slid_rows(d, n_rows);
            let from = self.slid_windows(input, of_d.rows).transposed();
            let to = self.kernel_grid();
            product((d_kernel, to), (&input.values, from), (&d.values, of_d), Into::Replace);
            if let Some((d_input, into)) = d_input {
                self.slid_back(flipped, d, d_input, into, n_rows);
            }
        } else {
            self.copied_back(params, input, d, d_kernel, d_input, scratch, n_rows);
        }
    }

    /// The gradient of the input: the gradient of the output slides over the flipped kernel.
    fn slid_back<F: Real>(
        &self,
        flipped: &[F],
        d: &Batch<F>,
        d_input: &mut Batch<F>,
        into: Into,
        n_rows: usize,
    ) {
        let (n_channels, n_filters) = (self.input.channels, self.n_filters);
        let geometry = d_input.geometry;
        let m = (n_rows - 1) * (geometry.pitch() / n_channels) + self.input.width;
        let to = Grid::new(geometry.lead(), m, n_channels, n_channels);
        let start = d.geometry.lead() - (self.taps() - 1 - self.before[1]) * n_filters;
        let from = Grid::new(start, m, self.taps() * n_filters, n_filters);
        let kernel = Grid::new(0, self.taps() * n_filters, n_channels, n_channels);
        product((&mut d_input.values, to), (&d.values, from), (flipped, kernel), into);
        d_input.clear_gaps(n_rows);
    }

    #[expect(clippy::too_many_arguments, reason = "what goes in and what comes out")]
    fn copied_back<F: Real>(
        &self,
        params: &[F],
        input: &Batch<F>,
        d: &Batch<F>,
        d_kernel: &mut [F],
        mut d_input: Option<(&mut Batch<F>, Into)>,
        scratch: &mut [F],
        n_rows: usize,
    ) {
        let kernel = (&params[self.kernel.clone()], self.kernel_grid().transposed());
        let n_positions = self.output().positions();
        let at_once = self.rows_at_once(d.geometry);
        for first in (0..n_rows).step_by(at_once) {
            let n = at_once.min(n_rows - first);
            let m = n * n_positions;
            let grid = windows::copy(self, input, first..first + n, scratch).transposed();
            let lead = d.geometry.lead() + first * d.geometry.pitch();
            let of_d = Grid::new(lead, m, self.n_filters, self.n_filters);
            let into = if first == 0 { Into::Replace } else { Into::Add };
            if self.n_filters < windows::FEW_FILTERS && grid.column_step == 1 {
                // Few filters: the gradient is laid out as the windows are, position by position.
                let (copied, rest) = scratch.split_at_mut(self.depth() * m);
                let (turned, made) = rest.split_at_mut(self.n_filters * m);
                for idx in 0..n {
                    let row = d.row(first + idx);
                    lines::to_lines(row, self.n_filters, turned, idx * n_positions, m);
                }
                let made = &mut made[..self.depth() * self.n_filters];
                lines::dots(made, turned, copied, (m, m), Into::Replace);
                windows::add_turned(d_kernel, made, self.n_filters, into);
            } else {
                let to = self.kernel_grid();
                product((d_kernel, to), (scratch, grid), (&d.values, of_d), into);
            }
            if let Some((d_input, into)) = &mut d_input {
                let of_windows = Grid::new(0, m, self.depth(), self.depth());
                product((scratch, of_windows), (&d.values, of_d), kernel, Into::Replace);
                for idx in 0..n {
                    let windows = &scratch[idx * n_positions * self.depth()..];
                    windows::add_back(self, windows, d_input.row_mut(first + idx), *into);
                }
            }
        }
    }

    fn kernel_grid(&self) -> Grid {
        Grid::new(0, self.depth(), self.n_filters, self.n_filters)
    }

    /// All positions of all rows and of the gaps between them, as the rows of a matrix.
    fn slid_rows<F: Real>(&self, output: &Batch<F>, n_rows: usize) -> Grid {
        let geometry = output.geometry;
        let pitch = geometry.pitch() / self.n_filters;
        let m = (n_rows - 1) * pitch + geometry.shape.width;
        Grid::new(geometry.lead(), m, self.n_filters, self.n_filters)
    }

    /// The window of each of them.
    fn slid_windows<F: Real>(&self, input: &Batch<F>, m: usize) -> Grid {
        let start = input.geometry.lead() - self.before[1] * self.input.channels;
        Grid::new(start, m, self.depth(), self.input.channels)
    }
}
