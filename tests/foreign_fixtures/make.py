"""Makes the ONNX files of this folder and what onnxruntime says of them.

    pip install numpy scikit-learn skl2onnx onnx onnxruntime
    python make.py

Each `name.onnx` comes with `name.json`: `rows` (the matrix, row-major), `expected` (what onnxruntime
gives for them: the positive class alone of two) and `kind`. The files in `bad/` must be refused.
"""

import json
import os
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (GradientBoostingClassifier, GradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, MinMaxScaler, Normalizer, OneHotEncoder, StandardScaler

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(7)
X = RNG.normal(size=(300, 4)) * [1, 10, 100, 0.1] + [0, 5, 50, 1]
Z = (X - X.mean(0)) / X.std(0)
BINARY = (Z @ [1, -1, 0.5, 0.2] + RNG.normal(size=300) * 0.3 > 0).astype(int)
THREE = np.digitize(Z @ [1, 0.5, -0.5, 0.1], [-0.5, 0.5])
NUMBER = Z @ [3, 2, 1, -1] + 5
NAMES = ["age", "income", "balance", "rate"]


def save(name, model, rows, output=None, kind=None, feeds=None):
    """Writes the file, and beside it what onnxruntime gives for the rows."""
    text = model.SerializeToString()
    (HERE / f"{name}.onnx").write_bytes(text)
    session = ort.InferenceSession(text, providers=["CPUExecutionProvider"])
    dtypes = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    rows = np.asarray(rows, dtype=np.float64)
    if feeds is None:
        feeds, at = {}, 0
        for node in session.get_inputs():
            dims = [d if isinstance(d, int) else -1 for d in node.shape[1:]]
            width = int(np.prod(dims)) if dims else 1
            part = rows[:, at:at + width].astype(dtypes[node.type])
            feeds[node.name] = part.reshape(len(rows), *dims) if dims else part.reshape(len(rows))
            at += width
    outputs = [o.name for o in session.get_outputs()]
    wanted = output or outputs[-1]
    fixed = session.get_inputs()[0].shape[0] == 1
    if fixed:
        got = np.concatenate([
            np.asarray(session.run([wanted], {k: v[i:i + 1] for k, v in feeds.items()})[0]).reshape(1, -1)
            for i in range(len(rows))])
    else:
        got = session.run([wanted], feeds)[0]
    if isinstance(got, list):  # a ZipMap
        got = np.array([list(row.values()) for row in got])
    got = np.asarray(got, dtype=np.float64).reshape(len(rows), -1)
    sums = np.allclose(got.sum(1), 1, atol=1e-5) and got.min() >= 0
    if kind is None:
        kind = "probability" if sums and got.shape[1] == 2 else "classes" if sums and got.shape[1] > 2 else "number"
    if kind == "probability" and got.shape[1] == 2:
        got = got[:, 1:]
    told = [[None if np.isnan(v) else v for v in row] for row in rows.tolist()]
    (HERE / f"{name}.json").write_text(json.dumps({"kind": kind, "rows": told, "expected": got.tolist()}))
    size = max(os.path.getsize(HERE / f"{name}.{e}") for e in ("onnx", "json"))
    assert size < 60_000, (name, size)
    print(f"{name:32} {kind:12} {got.shape} {size:6} {sorted({n.op_type for n in model.graph.node})}")


def sk(name, estimator, y, rows=X[:40], zipmap=False, dtype=FloatTensorType, train=X, columns=False, names=False, **kw):
    estimator.fit(train, y)
    width = train.shape[1]
    initial = [(n, dtype([None, 1])) for n in NAMES[:width]] if columns else [("X", dtype([None, width]))]
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    options = {id(last): {"zipmap": zipmap}} if hasattr(last, "classes_") else None
    model = to_onnx(estimator, initial_types=initial, options=options, target_opset={"": 18, "ai.onnx.ml": 3})
    if names:
        entry = model.metadata_props.add()
        entry.key, entry.value = "feature_names", json.dumps(NAMES)
    save(name, model, rows, **kw)


def sklearn_models():
    missing = X.copy()
    missing[RNG.random(X.shape) < 0.2] = np.nan
    codes = RNG.integers(0, 4, size=(300, 2)).astype(float)
    sk("logistic", make_pipeline(StandardScaler(), LogisticRegression()), BINARY, names=True)
    sk("logistic_zipmap", make_pipeline(StandardScaler(), LogisticRegression()), np.array(["bad", "good"])[BINARY], zipmap=True)
    sk("logistic_text_label", make_pipeline(StandardScaler(), LogisticRegression()), np.array(["bad", "good"])[BINARY])
    sk("logistic_three", make_pipeline(StandardScaler(), LogisticRegression()), THREE)
    sk("logistic_columns", make_pipeline(StandardScaler(), LogisticRegression()), BINARY, columns=True)
    sk("logistic_double", make_pipeline(StandardScaler(), LogisticRegression()), BINARY, dtype=DoubleTensorType)
    sk("logistic_int", LogisticRegression(), codes[:, 0] > 1, train=codes, rows=codes[:40], dtype=Int64TensorType)
    sk("linear", LinearRegression(), NUMBER)
    sk("linear_double", LinearRegression(), NUMBER, dtype=DoubleTensorType)
    sk("linear_columns", make_pipeline(MinMaxScaler(), LinearRegression()), NUMBER, columns=True)
    sk("linear_two_targets", LinearRegression(), np.stack([NUMBER, -NUMBER], 1))
    sk("imputer", make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()), BINARY, train=missing, rows=missing[:40])
    sk("normalizer", make_pipeline(Normalizer(), LogisticRegression()), BINARY)
    sk("onehot", make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()), BINARY, train=codes, rows=np.vstack([codes[:30], [[9, 1]]]), dtype=FloatTensorType)
    sk("binarizer", make_pipeline(Binarizer(threshold=1.0), LinearRegression()), NUMBER)
    mixed = ColumnTransformer([("a", StandardScaler(), [0, 1]), ("b", MinMaxScaler(), [2, 3])])
    sk("column_transformer", make_pipeline(mixed, LogisticRegression()), BINARY)
    sk("mlp", make_pipeline(StandardScaler(), MLPClassifier((6, 4), max_iter=200, random_state=0)), BINARY)
    sk("mlp_three", make_pipeline(StandardScaler(), MLPClassifier((6,), max_iter=200, random_state=0)), THREE)
    sk("mlp_regressor", make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", max_iter=200, random_state=0)), NUMBER)
    sk("forest", RandomForestClassifier(8, max_depth=4, random_state=0), BINARY)
    sk("forest_three", RandomForestClassifier(6, max_depth=4, random_state=0), THREE)
    sk("forest_regressor", RandomForestRegressor(6, max_depth=4, random_state=0), NUMBER)
    sk("boosting", GradientBoostingClassifier(n_estimators=10, max_depth=3, random_state=0), BINARY)
    sk("boosting_three", GradientBoostingClassifier(n_estimators=5, max_depth=3, random_state=0), THREE)
    sk("boosting_regressor", GradientBoostingRegressor(n_estimators=10, max_depth=3, random_state=0), NUMBER)


def model_of(nodes, inputs, outputs, weights=(), opset=17, domains=()):
    inits = [nh.from_array(np.asarray(v), k) for k, v in weights]
    graph = h.make_graph(nodes, "g", inputs, outputs, inits)
    imports = [h.make_opsetid("", opset)] + [h.make_opsetid(*d) for d in domains]
    return h.make_model(graph, opset_imports=imports, ir_version=8, producer_name="by hand")


def by_hand():
    f32 = lambda *shape: (RNG.normal(size=shape) * 0.5).astype(np.float32)
    images = RNG.random((12, 2 * 8 * 8))
    cnn = [
        h.make_node("Conv", ["image", "w1", "b1"], ["c1"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        h.make_node("BatchNormalization", ["c1", "g", "b", "m", "v"], ["n1"]),
        h.make_node("Relu", ["n1"], ["r1"]),
        h.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        h.make_node("Flatten", ["p1"], ["f1"]),
        h.make_node("Gemm", ["f1", "w2", "b2"], ["logits"], transB=1),
    ]
    weights = [("w1", f32(4, 2, 3, 3)), ("b1", f32(4)), ("g", f32(4)), ("b", f32(4)), ("m", f32(4)),
               ("v", np.abs(f32(4)) + 0.5), ("w2", f32(3, 64)), ("b2", f32(3))]
    value = lambda name, *dims: h.make_tensor_value_info(name, T.FLOAT, list(dims))
    save("cnn_logits", model_of(cnn, [value("image", "N", 2, 8, 8)], [value("logits", "N", 3)], weights), images, kind="scores")
    soft = cnn + [h.make_node("Softmax", ["logits"], ["probs"], axis=1)]
    save("cnn_softmax", model_of(soft, [value("image", "N", 2, 8, 8)], [value("probs", "N", 3)], weights), images)
    save("cnn_fixed_batch", model_of(soft, [value("image", 1, 2, 8, 8)], [value("probs", 1, 3)], weights), images)
    series = [
        h.make_node("Conv", ["series", "w"], ["c"], kernel_shape=[3]),
        h.make_node("Tanh", ["c"], ["t"]),
        h.make_node("GlobalAveragePool", ["t"], ["p"]),
        h.make_node("Reshape", ["p", "shape"], ["r"]),
        h.make_node("MatMul", ["r", "w2"], ["m"]),
        h.make_node("Sigmoid", ["m"], ["out"]),
    ]
    weights = [("w", f32(3, 2, 3)), ("w2", f32(3, 1)), ("shape", np.array([-1, 3], np.int64))]
    save("series_sigmoid", model_of(series, [value("series", "N", 2, 10)], [value("out", "N", 1)], weights),
         RNG.normal(size=(12, 20)), kind="probability")
    save("one_axis", model_of(
        [h.make_node("MatMul", ["x", "w"], ["y"])], [value("x", "N", 3)], [value("y", "N")], [("w", f32(3))]),
        RNG.normal(size=(9, 3)))
    reshape = [h.make_node("Reshape", ["x", "shape"], ["r"]), h.make_node("MatMul", ["r", "w"], ["y"])]
    save("batch_of_one_inside", model_of(reshape, [value("x", 1, 6)], [value("y", 1, 2)],
         [("shape", np.array([1, 6], np.int64)), ("w", f32(6, 2))]), RNG.normal(size=(7, 6)), kind="scores")
    mixing = [h.make_node("ReduceMean", ["x"], ["m"], axes=[0]), h.make_node("Sub", ["x", "m"], ["y"])]
    (HERE / "mixes_rows.onnx").write_bytes(model_of(mixing, [value("x", "N", 2)], [value("y", "N", 2)]).SerializeToString())
    lstm = [
        h.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        h.make_node("LSTM", ["t", "w", "r", "b"], ["", "last"], hidden_size=4),
        h.make_node("Squeeze", ["last", "axis"], ["s"]),
        h.make_node("MatMul", ["s", "w2"], ["y"]),
    ]
    save("lstm", model_of(lstm, [value("x", "N", 5, 2)], [value("y", "N", 1)],
         [("w", f32(1, 16, 2)), ("r", f32(1, 16, 4)), ("b", f32(1, 32)), ("axis", np.array([0], np.int64)), ("w2", f32(4, 1))]),
         RNG.normal(size=(6, 10)))
    for mode in ("BRANCH_GTE", "BRANCH_GT", "BRANCH_LT", "BRANCH_LEQ"):
        ml = h.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, aggregate_function="SUM",
            nodes_treeids=[0] * 3 + [4] * 3, nodes_nodeids=[0, 2, 5, 0, 1, 2], nodes_featureids=[0, 0, 0, 1, 0, 0],
            nodes_modes=[mode, "LEAF", "LEAF"] * 2, nodes_values=[0.5, 0, 0, -0.25, 0, 0], nodes_truenodeids=[2, 0, 0, 1, 0, 0],
            nodes_falsenodeids=[5, 0, 0, 2, 0, 0], nodes_missing_value_tracks_true=[1, 0, 0, 0, 0, 0], target_treeids=[0, 0, 4, 4],
            target_nodeids=[2, 5, 1, 2], target_ids=[0] * 4, target_weights=[1., 2., 10., 20.], base_values=[0.5])
        rows = np.array([[a, b] for a in (0.4, 0.5, 0.6, np.nan) for b in (-1, -0.25, 0, np.nan)])
        save("tree_" + mode[7:].lower(), model_of([ml], [value("x", "N", 2)], [value("y", "N", 1)], domains=[("ai.onnx.ml", 3)]), rows)


def bad_files():
    bad = HERE / "bad"
    bad.mkdir(exist_ok=True)
    x, y = (h.make_tensor_value_info(n, T.FLOAT, ["N", 2]) for n in "xy")
    write = lambda name, model: (bad / f"{name}.onnx").write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    add = h.make_node("Add", ["x", "w"], ["y"])
    good = model_of([add], [x], [y], [("w", np.ones(2, np.float32))])
    external = onnx.ModelProto.FromString(good.SerializeToString())
    external.graph.initializer[0].ClearField("raw_data")
    external.graph.initializer[0].data_location = T.EXTERNAL
    for key, text in (("location", "/etc/passwd"), ("length", "8")):
        entry = external.graph.initializer[0].external_data.add()
        entry.key, entry.value = key, text
    write("external_data", external)
    huge = onnx.ModelProto.FromString(good.SerializeToString())
    huge.graph.initializer[0].dims[:] = [2**40, 2**40]
    write("huge_dims", huge)
    short = onnx.ModelProto.FromString(good.SerializeToString())
    short.graph.initializer[0].dims[:] = [3]
    write("too_few_bytes", short)
    negative = onnx.ModelProto.FromString(good.SerializeToString())
    negative.graph.initializer[0].dims[:] = [-2]
    write("negative_dims", negative)
    body = h.make_graph(
        [h.make_node("Identity", ["c"], ["c2"]), h.make_node("Add", ["a", "a"], ["a2"])], "body",
        [h.make_tensor_value_info("i", T.INT64, []), h.make_tensor_value_info("c", T.BOOL, []), h.make_tensor_value_info("a", T.FLOAT, ["N", 2])],
        [h.make_tensor_value_info("c2", T.BOOL, []), h.make_tensor_value_info("a2", T.FLOAT, ["N", 2])])
    write("loop", model_of([h.make_node("Loop", ["n", "t", "x"], ["y"], body=body)], [x], [y],
          [("n", np.array(2**60, np.int64)), ("t", np.array(True))]))
    write("unknown_operator", model_of([h.make_node("Frobnicate", ["x"], ["y"])], [x], [y]))
    write("custom_domain", model_of([h.make_node("Add", ["x", "x"], ["y"], domain="com.acme")], [x], [y], domains=[("com.acme", 1)]))
    write("random_operator", model_of([h.make_node("RandomNormalLike", ["x"], ["y"])], [x], [y]))
    write("svm", model_of([h.make_node("SVMRegressor", ["x"], ["y"], domain="ai.onnx.ml")], [x], [y], domains=[("ai.onnx.ml", 3)]))
    write("old_opset", model_of([add], [x], [y], [("w", np.ones(2, np.float32))], opset=3))
    write("missing_value", model_of([h.make_node("Add", ["x", "nowhere"], ["y"])], [x], [y]))
    write("cycle", model_of([h.make_node("Add", ["x", "b"], ["a"]), h.make_node("Add", ["a", "x"], ["b"]), h.make_node("Add", ["a", "b"], ["y"])], [x], [y]))
    write("text_input", model_of([h.make_node("Identity", ["s"], ["y"])], [h.make_tensor_value_info("s", T.STRING, ["N", 1])], [h.make_tensor_value_info("y", T.STRING, ["N", 1])]))
    write("unknown_width", model_of([h.make_node("Relu", ["x"], ["y"])], [h.make_tensor_value_info("x", T.FLOAT, ["N", "F"])], [y]))
    write("expand_bomb", model_of([h.make_node("Expand", ["one", "shape"], ["big"]), h.make_node("ReduceSum", ["big"], ["s"], keepdims=0), h.make_node("Add", ["x", "s"], ["y"])],
          [x], [y], [("one", np.ones(1, np.float32)), ("shape", np.array([2**20, 2**20], np.int64))]))
    write("outer_bomb", model_of([h.make_node("ConstantOfShape", ["n"], ["a"]), h.make_node("Unsqueeze", ["a", "axis"], ["b"]), h.make_node("Mul", ["a", "b"], ["c"]),
          h.make_node("ReduceSum", ["c"], ["s"], keepdims=0), h.make_node("Add", ["x", "s"], ["y"])], [x], [y],
          [("n", np.array([2**20], np.int64)), ("axis", np.array([1], np.int64))]))
    tree = dict(domain="ai.onnx.ml", n_targets=1, nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0], nodes_modes=["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"],
                nodes_values=[0., 0., 0.], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 2, 0], target_treeids=[0], target_nodeids=[2], target_ids=[0], target_weights=[1.])
    ml = [("ai.onnx.ml", 3)]
    write("tree_cycle", model_of([h.make_node("TreeEnsembleRegressor", ["x"], ["y"], **tree)], [x], [y], domains=ml))
    write("tree_far_child", model_of([h.make_node("TreeEnsembleRegressor", ["x"], ["y"], **{**tree, "nodes_truenodeids": [1, 10**9, 0]})], [x], [y], domains=ml))
    write("tree_far_target", model_of([h.make_node("TreeEnsembleRegressor", ["x"], ["y"], **{**tree, "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "target_ids": [10**6]})], [x], [y], domains=ml))
    write("tree_far_feature", model_of([h.make_node("TreeEnsembleRegressor", ["x"], ["y"], **{**tree, "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_featureids": [10**6, 0, 0]})], [x], [y], domains=ml))
    whole = (HERE / "mlp.onnx").read_bytes()
    write("cut_short", whole[:len(whole) * 2 // 3])
    write("random_bytes", RNG.integers(0, 256, 4000).astype(np.uint8).tobytes())
    write("empty", b"")


if __name__ == "__main__":
    sklearn_models()
    by_hand()
    bad_files()
