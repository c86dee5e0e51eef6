//! The generator behind every stream: xoshiro256++ (Blackman and Vigna, 2019).

use sha2::{Digest, Sha256};

use crate::rng::Seed;

/// A stream of random numbers, made by [`stream`](crate::rng::stream).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// Fills the 256 bits of state with the SHA-256 digest of seed and name: streams of different
    /// names start at unrelated places of a period of 2^256 - 1.
    pub(super) fn of(seed: Seed, name: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.0.to_le_bytes()).chain_update(name).finalize();
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Self { state }
    }

    /// The next 64 random bits, from which all other draws are made.
    pub fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = &mut self.state;
        let result = s0.wrapping_add(*s3).rotate_left(23).wrapping_add(*s0);
        let shifted = *s1 << 17;
        *s2 ^= *s0;
        *s3 ^= *s1;
        *s1 ^= *s2;
        *s0 ^= *s3;
        *s2 ^= shifted;
        *s3 = s3.rotate_left(45);
        result
    }

    /// A number from [0, 1), one of 2^53 evenly spaced ones.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number from `0..n`, each equally likely (Lemire, 2019).
    ///
    /// # Panics
    /// If `n` is 0: there is nothing to choose from.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(0 < n, "no number lies below 0");
        let n = n as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            // The low half tells whether this draw belongs to the surplus that some numbers have;
            // the division is needed only in the rare case that it is smaller than `n`.
            let low = product as u64;
            if n <= low || n.wrapping_neg() % n <= low {
                return (product >> 64) as usize;
            }
        }
    }

    /// A draw from the standard normal distribution, by the polar method (Marsaglia, 1964).
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if 0.0 < s && s < 1.0 {
                return u * (-2.0 * s.ln() / s).sqrt();
            }
        }
    }

    /// Brings `items` into a random order, every order being equally likely (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// The numbers `0..n` in a random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::rng::{Rng, Seed, stream};

    #[test]
    fn the_generator_is_xoshiro256_plus_plus() {
        // The first values of the reference implementation from the state 1, 2, 3, 4.
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let drawn = [(); 4].map(|()| rng.next_u64());
        assert_eq!(drawn, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn a_stream_is_fixed_for_ever() {
        // hashlib.sha256((42).to_bytes(8, "little") + b"split"), as the state of the above.
        let mut rng = stream(Seed(42), "split");
        let drawn = [(); 3].map(|()| rng.next_u64());
        let expected =
            [17_639_870_362_595_483_011, 14_155_498_661_792_025_434, 11_399_166_685_299_785_999];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn streams_of_one_seed_differ_by_name() {
        let (mut a, mut b) = (stream(Seed(1), "split"), stream(Seed(1), "init"));
        assert_ne!([(); 4].map(|()| a.next_u64()), [(); 4].map(|()| b.next_u64()));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut rng = stream(Seed(7), "moments");
        let n = 20_000;
        let (mut uniform, mut normal, mut square) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            uniform += rng.uniform() / f64::from(n);
            let draw = rng.normal();
            normal += draw / f64::from(n);
            square += draw * draw / f64::from(n);
        }
        assert!((uniform - 0.5).abs() < 0.01, "{uniform}");
        assert!(normal.abs() < 0.03, "{normal}");
        assert!((square - 1.0).abs() < 0.04, "{square}");
    }

    #[test]
    fn every_number_below_is_drawn_about_equally_often() {
        let mut rng = stream(Seed(7), "below");
        let mut counts = [0; 6];
        for _ in 0..6_000 {
            counts[rng.below(6)] += 1;
        }
        assert!(counts.iter().all(|n| (880..1_120).contains(n)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn a_permutation_has_every_number_once(seed: u64, n in 0_usize..200) {
            let mut order = stream(Seed(seed), "law").permutation(n);
            order.sort_unstable();
            prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
    }
}
