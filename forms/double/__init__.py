"""Double entry: two people enter a form unseen by each other, a third settles differences."""
