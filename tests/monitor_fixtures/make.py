"""Expected numbers of the room `monitor`, as scipy, evidently 0.7.23 and nannyml 0.13.1 have them.

python -m venv v && v/bin/pip install evidently==0.7.23 nannyml==0.13.1 'pandas<3' 'scikit-learn<1.8' && v/bin/python make.py
"""

import json
import pathlib
import warnings

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial.distance import jensenshannon

warnings.filterwarnings("ignore")

from evidently.legacy.calculations.stattests import registry
from evidently.legacy.calculations.stattests.chisquare_stattest import _chi_stat_test
from evidently.legacy.calculations.stattests.hellinger_distance import _hellinger_distance
from evidently.legacy.calculations.stattests.jensenshannon import _jensenshannon
from evidently.legacy.calculations.stattests.ks_stattest import _ks_stat_test
from evidently.legacy.calculations.stattests.psi import _psi
from evidently.legacy.calculations.stattests.tvd_stattest import _total_variation_distance
from evidently.legacy.calculations.stattests.wasserstein_distance_norm import _wasserstein_distance_norm
from evidently.legacy.calculations.stattests.z_stattest import _z_stat_test
from evidently.legacy.core import ColumnType
from nannyml import CBPE
from nannyml.calibration import IsotonicCalibrator

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(7)
CAT, NUM = ColumnType.Categorical, ColumnType.Numerical


def write(name, what):
    (HERE / name).write_text(json.dumps(what, separators=(",", ":")) + "\n")


def numbers():
    cases = []
    for name, a, b in [
        ("equal sizes", rng.normal(size=60), rng.normal(0.3, 1, 60)),
        ("other sizes", rng.normal(size=90), rng.normal(0.5, 1.2, 40)),
        ("coprime", rng.normal(size=37), rng.normal(0.0, 1, 53)),
        ("ties", rng.integers(0, 8, 80).astype(float), rng.integers(1, 9, 55).astype(float)),
        ("far", rng.normal(size=100), rng.normal(3, 1, 80)),
        ("same", np.arange(30.0), np.arange(30.0)),
    ]:
        a, b = np.round(a, 4), np.round(b, 4)
        ra, rb = pd.Series(a), pd.Series(b)
        ks = stats.ks_2samp(a, b)
        cases.append({
            "name": name, "reference": a.tolist(), "window": b.tolist(),
            "ks": ks.statistic, "ks_p": ks.pvalue, "evidently_ks_p": _ks_stat_test(ra, rb, NUM, 0.05)[0],
            "ks_asymptotic_p": stats.ks_2samp(a, b, method="asymp").pvalue,
            "wasserstein": stats.wasserstein_distance(a, b),
            "evidently_wasserstein": _wasserstein_distance_norm(ra, rb, NUM, 0.1)[0],
        })
    return cases


def levels():
    cases = []
    for name, p, q, n, m in [
        ("three", [0.5, 0.3, 0.2], [0.4, 0.3, 0.3], 400, 300),
        ("two", [0.7, 0.3], [0.6, 0.4], 200, 150),
        ("many", np.ones(12) / 12, np.r_[np.ones(11) / 14, 3 / 14], 900, 700),
        ("with an unseen one", [0.5, 0.5, 0.0], [0.45, 0.45, 0.1], 300, 200),
    ]:
        a = pd.Series(rng.choice(len(p), n, p=np.array(p) / np.sum(p))).astype(str)
        b = pd.Series(rng.choice(len(q), m, p=np.array(q) / np.sum(q))).astype(str)
        keys = [str(k) for k in range(len(p))]
        ca, cb = [[int((s == k).sum()) for k in keys] for s in (a, b)]
        pa, pb = np.array(ca) / n, np.array(cb) / m
        full = min(ca) > 0 and min(cb) > 0
        ratio = a.value_counts(normalize=True).sub(b.value_counts(normalize=True), fill_value=0).abs().max()
        cases.append({
            "name": name, "reference": ca, "window": cb,
            "js": float(jensenshannon(pa, pb, base=2)), "evidently_js": float(_jensenshannon(a, b, CAT, 0.1)[0]),
            "psi": float(_psi(a, b, CAT, 0.1)[0]) if full else None,
            "chi2_p": float(_chi_stat_test(a, b, CAT, 0.05)[0]),
            "contingency_p": float(stats.chi2_contingency([ca, cb], correction=False).pvalue),
            "hellinger": float(_hellinger_distance(a.copy(), b.copy(), CAT, 0.1)[0]),
            "tv": float(_total_variation_distance(a, b)),
            "l_infinity": float(ratio),
            "z_p": float(_z_stat_test(a, b, CAT, 0.05)[0]) if len(p) == 2 else None,
        })
    return cases


