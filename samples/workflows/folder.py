"""Prints the files of a folder as an input of a workflow: a JSON list of maps with `name` and `content`, which is base64."""

import base64
import json
import pathlib
import sys

files = sorted(path for path in pathlib.Path(sys.argv[1]).iterdir() if path.is_file())
print(json.dumps([{"name": path.name, "content": base64.b64encode(path.read_bytes()).decode()} for path in files], indent=1))
