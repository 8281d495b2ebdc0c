"""Tables by arm for those who may know arms. Arms come in as an argument; none is asked for."""
