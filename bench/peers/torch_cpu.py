"""PyTorch on the CPU: reads work and its data from a folder, writes results and times there.

usage: torch_cpu.py FOLDER THREADS ROUNDS
"""
import json
import statistics
import sys
import time

import numpy
import torch
from torch.nn import functional as F


def call_for(work, x):
    kind = work["kind"]
    if kind == "matmul":
        return lambda: x[0] @ x[1]
    if kind == "conv":
        return lambda: F.conv2d(
            x[0], x[1], stride=work["stride"], padding=work["padding"],
            groups=work["groups"])
    if kind == "maxPool":
        return lambda: F.max_pool2d(x[0], work["kernel"], work["stride"])
    if kind == "softmax":
        return lambda: F.softmax(x[0], 1)
    if kind == "sum":
        return lambda: x[0].sum((0, 2, 3))
    if kind == "average":
        return lambda: x[0].mean((2, 3))
    if kind == "network":
        return lambda: network(work["steps"], x[0], iter(x[1:]))
    if kind == "batchNorm":
        return lambda: F.batch_norm(
            x[0], None, None, training=True, eps=1e-5)
    raise ValueError(kind)


@torch.no_grad()
def network(steps, x, parameters):
    values = [x]
    for step in steps:
        y = values[step["of"]]
        if step["op"] == "conv":
            y = F.conv2d(y, next(parameters), next(parameters),
                         stride=step["stride"], padding=step["padding"])
            if "plus" in step:
                y = y + values[step["plus"]]
            if step["relu"]:
                y = F.relu(y)
        elif step["op"] == "maxPool":
            y = F.max_pool2d(
                y, step["kernel"], step["stride"], step["padding"])
        elif step["op"] == "globalAverage":
            y = y.mean((2, 3))
        else:
            y = F.linear(y, next(parameters), next(parameters))
        values.append(y)
    return values[-1]


def lenet_step(data, rate):
    images, labels, *values = data
    labels = labels.long()
    parameters = [value.requires_grad_() for value in values]
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = parameters

    def step():
        y = F.max_pool2d(F.relu(F.conv2d(images, w1, b1, padding=2)), 2)
        y = F.max_pool2d(F.relu(F.conv2d(y, w2, b2)), 2).flatten(1)
        y = F.relu(F.linear(F.relu(F.linear(y, w3, b3)), w4, b4))
        loss = F.cross_entropy(F.linear(y, w5, b5), labels)
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= rate * parameter.grad
                parameter.grad = None
        return loss

    return step


def main():
    folder, threads, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    with open(f"{folder}/work.json") as file:
        given = json.load(file)
    times = []
    for i, work in enumerate(given["work"]):
        data = [
            torch.from_numpy(
                numpy.fromfile(f"{folder}/{i}_{j}.bin", "float32").reshape(shape))
            for j, shape in enumerate(work["shapes"])
        ]
        if work["kind"] == "lenet":
            call = lenet_step(data, given["rate"])
            result = torch.stack([call().detach() for _ in range(given["steps"])])
        else:
            call = call_for(work, data)
            result = call()
        result.numpy().astype("float32").tofile(f"{folder}/{i}_result.bin")
        start = time.perf_counter()
        call()
        runs = max(1, min(1000, int(0.03 / (time.perf_counter() - start))))
        measured = []
        for _ in range(rounds):
            start = time.perf_counter()
            for _ in range(runs):
                call()
            measured.append(1000 * (time.perf_counter() - start) / runs)
        times.append(measured)
    print(json.dumps({"version": torch.__version__, "ms": times}))


main()
