"""`python -m hiri_spec.train …` is `hiri-spec train …`, which is how torchrun starts it in several processes."""

import sys

from hiri_spec.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
