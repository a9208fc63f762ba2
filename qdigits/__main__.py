import sys

from qdigits.cli import main

sys.exit(main())
