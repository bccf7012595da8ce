#!/usr/bin/env python3
"""Answers checks with the reference evaluator: one JSON line {"yaml", "checks"} in, one line of answers out.

usage: istio_oracle.py PATH/ref_eval.py
"""
import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("ref_eval", sys.argv[1])
ref = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ref)


def answer(mesh, check):
    kind = check["type"]
    if kind == "membership":
        return mesh.membership(check["workload"])[0]
    if kind == "mtls":
        if not mesh.captured(check["workload"], check["port"]):
            return "NONE"
        return mesh.pa_mode(check["workload"], check["port"])[0]
    if kind == "probe":
        return mesh.probe({k: v for k, v in check.items() if k != "type"})
    return mesh.client(check)


for line in sys.stdin:
    case = json.loads(line)
    mesh = ref.Mesh(case["yaml"])
    print(json.dumps([answer(mesh, c) for c in case["checks"]]), flush=True)
