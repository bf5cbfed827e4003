"""Games in matrix form solved, by question: `nash`, `logit`, `flow`, `structure`; `host` is their common ground."""
