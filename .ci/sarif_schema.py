"""Validates a SARIF file against a JSON Schema: sarif_schema.py SCHEMA FILE."""
import json
import sys

import jsonschema

schema, path = sys.argv[1:]
data = open(path, "rb").read()
assert not data.startswith(b"\xef\xbb\xbf") and data.endswith(b"\n"), f"{path}: BOM, or no line end at the end"
with open(schema, encoding="utf-8") as file:
    validator = jsonschema.validators.validator_for(loaded := json.load(file))(loaded)
errors = [f"{path}: {'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(json.loads(data))]
print("\n".join(errors[:20]) or f"{path}: schema 0 errors")
sys.exit(bool(errors))
