#!/usr/bin/env python3
"""Answers probes with the reference evaluator: one JSON line {"objects", "probes"} in, one line of truths out.

usage: netpol_oracle.py PATH/npref.py
"""
import importlib.util
import ipaddress
import json
import sys

spec = importlib.util.spec_from_file_location("npref", sys.argv[1])
ref = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ref)

for line in sys.stdin:
    case = json.loads(line)
    world = ref.World(case["objects"])
    pods = {f"{w.ns}/{w.name}": w for w in world.w.values()}

    def end(text):
        if text in pods:
            return pods[text]
        number = int(ipaddress.IPv4Address(text))
        return ref.IP(number, number)

    known = {}

    def truth(probe):
        pair = (probe["from"], probe["to"])
        if pair not in known:
            known[pair] = ref.conn(world, end(pair[0]), end(pair[1]))
        return bool(known[pair][probe["protocol"]] >> probe["port"] & 1)

    print(json.dumps([truth(p) for p in case["probes"]]), flush=True)
