"""PyTorch on the CPU: reads a row and its data from a folder, writes its result there and prints its times.

usage: torch_cpu.py FOLDER THREADS ROUNDS
"""
import json
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
        return torch.no_grad()(lambda: run(work["steps"], x[0], iter(x[1:])))
    if kind == "batchNorm":
        return lambda: F.batch_norm(
            x[0], None, None, training=True, eps=1e-5)
    raise ValueError(kind)


def run(steps, x, parameters):
    """The network's last value."""
    values = [x]
    for step in steps:
        parts = step.get("parts", [step.get("of")])
        values.append(apply(step, [values[i] for i in parts], values,
                            parameters))
    return values[-1]


def apply(step, operands, values, parameters):
    op, x = step["op"], operands[0]
    if op == "conv":
        weight = next(parameters)
        bias = next(parameters) if step["bias"] else None
        y = F.conv2d(x, weight, bias, stride=step["stride"],
                     padding=step["padding"])
        if "plus" in step:
            y = y + values[step["plus"]]
    elif op == "batchNorm":
        return F.batch_norm(x, None, None, next(parameters), next(parameters),
                            training=True, eps=step["eps"])
    elif op == "scale":
        factor, summand = next(parameters), next(parameters)
        y = x * factor[:, None, None] + summand[:, None, None]
    elif op == "linear":
        y = F.linear(x, next(parameters), next(parameters))
    elif op == "relu":
        return F.relu(x)
    elif op == "add":
        return x + values[step["plus"]]
    elif op == "maxPool":
        return F.max_pool2d(x, step["kernel"], step["stride"],
                            step["padding"], ceil_mode=step["ceil"])
    elif op == "averagePool":
        return F.avg_pool2d(x, step["kernel"])
    elif op == "globalAverage":
        return x.mean((2, 3))
    elif op == "flatten":
        return x.flatten(1)
    elif op == "concat":
        return torch.cat(operands, 1)
    else:
        raise ValueError(op)
    return F.relu(y) if step.get("relu") else y


def training_step(work, data):
    images, labels, *values = data
    labels = labels.long()
    parameters = [value.requires_grad_() for value in values]

    def step():
        scores = run(work["steps"], images, iter(parameters))
        loss = F.cross_entropy(scores, labels)
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= work["rate"] * parameter.grad
                parameter.grad = None
        return loss

    return step


def main():
    folder, threads, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    with open(f"{folder}/work.json") as file:
        work = json.load(file)
    data = [
        torch.from_numpy(
            numpy.fromfile(f"{folder}/{i}.bin", "float32").reshape(shape))
        for i, shape in enumerate(work["shapes"])
    ]
    if work["kind"] == "training":
        call = training_step(work, data)
        result = torch.stack([call().detach() for _ in range(work["losses"])])
    else:
        call = call_for(work, data)
        result = call()
    result.numpy().astype("float32").tofile(f"{folder}/result.bin")
    start = time.perf_counter()
    call()
    runs = max(1, min(1000, int(0.03 / (time.perf_counter() - start))))
    measured = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(runs):
            call()
        measured.append(1000 * (time.perf_counter() - start) / runs)
    print(json.dumps({"version": torch.__version__, "ms": measured}))


main()
