use crate::jobs::Team;
use crate::nn::spec::{NetworkSpec, Shape};
use crate::nn::{Loss, Network, Rows, Rule, Trainer, Training};
use crate::rng::{Seed, stream};

const IMAGE: Shape = Shape { height: 7, width: 6, channels: 2 };

/// Made-up rows from the stream `rows`: whole numbers where an embedding looks them up.
struct Made<F> {
    x: Vec<F>,
    statics: Vec<F>,
    y: Vec<F>,
    weight: Vec<F>,
}

fn made(n: usize, network: &Network<f64>, loss: Loss) -> Made<f64> {
    let mut rng = stream(Seed(3), "rows");
    let embeds = network.spec.to_string().starts_with("embed");
    let mut value = || if embeds { rng.below(5) as f64 } else { rng.normal() };
    let x = (0..n * network.input.len()).map(|_| value()).collect();
    let statics = (0..n * network.n_static).map(|_| rng.normal()).collect();
    let target = |k: usize| match loss {
        Loss::SoftmaxCrossEntropy => (k % network.n_out) as f64,
        Loss::BinaryCrossEntropy => (k % 2) as f64,
        _ => k as f64 / n as f64,
    };
    let weight = (0..n).map(|k| 0.5 + (k % 3) as f64).collect();
    Made { x, statics, y: (0..n).map(target).collect(), weight }
}

impl<F> Made<F> {
    fn rows(&self) -> Rows<'_, F> {
        Rows { x: &self.x, statics: &self.statics, y: &self.y, weight: Some(&self.weight) }
    }
}

fn training(loss: Loss) -> Training {
    Training { loss, rule: Rule::Adam, weight_decay: 0.0, clip: 0.0, chance: 9 }
}

/// The gradient of every weight against the slope of the loss between two nearby points.
fn check(text: &str, input: Shape, n_static: usize, n_out: usize, loss: Loss) {
    const STEP: f64 = 1e-6;
    const ROWS: usize = 5;
    let spec: NetworkSpec = text.parse().unwrap();
    let network = Network::<f64>::new(&spec, input, n_static, n_out, Seed(5)).unwrap();
    let rows = made(ROWS, &network, loss);
    let batch: Vec<u32> = (0..ROWS as u32).collect();
    let team = Team::new(1);
    let mut trainer = Trainer::new(network, training(loss), ROWS);
    // Weights away from where they begin: biases of 0 hide mistakes.
    let mut rng = stream(Seed(4), "weights");
    trainer.network.params.iter_mut().for_each(|w| *w += 0.1 * rng.normal());
    trainer.refresh();
    trainer.gradient(rows.rows(), &batch, &team);
    let grads = trainer.grads().to_vec();
    let n = grads.len();
    for k in (0..n).step_by((n / 150).max(1)) {
        let mut at = |by: f64| {
            let kept = trainer.network.params[k];
            trainer.network.params[k] = kept + by;
            let outcome = trainer.gradient(rows.rows(), &batch, &team);
            trainer.network.params[k] = kept;
            outcome.loss / outcome.weight
        };
        let slope = (at(STEP) - at(-STEP)) / (2.0 * STEP);
        let error = (slope - grads[k]).abs() / grads[k].abs().max(slope.abs()).max(1.0);
        let weights = trainer.network.weights().iter().find(|w| w.range.contains(&k)).unwrap();
        assert!(error < 1e-6, "{text}: {} {k}: {slope} {}", weights.name, grads[k]);
    }
    check_input(&trainer.network, &rows);
}

/// The gradient of the inputs, of the first row, as predictions are made.
fn check_input(network: &Network<f64>, rows: &Made<f64>) {
    const STEP: f64 = 1e-6;
    let embeds = network.spec.to_string().starts_with("embed");
    let (n, n_static, last) = (network.input.len(), network.n_static, network.n_out - 1);
    let (mut x, mut statics) = (rows.x[..n].to_vec(), rows.statics[..n_static].to_vec());
    let gradient = network.input_gradient(&network.ready(), &x, &statics, last);
    let team = Team::new(1);
    assert_eq!(gradient.outputs, network.outputs(&x, &statics, &team));
    let check = |slope: f64, got: f64| {
        assert!(
            (slope - got).abs() < 1e-6 * slope.abs().max(1.0),
            "{} {slope} {got}",
            network.spec
        );
    };
    for k in (0..n).filter(|_| !embeds) {
        let mut at = |by: f64| {
            let kept = x[k];
            x[k] += by;
            let out = network.outputs(&x, &statics, &team)[last];
            x[k] = kept;
            out
        };
        check((at(STEP) - at(-STEP)) / (2.0 * STEP), gradient.input[k]);
    }
    for k in 0..n_static {
        let mut at = |by: f64| {
            let kept = statics[k];
            statics[k] += by;
            let out = network.outputs(&x, &statics, &team)[last];
            statics[k] = kept;
            out
        };
        check((at(STEP) - at(-STEP)) / (2.0 * STEP), gradient.statics[k]);
    }
}

