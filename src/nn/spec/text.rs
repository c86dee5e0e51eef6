//! The one-line form of a network: read with the place of a mistake, and written.

use std::{fmt, ops::Range, str::FromStr};

use super::{
    Activation, Layer, MOST_DEPTH, MOST_SIZE, Mistake, NetworkSpec, Padding, PoolKind, Units,
};

/// Words that begin a layer, with an example of each.
const WORDS: &[(&str, &str)] = &[
    ("dense", "dense 64"),
    ("conv", "conv 128x8"),
    ("maxpool", "maxpool 2"),
    ("avgpool", "avgpool 2"),
    ("gap", "gap"),
    ("gmp", "gmp"),
    ("bn", "bn"),
    ("ln", "ln"),
    ("dropout", "dropout 0.5"),
    ("embed", "embed 100x8"),
    ("res(", "res( conv 64x3 bn ) relu"),
    ("flatten", "flatten"),
    ("join", "join"),
    ("relu", "relu"),
    ("leaky", "leaky 0.01"),
    ("gelu", "gelu"),
    ("tanh", "tanh"),
    ("sigmoid", "sigmoid"),
];

impl FromStr for NetworkSpec {
    type Err = Mistake;

    /// Reads the one-line form: layers one after the other, with `|` wherever it helps the eye.
    ///
    /// `conv 128x8` is a convolution of 128 filters over 8 steps, `conv 32x3x3` one over 3 rows and
    /// 3 columns; `stride 2`, `dilation 2` and `valid` may follow. `res( … )` is a residual block,
    /// `dense out` gives as many values as the target asks for.
    fn from_str(text: &str) -> Result<Self, Mistake> {
        let mut reader = Reader { depth: 0, words: words(text), next: 0, layer: 0 };
        let layers = reader.layers(Depth::Outside)?;
        if layers.is_empty() {
            return Err(Mistake {
                layer: 0,
                at: 0..text.len(),
                what: "the network has no layers".into(),
                hint: "write some, such as `dense 32 relu | dense out`".into(),
            });
        }
        Ok(Self { layers })
    }
}

/// The words of a text with their places; `|` and commas only separate, brackets stand alone.
fn words(text: &str) -> Vec<(Range<usize>, &str)> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let ends = c.is_whitespace() || matches!(c, '|' | ',' | '(' | ')');
        match (ends, start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                words.push((from..at, &text[from..at]));
                start = None;
            }
            _ => {}
        }
        if matches!(c, '(' | ')') {
            words.push((at..at + 1, &text[at..=at]));
        }
    }
    words.extend(start.map(|from| (from..text.len(), &text[from..])));
    words
}

#[derive(Clone, Copy, PartialEq)]
enum Depth {
    Outside,
    InBlock,
}

struct Reader<'a> {
    depth: usize,
    words: Vec<(Range<usize>, &'a str)>,
    next: usize,
    layer: usize,
}

impl<'a> Reader<'a> {
    fn layers(&mut self, depth: Depth) -> Result<Vec<Layer>, Mistake> {
        let mut layers = Vec::new();
        while let Some((at, word)) = self.words.get(self.next).cloned() {
            if word == ")" {
                if depth == Depth::Outside {
                    return Err(self.wrong(at, "`)` closes nothing", "take it away"));
                }
                return Ok(layers);
            }
            self.next += 1;
            if depth == Depth::Outside {
                self.layer = layers.len();
            }
            layers.push(self.layer(&at, word)?);
        }
        if depth == Depth::InBlock {
            let end = self.words.last().map_or(0, |(at, _)| at.end);
            let what = "the residual block is not closed";
            return Err(self.wrong(end..end, what, "write `)` behind its last layer"));
        }
        Ok(layers)
    }

