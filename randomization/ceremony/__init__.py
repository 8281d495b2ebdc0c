"""The ceremony of a list: step by step, signed, published, made again, activated by two."""
