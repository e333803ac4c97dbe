"""A pytest plugin (`-p verify.without_a_check`): the verifier without the check CHECK_THAT_IS_GONE names."""

import os

from verify.instrumented import install

CHECKS = install()
CHECKS.gone = frozenset({os.environ["CHECK_THAT_IS_GONE"]})
