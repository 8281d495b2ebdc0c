"""Do caps and versions of the consent form name sites, strata, items there are, in order?"""

from collections.abc import Iterator

from ecrf.kernel.text import T
from ecrf.study import strata
from ecrf.study.allocating import ConsentVersions
from ecrf.study.check_forms import repeated
from ecrf.study.findings import Problem, Spot
from ecrf.study.model import Study
from ecrf.study.spelling import suggest


def problems(study: Study, lost: frozenset[str] = frozenset()) -> Iterator[Problem]:
    yield from _caps(study)
    if study.consent_versions is not None:
        yield from _versions(study, study.consent_versions, lost)


def _caps(study: Study) -> Iterator[Problem]:
    if study.randomization is None:
        return
    here: Spot = ("randomization", "caps")
    for site in study.randomization.caps.sites:
        yield from _site(study, (*here, "sites", site), site)
    known = strata.names(study)
    for name in study.randomization.caps.strata:
        if name not in known:
            message = T("The study has no stratum {stratum}.", stratum=name)
            yield Problem((*here, "strata", name), suggest(message, name, known))


def _versions(
    study: Study, rule: ConsentVersions, lost: frozenset[str]
) -> Iterator[Problem]:  # fmt: skip
    here: Spot = ("consent_versions",)
    if rule.form not in lost:
        yield from _items(study, rule)
    yield from repeated(
        ((*here, "versions", n, "id"), version.id) for n, version in enumerate(rule.versions)
    )
    for n, version in enumerate(rule.versions):
        for code in version.sites:
            yield from _site(study, (*here, "versions", n, "sites", code), code)
    for n, (old, new) in enumerate(zip(rule.versions, rule.versions[1:], strict=False), 1):
        for site in study.sites:
            if new.first_day(site.code) <= old.first_day(site.code):
                message = T(
                    "At {site} version {new} begins no later than {old} before it.",
                    site=site.code, new=new.id, old=old.id,
                )  # fmt: skip
                yield Problem((*here, "versions", n), message)
                break


def _items(study: Study, rule: ConsentVersions) -> Iterator[Problem]:
    form = study.forms.get(rule.form)
    if form is None:
        message = T("The study has no form {form}.", form=rule.form)
        yield Problem(("consent_versions", "form"), suggest(message, rule.form, study.forms))
        return
    for part in ("item", "date", "signed"):
        name = getattr(rule, part)
        if name not in form.cells:
            message = T("The form {form} has no item {name}.", form=form.id, name=name)
            yield Problem(("consent_versions", part), suggest(message, name, form.cells))


def _site(study: Study, spot: Spot, code: str) -> Iterator[Problem]:
    known = [site.code for site in study.sites]
    if code not in known:
        message = T("The study has no site {site}.", site=code)
        yield Problem(spot, suggest(message, code, known))
