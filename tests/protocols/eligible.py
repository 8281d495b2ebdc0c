"""Someone who meets every criterion of the eligibility form, and what a change makes of it."""

from tests.protocols.trying import tried

MET = {
    "SCR.icf.icf_signed": "Y", "SCR.icf.icf_date": "2024-02-15",
    "SCR.dm.age": "50", "SCR.dm.sex": "M", "SCR.dm.childbearing": "NA_MALE",
    "SCR.igh.igg4_dx": "8000", "SCR.igh.igg4_nadir": "1500",
    "SCR.igh.major_organs": "AIP,KIDNEY",
    "ri.ri_max_organ": "1", "ri.ri_max_raw": "1",
    "latest.lbi.igg4": "2400",
    "latest.lbh.hgb": "130", "latest.lbh.neut": "4", "latest.lbh.plat": "200",
    "latest.lbc.alt": "20", "latest.lbc.alt_uln": "50", "latest.lbc.ast": "20",
    "latest.lbc.ast_uln": "40", "latest.lbc.bili": "10", "latest.lbc.bili_uln": "26",
    "latest.lbc.egfr": "87.05",
    "SCR.aec.ae2019_met": "Y", "SCR.rcd.rcd_level": "DEFINITE",
    "SCR.vir.hiv_agab": "NEG", "SCR.vir.hcv_ab": "NEG", "SCR.vir.hbsag": "NEG",
    "SCR.vir.hbcab": "NEG", "SCR.tb.igra": "NEG", "SCR.tb.tb_active": "N",
}  # fmt: skip
TYPED = {
    "no_relapse": "Y", "first_proc_date": "2024-02-15", "contraception": "Y",
    "active_infection": "N", "malignancy": "N", "e5": "N", "e6": "N", "e8": "N", "e9": "N",
    "excluding_diseases": "NONE",
}  # fmt: skip
VERDICTS = {"MET": "Y", "NOT_MET": "N", "NOT_EVALUABLE": None}
WOMAN = {"SCR.dm.sex": "F", "SCR.dm.childbearing": "Y"}


def judged(typed=(), around=(), **more):
    """Return the form tried with other answers on it and around it."""
    return tried("ie", TYPED | dict(typed), context=MET | dict(around), **more)


def rule(name, typed=(), around=(), **more):
    """Return the verdict on a criterion: Y met, N not met, None not evaluable."""
    return VERDICTS[judged(typed, around, **more).derived[f"{name}_rule"]]
