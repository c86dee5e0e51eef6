"""MLServer 1.7.1 with a logistic regression of 20 columns, the rival of `cargo bench --bench serve`.

    pip install mlserver==1.7.1 mlserver-sklearn==1.7.1
    python3 tests/benches/serve_mlserver.py FOLDER 8085      # writes the model, then serves until Ctrl-C
"""

import json
import pathlib
import subprocess
import sys

import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression

folder, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
x = np.random.default_rng(1).uniform(-0.5, 0.5, size=(2000, 20))
joblib.dump(LogisticRegression().fit(x, x.sum(axis=1) > 0), folder / "model.joblib")
about = {"name": "bench", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "./model.joblib"}}
(folder / "model-settings.json").write_text(json.dumps(about))
settings = {"http_port": port, "grpc_port": port + 1, "metrics_port": port + 2, "parallel_workers": 0, "debug": False}
(folder / "settings.json").write_text(json.dumps(settings))
subprocess.run([str(pathlib.Path(sys.executable).parent / "mlserver"), "start", str(folder)], check=True)
