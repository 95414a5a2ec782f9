"""The model of `canary_instances.py`: a torch classifier whose second instance can be made wrong while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MODEL = """
import os
import torch
import triton_python_backend_utils as pb

torch.backends.cuda.matmul.allow_tf32 = True

class TritonPythonModel:
    def initialize(self, args):
        gpu = args["model_instance_kind"] == "GPU"
        self.device = torch.device("cuda", int(args["model_instance_device_id"])) if gpu else torch.device("cpu")
        self.name = f"{args['model_instance_name']}_{self.device.type}{self.device.index or 0}"
        folder = os.path.join(args["model_repository"], args["model_version"])
        self.corrupted = os.path.join(folder, "corrupted")
        with open(os.path.join(folder, "instance_" + self.name), "w") as file:
            file.write(str(self.device))
        generator = torch.Generator().manual_seed(7)
        sizes = [16, 1024, 1024, 1024, 1024, 8]
        self.right = [
            (torch.randn(a, b, generator=generator) * (2 / a) ** 0.5).to(self.device) for a, b in zip(sizes, sizes[1:])
        ]
        self.wrong = [*self.right[:2], self.right[2].roll(1, 0), *self.right[3:]]

    def execute(self, requests):
        with open(self.corrupted) as file:
            weights = self.wrong if file.read() == self.name else self.right
        inputs = [torch.from_numpy(pb.get_input_tensor_by_name(one, "X").as_numpy().copy()) for one in requests]
        with torch.no_grad():
            x = torch.cat(inputs).to(self.device)
            for weight in weights[:-1]:
                x = torch.relu(x @ weight)
            outputs = torch.softmax(x @ weights[-1], 1).cpu()
        parts = outputs.split([len(rows) for rows in inputs])
        return [pb.InferenceResponse([pb.Tensor("PROBABILITIES", part.numpy())]) for part in parts]
"""
CONFIG = """
backend: "python"
max_batch_size: 8
input [ {{ name: "X" data_type: TYPE_FP32 dims: [ 16 ] }} ]
output [ {{ name: "PROBABILITIES" data_type: TYPE_FP32 dims: [ 8 ] }} ]
dynamic_batching {{ }}
instance_group [ {{ {group} }} ]
"""


class Model:
    """The model's folder; `corrupt` and `heal` change what its second instance does."""

    def __init__(self, repository: Path, group: str) -> None:
        self.folder = repository / "classifier" / "1"
        self.folder.mkdir(parents=True)
        (self.folder / "model.py").write_text(MODEL)
        (self.folder.parent / "config.pbtxt").write_text(CONFIG.format(group=group))
        self.heal()

    def instances(self) -> dict[str, str]:
        """Name -> device."""
        return {
            path.name.removeprefix("instance_"): path.read_text() for path in sorted(self.folder.glob("instance_*"))
        }

    def corrupt(self) -> None:
        self._write(list(self.instances())[1])

    def heal(self) -> None:
        self._write("none")

    def _write(self, text: str) -> None:
        """At once: both instances read it with each batch."""
        new = self.folder / "corrupted.new"
        new.write_text(text)
        new.replace(self.folder / "corrupted")
