"""Loads the program on stdin as BPF_PROG_TYPE_CGROUP_DEVICE and prints `loaded`, or the errno and what the verifier says."""
import ctypes
import platform
import struct
import sys

program = sys.stdin.buffer.read()
instructions = ctypes.create_string_buffer(program)
licence = ctypes.create_string_buffer(b"Apache-2.0")
log = ctypes.create_string_buffer(65536)
BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE = 5, 15
attributes = struct.pack(
    "IIQQIIQ",
    BPF_PROG_TYPE_CGROUP_DEVICE,
    len(program) // 8,
    ctypes.addressof(instructions),
    ctypes.addressof(licence),
    1,
    len(log),
    ctypes.addressof(log),
)
number = 280 if platform.machine() == "aarch64" else 321
buffer = ctypes.create_string_buffer(attributes + bytes(128 - len(attributes)))
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(number, BPF_PROG_LOAD, buffer, len(buffer))
print("loaded" if result >= 0 else f"errno {ctypes.get_errno()}\n{log.value.decode()}")
