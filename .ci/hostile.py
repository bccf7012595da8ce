#!/usr/bin/env python3
"""Hostile input: each case must end with a clear finding or message, under 2 s and 500 MB, in the binary given.

The best of five runs counts; since the machine may be shared, the check fails at twice the two seconds and says "slow" before.

usage: hostile.py MESHGOV...
"""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

SECONDS, MEGABYTES = 2.0, 500
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ok, namespace: web}\ndata: {colour: blue}\n"


def nested_flow(folder):
    (folder / "deep.yaml").write_text("apiVersion: v1\nkind: ConfigMap\na: " + "[" * 100_000 + "\n")


def alias_bomb(folder):
    lines = ["apiVersion: v1", "kind: ConfigMap", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 20)]
    (folder / "bomb.yaml").write_text("\n".join(lines) + "\n")


def long_line(folder):
    with (folder / "line.yaml").open("w") as out:
        out.write("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big, namespace: web}\ndata:\n  a: ")
        out.write("x" * 200_000_000)
        out.write("\n")


def long_comment(folder):
    with (folder / "comment.yaml").open("w") as out:
        out.write(MANIFEST + "# " + "x" * 200_000_000 + "\n")


def nested_block(folder):
    (folder / "block.yaml").write_text("apiVersion: v1\nkind: ConfigMap\n" + "".join(" " * n + "a:\n" for n in range(5_000)))


def symlink_loop(folder):
    (folder / "a").mkdir()
    (folder / "a" / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self.yaml").symlink_to("self.yaml")
    (folder / "dangling.yaml").symlink_to("nowhere.yaml")


def empty_files(folder):
    for n in range(100_000):
        os.close(os.open(folder / f"{n}.yaml", os.O_CREAT | os.O_WRONLY))


def duplicate_keys(folder):
    (folder / "keys.yaml").write_text("apiVersion: v1\nkind: ConfigMap\ndata:\n" + "  a: 1\n" * 200_000)


def many_duplicates(folder):
    (folder / "keys.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n" + "".join(f"  k{n}: 1\n  k{n}: 2\n" for n in range(100_000)))


def binary(folder):
    (folder / "image.yaml").write_bytes(os.urandom(5_000_000))


# name, what makes it, exit codes that are right, words of which one must be printed
CASES = [
    ("100,000 nested flow", nested_flow, (0, 1), ("INPUT",)),
    ("alias bomb", alias_bomb, (0, 1), ("INPUT",)),
    ("200 MB line", long_line, (0,), ("INPUT004",)),
    ("200 MB comment", long_comment, (0,), ("INPUT004",)),
    ("5,000 nested blocks", nested_block, (0, 1), ("INPUT",)),
    ("symlink loop", symlink_loop, (0, 1), ("INPUT", "symlink", "link")),
    ("100,000 empty files", empty_files, (0, 3), ("file", "object")),
    ("200,000 duplicate keys", duplicate_keys, (0, 1), ("INPUT",)),
    ("100,000 keys twice", many_duplicates, (0, 1), ("INPUT002",)),
    ("5 MB of noise", binary, (0, 1), ("INPUT", "not text", "UTF-8", "utf-8")),
]


def run(meshgov, folder):
    """Exit code, output, seconds and peak megabytes of one check, measured for that process alone."""
    with tempfile.TemporaryFile() as out:
        start = time.monotonic()
        child = subprocess.Popen(
            [meshgov, "check", "--no-config", "--no-progress", "--format", "human", str(folder)],
            stdout=out, stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30)))
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - start
        out.seek(0)
        return os.waitstatus_to_exitcode(status), out.read().decode(errors="replace"), seconds, usage.ru_maxrss / 1024


def main():
    bad = []
    for meshgov in sys.argv[1:]:
        print(meshgov)
        for name, make, codes, words in CASES:
            with tempfile.TemporaryDirectory() as tmp:
                folder = pathlib.Path(tmp)
                (folder / "good.yaml").write_text(MANIFEST)
                make(folder)
                # A busy machine is no fault of the program: the best of five counts.
                for _ in range(5):
                    code, output, seconds, megabytes = run(meshgov, folder)
                    if seconds <= SECONDS:
                        break
            problems = []
            if code not in codes:
                problems.append(f"exit {code}, expected {codes}")
            if not any(word in output for word in words):
                problems.append(f"none of {words} printed")
            if "panicked" in output:
                problems.append("panicked")
            if seconds > 2 * SECONDS:
                problems.append("too slow")
            if megabytes > MEGABYTES:
                problems.append("too much memory")
            print(f"  {name:24} exit {code}  {seconds:5.2f} s  {megabytes:6.0f} MB  {'; '.join(problems) or ('slow' if seconds > SECONDS else 'ok')}")
            if problems:
                bad.append(f"{name}: {'; '.join(problems)}\n{output[-1500:]}")
    if bad:
        sys.exit("\n".join(bad))


main()
