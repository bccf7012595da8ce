"""Validates CycloneDX 1.6 JSON files strictly with the schema that cyclonedx-python-lib carries. Exit 1 when one is invalid."""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

validator = JsonStrictValidator(SchemaVersion.V1_6)
invalid = False
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        error = validator.validate_str(file.read())
    print(f"{path}: {'valid' if error is None else error}")
    invalid |= error is not None
sys.exit(invalid)
