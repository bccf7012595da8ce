#!/usr/bin/env python3
"""Compare every case here with kubectl: verify.py [--write]. Needs kubectl 1.32 (kustomize 5.5) and PyYAML.

A case with `-- error --` must fail in kubectl, too; `--write` rewrites `-- expected --` where kubectl says otherwise.
"""
import os, re, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
different = 0
for group in sorted(os.listdir(here)):
    folder = os.path.join(here, group)
    if group == "shared" or not os.path.isdir(folder):
        continue
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        text = open(path).read()
        parts = re.split(r"^-- (.*) --\n", text, flags=re.M)[1:]
        sections = list(zip(parts[::2], parts[1::2]))
        with tempfile.TemporaryDirectory() as top:
            root = os.path.join(top, "root")
            for header, body in sections:
                if header in ("expected", "error"):
                    continue
                file, _, copied = header.partition(" < ")
                target = os.path.join(root, file)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                if copied:
                    body = open(os.path.join(here, "shared", copied)).read()
                open(target, "w").write(body)
            run = subprocess.run(["kubectl", "kustomize", root], capture_output=True, text=True)
        header, body = sections[-1]
        if header == "error":
            same = run.returncode != 0
        else:
            same = run.returncode == 0 and run.stdout == body
            if not same and run.returncode == 0 and "--write" in sys.argv:
                open(path, "w").write(text[: text.index("-- expected --\n")] + "-- expected --\n" + run.stdout)
        if not same:
            different += 1
            print(f"{group}/{name}: kubectl exits {run.returncode} {run.stderr[-200:]}")
print(f"{different} differ")
sys.exit(bool(different))
