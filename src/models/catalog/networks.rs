//! The parameters that all networks share: how they are trained, and what they look at.

use super::{CLASS_WEIGHT, ParamInfo, ParamKind};
use crate::models::network::{LossKind, Optimizer, ScheduleKind};

/// The parameters of a network that begins as this text.
pub(super) const fn params(network: &'static str, input: &'static str) -> [ParamInfo; 17] {
    [
        ParamInfo {
            name: "network",
            default: network,
            range: "layers such as `conv 64x3 bn relu | gap | dense out`, or `[[layer]]` tables",
            about: "the layers from first to last; Enter opens the editor",
            kind: ParamKind::Network,
        },
        EPOCHS,
        BATCH_SIZE,
        LEARNING_RATE,
        PATIENCE,
        OPTIMIZER,
        SCHEDULE,
        WARM_UP,
        WEIGHT_DECAY,
        CLIP_NORM,
        CLASS_WEIGHT,
        LOSS,
        ParamInfo { default: input, ..INPUT },
        CHANNELS,
        STATICS,
        WINDOW,
        STRIDE,
    ]
}

const LEARNING_RATE: ParamInfo = ParamInfo {
    name: "learning_rate",
    default: "auto",
    range: "auto (0.001 for adam, 0.01 for sgd, 0.1 for gd), find, or above 0",
    about: "length of a step; find tries ever larger ones first and takes a tenth of the best",
    kind: ParamKind::Rate,
};
const EPOCHS: ParamInfo = ParamInfo {
    name: "epochs",
    default: "100",
    range: "1 … 1000000",
    about: "the most passes over the training rows",
    kind: ParamKind::Int { min: 1, max: 1_000_000 },
};
const BATCH_SIZE: ParamInfo = ParamInfo {
    name: "batch_size",
    default: "64",
    range: "1 … 1000000",
    about: "rows in a step",
    kind: ParamKind::Int { min: 1, max: 1_000_000 },
};
const PATIENCE: ParamInfo = ParamInfo {
    name: "patience",
    default: "20",
    range: "0 … 1000000",
    about: "epochs without progress on the validation rows (without those, the training rows) after \
            which training ends; 0 for never. The weights of the best epoch are kept either way",
    kind: ParamKind::Int { min: 0, max: 1_000_000 },
};
const OPTIMIZER: ParamInfo = ParamInfo {
    name: "optimizer",
    default: "adam",
    range: "adam, adamw, sgd, momentum, nesterov, gd",
    about: "how the weights follow their gradient; gd takes all rows in one step",
    kind: ParamKind::Choice(Optimizer::WORDS),
};
const SCHEDULE: ParamInfo = ParamInfo {
    name: "schedule",
    default: "constant",
    range: "constant, step, cosine, plateau",
    about: "how the learning rate falls: not, to a tenth after each third, in half a cosine, or to \
            half whenever the watched loss has not fallen for five epochs",
    kind: ParamKind::Choice(ScheduleKind::WORDS),
};
const WARM_UP: ParamInfo = ParamInfo {
    name: "warm_up",
    default: "0",
    range: "0 … 0.9",
    about: "share of the epochs over which the learning rate rises from 0",
    kind: ParamKind::Float { min: 0.0, max: 0.9 },
};
const WEIGHT_DECAY: ParamInfo = ParamInfo {
    name: "weight_decay",
    default: "0",
    range: "0 … 10",
    about: "pull of the weights towards 0; biases and norms are spared",
    kind: ParamKind::Float { min: 0.0, max: 10.0 },
};
const CLIP_NORM: ParamInfo = ParamInfo {
    name: "clip_norm",
    default: "0",
    range: "0 … 1e9",
    about: "a longer gradient is shortened to this; 0 for never",
    kind: ParamKind::Float { min: 0.0, max: 1e9 },
};
const LOSS: ParamInfo = ParamInfo {
    name: "loss",
    default: "mse",
    range: "mse, huber",
    about: "what is made small for a numeric target; classes always take the cross-entropy",
    kind: ParamKind::Choice(LossKind::WORDS),
};
const INPUT: ParamInfo = ParamInfo {
    name: "input",
    default: "auto",
    range: "auto, table, series, windows, image",
    about: "what the columns are to the first layer; auto goes by their names and values",
    kind: ParamKind::Choice(&["auto", "table", "series", "windows", "image"]),
};
const CHANNELS: ParamInfo = ParamInfo {
    name: "channels",
    default: "auto",
    range: "auto, or such as `bill: BILL1..BILL6; pay: PAY1..PAY6`, of windows `close: return`",
    about: "which columns, in the order of time, are the channels of the series or image",
    kind: ParamKind::Text,
};
const STATICS: ParamInfo = ParamInfo {
    name: "statics",
    default: "auto",
    range: "auto, none, or columns",
    about: "features that are in no channel and join where the network says `join`",
    kind: ParamKind::Text,
};
const WINDOW: ParamInfo = ParamInfo {
    name: "window",
    default: "20",
    range: "2 … 100000",
    about: "rows in the order of time that a window looks back over, its own row included",
    kind: ParamKind::Int { min: 2, max: 100_000 },
};
const STRIDE: ParamInfo = ParamInfo {
    name: "stride",
    default: "1",
    range: "1 … 10000",
    about: "rows from one step of a window to the next",
    kind: ParamKind::Int { min: 1, max: 10_000 },
};
