"""Times the networks of the benchmark in PyTorch: prints milliseconds of a step and of one row, and megabytes."""

import sys
import time
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 64


def fcn():
    layers, channels = [], 1
    for filters, kernel in ((128, 8), (256, 5), (128, 3)):
        layers += [nn.Conv1d(channels, filters, kernel, padding="same"), nn.BatchNorm1d(filters), nn.ReLU()]
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(128, 5)), (1, 150), 5, 20


def lenet():
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )
    return net, (1, 28, 28), 10, 100


def small_kernels():
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    return net, (1, 28, 28), 10, 40


def milliseconds(work, times):
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begin) * 1e3)
    return sorted(spent)[times // 2]


def peak():
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next(float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def main():
    warnings.filterwarnings("ignore")
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    net, shape, classes, steps = {"fcn": fcn, "lenet": lenet, "3x3": small_kernels}[name]()
    x, y = torch.randn(BATCH, *shape), torch.arange(BATCH) % classes
    if name == "3x3":
        # The memory order that suits it best.
        net = net.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-3)

    def step():
        optimiser.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimiser.step()

    for _ in range(3):
        step()
    of_step = milliseconds(step, steps)
    net.eval()
    one = x[:1]
    with torch.inference_mode():
        of_row = milliseconds(lambda: net(one), 200)
    print(of_step, of_row, peak())


main()
