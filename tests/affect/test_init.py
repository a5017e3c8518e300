"""What importing the affect package costs."""

from __future__ import annotations

import subprocess
import sys


def test_importing_affect_and_its_labels_imports_nothing_heavy() -> None:
    code = (
        "import sys, affectgen.affect, affectgen.affect.labels; "
        "print(sorted({'torch', 'numpy', 'scipy', 'librosa', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
