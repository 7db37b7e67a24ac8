"""Read models rebuilt from entries: the plan at (D, K), overview, change log, audit trail."""
