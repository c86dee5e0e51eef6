//! What a network looks at, of one row in hand: the same tensor as from a table.

use super::FittedSight;

impl FittedSight {
    /// The columns whose values stand in the tensor, cell by cell; `None` for windows, which look
    /// at rows before.
    pub fn cells(&self) -> Option<Vec<&str>> {
        if self.layout.along.is_some() {
            return None;
        }
        let [height, width, n_channels] = self.shape();
        let name = |place: usize| {
            let channel = &self.layout.channels[place % n_channels];
            channel.columns.get(place / n_channels).map(String::as_str)
        };
        (0..height * width * n_channels).map(name).collect()
    }

    /// The cell that a value becomes in the tensor, by its place; NaN stands for a missing one.
    pub fn cell(&self, place: usize, value: f64) -> f32 {
        let channel = place % self.channels.len();
        self.scaled(channel, if value.is_finite() { value } else { f64::NAN })
    }
}
