//! Networks that are ready made, by the kind of the catalog that begins with them.

use crate::nn::spec::{Mistake, NetworkSpec};

/// Kind, network, and where it comes from.
pub const DEFAULTS: &[(&str, &str, &str)] = &[
    (
        "mlp",
        "join | dense 64 relu | dense 32 relu | dense out",
        "two hidden layers (Rumelhart et al., 1986)",
    ),
    (
        "fcn",
        "conv 128x8 bn relu | conv 256x5 bn relu | conv 128x3 bn relu | gap | join | dense out",
        "fully convolutional network (Wang et al., 2017)",
    ),
    (
        "resnet1d",
        "res( conv 64x8 bn relu | conv 64x5 bn relu | conv 64x3 bn ) relu | \
         res( conv 128x8 bn relu | conv 128x5 bn relu | conv 128x3 bn ) relu | \
         res( conv 128x8 bn relu | conv 128x5 bn relu | conv 128x3 bn ) relu | \
         gap | join | dense out",
        "residual network for series (Wang et al., 2017)",
    ),
    (
        "lenet",
        "conv 6x5x5 relu | maxpool 2 | conv 16x3x3 relu | maxpool 2 | flatten | join | \
         dense 120 relu | dense 84 relu | dense out",
        "after LeNet-5 (LeCun et al., 1998), with zeros around and a shorter second kernel so that it takes small images",
    ),
    (
        "cnn2d",
        "conv 32x3x3 bn relu | conv 32x3x3 bn relu | maxpool 2 | dropout 0.2 | \
         conv 64x3x3 bn relu | conv 64x3x3 bn relu | maxpool 2 | dropout 0.3 | flatten | join | \
         dense 128 bn relu | dropout 0.4 | dense out",
        "small kernels in pairs (Simonyan and Zisserman, 2015), with batch norm and dropout",
    ),
];

/// The network that a kind begins with.
pub fn ready_made(kind: &str) -> Option<&'static str> {
    DEFAULTS.iter().find(|(name, ..)| *name == kind).map(|(_, text, _)| *text)
}

/// Reads a network in either of its forms: one line, or TOML with `[[layer]]`.
pub(in crate::models) fn read(text: &str) -> Result<NetworkSpec, Mistake> {
    let text = text.replace("[[model.layer]]", "[[layer]]");
    if !text.contains("[[layer]]") {
        return text.parse();
    }
    toml::from_str(&text).map_err(|error| Mistake {
        layer: 0,
        at: error.span().unwrap_or(0..0),
        what: error.message().lines().next().unwrap_or("this is no network").to_owned(),
        hint: "a layer is written as `[[layer]]` with `kind = \"dense\"` and what belongs to it"
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_made_can_be_read_in_both_forms() {
        for (kind, text, _) in DEFAULTS {
            let spec = read(text).unwrap_or_else(|mistake| panic!("{kind}: {mistake}"));
            let long = toml::to_string(&spec).unwrap();
            assert_eq!(read(&long).unwrap(), spec, "{kind}");
        }
        let mistake = read("[[layer]]\nkind = \"dnse\"\nunits = 2\n").unwrap_err();
        assert!(mistake.to_string().contains("dnse"), "{mistake}");
    }
}
