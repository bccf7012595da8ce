#!/usr/bin/env python3
"""Holds the inventory of the real corpus against the reference scorer, and against what a reader found in the manifests.

usage: assets_corpus.py MESHGOV ORACLE VERDICTS CORPUS... [--list] [--write-missing]

Each repository folder of CORPUS is one tree. Assets (score 0.60 and more) are compared with those of ORACLE/detect.py by file, kind and
name: counts of each class side by side, then every difference. VERDICTS has a line for each scored asset of ours (certain kinds need
none: their kind is the evidence) and for each difference:

    asset:path:kind:name:class:verdict:reason           verdict is true or false
    differs:path:kind:name:ours/theirs:reason           ours and theirs are classes, `-` when it is no asset there; `*` in a field fits all

Fails when an asset or a difference has no line, when an asset is false, and when a line fits nothing any more. --list prints the
assets with their evidence; --write-missing appends lines to fill in.
"""

import collections
import fnmatch
import json
import pathlib
import subprocess
import sys


def ours(meshgov, folder):
    run = subprocess.run(
        [meshgov, "assets", "--no-config", "--format", "json", "."],
        cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 3):
        sys.exit(f"meshgov exited {run.returncode} on {folder}: {run.stderr[-2000:]}")
    return json.loads(run.stdout)["assets"] if run.stdout else []


def theirs(oracle, folder, crashed):
    """(path, kind, name) → classes, of every YAML file below a folder; where the reference stops with an exception goes to `crashed`."""
    sys.path.insert(0, str(oracle))
    import detect
    import load
    found = collections.defaultdict(list)
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".yaml", ".yml") and p.is_file()):
        for document in load.docs(str(path))[0]:
            if not isinstance(document.get("kind"), str) or document["kind"] == "CustomResourceDefinition":
                continue
            try:
                cls, score, _ = detect.score(document)
            except (AttributeError, TypeError, ValueError):  # it expects well-formed fields
                crashed.append(f"{folder.name}/{path.relative_to(folder)} {document['kind']}")
                continue
            if cls and score >= 0.6:
                name = (document.get("metadata") or {}).get("name") or ""
                found[(str(path.relative_to(folder)), document["kind"], str(name))].append(cls)
    return found


def lines(path):
    table = {"asset": {}, "differs": {}}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line and not line.startswith("#"):
            what, *fields = line.split(":", 6 if line.startswith("asset") else 5)
            table[what][tuple(fields[:4])] = fields[4:]
    return table


def fitting(rows, key):
    return next((row for row in rows if all(fnmatch.fnmatchcase(text, pattern) for text, pattern in zip(key, row))), None)


def main():
    meshgov, oracle, verdicts, *corpora = (pathlib.Path(a) for a in sys.argv[1:] if not a.startswith("--"))
    table = lines(verdicts)
    known, explained = table["asset"], table["differs"]
    mine, reference, wrong, used, missing = collections.Counter(), collections.Counter(), [], set(), []
    crashed = []
    certain = scored = false = possible = differences = 0
    for folder in (p for corpus in corpora for p in sorted(corpus.iterdir()) if p.is_dir()):
        left = theirs(oracle, folder, crashed)
        for classes in left.values():
            reference.update(classes)
        seen = set()
        for asset in ours(str(meshgov.resolve()), folder):
            if asset["possible"]:
                possible += 1
                continue
            where = (asset["at"]["path"], asset["at"]["line"])
            if where in seen:  # the same object with other facts in another view
                continue
            seen.add(where)
            mine[asset["class"]] += 1
            path = f"{folder.name}/{asset['at']['path']}"
            if any(s["signal"] == "kind" for s in asset["signals"]):
                certain += 1
            else:
                scored += 1
                key = (path, asset["kind"], asset["name"], asset["class"])
                if "--list" in sys.argv:
                    votes = "; ".join(s["what"] for s in asset["signals"])
                    print(f"{asset['score']:.2f} {' '.join(key)} | {' '.join(asset['images'])} | {votes}")
                row = fitting(known, key)
                used.add(row)
                if row is None:
                    missing.append("asset:" + ":".join(key) + ":UNREAD:")
                elif known[row][0] != "true":
                    false += 1
                    wrong.append(f"false asset: {':'.join(key)}: {known[row][1]}")
            same = left.get((asset["at"]["path"], asset["kind"], asset["name"]), [])
            if asset["class"] in same:
                same.remove(asset["class"])
                continue
            other = same.pop(0) if same else "-"
            differences += 1
            key = (path, asset["kind"], asset["name"], f"{asset['class']}/{other}")
            row = fitting(explained, key)
            used.add(row)
            if row is None:
                missing.append("differs:" + ":".join(key) + ":")
        for (path, kind, name), classes in left.items():
            for cls in classes:
                differences += 1
                key = (f"{folder.name}/{path}", kind, name, f"-/{cls}")
                row = fitting(explained, key)
                used.add(row)
                if row is None:
                    missing.append("differs:" + ":".join(key) + ":")
    print(f"assets: {certain + scored} ({certain} by kind, {scored} by evidence, {false} false), {possible} possible; "
          f"{differences} differences from the reference, which fails on {len(crashed)} documents")
    for cls in sorted(set(mine) | set(reference)):
        print(f"  {cls}: {mine[cls]}, reference {reference[cls]}")
    if "--write-missing" in sys.argv:
        with verdicts.open("a") as out:
            out.writelines(line + "\n" for line in missing)
    wrong += [f"no line for {line}" for line in missing]
    wrong += [f"fits nothing any more: {':'.join(row)}" for row in [*known, *explained] if row not in used]
    if wrong:
        sys.exit("\n".join(wrong))


main()
