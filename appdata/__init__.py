"""What the app itself keeps: a small database of its own, never the lender's warehouse."""
