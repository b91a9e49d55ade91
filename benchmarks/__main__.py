"""All figures in one table: `make bench`, or `python benchmarks NAME …` for some of the programs.

Each program runs in a separate process, one after another, because two at once would slow each other down.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from shared.table import SETTING, Row, markdown

HERE = Path(__file__).parent
#: They take up to hours, or need the real datasets, and run only by name.
LONG = {"copies", "coughvid", "live_labels"}
PROGRAMS = sorted({path.stem for path in HERE.glob("*.py")} - LONG - {"__main__"})


def main():
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or PROGRAMS:
            print(f"\n{name}", flush=True)
            path = Path(folder, name)
            ended = subprocess.run(
                [sys.executable, HERE / f"{name}.py"], env=os.environ | {SETTING: str(path)}
            )
            failed += [name] if ended.returncode else []
            if path.exists():
                rows += [Row(**json.loads(line)) for line in path.read_text().splitlines()]
    print("\n" + markdown(rows))
    if failed:
        sys.exit(f"These programs failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
