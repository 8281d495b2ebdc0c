"""What follows elsewhere from a change: computed answers and findings of other entries."""
