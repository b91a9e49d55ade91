"""Make a key to the API.

Prints a key for somebody, and the line with its hash for the secrets of the server. The key itself is kept nowhere.
"""

import argparse
import json

ORDER = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="HOLDER", help="who gets it, such as 'ward 3'")


def run(arguments: argparse.Namespace) -> None:
    from coughlab.web import keys

    key, hashed = keys.new()
    print(f"The key, which is shown this once; give it to {arguments.name}:\n\n    {key}\n")
    line = f'{json.dumps(arguments.name)} = "{hashed}"'
    print(f"The line for [api_keys] in .streamlit/secrets.toml:\n\n    {line}")
