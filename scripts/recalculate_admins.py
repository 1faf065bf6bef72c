"""Old cron tables call this: `medai staff recalculate` with the same arguments."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from medai.__main__ import main

if __name__ == "__main__":
    # Cron starts in the home folder: settings, data and logs are those of the project.
    os.chdir(Path(__file__).resolve().parents[1])
    sys.argv[1:] = ["staff", "recalculate", *sys.argv[1:]]
    main()
