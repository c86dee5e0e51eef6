"""tritonclient[http] 2.73, unmodified, against a running `karat serve`.

    karat serve start --addr 127.0.0.1:8080
    python3 tests/clients/triton.py 127.0.0.1:8080 KEY MODEL

KEY needs the scopes infer, explain, read and operate. MODEL is a model of two classes that takes
numbers only.
"""

import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.http.auth import BasicAuth

url, key, model = sys.argv[1:4]


def auth():
    """The header of the key; a new dict each time, since the client adds its own lines to it."""
    return {"Authorization": f"Bearer {key}"}


checks = []


def check(name, holds):
    checks.append((name, bool(holds)))
    print(("ok   " if holds else "FAIL ") + name)


def refused(name, status, work):
    try:
        work()
        check(name, False)
    except triton.InferenceServerException as error:
        check(f"{name}: {error.message()}", str(status) in error.status())


client = triton.InferenceServerClient(url=url)
check("server live", client.is_server_live(headers=auth()))
check("server ready", client.is_server_ready(headers=auth()))
about = client.get_server_metadata(headers=auth())
check("server metadata", about["name"] == "karat" and "binary_tensor_data" in about["extensions"])
check("model ready", client.is_model_ready(model, headers=auth()))
check("version ready", client.is_model_ready(model, "1", headers=auth()))
check("alias ready", client.is_model_ready(model, "champion", headers=auth()))
check("no such model is not ready", not client.is_model_ready("nope", headers=auth()))
meta = client.get_model_metadata(model, headers=auth())
check("model metadata", meta["name"] == model and meta["inputs"][0]["name"] == "x")
n = meta["inputs"][0]["shape"][1]
config = client.get_model_config(model, headers=auth())
check("model config", config["input"][0]["data_type"] == "TYPE_FP64")
index = client.get_model_repository_index(headers=auth())
check("repository index", any(own["name"] == model and own["state"] == "READY" for own in index))

rows = np.random.default_rng(7).normal(size=(5, n))


def infer(binary_in, binary_out, dtype=np.float64, **how):
    name = {np.float64: "FP64", np.float32: "FP32"}[dtype]
    tensor = triton.InferInput("x", list(rows.shape), name)
    tensor.set_data_from_numpy(rows.astype(dtype), binary_data=binary_in)
    outputs = [
        triton.InferRequestedOutput("probability", binary_data=binary_out),
        triton.InferRequestedOutput("prediction", binary_data=binary_out),
    ]
    return client.infer(model, [tensor], outputs=outputs, headers=auth(), **how)


binary = infer(True, True)
scores = binary.as_numpy("probability")
check("binary in and out", scores.shape == (5,) and scores.dtype == np.float64)
check("words out", len(binary.as_numpy("prediction")) == 5)
check("an id is given", bool(binary.get_response()["id"]))
check("JSON in and out", np.array_equal(infer(False, False).as_numpy("probability"), scores))
check("binary in, JSON out", np.array_equal(infer(True, False).as_numpy("probability"), scores))
check("the id comes back", infer(True, True, request_id="my-42").get_response()["id"] == "my-42")
check("a version", infer(True, True, model_version="1").get_response()["model_version"] == "1")
check("an alias", infer(True, True, model_version="champion").get_response()["model_version"] == "1")
check("FP32", np.allclose(infer(True, True, np.float32).as_numpy("probability"), scores, atol=1e-6))
for way in ["gzip", "deflate"]:
    both = infer(True, True, request_compression_algorithm=way, response_compression_algorithm=way)
    check(f"{way} both ways", np.array_equal(both.as_numpy("probability"), scores))
tensor = triton.InferInput("x", list(rows.shape), "FP64")
tensor.set_data_from_numpy(rows)
plain = client.infer(model, [tensor], headers=auth())
check("no outputs asked for: all, binary", np.array_equal(plain.as_numpy("probability"), scores))
explained = client.infer(model, [tensor], headers=auth(), parameters={"explain": True})
check("attributions", explained.as_numpy("attributions").shape == (5, n))
empty = triton.InferInput("x", [0, n], "FP64")
empty.set_data_from_numpy(np.zeros((0, n)))
none = client.infer(model, [empty], headers=auth()).as_numpy("probability")
check("no rows", none is None or none.size == 0)
later = client.async_infer(model, [tensor], headers=auth()).get_result()
check("asynchronous", np.array_equal(later.as_numpy("probability"), scores))

stats = client.get_inference_statistics(model, headers=auth())["model_stats"][0]
check("statistics", stats["inference_count"] > 0 and stats["inference_stats"]["success"]["ns"] > 0)
check("statistics of all", client.get_inference_statistics(headers=auth())["model_stats"])
client.unload_model(model, headers=auth())
check("unloaded", not client.is_model_ready(model, headers=auth()))
refused("an unloaded model does not answer", 503, lambda: infer(True, True))
client.load_model(model, headers=auth())
check("loaded again", client.is_model_ready(model, headers=auth()))

narrow = triton.InferInput("x", [1, n + 1], "FP64")
narrow.set_data_from_numpy(np.zeros((1, n + 1)))
refused("wrong number of columns", 400, lambda: client.infer(model, [narrow], headers=auth()))
refused("no such model", 404, lambda: client.get_model_metadata("nope", headers=auth()))
refused("no such version", 404, lambda: client.get_model_metadata(model, "99", headers=auth()))
refused("a path that climbs", 404, lambda: client.get_model_metadata("nope/../x", headers=auth()))
refused("no key", 401, lambda: client.get_model_metadata(model))
basic = triton.InferenceServerClient(url=url)
basic.register_plugin(BasicAuth("anyone", key))
check("the key as a password", basic.get_model_metadata(model)["name"] == model)

failed = [name for name, holds in checks if not holds]
print(f"{len(checks) - len(failed)} of {len(checks)} hold")
sys.exit(1 if failed else 0)
