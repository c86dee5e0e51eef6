//! Curves on small buffers, looked at as text.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ui::theme::{Glyphs, Tier};

fn text_of(buf: &Buffer) -> Vec<String> {
    let rows = buf.content.chunks(usize::from(buf.area.width.max(1)));
    rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect()
}

fn drawn(plot: &LinePlot<'_>, width: u16, height: u16, glyphs: Glyphs) -> Vec<String> {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    plot.render(buf.area, &mut buf, &Theme::new(Tier::None, glyphs));
    text_of(&buf)
}

fn series<'a>(name: &'a str, points: &'a [(f64, f64)]) -> Series<'a> {
    Series { name, role: Role::Train, points, dash: Dash::Solid }
}

#[test]
fn a_roc_has_its_axes_and_its_diagonal() {
    let points = [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)];
    let plot = LinePlot {
        series: vec![series("run 3", &points)],
        x_label: "FPR",
        y_label: "TPR",
        x_range: Some((0.0, 1.0)),
        y_range: Some((0.0, 1.0)),
        references: vec![Reference::Segment((0.0, 0.0), (1.0, 1.0))],
        legend: true,
        ..LinePlot::default()
    };
    let lines = drawn(&plot, 30, 10, Glyphs::Braille);
    assert!(lines[0].starts_with("TPR") && lines[0].ends_with("── run 3"), "{lines:#?}");
    assert!(lines[1].starts_with("1.0 ┤") && lines[7].starts_with("0.0 ┤"), "{lines:#?}");
    assert!(lines[8].starts_with("    └┬"), "{lines:#?}");
    let numbers: Vec<&str> = lines[9].split_whitespace().collect();
    assert_eq!(numbers, ["0", "FPR", "1"], "{lines:#?}");
}

#[test]
fn one_spike_among_a_hundred_thousand_points_is_seen() {
    let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i), 0.0)).collect();
    points[54_321].1 = 1.0;
    let plot = LinePlot { series: vec![series("loss", &points)], ..LinePlot::default() };
    let lines = drawn(&plot, 40, 12, Glyphs::Ascii);
    let highest = lines.iter().find(|line| line.contains('*')).expect("a curve");
    assert_eq!(highest.matches('*').count(), 1, "{lines:#?}");
}

#[test]
fn the_raw_curve_stays_under_the_smoothed_one() {
    let points: Vec<(f64, f64)> =
        (0..200).map(|i| (f64::from(i), if i % 2 == 0 { 0.0 } else { 1.0 })).collect();
    let plot = LinePlot { series: vec![series("loss", &points)], ..LinePlot::default() };
    let smooth = LinePlot { smooth: Some(0.9), ..plot.clone() };
    let count = |plot, sign| drawn(plot, 30, 9, Glyphs::Ascii).concat().matches(sign).count();
    assert!(count(&plot, '*') > 100 && count(&plot, '.') < 5);
    assert!(count(&smooth, '.') > 80 && count(&smooth, '*') > 20);
}

#[test]
fn the_cursor_reads_every_curve_off() {
    let train = [(1.0, 0.7), (2.0, 0.5), (3.0, f64::NAN)];
    let valid = [(1.0, 0.8), (2.0, 0.6), (3.0, 0.55)];
    let plot = LinePlot {
        series: vec![series("train", &train), series("valid", &valid)],
        cursor: Some(2.9),
        legend: true,
        ..LinePlot::default()
    };
    let read: Vec<f64> = plot.readings().iter().map(|reading| reading.at.1).collect();
    assert_eq!(read, [0.5, 0.55]);
    let lines = drawn(&plot, 60, 10, Glyphs::Braille);
    assert!(lines[0].contains("train 0.5") && lines[0].contains("valid 0.55"), "{lines:#?}");
    assert_eq!(lines.concat().matches('◆').count(), 2, "{lines:#?}");
    assert_eq!(plot.step_cursor(-1), Some(2.0));
    assert_eq!(LinePlot { cursor: None, ..plot }.step_cursor(1), Some(3.0));
}

#[test]
fn what_cannot_be_drawn_says_so() {
    let nothing = [(f64::NAN, 1.0), (2.0, f64::INFINITY)];
    for points in [&nothing[..], &[]] {
        let plot = LinePlot { series: vec![series("x", points)], ..LinePlot::default() };
        assert!(drawn(&plot, 30, 5, Glyphs::Braille)[2].contains("nothing to draw yet"));
    }
    let zero = [(1.0, 0.0), (2.0, -1.0)];
    let log = LinePlot { series: vec![series("x", &zero)], log_y: true, ..LinePlot::default() };
    assert!(drawn(&log, 30, 5, Glyphs::Braille)[2].contains("nothing to draw yet"));
}

