//! The operators that are run, and what to do about some that are not.

/// Operators of the standard that the runtime knows, that give the same for the same row, and whose
/// outputs are no larger than their inputs say.
pub(super) const STANDARD: &[&str] = &[
    "Abs", "Acos", "Acosh", "Add", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh",
    "AveragePool", "BatchNormalization", "Cast", "Ceil", "Celu", "Clip", "Concat", "Constant",
    "ConstantOfShape", "Conv", "Cos", "Cosh", "CumSum", "Div", "Dropout", "Einsum", "Elu", "Equal",
    "Erf", "Exp", "Expand", "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND",
    "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
    "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "IsInf",
    "IsNaN", "LRN", "LSTM", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log",
    "LogSoftmax", "LpNormalization", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mish", "Mod", "Mul",
    "Neg", "Not", "Or", "PRelu", "Pad", "Pow", "RNN", "Reciprocal", "ReduceL1", "ReduceL2",
    "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "Round", "Selu", "Shape", "Sigmoid", "Sign",
    "Sin", "Sinh", "Slice", "Softmax", "Softplus", "Softsign", "Split", "Sqrt", "Squeeze", "Sub",
    "Sum", "Tan", "Tanh", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze",
    "Where", "Xor",
];

/// Operators of `ai.onnx.ml` that are run, most of them in terms of [`STANDARD`].
pub(super) const MACHINE_LEARNING: &[&str] = &[
    "ArrayFeatureExtractor", "Binarizer", "FeatureVectorizer", "Imputer", "LinearClassifier",
    "LinearRegressor", "Normalizer", "OneHotEncoder", "Scaler", "TreeEnsembleClassifier",
    "TreeEnsembleRegressor",
];

/// Why an operator is refused, and how the file is made without it.
const REMEDIES: &[(&str, &str, &str)] = &[
    ("If", "it holds graphs", "export a model without branches"),
    ("Loop", "it may run without end", "convert with the loop unrolled"),
    ("Scan", "it holds a graph", "convert with the loop unrolled"),
    ("SVMClassifier", "the runtime has no kernels", "convert a linear model or a network instead"),
    ("SVMRegressor", "the runtime has no kernels", "convert a linear model or a network instead"),
    ("TreeEnsemble", "it is of ai.onnx.ml 5", "convert with `target_opset={'': 18, 'ai.onnx.ml': 3}`"),
    ("LabelEncoder", "it looks up texts", "convert the model without its text columns"),
    ("CategoryMapper", "it looks up texts", "convert the model without its text columns"),
    ("TfIdfVectorizer", "it takes texts", "convert the model after the vectorizer"),
    ("StringNormalizer", "it takes texts", "convert the model after the vectorizer"),
    ("QLinearConv", "it is of a quantized model", "convert the model before it was quantized"),
    ("QLinearMatMul", "it is of a quantized model", "convert the model before it was quantized"),
    ("DequantizeLinear", "it is of a quantized model", "convert the model before it was quantized"),
    ("RandomNormal", "it draws by chance", "export the model in evaluation mode"),
    ("RandomNormalLike", "it draws by chance", "export the model in evaluation mode"),
    ("RandomUniform", "it draws by chance", "export the model in evaluation mode"),
    ("RandomUniformLike", "it draws by chance", "export the model in evaluation mode"),
    ("Bernoulli", "it draws by chance", "export the model in evaluation mode"),
    ("Multinomial", "it draws by chance", "export the model in evaluation mode"),
];

/// What is said of an operator that is not among those above: why, and a remedy.
pub(super) fn remedy(operator: &str) -> (&'static str, &'static str) {
    let known = REMEDIES.iter().find(|(name, ..)| *name == operator);
    known.map_or(
        ("the runtime does not know it", "convert with an older `target_opset`, or without it"),
        |(_, why, hint)| (*why, *hint),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_knows_every_operator_of_the_list() {
        let known = tract_onnx::onnx().op_register.0;
        let unknown: Vec<_> = STANDARD.iter().filter(|name| !known.contains_key(**name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn no_operator_is_run_and_refused() {
        for (name, ..) in REMEDIES {
            assert!(!STANDARD.contains(name) && !MACHINE_LEARNING.contains(name), "{name}");
        }
    }
}