    fn layer(&mut self, at: &Range<usize>, word: &str) -> Result<Layer, Mistake> {
        let activation = |activation| Ok(Layer::Activation(activation));
        match word.to_lowercase().as_str() {
            "dense" | "linear" => {
                let units = match self.peek() {
                    Some("out") => {
                        self.next += 1;
                        Units::Out
                    }
                    _ => Units::Count(self.sizes(at, word, 1, 1)?[0]),
                };
                Ok(Layer::Dense { units })
            }
            "conv" | "conv1d" | "conv2d" => self.conv(at, word),
            "maxpool" | "avgpool" => {
                let kind = if word.starts_with('m') { PoolKind::Max } else { PoolKind::Average };
                let sizes = self.sizes(at, word, 1, 2)?;
                if sizes.iter().any(|size| *size != sizes[0]) {
                    let hint = "pools are square: `maxpool 2`";
                    return Err(self.wrong(at.clone(), "a pool has one length", hint));
                }
                Ok(Layer::Pool { kind, size: sizes[0] })
            }
            "gap" => Ok(Layer::GlobalPool { kind: PoolKind::Average }),
            "gmp" => Ok(Layer::GlobalPool { kind: PoolKind::Max }),
            "bn" | "batchnorm" => Ok(Layer::BatchNorm),
            "ln" | "layernorm" => Ok(Layer::LayerNorm),
            "dropout" => {
                let rate = self.number(at, word)?;
                if !(0.0..1.0).contains(&rate) {
                    let what = format!("`dropout {rate}` would leave nothing");
                    return Err(self.wrong(at.clone(), what, "give a share from 0 to below 1"));
                }
                Ok(Layer::Dropout { rate })
            }
            "embed" | "embedding" => {
                let sizes = self.sizes(at, word, 2, 2)?;
                Ok(Layer::Embedding { levels: sizes[0], width: sizes[1] })
            }
            "res" | "residual" => {
                if self.peek() != Some("(") {
                    let hint = "write its layers in brackets: `res( conv 64x3 bn )`";
                    return Err(self.wrong(at.clone(), "`res` has no layers", hint));
                }
                self.next += 1;
                self.depth += 1;
                if self.depth > MOST_DEPTH {
                    let what = format!("blocks stand {MOST_DEPTH} deep in blocks");
                    return Err(self.wrong(at.clone(), what, "nest them less"));
                }
                let layers = self.layers(Depth::InBlock)?;
                self.depth -= 1;
                self.next += 1;
                if layers.is_empty() {
                    let hint = "write its layers in brackets: `res( conv 64x3 bn )`";
                    return Err(self.wrong(at.clone(), "`res` has no layers", hint));
                }
                Ok(Layer::Residual { layers })
            }
            "flatten" => Ok(Layer::Flatten),
            "join" => Ok(Layer::Join),
            "relu" => activation(Activation::Relu),
            "leaky" => {
                let given = self.peek().and_then(|word| word.parse::<f64>().ok());
                if given.is_some() {
                    self.next += 1;
                }
                activation(Activation::LeakyRelu { slope: given.unwrap_or(0.01) })
            }
            "gelu" => activation(Activation::Gelu),
            "tanh" => activation(Activation::Tanh),
            "sigmoid" => activation(Activation::Sigmoid),
            _ => {
                let near = crate::nn::nearest_word(word, WORDS.iter().map(|(word, _)| *word));
                let hint = if let Some(near) = near {
                    format!("did you mean `{near}`?")
                } else {
                    let words: Vec<_> = WORDS.iter().map(|(word, _)| *word).collect();
                    format!("the layers are {}", words.join(", "))
                };
                Err(self.wrong(at.clone(), format!("`{word}` is no layer"), hint))
            }
        }
    }