#[test]
fn signs_and_stars_tell_curves_apart_without_colours() {
    let low: Vec<(f64, f64)> = (0..40).map(|i| (f64::from(i), 0.2)).collect();
    let high: Vec<(f64, f64)> = (0..40).map(|i| (f64::from(i), 0.8)).collect();
    let plot = LinePlot {
        series: vec![series("a", &low), series("b", &high)],
        signs: vec!['■', '▲'],
        stars: vec![(20.0, 0.5), (99.0, 0.5)],
        ..LinePlot::default()
    };
    let lines = drawn(&plot, 50, 12, Glyphs::Braille);
    let row = |sign| lines.iter().position(|line| line.contains(sign)).expect("a sign");
    assert!(row('▲') < row('★') && row('★') < row('■'), "{lines:#?}");
    assert_eq!(lines.concat().matches('★').count(), 1, "what is out of sight is not drawn");
}

#[test]
fn a_stretch_has_its_own_height() {
    let points: Vec<(f64, f64)> = (1..100).map(|i| (f64::from(i), 100.0 / f64::from(i))).collect();
    let plot = LinePlot {
        series: vec![series("loss", &points)],
        x_range: Some((50.0, 99.0)),
        ..LinePlot::default()
    };
    let lines = drawn(&plot, 50, 12, Glyphs::Braille);
    assert!(lines[0].starts_with("2.0 ┤"), "the 100 at the left is out of sight: {lines:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_makes_it_panic(
        mut points in vec((any::<f64>(), any::<f64>()), 0..30),
        tame in vec((0.0f64..10.0, -5.0f64..5.0), 0..30),
        size in (0u16..70, 0u16..20),
        log_y: bool,
        smooth in proptest::option::of(any::<f64>()),
        cursor in proptest::option::of(any::<f64>()),
        range in proptest::option::of((any::<f64>(), any::<f64>())),
        glyphs in 0usize..3,
    ) {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let plot = LinePlot {
            series: vec![series("wild 表", &points), Series { dash: Dash::Dotted, ..series("tame", &tame) }],
            x_label: "step 表",
            y_label: "a rather long name of a measure",
            x_range: range,
            y_range: None,
            log_y,
            smooth,
            cursor,
            references: vec![Reference::Across(1.0), Reference::Down(2.0), Reference::Segment((0.0, 0.0), (1e308, -1e308))],
            legend: true,
            signs: vec!['■', '▲'],
            stars: vec![(1.0, 2.0), (f64::NAN, f64::INFINITY)],
        };
        let glyphs = [Glyphs::Braille, Glyphs::Block, Glyphs::Ascii][glyphs];
        let mut buf = Buffer::empty(Rect::new(0, 0, 60, 16));
        plot.render(Rect::new(3, 2, size.0, size.1), &mut buf, &Theme::new(Tier::Ansi16, glyphs));
        plot.step_cursor(-3);
    }

    #[test]
    fn the_extremes_of_any_curve_are_in_what_is_drawn(
        values in vec(-1e3f64..1e3, 2..20_000),
        holes in vec(any::<bool>(), 64),
        width in 20u16..80,
    ) {
        let points: Vec<(f64, f64)> = (values.iter().enumerate())
            .map(|(i, y)| (i as f64, if holes[i % 64] && i % 3 == 0 { f64::NAN } else { *y }))
            .collect();
        let numbers = || points.iter().map(|point| point.1).filter(|y| y.is_finite());
        let ends = (numbers().fold(f64::INFINITY, f64::min), numbers().fold(f64::NEG_INFINITY, f64::max));
        prop_assume!(ends.0 < ends.1);
        let axis = Axis { low: 0.0, high: (points.len() - 1) as f64, log: false };
        let kept = curve::decimated(&points, &axis, usize::from(width), false);
        let of_kept = |f: fn(f64, f64) -> f64, begin| {
            kept.iter().map(|point| point.1).filter(|y| y.is_finite()).fold(begin, f)
        };
        prop_assert_eq!(of_kept(f64::min, f64::INFINITY), ends.0);
        prop_assert_eq!(of_kept(f64::max, f64::NEG_INFINITY), ends.1);
        // With exactly these ends as its axis the curve touches the first and the last row.
        let plot = LinePlot {
            series: vec![series("loss", &points)],
            y_range: Some(ends),
            ..LinePlot::default()
        };
        let lines = drawn(&plot, width, 12, Glyphs::Ascii);
        prop_assert!(lines[0].contains('*') && lines[9].contains('*'), "{:#?}", lines);
    }
}
