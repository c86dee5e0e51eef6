use super::*;
use crate::nn::batch::{Batch, Geometry};
use crate::nn::spec::{Padding, Shape};
use crate::nn::wide::NARROW;
use crate::rng::{Seed, stream};

/// The largest difference from the plain sum, as a share of the largest value: of the outputs,
/// and of the gradient of the input.
fn off<F: Real>(input: Shape, size: [usize; 2], padding: Padding) -> [f64; 2] {
    let mut conv = Conv::new(input, 32, size, 1, 1, padding);
    conv.kernel = 0..conv.taps() * input.channels * conv.n_filters;
    let mut rng = stream(Seed(7), "toom");
    let mut draw = |n: usize| (0..n).map(|_| F::of(rng.normal())).collect::<Vec<F>>();
    let (params, row, slope) =
        (draw(conv.kernel.len()), draw(input.len()), draw(conv.output().len()));
    let gap = if conv.slides() { conv.taps() - 1 } else { 0 };
    let batch = |shape: Shape, values: &[F]| {
        let more = if gap > 0 { input.width - shape.width } else { 0 };
        let mut batch = Batch::new(Geometry { shape, gap: gap + more }, 1);
        batch.row_mut(0).copy_from_slice(values);
        batch
    };
    let (before, d) = (batch(input, &row), batch(conv.output(), &slope));
    let (mut plain, mut plain_back) = (batch(conv.output(), &slope), batch(input, &row));
    let mut scratch = vec![F::ZERO; conv.scratch(1)];
    conv.forward(&params, Finish::NONE, &before, &mut plain, (&mut scratch, None), 1);
    let mut flipped = vec![F::ZERO; conv.flipped_len()];
    conv.flip(&params, &mut flipped);
    let mut grads = params.clone();
    let (turned, to) = ((&flipped[..], None), Some((&mut plain_back, Into::Add)));
    conv.backward(&params, turned, &before, &d, &mut grads, to, &mut scratch, 1);
    let tooms = [Toom::forward_of(&conv), Toom::back_of(&conv)];
    let rooms = Toom::<F>::scratch(&conv);
    let from =
        [(&row, vec![F::ZERO; conv.output().len()], &plain), (&slope, row.clone(), &plain_back)];
    let mut shares = [0.0; 2];
    for (at, (toom, (from, mut made, plain))) in tooms.into_iter().zip(from).enumerate() {
        let mut toom = toom.expect("a kernel for it");
        toom.take(&params);
        let mut room = vec![F::of(f64::NAN); rooms[at].expect("room")];
        let into = if at == 0 { Into::Replace } else { Into::Add };
        let room = &mut room;
        toom.slide(from, &mut made, &Finish::NONE, into, room, None);
        let largest = plain.row(0).iter().map(|v| v.f64().abs()).fold(0.0, f64::max);
        let pairs = plain.row(0).iter().zip(&made);
        let most = pairs.map(|(a, b)| (a.f64() - b.f64()).abs()).fold(0.0, f64::max);
        shares[at] = if made.iter().all(|v| v.f64().is_finite()) { most / largest } else { 1.0 };
    }
    shares
}

#[test]
fn fewer_products_give_the_plain_sum() {
    let series = |width| Shape::series(width, 16);
    let image = Shape { height: 19, width: 18, channels: 16 };
    let small = |off: [f64; 2], most: f64, what: &dyn std::fmt::Debug| {
        assert!(off.iter().all(|off| *off < most), "{what:?} {off:?}");
    };
    for (padding, is_narrow) in
        [(Padding::Same, false), (Padding::Valid, false), (Padding::Same, true)]
    {
        NARROW.set(is_narrow);
        for taps in 2..=5 {
            for width in 270..276 {
                small(
                    off::<f64>(series(width), [1, taps], padding),
                    1e-14,
                    &(padding, taps, width),
                );
            }
            small(off::<f32>(series(270), [1, taps], padding), 5e-6, &(padding, taps));
            for lines in 1..=5 {
                let what = (padding, lines, taps);
                small(off::<f64>(image, [lines, taps], padding), 4e-14, &what);
                small(off::<f32>(image, [lines, taps], padding), 8e-6, &what);
            }
            small(off::<f64>(image, [taps, 1], padding), 1e-14, &(padding, taps));
        }
    }
}

#[test]
fn a_team_changes_no_bit() {
    let shapes =
        [(Shape::series(61, 32), [1, 5]), (Shape { height: 13, width: 22, channels: 32 }, [3, 3])];
    for (shape, size) in shapes {
        let mut conv = Conv::new(shape, 96, size, 1, 1, Padding::Same);
        conv.kernel = 0..conv.taps() * 32 * 96;
        let mut rng = stream(Seed(9), "team");
        let mut draw = |n: usize| (0..n).map(|_| rng.normal() as f32).collect::<Vec<_>>();
        let (params, row) = (draw(conv.kernel.len()), draw(shape.len()));
        let mut toom = Toom::forward_of(&conv).expect("a kernel for it");
        toom.take(&params);
        let made = |team: Option<&Team>| {
            let mut made = vec![0.0; conv.output().len()];
            let mut room = vec![f32::NAN; Toom::<f32>::scratch(&conv)[0].expect("room")];
            toom.slide(&row, &mut made, &Finish::NONE, Into::Replace, &mut room, team);
            made
        };
        let alone = made(None);
        for n_threads in [2, 3, 9] {
            assert_eq!(made(Some(&Team::new(n_threads))), alone, "{n_threads} threads");
        }
    }
}

#[test]
fn what_would_gain_nothing_is_left_alone() {
    let conv = |channels, taps, stride| {
        let input = Shape::series(100, channels);
        let mut conv = Conv::new(input, 64, [1, taps], stride, 1, Padding::Same);
        conv.kernel = 0..taps * channels * 64;
        Toom::<f32>::forward_of(&conv).is_some()
    };
    assert!(conv(64, 3, 1));
    assert!(!conv(64, 8, 1) && !conv(60, 3, 1) && !conv(64, 3, 2) && !conv(1, 3, 1));
}