    fn conv(&mut self, at: &Range<usize>, word: &str) -> Result<Layer, Mistake> {
        let sizes = self.sizes(at, word, 2, 3)?;
        let (mut stride, mut dilation, mut padding) = (1, 1, Padding::Same);
        while let Some(next) = self.peek() {
            match next {
                "valid" => padding = Padding::Valid,
                "same" => padding = Padding::Same,
                "stride" | "dilation" => {
                    self.next += 1;
                    let value = self.sizes(at, next, 1, 1)?[0];
                    if next == "stride" {
                        stride = value;
                    } else {
                        dilation = value;
                    }
                    continue;
                }
                _ => break,
            }
            self.next += 1;
        }
        let filters = sizes[0];
        Ok(match sizes[1..] {
            [kernel] => Layer::Conv1d { filters, kernel, stride, dilation, padding },
            [height, width] | [height, width, ..] => {
                Layer::Conv2d { filters, kernel: [height, width], stride, dilation, padding }
            }
            [] => return Err(self.wrong(at.clone(), "`conv` has no kernel", "write `conv 64x3`")),
        })
    }

    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|(_, word)| *word)
    }

    /// The next word as `AxBxC`, of at least `least` and at most `most` whole numbers from 1.
    fn sizes(
        &mut self,
        at: &Range<usize>,
        word: &str,
        least: usize,
        most: usize,
    ) -> Result<Vec<usize>, Mistake> {
        let example =
            WORDS.iter().find(|(name, _)| *name == word).map_or("stride 2", |(_, example)| example);
        let mut hint = format!("write for example `{example}`");
        if word == "conv" {
            hint += " along a series, `conv 32x3x3` over an image";
        }
        let Some((place, text)) = self.words.get(self.next).cloned() else {
            return Err(self.wrong(at.clone(), format!("`{word}` has no size"), hint));
        };
        let sizes: Option<Vec<usize>> =
            text.split(['x', '×']).map(|part| part.parse().ok()).collect();
        let is_size = |size: &usize| (1..=MOST_SIZE).contains(size);
        let fits =
            |all: &Vec<usize>| (least..=most).contains(&all.len()) && all.iter().all(is_size);
        if let Some(sizes) = sizes.filter(fits) {
            self.next += 1;
            return Ok(sizes);
        }
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let beyond = |part: &str| is_number(part) && !part.parse().is_ok_and(|size| is_size(&size));
        let range = if text.split(['x', '×']).any(beyond) {
            format!(": sizes go from 1 to {MOST_SIZE}")
        } else {
            String::new()
        };
        Err(self.wrong(place, format!("`{text}` is no size for `{word}`{range}"), hint))
    }

    fn number(&mut self, at: &Range<usize>, word: &str) -> Result<f64, Mistake> {
        let hint = format!("write for example `{word} 0.5`");
        let Some((place, text)) = self.words.get(self.next).cloned() else {
            return Err(self.wrong(at.clone(), format!("`{word}` has no value"), hint));
        };
        self.next += 1;
        text.parse()
            .map_err(|_| self.wrong(place, format!("`{text}` is no number for `{word}`"), hint))
    }

    fn wrong(&self, at: Range<usize>, what: impl Into<String>, hint: impl Into<String>) -> Mistake {
        Mistake { layer: self.layer, at, what: what.into(), hint: hint.into() }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense { units: Units::Count(units) } => write!(f, "dense {units}"),
            Self::Dense { units: Units::Out } => f.write_str("dense out"),
            Self::Conv1d { filters, kernel, stride, dilation, padding } => {
                write!(f, "conv {filters}x{kernel}")?;
                conv_words(f, *stride, *dilation, *padding)
            }
            Self::Conv2d { filters, kernel: [height, width], stride, dilation, padding } => {
                write!(f, "conv {filters}x{height}x{width}")?;
                conv_words(f, *stride, *dilation, *padding)
            }
            Self::Pool { kind: PoolKind::Max, size } => write!(f, "maxpool {size}"),
            Self::Pool { kind: PoolKind::Average, size } => write!(f, "avgpool {size}"),
            Self::GlobalPool { kind: PoolKind::Average } => f.write_str("gap"),
            Self::GlobalPool { kind: PoolKind::Max } => f.write_str("gmp"),
            Self::BatchNorm => f.write_str("bn"),
            Self::LayerNorm => f.write_str("ln"),
            Self::Dropout { rate } => write!(f, "dropout {rate}"),
            Self::Embedding { levels, width } => write!(f, "embed {levels}x{width}"),
            Self::Residual { layers } => write!(f, "res( {} )", Chain(layers)),
            Self::Flatten => f.write_str("flatten"),
            Self::Join => f.write_str("join"),
            Self::Activation(Activation::Relu) => f.write_str("relu"),
            Self::Activation(Activation::LeakyRelu { slope }) if *slope == 0.01 => {
                f.write_str("leaky")
            }
            Self::Activation(Activation::LeakyRelu { slope }) => write!(f, "leaky {slope}"),
            Self::Activation(Activation::Gelu) => f.write_str("gelu"),
            Self::Activation(Activation::Tanh) => f.write_str("tanh"),
            Self::Activation(Activation::Sigmoid) => f.write_str("sigmoid"),
        }
    }
}

