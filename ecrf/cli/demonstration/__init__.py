"""The training copy: invented participants whose data go in as a person would enter them."""
