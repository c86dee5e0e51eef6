//! karat: the model workbench for the machine that can only be reached over SSH.
//!
//! A library that knows no screen, and a small binary. Knowledge flows from left to right only:
//!
//! ```text
//! rng  files  jobs  metrics  data  features  nn  models  explain  train  export  registry  workspace  serve  cli  ui
//! ```
//!
//! | room | what it is |
//! | --- | --- |
//! | [`rng`] | one root seed, named streams, and NumPy's permutation for scikit-learn's splits |
//! | [`files`] | files as others see them: whole, private, known by their digest |
//! | [`jobs`] | work in the background that reports and can be cancelled |
//! | [`metrics`] | how good a model is, and whether another is better: pure functions |
//! | [`data`] | tables: reading, schema, profile, findings, privacy, splits |
//! | [`features`] | from columns to a matrix, fitted on the training rows only |
//! | [`nn`] | neural networks by hand: layers, losses, optimisers, the training step |
//! | [`models`] | the catalog of model kinds, and fitted models |
//! | [`explain`] | why a model says what it says of one row |
//! | [`train`] | an experiment carried out: fit, validate, compare |
//! | [`export`] | models written for other programs: ONNX |
//! | [`registry`] | everything on disk: runs, model files, session, command log |
//! | [`workspace`] | what a person works on, and the verbs on it |
//! | [`serve`] | registered models as an HTTP service; the only room that knows axum and tokio |
//! | [`cli`] | the command line; the only room that knows clap |
//! | [`ui`] | the screen; the only room that knows ratatui and crossterm |
//!
//! A datum's way, without turning back: file → [`data::Table`] → [`data::Split`] → recipe, fitted
//! on the training rows → matrix → fit → scores → metrics → [`train::Run`] → registry. A
//! prediction goes the same way through the same code, whoever asks.

pub mod cli;
pub mod data;
pub mod explain;
pub mod export;
pub mod features;
pub mod files;
pub mod jobs;
pub mod metrics;
pub mod models;
pub mod nn;
pub mod registry;
pub mod rng;
pub mod serve;
pub mod train;
pub mod ui;
pub mod workspace;