def chosen():
    out = []
    for n in (1000, 1001):
        for kind, values in [("numbers", [2, 3, 5, 6, 400]), ("levels", [2, 3, 9])]:
            for k in values:
                s = pd.Series(np.arange(n) % k)
                s = s.astype(str) if kind == "levels" else s.astype(float)
                t = registry._get_default_stattest(s, s, CAT if kind == "levels" else NUM)
                out.append({"n": n, "kind": kind, "distinct": k, "method": t.name, "threshold": t.default_threshold})
    return out


def proportions():
    out = []
    for table in [(0, 500, 3, 100), (5, 500, 9, 120), (40, 1000, 20, 1000), (0, 100, 0, 50), (30, 200, 1, 90)]:
        k1, n1, k2, n2 = table
        greater = stats.fisher_exact([[k2, n2 - k2], [k1, n1 - k1]], alternative="greater").pvalue
        less = stats.fisher_exact([[k2, n2 - k2], [k1, n1 - k1]], alternative="less").pvalue
        pooled = (k1 + k2) / (n1 + n2)
        sd = np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
        out.append({"table": table, "greater": greater, "less": less, "z": float((k2 / n2 - k1 / n1) / sd) if sd > 0 else None})
    return out


METRICS = ["roc_auc", "f1", "precision", "recall", "accuracy"]


def cbpe():
    cases = []
    for name, n, m, bend, shift, cut in [
        ("calibrated", 600, 300, lambda p: p, 0.4, 0.5),
        ("bent", 900, 400, lambda p: p**2.5, -0.3, 0.4),
        ("flat", 500, 250, lambda p: 0.3 + 0.4 * p, 0.2, 0.5),
    ]:
        def draw(k, by):
            p = 1 / (1 + np.exp(-rng.normal(by, 1.4, k)))
            y = (rng.uniform(size=k) < bend(p)).astype(int)
            return np.round(p, 4), y
        (p, y), (q, z) = draw(n, 0.0), draw(m, shift)
        ref = pd.DataFrame({"p": p, "y": y, "d": (p >= cut).astype(int)})
        ana = pd.DataFrame({"p": q, "d": (q >= cut).astype(int)})
        est = CBPE(metrics=METRICS, y_pred_proba="p", y_pred="d", y_true="y", problem_type="classification_binary", chunk_number=1)
        est.fit(ref)
        row = est.estimate(ana).filter(period="analysis").data.iloc[0]
        cases.append({
            "name": name, "threshold": cut, "scores": p.tolist(), "truth": y.tolist(), "window": q.tolist(),
            "calibrated": bool(est.needs_calibration),
            "isotonic": [float(v) for v in _isotonic(p, y)],
            "metrics": {k: {"value": float(row[(k, "value")]), "sampling_error": float(row[(k, "sampling_error")]),
                            "low": float(row[(k, "lower_confidence_boundary")]), "high": float(row[(k, "upper_confidence_boundary")])} for k in METRICS},
        })
    return cases


def _isotonic(p, y):
    iso = IsotonicCalibrator()
    iso.fit(p, y)
    return iso.calibrate(np.array([0.0, 0.11, 0.25, 0.333, 0.5, 0.67, 0.8, 0.99, 1.0]))


write("drift.json", {"numbers": numbers(), "levels": levels(), "chosen": chosen(), "proportions": proportions()})
write("cbpe.json", cbpe())
