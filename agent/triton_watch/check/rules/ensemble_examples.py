"""Short ensembles for the examples of rules."""

from __future__ import annotations


def maps(name: str, pair: str) -> str:
    """Return one entry of a map, `key:value`."""
    key, value = pair.split(":")
    return f'{name} {{ key: "{key}" value: "{value}" }}'


def step_text(model: str, inputs: str, outputs: str, version: str = "model_version: -1") -> str:
    """Return one step; `inputs` and `outputs` are pairs such as `A:TEXT B:SIZE`."""
    pairs = [maps("input_map", pair) for pair in inputs.split()]
    pairs += [maps("output_map", pair) for pair in outputs.split()]
    return f'  step {{ model_name: "{model}" {version} {" ".join(pairs)} }}\n'


def tensors_text(kind: str, names: str, dims: str = "[ 4 ]", data_type: str = "FP32") -> str:
    """Return inputs or outputs of one type and shape."""
    return "".join(f'{kind} {{ name: "{name}" data_type: TYPE_{data_type} dims: {dims} }}\n' for name in names.split())


def ensemble_text(*steps: str, inputs: str = "IN", outputs: str = "OUT", more: str = "", batch: int = 8) -> str:
    """Return an ensemble's configuration for an example."""
    head = f'platform: "ensemble"\nmax_batch_size: {batch}\n'
    body = tensors_text("input", inputs) + tensors_text("output", outputs) + more
    return f"{head}{body}ensemble_scheduling {{\n{''.join(steps)}}}\n"


def model_text(inputs: str = "A", outputs: str = "B", more: str = "", batch: int = 8) -> str:
    """Return a member's configuration."""
    body = tensors_text("input", inputs) + tensors_text("output", outputs)
    return f'backend: "onnxruntime"\nmax_batch_size: {batch}\n{body}{more}'


def repository_text(ensemble: str, **members: str) -> str:
    """Return a repository with an ensemble `pipeline` and its members, all with a version."""
    files = [f"--- pipeline/config.pbtxt\n{ensemble}--- pipeline/1/.gitkeep\n"]
    files += [
        f"--- {name}/config.pbtxt\n{config}--- {name}/1/model.onnx\na model\n" for name, config in members.items()
    ]
    return "".join(files)


STEP = step_text("resize", "A:IN", "B:OUT")
GOOD = ensemble_text(STEP)
TWO = ensemble_text(step_text("resize", "A:IN", "B:MID"), step_text("rank", "A:MID", "B:OUT"))