fn conv_words(
    f: &mut fmt::Formatter<'_>,
    stride: usize,
    dilation: usize,
    padding: Padding,
) -> fmt::Result {
    if stride != 1 {
        write!(f, " stride {stride}")?;
    }
    if dilation != 1 {
        write!(f, " dilation {dilation}")?;
    }
    if padding == Padding::Valid { f.write_str(" valid") } else { Ok(()) }
}

impl fmt::Display for NetworkSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Chain(&self.layers).fmt(f)
    }
}

/// Layers in a line: what only finishes the layer before stands behind it, all else behind `|`.
struct Chain<'a>(&'a [Layer]);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (idx, layer) in self.0.iter().enumerate() {
            let finishes = matches!(
                layer,
                Layer::BatchNorm | Layer::LayerNorm | Layer::Activation(_) | Layer::Dropout { .. }
            );
            match (idx, finishes) {
                (0, _) => {}
                (_, true) => f.write_str(" ")?,
                (_, false) => f.write_str(" | ")?,
            }
            layer.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<NetworkSpec, Mistake> {
        text.parse()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "conv 128x8 bn relu | conv 256x5 bn relu | conv 128x3 bn relu | gap | dense out",
            "conv 6x5x5 stride 2 dilation 3 valid tanh | maxpool 2 | flatten | dense 120 relu \
             dropout 0.5 | dense 10",
            "res( conv 64x8 bn relu | conv 64x3 bn ) relu | gap | join | dense 2",
            "embed 100x8 | conv 8x3 leaky 0.2 ln gelu | gmp | dense 1 sigmoid",
            "leaky | avgpool 3",
        ] {
            let spec = read(text).unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(read(&spec.to_string()).unwrap(), spec);
        }
        assert_eq!(read("CONV 8x3, bn|relu").unwrap(), read("conv 8x3 bn relu").unwrap());
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let check = |text: &str, wrong: &str, what: &str| {
            let mistake = read(text).unwrap_err();
            assert_eq!(&text[mistake.at.clone()], wrong, "{mistake:?}");
            assert!(mistake.to_string().contains(what), "{mistake}");
        };
        check("conv 8x3 | desne 2", "desne", "`desne` is no layer\nhint: did you mean `dense`?");
        check(
            "conv 8",
            "8",
            "`8` is no size for `conv`\nhint: write for example `conv 128x8` along a series, `conv 32x3x3` over an image",
        );
        check("gap | dense", "dense", "`dense` has no size");
        check("gap | dense 0", "0", "is no size");
        check("dropout 1", "dropout", "would leave nothing");
        check("dropout half", "half", "is no number");
        check("res( conv 8x3", "", "not closed");
        check("conv 8x3 )", ")", "closes nothing");
        check("res()", "res", "no layers");
        check("maxpool 2x3", "maxpool", "square");
        check("", "", "no layers");
        assert_eq!(read("conv 8x3 bn | desne 2").unwrap_err().layer, 2);
    }
}
