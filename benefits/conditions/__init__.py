"""Who may claim: a tree of conditions, read from one snapshot of a member."""