#[test]
fn gradients_of_dense_layers_and_activations_agree_with_finite_differences() {
    let flat = Shape::flat(6);
    for activation in ["relu", "leaky 0.2", "gelu", "tanh", "sigmoid"] {
        let text = format!("dense 5 {activation} | dense out");
        check(&text, flat, 0, 3, Loss::SoftmaxCrossEntropy);
    }
    check("gelu | dense 4 bn relu | dense 4 ln tanh | dense out", flat, 0, 1, Loss::Squared);
    check("join | dense 4 bn leaky | dense out", flat, 3, 1, Loss::BinaryCrossEntropy);
    check("dense 3 dropout 0.4 relu | dense out", flat, 0, 1, Loss::Huber { delta: 0.3 });
}

#[test]
fn gradients_of_convolutions_along_a_series_agree_with_finite_differences() {
    let series = Shape::series(9, 2);
    let check = |text: &str| check(text, series, 0, 3, Loss::SoftmaxCrossEntropy);
    check("conv 4x3 relu | gap | dense out");
    check("conv 4x8 bn relu | conv 5x5 bn relu | conv 3x3 bn relu | gap | dense out");
    check("conv 4x4 | conv 3x2 tanh | conv 3x5 | flatten | dense out");
    check("conv 4x4 valid tanh | conv 3x3 valid | gmp | dense out");
    check("conv 4x3 stride 2 | conv 3x3 dilation 2 bn | maxpool 2 | flatten | dense out");
    check("conv 4x2 stride 3 valid | avgpool 2 tanh | flatten | dense out");
    check("conv 4x1 ln | gap | dense out");
    // Pools take channels in blocks of several lengths.
    for n in [1, 2, 6, 8, 10, 16] {
        check(&format!("conv {n}x3 | maxpool 2 | conv {n}x2 | avgpool 2 | flatten | dense out"));
    }
    // Rows with room between them, made window by window.
    check("conv 4x3 stride 2 tanh | conv 3x3 | gap | dense out");
    check("conv 18x3 dilation 2 tanh | conv 3x4 | flatten | dense out");
}

#[test]
fn gradients_of_convolutions_over_an_image_agree_with_finite_differences() {
    let check = |text: &str| check(text, IMAGE, 0, 3, Loss::SoftmaxCrossEntropy);
    check("conv 4x3x3 relu | maxpool 2 | conv 3x2x2 bn tanh | gap | dense out");
    check("conv 4x5x5 valid | gmp | dense out");
    check("conv 17x3x2 stride 2 | avgpool 2 | flatten | dense out");
    check("conv 4x2x3 dilation 2 bn leaky | gap | dense out");
    let one = Shape { channels: 1, ..IMAGE };
    super::tests::check(
        "conv 3x5x5 tanh | avgpool 3 | conv 18x2x2 valid relu | flatten | dense out",
        one,
        0,
        2,
        Loss::SoftmaxCrossEntropy,
    );
    super::tests::check("conv 3x3x3 stride 2 | flatten | dense out", one, 0, 1, Loss::Squared);
    super::tests::check(
        "conv 2x3x3 dilation 2 valid | flatten | dense out",
        one,
        0,
        1,
        Loss::Squared,
    );
}

#[test]
fn gradients_of_blocks_embeddings_and_second_inputs_agree_with_finite_differences() {
    let series = Shape::series(8, 2);
    let block = "res( conv 4x4 bn relu | conv 4x3 bn relu | conv 4x2 bn ) relu";
    let text = format!("{block} | {block} | gap | join | dense 4 relu | dense out");
    check(&text, series, 3, 1, Loss::BinaryCrossEntropy);
    check("join | dense 4 tanh | join | dense out", Shape::flat(3), 2, 1, Loss::Squared);
    check(
        "res( conv 2x3 tanh ) | res( res( relu ) conv 2x5 ) | flatten | dense out",
        series,
        0,
        1,
        Loss::Squared,
    );
    check(
        "embed 5x3 | conv 4x3 tanh | gmp | dense out",
        Shape::series(7, 1),
        0,
        2,
        Loss::SoftmaxCrossEntropy,
    );
    let image = "res( conv 4x3x3 bn relu | conv 4x3x3 bn ) relu | gap | dense out";
    check(image, IMAGE, 0, 2, Loss::SoftmaxCrossEntropy);
}

