"""The vault app's pages of supply. They show numbers of kits and never what is in one."""
