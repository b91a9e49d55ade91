"""Every goal in one table: `make bench`.

Each program runs in a process of its own, one after another, because two at once would slow each other down.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from table import SETTING, Row, markdown

#: In the order of the table.
PROGRAMS = ("features", "serving", "mlp_splits", "cnn1", "processes", "pages")


def main():
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or PROGRAMS:
            print(f"\n{name}", flush=True)
            path = Path(folder, name)
            program = Path(__file__).with_name(f"{name}.py")
            ended = subprocess.run([sys.executable, program], env=os.environ | {SETTING: str(path)})
            failed += [name] if ended.returncode else []
            if path.exists():
                rows += [Row(**json.loads(line)) for line in path.read_text().splitlines()]
    print("\n" + markdown(rows))
    if failed:
        sys.exit(f"These programs failed: {', '.join(failed)}.")


main()
