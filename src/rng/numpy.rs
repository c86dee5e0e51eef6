//! The rows that scikit-learn's `train_test_split` takes, drawn as NumPy draws them.
//!
//! NumPy's `RandomState` is frozen (NEP 19): MT19937 (Matsumoto and Nishimura, 1998), seeded by
//! `init_genrand`, and a shuffle that rejects masked 32-bit draws.

/// Why rows cannot be drawn as scikit-learn draws them.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// NumPy refuses such a seed as well.
    #[error("seed `{0}` is too large for NumPy\nhint: choose one below 4294967296")]
    Seed(u64),
    /// The share is not one of a whole.
    #[error("a test share of `{0}` leaves no split\nhint: choose one between 0 and 1, such as 0.2")]
    Share(f64),
    /// One of the two parts would be empty.
    #[error("`{rows}` rows with a test share of `{share}` leave no training rows")]
    Empty {
        /// Rows to be divided.
        rows: usize,
        /// The share of them that was asked for the test.
        share: f64,
    },
}

/// NumPy's legacy generator, `numpy.random.RandomState(seed)`.
#[derive(Clone, Debug)]
pub struct RandomState {
    key: [u32; LEN],
    pos: usize,
}

impl RandomState {
    /// Seeds the generator as `RandomState(seed)` does for a whole number.
    pub fn new(seed: u64) -> Result<Self, Error> {
        let mut word = u32::try_from(seed).map_err(|_| Error::Seed(seed))?;
        let mut key = [0; LEN];
        for (idx, slot) in (1_u32..).zip(&mut key) {
            *slot = word;
            word = 1_812_433_253_u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(idx);
        }
        Ok(Self { key, pos: LEN })
    }

    /// The next 32 bits, tempered.
    pub fn next_u32(&mut self) -> u32 {
        if self.pos == LEN {
            self.twist();
        }
        let mut y = self.key[self.pos];
        self.pos += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `RandomState.permutation(n)`: the numbers `0..n` in the order that NumPy gives them.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            let other = self.interval(last as u64) as usize;
            order.swap(last, other);
        }
        order
    }

    /// A number from `0..=max`: bits beyond the highest of `max` are masked, and draws above it
    /// are thrown away.
    fn interval(&mut self, max: u64) -> u64 {
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let draw = if let Ok(mask) = u32::try_from(mask) {
                u64::from(self.next_u32() & mask)
            } else {
                let high = u64::from(self.next_u32());
                (high << 32 | u64::from(self.next_u32())) & mask
            };
            if draw <= max {
                return draw;
            }
        }
    }

    fn twist(&mut self) {
        for idx in 0..LEN {
            let y = (self.key[idx] & 0x8000_0000) | (self.key[(idx + 1) % LEN] & 0x7fff_ffff);
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.key[idx] = self.key[(idx + 397) % LEN] ^ (y >> 1) ^ odd;
        }
        self.pos = 0;
    }
}

const LEN: usize = 624;

/// Exactly the rows, in exactly the order, of scikit-learn's
/// `train_test_split(range(n), test_size=test, random_state=seed)`: training rows, then test rows.
///
/// ```
/// use karat::rng::numpy::train_test_split;
///
/// let (train, test) = train_test_split(10, 0.2, 42)?;
/// assert_eq!(train, [5, 0, 7, 2, 9, 4, 3, 6]);
/// assert_eq!(test, [8, 1]);
/// # Ok::<(), karat::rng::numpy::Error>(())
/// ```
pub fn train_test_split(n: usize, test: f64, seed: u64) -> Result<(Vec<usize>, Vec<usize>), Error> {
    if !(0.0 < test && test < 1.0) {
        return Err(Error::Share(test));
    }
    let n_test = (test * n as f64).ceil() as usize;
    if n <= n_test {
        return Err(Error::Empty { rows: n, share: test });
    }
    let mut test_rows = RandomState::new(seed)?.permutation(n);
    let train_rows = test_rows.split_off(n_test);
    Ok((train_rows, test_rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_are_those_of_numpy() {
        // numpy.random.RandomState(seed).permutation(n), NumPy 2
        let permutation = |seed, n| RandomState::new(seed).unwrap().permutation(n);
        assert_eq!(permutation(42, 10), [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]);
        assert_eq!(permutation(0, 8), [6, 2, 1, 7, 3, 0, 5, 4]);
        assert_eq!(permutation(4_294_967_295, 5), [4, 1, 0, 2, 3]);
        assert!(permutation(1, 0).is_empty());
        assert_eq!(permutation(1, 1), [0]);
        let long = permutation(7, 2_000);
        assert_eq!(long[..5], [1072, 1048, 204, 694, 1758]);
    }

    #[test]
    fn a_test_share_is_rounded_up() {
        let (train, test) = train_test_split(11, 0.2, 0).unwrap();
        assert_eq!((train.len(), test.len()), (8, 3));
    }

    #[test]
    fn what_numpy_and_scikit_learn_refuse_is_refused() {
        assert_eq!(train_test_split(10, 0.2, 1 << 32).unwrap_err(), Error::Seed(1 << 32));
        assert_eq!(train_test_split(10, 1.0, 1).unwrap_err(), Error::Share(1.0));
        assert!(matches!(train_test_split(10, f64::NAN, 1), Err(Error::Share(_))));
        assert_eq!(train_test_split(1, 0.5, 1).unwrap_err(), Error::Empty { rows: 1, share: 0.5 });
    }
}
