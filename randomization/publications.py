"""What is made known about a list before the first participant. Pure; it tells no arm."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Publication:
    """What is made known about a list before the first participant; it tells no arm.

    `slots` is the number asked for, never that of whole blocks.
    """

    study: str
    version: int
    environment: str
    state: str
    slots: int
    root: str
    seed_commitment: str
    spec_hash: str
    software: str
    key: str
    beacon: str = ""
    beacon_value: str = ""
    file: str = ""

    def lines(self) -> tuple[tuple[str, str], ...]:
        """Return what is said, each under its name; what the list does not have is left out."""
        said = (
            ("study", self.study), ("list", str(self.version)),
            ("environment", self.environment), ("slots asked for", str(self.slots)),
            ("merkle root", self.root), ("seed commitment", self.seed_commitment),
            ("specification hash", self.spec_hash), ("beacon", self.beacon),
            ("beacon value", self.beacon_value), ("file hash", self.file),
            ("software", self.software), ("vault key", self.key),
        )  # fmt: skip
        return tuple((name, value) for name, value in said if value)

    def text(self) -> str:
        """Return it as it is printed and sent out."""
        return "".join(f"{name}: {value}\n" for name, value in self.lines())
