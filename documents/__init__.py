"""Papers and plans: what comes in as a document, and later what goes out as one."""
