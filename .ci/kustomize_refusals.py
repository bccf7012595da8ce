#!/usr/bin/env python3
"""Check that `meshgov config render` refuses what must not be rendered: kustomize_refusals.py BINARY SUITE

Every leaf of refused.jsonl: exit 2, no object, each field named at its place. Every leaf of broken.jsonl: exit 2, no object,
each error at a place; what the suite says is missing is named, and nothing that is there.
"""
import json, os, re, subprocess, sys

binary, suite = sys.argv[1:]
corpora = {"plain": f"{suite}/../../corpus/real/plain", "gitops": f"{suite}/../../corpus/real/gitops"}
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
PLACE = re.compile(r"^ *--> (.+):(\d+):(\d+)$")


def cases(name):
    with open(f"{suite}/{name}.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def render(case):
    """Folder of the corpus, and (message, file, text from the place on) of every error."""
    corpus = os.path.normpath(corpora.get(case["corpus"], f"{suite}/{case['corpus']}"))
    run = subprocess.run([binary, "config", "render", f"{corpus}/{case['dir']}"], capture_output=True, text=True)
    problem = None
    if run.returncode != 2:
        problem = f"exit {run.returncode}"
    elif run.stdout:
        problem = "prints objects"
    errors, message = [], ""
    for line in run.stderr.splitlines():
        if line.startswith("error: "):
            message = line[7:]
        elif place := PLACE.match(line):
            path, row, column = place[1], int(place[2]), int(place[3])
            with open(path, encoding="utf-8") as file:
                errors.append((message, path, file.read().split("\n")[row - 1][column - 1:]))
    return corpus, errors, problem or (None if errors else "no place")


def refused(case):
    corpus, errors, problem = render(case)
    found = {}
    for message, path, text in errors:
        folder = os.path.relpath(os.path.dirname(path), corpus)
        if message == "a remote base is not fetched":
            found.setdefault("remote base", set()).add(re.match(r"""['"]?([^'"\s]+)""", text)[1])
        else:
            field = message.split("`")[1]
            if not text.startswith(f"{field}:"):
                problem = f"`{field}` is not at its place in {path}"
            found.setdefault(field, set()).add(folder)
    wanted = {field: set(named) for field, named in case["because"].items()}
    return problem or (None if found == wanted else f"named {found}, wanted {wanted}")


def broken(case):
    corpus, errors, problem = render(case)
    found = set()
    for message, path, _ in errors:
        if named := re.search(r"no file(?: or kustomization)? at `(.+)`", message):
            absent = os.path.normpath(os.path.join(os.path.dirname(path), named[1]))
            found.add(os.path.relpath(absent, corpus))
            if os.path.isfile(absent) or any(os.path.isfile(f"{absent}/{name}") for name in NAMES):
                problem = f"{absent} is there"
    wanted = {path.removesuffix(" (folder without kustomization)") for path in case["missing"]}
    return problem or (None if wanted <= found else f"does not name {wanted - found}")


wrong = 0
for name, judge, count in (("refused", refused, 56), ("broken", broken, 64)):
    all_cases = cases(name)
    assert len(all_cases) == count, f"{len(all_cases)} cases in {name}.jsonl"
    for case in all_cases:
        if problem := judge(case):
            wrong += 1
            print(f"{name}: {case['corpus']}/{case['dir']}: {problem}")
    print(f"{name}: {len(all_cases)} leaves")
sys.exit(bool(wrong))
