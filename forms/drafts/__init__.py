"""What is being typed and is not saved yet, and who is typing it."""
