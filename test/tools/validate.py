# SPDX-License-Identifier: MIT
"""Usage: validate.py SCHEMA DOCUMENT.  Exit status 77 if no validator for JSON Schema up to 2020-12 is installed."""
import json
import sys

try:
    from jsonschema import Draft202012Validator, validators
except ImportError:
    print("The check against the schema is MISSING from this run: it needs Python's jsonschema 4.")
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    document = json.load(file)
Validator = validators.validator_for(schema, default=Draft202012Validator)
Validator.check_schema(schema)
errors = list(Validator(schema).iter_errors(document))
for error in errors:
    print(f"{error.json_path}: {error.message}")
sys.exit(bool(errors))
