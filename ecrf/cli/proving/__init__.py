"""The proof of blinding on an installation: what is checked, searched, tested, printed."""
