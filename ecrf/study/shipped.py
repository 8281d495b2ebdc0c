"""The study definitions at hand: those shipped with the program, or the folder in the settings.

`where` is the settings, or `ECRF_PROTOCOLS` itself, or None for the shipped ones.
"""

from pathlib import Path

from ecrf.kernel.config import Config
from ecrf.kernel.errors import NotFound, Problem, Unacceptable
from ecrf.kernel.text import T
from ecrf.study.findings import errors
from ecrf.study.model import Study
from ecrf.study.read import Reading, read
from ecrf.study.read import shelf as read_shelf
from ecrf.study.spelling import suggest

SHIPPED = Path(__file__).resolve().parents[2] / "protocols"


def ids(where: Config | Path | None = None) -> tuple[str, ...]:
    """Return the ids of the studies at hand: the folders that hold a `study.yaml`."""
    return tuple(sorted(path.parent.name for path in _root(where).glob("*/study.yaml")))


def folder(where: Config | Path | None, study_id: str) -> Path:
    """Return the folder of a study; raise NotFound naming the one that was probably meant."""
    known = ids(where)
    if study_id not in known:
        message = T("There is no definition of a study {study}.", study=study_id)
        raise NotFound(suggest(message, study_id, known))
    return _root(where) / study_id


def library(of: Path) -> Path:
    """Return the library the study in folder `of` uses: the one beside it, else the shipped."""
    beside = of.resolve().parent / "library"
    return beside if beside.is_dir() else SHIPPED / "library"


def reading(of: Path) -> Reading:
    """Read the study in folder `of` with its library."""
    return read(of, library(of))


def shelf(of: Path) -> Reading:
    """Read the study in folder `of` together with every form of its library."""
    return read_shelf(of, library(of))


def load(study_id: str, where: Config | Path | None = None) -> Study:
    """Return a study; raise Unacceptable, naming every error, when it cannot be used."""
    return usable(reading(folder(where, study_id)))


def usable(found: Reading) -> Study:
    """Return the study that was read; raise Unacceptable when it has errors."""
    if found.study is None:
        problems = [
            Problem(f"{wrong.file}:{wrong.line}:{wrong.column}", wrong.message)
            for wrong in errors(found.findings)
        ]
        raise Unacceptable(T("The definition has errors; it cannot be used."), problems)
    return found.study


def _root(where: Config | Path | None) -> Path:
    root = where.protocols if isinstance(where, Config) else where
    return root or SHIPPED
