"""What the real tritonserver says of instance groups on a machine with GPUs: run by hand there.

python tests/gpu/judge_instances.py
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from differential.case import Case
from differential.cases import load_cases
from differential.judge import Judge

BACKEND = 'backend: "onnxruntime"\n'
GROUPS = {
    "gpu-zero": "kind: KIND_GPU gpus: [ 0 ]",
    "gpu-zero-twice": "kind: KIND_GPU gpus: [ 0, 0 ]",
    "gpu-one": "kind: KIND_GPU gpus: [ 1 ]",
    "gpu-seven": "kind: KIND_GPU gpus: [ 7 ]",
    "gpu-negative": "kind: KIND_GPU gpus: [ -1 ]",
    "auto-gpu-zero": "gpus: [ 0 ]",
    "auto-gpu-seven": "gpus: [ 7 ]",
    "auto-gpu-zero-twice": "gpus: [ 0, 0 ]",
    "cpu-gpu-zero": "kind: KIND_CPU gpus: [ 0 ]",
    "model-gpu-zero": "kind: KIND_MODEL gpus: [ 0 ]",
    "gpu-many": "kind: KIND_GPU count: 64",
}


def made(name: str, group: str) -> Case:
    model = name.replace("-", "_")
    files = {"config.pbtxt": f"{BACKEND}instance_group {{ {group} }}\n", "1/model.onnx": "x"}
    return Case(name, "gpu", ({model: {**files}},), model)


def main() -> None:
    cases = [*(made(*one) for one in GROUPS.items()), *(case for case in load_cases() if "gpu" in case.tags)]
    with Judge() as judge:
        verdicts = judge.judge(cases)
    for case in cases:
        verdict = verdicts[case.name]
        sys.stdout.write(f"{case.name:32} {verdict.stage or 'READY':10} {verdict.reason}\n")
        for line in verdict.log.splitlines():
            if "TRITONBACKEND_ModelInstanceInitialize" in line or "gpu id" in line.lower():
                sys.stdout.write(f"    {line[:160]}\n")


if __name__ == "__main__":
    main()
