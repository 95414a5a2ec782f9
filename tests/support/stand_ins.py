"""A folder of backends for the real tritonserver in which every backend but Python is a stand-in.

The wheel has the Python backend only, so its server refuses anything else with "unable to find backend
library" and never looks at the rest of the configuration. A stand-in is the smallest shared library that the
core takes for a backend: one function, which answers each request with an empty response (warm-up sends
some). A model that gets READY on it is one that the core accepts; whether the real backend would load it
stays open. It loads in 2 ms, needs no process and no shared memory, and no compiler either: the library is
written byte by byte, as a compiler would from

    TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(void *instance, void **requests, uint32_t count) {
        for (uint32_t i = 0; i < count; i++) {
            void *response;
            TRITONBACKEND_ResponseNew(&response, requests[i]);
            TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, NULL);
            TRITONBACKEND_RequestRelease(requests[i], TRITONSERVER_REQUEST_RELEASE_ALL);
        }
        return NULL;
    }
"""

from __future__ import annotations

import shutil
import struct
from typing import TYPE_CHECKING

from triton_watch.demo.wheel import find_server_files

if TYPE_CHECKING:
    from pathlib import Path

STAND_INS = (
    "dali",
    "fil",
    "identity",
    "onnxruntime",
    "openvino",
    "pytorch",
    "repeat",
    "square",
    "tensorflow",
    "tensorrt",
    "tensorrtllm",
    "vllm",
)
IMPORTS = ("TRITONBACKEND_ResponseNew", "TRITONBACKEND_ResponseSend", "TRITONBACKEND_RequestRelease")
EXPORT = "TRITONBACKEND_ModelInstanceExecute"
CODE = (
    "41 54  89 d2  55  48 8d 2c d6",  # push r12; mov edx, edx; push rbp; lea rbp, [rsi+rdx*8]
    "53  48 89 f3  48 83 ec 10  4c 8d 64 24 08",  # push rbx; mov rbx, rsi; sub rsp, 16; lea r12, [rsp+8]
    "48 39 eb  74 33",  # next: cmp rbx, rbp; je end
    "48 8b 33  4c 89 e7  48 83 c3 08  ff 15",  # mov rsi, [rbx]; mov rdi, r12; add rbx, 8; call ResponseNew
    "48 8b 7c 24 08  31 d2  be 01 00 00 00  ff 15",  # mov rdi, [rsp+8]; xor edx, edx; mov esi, 1; call ResponseSend
    "48 8b 7b f8  be 01 00 00 00  ff 15",  # mov rdi, [rbx-8]; mov esi, 1; call RequestRelease
    "eb c8",  # jmp next
    "48 83 c4 10  31 c0  5b  5d  41 5c  c3",  # end: add rsp, 16; xor eax, eax; pop rbx, rbp, r12; ret
)
"""x86-64. After each `ff 15` comes the distance to the pointer of an imported function, in their order."""

PAGE = 0x1000
LOAD, DYNAMIC, GNU_STACK = 1, 2, 0x6474E551
READ, WRITE, EXECUTE = 4, 2, 1


def write_backends(folder: Path) -> list[str]:
    """Put the stand-ins and the real Python backend into the new `folder`; returns tritonserver's flags for it."""
    files = find_server_files()
    shutil.copytree(files.backends, folder, ignore=shutil.ignore_patterns("__pycache__"))
    stub = folder / "python" / files.stub.name
    shutil.copyfile(files.stub, stub)
    stub.chmod(0o755)
    library = stand_in()
    for name in STAND_INS:
        (folder / name).mkdir()
        (folder / name / f"libtriton_{name}.so").write_bytes(library)
    return [f"--backend-directory={folder}"]


def stand_in() -> bytes:
    """An ELF library: one page to read and execute (tables, code), one to write (what the linker fills in)."""
    names = [*IMPORTS, EXPORT]
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in names)
    hashes = 64 + 4 * 56
    symbols = hashes + 4 * (2 + 1 + len(names) + 1)
    symbols += -symbols % 8
    relocations = symbols + 24 * (len(names) + 1)
    texts = relocations + 24 * len(IMPORTS)
    code = texts + len(strings) + -(texts + len(strings)) % 16
    pointers = PAGE + 16 * 9

    rows = [struct.pack("<IBBHQQ", strings.index(b"\0" + n.encode()) + 1, 0x12, 0, 0, 0, 0) for n in IMPORTS]
    machine_code = _machine_code(code, pointers)
    rows.append(struct.pack("<IBBHQQ", strings.index(EXPORT.encode()), 0x12, 0, 1, code, len(machine_code)))
    # One bucket, in which each symbol points to the next one.
    table = struct.pack(f"<{3 + len(names) + 1}I", 1, len(names) + 1, 1, 0, *range(2, len(names) + 1), 0)
    fixes = b"".join(struct.pack("<QQq", pointers + 8 * i, (i + 1) << 32 | 6, 0) for i in range(len(IMPORTS)))
    tags = [(4, hashes), (5, texts), (6, symbols), (10, len(strings)), (11, 24), (7, relocations), (8, len(fixes))]
    dynamic = b"".join(struct.pack("<QQ", *tag) for tag in [*tags, (9, 24), (0, 0)])
    writable = dynamic + bytes(8 * len(IMPORTS))

    image = bytearray(PAGE) + writable
    image[0:64] = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, 62, 1, 0, 64, 0, 0, 64, 56, 4, 64, 0, 0)
    end = code + len(machine_code)
    image[64:hashes] = (
        _segment(LOAD, READ | EXECUTE, 0, end)
        + _segment(LOAD, READ | WRITE, PAGE, len(writable))
        + _segment(DYNAMIC, READ | WRITE, PAGE, len(dynamic))
        + _segment(GNU_STACK, READ | WRITE, 0, 0)
    )
    for place, part in ((hashes, table), (symbols, bytes(24) + b"".join(rows)), (relocations, fixes)):
        image[place : place + len(part)] = part
    image[texts : texts + len(strings)] = strings
    image[code:end] = machine_code
    return bytes(image)


def _segment(kind: int, flags: int, place: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, flags, place, place, place, size, size, PAGE)


def _machine_code(start: int, pointers: int) -> bytes:
    """The function for its place in memory: calls go through the pointers, by distance."""
    code = b""
    for line in CODE:
        code += bytes.fromhex(line)
        if line.endswith("ff 15"):
            code += struct.pack("<i", pointers - (start + len(code) + 4))
            pointers += 8
    return code
