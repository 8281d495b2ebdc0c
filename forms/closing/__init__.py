"""What a lock takes: its checks, what is waived of them, who agreed, and what was locked."""
