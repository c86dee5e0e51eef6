//! What slides over what, and how it is cut into tiles.

use super::line::{self, MOST_IN_PLANE, MOST_POINTS};
use super::{LANES, PANEL};
use crate::nn::layers::Conv;
use crate::nn::spec::Shape;

/// Below this many multiplications of a row, what is saved does not pay for the way there,
const WORTH: usize = 1 << 18;
/// nor does it where a product has fewer rows than this to read the kernel for.
const FEWEST_TILES: usize = 8;

/// What slides over what: one row of a convolution, or its gradient on the way back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// The channels of a value are those that are summed over.
    pub(super) input: Shape,
    /// The channels of a value are the filters.
    pub(super) output: Shape,
    pub(super) size: [usize; 2],
    pub(super) before: [usize; 2],
    /// Outputs of a tile: rows and columns.
    pub(super) tile: [usize; 2],
}

impl Frame {
    fn of(conv: &Conv) -> Self {
        Self::new(conv.input, conv.output(), conv.size, conv.before)
    }

    /// The gradient of the output slides over the flipped kernel.
    fn back(conv: &Conv) -> Self {
        let [lines, taps] = conv.size;
        let before = [lines - 1 - conv.before[0], taps - 1 - conv.before[1]];
        Self::new(conv.output(), conv.input, conv.size, before)
    }

    fn new(input: Shape, output: Shape, size: [usize; 2], before: [usize; 2]) -> Self {
        let is_plane = size.iter().all(|taps| *taps > 1);
        let most_points = if is_plane { MOST_IN_PLANE } else { MOST_POINTS };
        let tile = [
            line::outputs(size[0], output.height, most_points),
            line::outputs(size[1], output.width, most_points),
        ];
        Self { input, output, size, before, tile }
    }

    /// Whether this way is open and worth it.
    fn fits(self) -> bool {
        let [n_lines, taps] = self.size;
        if n_lines * taps == 1 || n_lines.max(taps) > 5 {
            return false;
        }
        let n_values = self.input.channels * self.output.channels;
        let plain = self.output.positions() * n_lines * taps;
        let own = self.n_points() * self.n_tiles();
        let in_lanes =
            self.input.channels.is_multiple_of(LANES) && self.output.channels.is_multiple_of(LANES);
        let saves = 4 * own <= 3 * plain && plain * n_values >= WORTH;
        in_lanes && saves && self.n_tiles() >= FEWEST_TILES
    }

    /// Points in both directions together.
    pub(super) fn n_points(self) -> usize {
        let tile = self.tile;
        (0..2).map(|way| tile[way] + self.size[way] - 1).product()
    }

    /// Tiles from top to bottom, and along a line.
    pub(super) fn tiles(self) -> [usize; 2] {
        let [height, width] = self.tile;
        [self.output.height.div_ceil(height), self.output.width.div_ceil(width)]
    }

    pub(super) fn n_tiles(self) -> usize {
        self.tiles().iter().product()
    }

    /// Outputs lie in one piece where their tiles are whole rows of tiles, or tiles of a series: so
    /// many tiles make the smallest piece, and so many pieces there are.
    pub(super) fn pieces(self) -> (usize, usize) {
        let [down, along] = self.tiles();
        if self.output.height == 1 { (1, along) } else { (along, down) }
    }

    /// The first position of a piece.
    pub(super) fn position(self, piece: usize) -> usize {
        let ([height, width], output) = (self.tile, self.output);
        if output.height == 1 {
            (piece * width).min(output.width)
        } else {
            (piece * height).min(output.height) * output.width
        }
    }

    /// Room for the values of a few tiles at the points: the inputs, and the outputs of a panel.
    pub(super) fn scratch(self, n_tiles: usize) -> usize {
        let filters = self.output.channels.min(PANEL);
        self.n_points() * (pitch(n_tiles, self.input.channels) + pitch(n_tiles, filters))
    }
}

/// From the values at one point to those at the next. An odd number of vectors, since values that
/// lie a power of two apart would drive one another out of the cache.
pub(super) fn pitch(n_tiles: usize, n_values: usize) -> usize {
    ((n_tiles * n_values / LANES) | 1) * LANES
}

/// The frames of a convolution, forward and back, as far as they are worth it.
pub(super) fn frames(conv: &Conv) -> [Option<Frame>; 2] {
    let is_plain = conv.stride == 1 && conv.dilation == 1;
    [Frame::of(conv), Frame::back(conv)]
        .map(|frame| Some(frame).filter(|own| is_plain && own.fits()))
}
