"""The vault: the one part that knows arms. Its front door is `randomization.api`."""
