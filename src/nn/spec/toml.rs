//! The long form of a network: a list of tables, `[[layer]]` with `kind = "conv1d"`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{Activation, Layer, NetworkSpec, Padding, PoolKind, Units};

/// A layer as it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Dense {
        units: WrittenUnits,
    },
    Conv1d {
        filters: usize,
        kernel: usize,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        dilation: usize,
        #[serde(default)]
        padding: Padding,
    },
    Conv2d {
        filters: usize,
        kernel: [usize; 2],
        #[serde(default = "one", skip_serializing_if = "is_one")]
        stride: usize,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        dilation: usize,
        #[serde(default)]
        padding: Padding,
    },
    MaxPool {
        size: usize,
    },
    AveragePool {
        size: usize,
    },
    GlobalAveragePool,
    GlobalMaxPool,
    BatchNorm,
    LayerNorm,
    Dropout {
        rate: f64,
    },
    Embedding {
        levels: usize,
        width: usize,
    },
    Residual {
        layer: Vec<Layer>,
    },
    Flatten,
    Join,
    Relu,
    LeakyRelu {
        #[serde(default = "hundredth")]
        slope: f64,
    },
    Gelu,
    Tanh,
    Sigmoid,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenUnits {
    Count(usize),
    Word(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNetwork {
    layer: Vec<Layer>,
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(value: &usize) -> bool {
    *value == 1
}

fn hundredth() -> f64 {
    0.01
}

impl From<&Layer> for Written {
    fn from(layer: &Layer) -> Self {
        match layer.clone() {
            Layer::Dense { units: Units::Count(units) } => {
                Self::Dense { units: WrittenUnits::Count(units) }
            }
            Layer::Dense { units: Units::Out } => {
                Self::Dense { units: WrittenUnits::Word("out".into()) }
            }
            Layer::Conv1d { filters, kernel, stride, dilation, padding } => {
                Self::Conv1d { filters, kernel, stride, dilation, padding }
            }
            Layer::Conv2d { filters, kernel, stride, dilation, padding } => {
                Self::Conv2d { filters, kernel, stride, dilation, padding }
            }
            Layer::Pool { kind: PoolKind::Max, size } => Self::MaxPool { size },
            Layer::Pool { kind: PoolKind::Average, size } => Self::AveragePool { size },
            Layer::GlobalPool { kind: PoolKind::Average } => Self::GlobalAveragePool,
            Layer::GlobalPool { kind: PoolKind::Max } => Self::GlobalMaxPool,
            Layer::BatchNorm => Self::BatchNorm,
            Layer::LayerNorm => Self::LayerNorm,
            Layer::Dropout { rate } => Self::Dropout { rate },
            Layer::Embedding { levels, width } => Self::Embedding { levels, width },
            Layer::Residual { layers } => Self::Residual { layer: layers },
            Layer::Flatten => Self::Flatten,
            Layer::Join => Self::Join,
            Layer::Activation(Activation::Relu) => Self::Relu,
            Layer::Activation(Activation::LeakyRelu { slope }) => Self::LeakyRelu { slope },
            Layer::Activation(Activation::Gelu) => Self::Gelu,
            Layer::Activation(Activation::Tanh) => Self::Tanh,
            Layer::Activation(Activation::Sigmoid) => Self::Sigmoid,
        }
    }
}

impl TryFrom<Written> for Layer {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::Dense { units: WrittenUnits::Count(units) } => {
                Self::Dense { units: Units::Count(units) }
            }
            Written::Dense { units: WrittenUnits::Word(word) } if word == "out" => {
                Self::Dense { units: Units::Out }
            }
            Written::Dense { units: WrittenUnits::Word(word) } => {
                return Err(format!("`units` is `{word}`, neither a number nor `out`"));
            }
            Written::Conv1d { filters, kernel, stride, dilation, padding } => {
                Self::Conv1d { filters, kernel, stride, dilation, padding }
            }
            Written::Conv2d { filters, kernel, stride, dilation, padding } => {
                Self::Conv2d { filters, kernel, stride, dilation, padding }
            }
            Written::MaxPool { size } => Self::Pool { kind: PoolKind::Max, size },
            Written::AveragePool { size } => Self::Pool { kind: PoolKind::Average, size },
            Written::GlobalAveragePool => Self::GlobalPool { kind: PoolKind::Average },
            Written::GlobalMaxPool => Self::GlobalPool { kind: PoolKind::Max },
            Written::BatchNorm => Self::BatchNorm,
            Written::LayerNorm => Self::LayerNorm,
            Written::Dropout { rate } => Self::Dropout { rate },
            Written::Embedding { levels, width } => Self::Embedding { levels, width },
            Written::Residual { layer } => Self::Residual { layers: layer },
            Written::Flatten => Self::Flatten,
            Written::Join => Self::Join,
            Written::Relu => Self::Activation(Activation::Relu),
            Written::LeakyRelu { slope } => Self::Activation(Activation::LeakyRelu { slope }),
            Written::Gelu => Self::Activation(Activation::Gelu),
            Written::Tanh => Self::Activation(Activation::Tanh),
            Written::Sigmoid => Self::Activation(Activation::Sigmoid),
        })
    }
}

impl Serialize for Layer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written::from(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Written::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for NetworkSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenNetwork { layer: self.layers.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NetworkSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        WrittenNetwork::deserialize(deserializer).map(|written| Self { layers: written.layer })
    }
}

#[cfg(test)]
mod tests {
    use crate::nn::spec::NetworkSpec;

    #[test]
    fn both_forms_say_the_same() {
        let text = "conv 128x8 bn relu | res( conv 64x3 stride 2 valid bn ) leaky 0.2 | \
                    conv 8x3x3 | maxpool 2 | avgpool 2 | gmp | flatten | embed 9x2 ln tanh | join \
                    | dense 7 dropout 0.5 gelu | gap | dense out sigmoid";
        let spec: NetworkSpec = text.parse().unwrap();
        let long = toml::to_string(&spec).unwrap();
        assert!(long.contains("[[layer]]\nkind = \"conv1d\"\nfilters = 128\nkernel = 8"), "{long}");
        assert_eq!(toml::from_str::<NetworkSpec>(&long).unwrap(), spec);
        let typo = "[[layer]]\nkind = \"conv1d\"\nfilter = 8\nkernel = 3";
        let error = toml::from_str::<NetworkSpec>(typo).unwrap_err().to_string();
        assert!(error.contains("filter"), "{error}");
    }
}
