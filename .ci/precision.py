#!/usr/bin/env python3
"""Draws the precision sample from the real corpus and holds it against the committed verdicts.

usage: precision.py MESHGOV CORPUS VERDICTS [--only PREFIX] [--least N] [--write-missing]

Each repository folder of CORPUS is one view. Per rule the findings with the lowest SHA-256 of their fingerprint are drawn,
round after round, until the sample has at least N findings (220: some five of each rule, or all there are); --only draws from the rules with that prefix alone. VERDICTS has a line a finding:

    path:line:rule:verdict:reason        verdict is true or false

Fails when a drawn finding has no verdict, when a rule of the default set has two false verdicts in its sample, when a
repository without a mesh has a mesh finding at the default gate, and names verdicts that no longer occur.
"""

import hashlib
import json
import pathlib
import subprocess
import sys

LEAST = 220
# Repositories of the corpus that hold no mesh configuration at all (read from their kinds).
MESH_FAMILIES = ("MTLS", "ACCESS", "IST")
MESH_GROUPS = ("istio.io", "linkerd.io", "kuma.io", "consul.hashicorp.com", "cilium.io")


def findings(meshgov, folder):
    run = subprocess.run(
        [meshgov, "check", "--no-config", "--format", "json", "--exit-zero", "--allow-empty", "--no-progress", "."],
        cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        sys.exit(f"meshgov exited {run.returncode} on {folder}: {run.stderr[-2000:]}")
    return json.loads(run.stdout)["findings"]


def has_mesh(folder):
    return any(group in path.read_text(errors="replace") for path in folder.rglob("*.y*ml") for group in MESH_GROUPS)


def main():
    meshgov, corpus, verdicts = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    option = lambda name, default: sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default
    only, least = option("--only", ""), int(option("--least", LEAST))
    by_rule, wrong = {}, []
    total = 0
    for folder in sorted(p for p in corpus.iterdir() if p.is_dir()):
        found = [f for f in findings(str(meshgov), folder) if f["rule"].startswith(only)]
        total += len(found)
        mesh = has_mesh(folder)
        for finding in found:
            gates = finding["severity"] in ("high", "critical") and finding["confidence"] != "low"
            if not mesh and gates and finding["rule"].startswith(MESH_FAMILIES):
                wrong.append(f"mesh finding in a repository without a mesh: {folder.name}/{finding['path']} {finding['rule']}")
            key = (hashlib.sha256(finding["fingerprint"].encode()).hexdigest(), f"{folder.name}/{finding['path']}", finding["start"]["line"])
            by_rule.setdefault(finding["rule"], set()).add(key)
    ordered = {rule: sorted(keys) for rule, keys in sorted(by_rule.items())}
    sample, round_ = [], 0
    while len(sample) < least and any(len(keys) > round_ for keys in ordered.values()):
        sample += [(rule, *keys[round_][1:]) for rule, keys in ordered.items() if len(keys) > round_]
        round_ += 1
    known = {}
    for line in verdicts.read_text().splitlines() if verdicts.exists() else []:
        if line and not line.startswith("#"):
            path, number, rule, verdict, reason = line.split(":", 4)
            known[(rule, path, int(number))] = (verdict, reason)
    missing = [key for key in sample if key not in known]
    if "--write-missing" in sys.argv:
        with verdicts.open("a") as out:
            out.writelines(f"{path}:{line}:{rule}:UNREAD:\n" for rule, path, line in missing)
    false = {}
    for rule, path, line in sample:
        verdict = known.get((rule, path, line), ("UNREAD", ""))[0]
        if verdict == "false":
            false[rule] = false.get(rule, 0) + 1
        elif verdict != "true":
            wrong.append(f"no verdict for {path}:{line}:{rule}")
    wrong += [f"{rule}: {count} false findings in its sample, it must leave the default set" for rule, count in false.items() if count > 1]
    judged = len(sample) - len(missing)
    print(f"precision: {total} findings of {len(ordered)} rules; sample {len(sample)} in {round_} rounds, judged {judged}, "
          f"false {sum(false.values())}")
    for rule, keys in ordered.items():
        print(f"  {rule}: {len(keys)} findings, {min(round_, len(keys))} drawn, {false.get(rule, 0)} false")
    stale = sorted(set(known) - set(sample))
    if stale:
        print(f"  {len(stale)} committed verdicts are not in this sample any more")
    if wrong:
        sys.exit("\n".join(wrong))


main()
