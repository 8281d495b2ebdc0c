"""Caps: how many are randomized at most, decided under the vault's lock."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ecrf.kernel import chance
from ecrf.kernel.errors import Conflict, Refused
from ecrf.kernel.ledger import By, Origin
from randomization import api
from tests.people import ANNA, NOON, STUDY
from tests.randomization.conftest import STRATA, request_, who


@pytest.mark.parametrize(
    ("cap", "second", "says"),
    [
        ("most_study", {"stratum": STRATA[1]}, "1 are randomized in the study"),
        ("most_site", {"stratum": STRATA[1]}, "1 are randomized at this site"),
        ("most_stratum", {}, "1 are randomized in this stratum"),
    ],
)
def test_one_too_many_is_refused_in_plain_words_and_takes_no_slot(vault, cap, second, says):
    api.randomize(vault, who(ANNA), request_("PUMCH-001", **{cap: 1}))
    with pytest.raises(Conflict) as refused:
        api.randomize(vault, who(ANNA), request_("PUMCH-002", **second, **{cap: 1}))
    assert says in str(refused.value)
    assert api.verify(vault, STUDY).allocations == 1
    api.randomize(vault, who(ANNA), request_("PUMCH-002", **second, **{cap: 2}))


def test_a_cap_of_one_stratum_leaves_the_others_alone(vault):
    api.randomize(vault, who(ANNA), request_("PUMCH-001", most_stratum=1))
    api.randomize(vault, who(ANNA), request_("PUMCH-002", STRATA[1], most_stratum=1))


def test_who_is_randomized_hears_the_same_again_though_the_study_is_full(vault):
    first = api.randomize(vault, who(ANNA), request_("PUMCH-001", most_study=1))
    assert api.randomize(vault, who(ANNA), request_("PUMCH-001", most_study=1)) == first


@pytest.mark.race
def test_sixteen_who_ask_for_the_last_places_at_once_get_no_more_than_there_are(vault):
    def ask(n):
        by = By(ANNA, NOON, Origin.PAGE, chance.system)
        asked = request_(f"PUMCH-{n:03d}", STRATA[n % 2], most_study=5)
        try:
            return api.randomize(vault, by, asked).random_number
        except Refused as no:
            return no.status

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(ask, range(32)))
    assert said.count(409) == 27
    assert len(set(said) - {409}) == 5
    found = api.verify(vault, STUDY)
    assert (found.allocations, found.flaws) == (5, ())


def test_counting_takes_no_statement_more(vault, statements):
    with statements(vault.database) as sent:
        api.randomize(vault, who(ANNA), request_("PUMCH-001", most_study=5, most_site=5))
    assert len(sent) == 5, sent
