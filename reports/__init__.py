"""What is read out: exports, packages, casebooks. Owns no table and never asks for an arm."""
