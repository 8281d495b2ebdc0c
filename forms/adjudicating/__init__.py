"""Events judged by a committee: from a suspicion to a verdict nobody could have swayed."""