fn trained(text: &str, input: Shape, n_threads: usize, n_rows: usize) -> Network<f32> {
    let spec: NetworkSpec = text.parse().unwrap();
    let network = Network::<f32>::new(&spec, input, 2, 3, Seed(1)).unwrap();
    let mut rng = stream(Seed(2), "rows");
    let mut draw = |n: usize| (0..n).map(|_| rng.normal() as f32).collect::<Vec<_>>();
    let (x, statics) = (draw(n_rows * input.len()), draw(n_rows * 2));
    let y: Vec<f32> = (0..n_rows).map(|k| (k % 3) as f32).collect();
    let rows = Rows { x: &x, statics: &statics, y: &y, weight: None };
    let training = Training {
        weight_decay: 0.01,
        clip: 1.0,
        rule: Rule::AdamW,
        ..training(Loss::SoftmaxCrossEntropy)
    };
    let mut trainer = Trainer::new(network, training, 32);
    let team = Team::new(n_threads);
    team.enter(|| {
        for step in 0..3 {
            // The last batch is smaller, and leaves a shard with nothing to do.
            let n = if step == 2 { 5 } else { 32 };
            let batch: Vec<u32> = (0..n).map(|k| (k * 7 + step) % n_rows as u32).collect();
            trainer.step(rows, &batch, 1e-2, &team);
        }
    });
    trainer.into_network()
}

#[test]
fn any_number_of_threads_gives_the_same_weights() {
    let trainer_of = |text: &str| {
        let spec: NetworkSpec = text.parse().unwrap();
        let network = Network::<f32>::new(&spec, Shape::series(40, 3), 2, 3, Seed(1)).unwrap();
        Trainer::new(network, training(Loss::SoftmaxCrossEntropy), 32)
    };
    let text = "conv 32x5 bn relu dropout 0.2 | res( conv 48x3 bn ) relu | gap | join | dense out";
    assert!(trainer_of(text).shards.len() > 1, "a single shard proves nothing");
    let one = trained(text, Shape::series(40, 3), 1, 50);
    for n_threads in [2, 4] {
        assert!(one == trained(text, Shape::series(40, 3), n_threads, 50), "{n_threads} threads");
    }
    assert!(one.params.iter().all(|w| w.is_finite()));
}

#[test]
fn a_batch_changes_no_bit_of_an_output() {
    let text = "conv 32x5 bn relu | gap | join | dense 20 relu | dense out";
    let network = trained(text, Shape::series(40, 3), 1, 50);
    let mut rng = stream(Seed(8), "rows");
    let x: Vec<f32> = (0..7 * 120).map(|_| rng.normal() as f32).collect();
    let statics: Vec<f32> = (0..14).map(|_| rng.normal() as f32).collect();
    let all = network.outputs(&x, &statics, &Team::new(3));
    for row in 0..7 {
        let one = network.outputs(
            &x[row * 120..(row + 1) * 120],
            &statics[row * 2..(row + 1) * 2],
            &Team::new(1),
        );
        assert_eq!(one, all[row * 3..(row + 1) * 3]);
    }
}

#[test]
fn a_team_changes_no_bit_of_a_row() {
    let image = Shape { height: 28, width: 28, channels: 1 };
    for (text, input) in [
        (
            "conv 128x8 bn relu | conv 96x5 bn relu | res( conv 96x3 bn ) tanh | gap | dense out",
            Shape::series(150, 1),
        ),
        ("conv 32x3x3 relu | maxpool 2 | conv 64x3x3 gelu | flatten | dense 90 | dense out", image),
    ] {
        let spec: NetworkSpec = text.parse().unwrap();
        let network = Network::<f32>::new(&spec, input, 0, 3, Seed(3)).unwrap();
        assert!(network.is_large());
        let mut rng = stream(Seed(8), "row");
        let x: Vec<f32> = (0..input.len()).map(|_| rng.normal() as f32).collect();
        let alone = network.outputs(&x, &[], &Team::new(1));
        for n_threads in [2, 3] {
            let team = Team::new(n_threads);
            for _ in 0..20 {
                assert_eq!(network.outputs(&x, &[], &team), alone, "{text} {n_threads}");
            }
        }
        // The way back does batch norms by themselves.
        let gradient = network.input_gradient(&network.ready(), &x, &[], 0);
        for (own, plain) in alone.iter().zip(gradient.outputs) {
            assert!((own - plain).abs() < 1e-5, "{text}: {own} {plain}");
        }
    }
}

const LONG: Shape = Shape { height: 1, width: 90, channels: 2 };
const WIDE: Shape = Shape { height: 24, width: 22, channels: 1 };

#[test]
fn rows_together_give_what_each_gives_alone() {
    let series = Shape::series(11, 3);
    for (text, input) in [
        ("conv 4x3 stride 2 tanh | conv 3x3 | gap | dense out", series),
        (
            "conv 20x3 dilation 2 relu | conv 3x4 relu | conv 5x2 valid | flatten | dense out",
            series,
        ),
        (
            "res( conv 3x5 relu | conv 3x3 ) | conv 4x7 stride 2 | conv 4x2 | gmp | dense out",
            series,
        ),
        // A row alone goes by kernels at points, several go by the plain sum.
        ("conv 32x3 tanh | conv 64x5 relu | conv 32x4 relu | gap | dense out", LONG),
        ("conv 32x3x3 relu | conv 32x3x5 valid tanh | conv 32x2x4 | flatten | dense out", WIDE),
    ] {
        let spec: NetworkSpec = text.parse().unwrap();
        let network = Network::<f64>::new(&spec, input, 0, 2, Seed(5)).unwrap();
        let rows = made(6, &network, Loss::SoftmaxCrossEntropy);
        let alone = network.outputs(&rows.x, &[], &Team::new(1));
        let (loss, y) = (Loss::SoftmaxCrossEntropy, &rows.y);
        let of = |row: usize| loss.of(&alone[row * 2..row * 2 + 2], y[row]).0 * rows.weight[row];
        let expected: f64 = (0..6).map(of).sum();
        let mut trainer = Trainer::new(network, training(loss), 6);
        let batch: Vec<u32> = (0..6).collect();
        let together = trainer.gradient(rows.rows(), &batch, &Team::new(1)).loss;
        assert!((together - expected).abs() < 1e-9, "{text}: {together} {expected}");
    }
}

#[test]
fn kernels_at_points_give_the_gradients_of_the_plain_sums() {
    for (text, input) in [
        ("conv 32x3 tanh | conv 64x5 bn relu | res( conv 64x4 relu ) | gap | dense out", LONG),
        ("conv 16x3x3 relu | conv 32x3x5 valid bn tanh | conv 32x2x4 | flatten | dense out", WIDE),
    ] {
        let spec: NetworkSpec = text.parse().unwrap();
        let network = Network::<f64>::new(&spec, input, 0, 2, Seed(6)).unwrap();
        let rows = made(6, &network, Loss::SoftmaxCrossEntropy);
        let batch: Vec<u32> = (0..6).collect();
        let mut trainer = Trainer::new(network, training(Loss::SoftmaxCrossEntropy), 6);
        assert!(trainer.toom.iter().all(|all| all.iter().any(Option::is_some)), "{text}");
        trainer.gradient(rows.rows(), &batch, &Team::new(2));
        let quick = trainer.grads().to_vec();
        trainer.toom = Default::default();
        trainer.gradient(rows.rows(), &batch, &Team::new(2));
        let largest = trainer.grads().iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        for (quick, plain) in quick.iter().zip(trainer.grads()) {
            assert!((quick - plain).abs() < 1e-11 * largest, "{text}: {quick} {plain}");
        }
    }
}

#[test]
fn a_small_network_learns_exclusive_or() {
    let spec: NetworkSpec = "dense 8 tanh | dense out".parse().unwrap();
    let network = Network::<f32>::new(&spec, Shape::flat(2), 0, 1, Seed(1)).unwrap();
    let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
    let y = [0.0, 1.0, 1.0, 0.0];
    let rows = Rows { x: &x, statics: &[], y: &y, weight: None };
    let mut trainer = Trainer::new(network, training(Loss::BinaryCrossEntropy), 4);
    let team = Team::new(1);
    let losses: Vec<f64> =
        (0..400).map(|_| trainer.step(rows, &[0, 1, 2, 3], 0.05, &team).loss / 4.0).collect();
    assert!(losses[0] > 0.5 && losses[399] < 0.02, "{} {}", losses[0], losses[399]);
    let mut outputs = trainer.network().outputs(&x, &[], &team);
    Loss::BinaryCrossEntropy.link(&mut outputs);
    assert!(outputs.iter().zip(y).all(|(p, y)| (p - y).abs() < 0.1), "{outputs:?}");
}
