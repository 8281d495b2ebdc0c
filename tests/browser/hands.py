"""What a person does with a form in a browser, and what the person of the journey answers."""

DAY = "2026-02-20"
"""The day of screening; everything at baseline is of the constant day of the tests."""

SCREENING = {
    "Informed consent": {
        "icf_kind": "INITIAL", "icf_version": "V2.0", "icf_language": "ZH", "icf_signed": "Y",
        "icf_date": "v", "icf_time": "8:30", "icf_inv_date": "v", "icf_inv_time": "08:45",
        "icf_copy": "Y", "icf_other_signer": "NONE",
    },
    "Demographics": {
        "brthdat": "1972-03-04", "sex": "M", "ethnicity": "HAN", "childbearing": "NA_MALE",
    },
    "IgG4-RD history": {
        "igh_symptom_date": "2023-UNK-UN", "igh_dx_date": "2024-03",
        "organs_ever": "PANCREAS,SUBMAND", "major_organs": "AIP", "relapses_before": "0",
        "allergy": "N", "bx_done": "N", "igg4_dx": "8,2", "igg4_dx.unit": "g/L",
        "igg4_dx_date": "2024-03-12", "igg4_dx_uln": "1350", "igg4_dx_source": "Lab 24/2211",
        "remission_date": "2025-01", "igg4_nadir": "1500", "igg4_nadir_date": "2025-02-10",
        "bg_gc": "Y", "bg_gc_dose": "5", "bg_gc_since": "2025-09", "bg_is": "N",
    },
    "2019 ACR/EULAR classification criteria": {
        "ae_entry_organs": "PANCREAS", "ae_entry_path": "N", "gland_sets": "LACRIMAL,SUBMAND",
        "chest": "0", "pancbil": "11", "kidney": "0", "retro": "0",
        **{f"X{n:02}.present": "N" for n in range(1, 24)},
    },
    "2020 revised comprehensive diagnostic (RCD) criteria": {"rcd1": "Y"},
    "Virology: hepatitis B and C, HIV": {
        "lbdat": "v", "lab_id": "Central", "hbsag": "NEG", "hbsab": "POS", "hbcab": "NEG",
        "hcv_ab": "NEG", "hiv_agab": "NEG",
    },
    "Tuberculosis screening": {
        "lbdat": "v", "tb_test": "TSPOT", "igra": "NEG", "chest_done": "N", "tb_active": "N",
    },
    "Haematology": {
        "lbdat": "v", "lbtim": "08:50", "lab_id": "Central", "wbc": "6.1", "rbc": "4.6",
        "hgb": "13.8", "hgb.unit": "g/dL", "hct": "0.41", "mcv": "89", "plat": "221",
        "neut": "3.6", "lym": "1.8", "mono": "0.4", "eos": "0.2", "baso": "0.04",
        "clsig": "NONE",
    },
    "Chemistry: liver, kidney, glucose": {
        "lbdat": "v", "lbtim": "08:50", "lab_id": "Central", "fasting": "Y", "alt": "24",
        "alt_uln_typed": "50", "ast": "21", "ast_uln_typed": "40", "bili": "12",
        "bili_uln_typed": "26", "creat": "0.9", "creat.unit": "mg/dL", "clsig": "NONE",
    },
    "Immunology: immunoglobulins, complement": {
        "lbdat": "v", "lbtim": "08:50", "lab_id": "Central", "igg": "14", "igg4": "2600",
        "igg4_uln_typed": "1350", "clsig": "NONE",
    },
}  # fmt: skip
ELIGIBLE = {
    "no_relapse": "Y", "first_proc_date": DAY, "contraception": "Y", "active_infection": "N",
    "malignancy": "N", "excluding_diseases": "NONE",
    **{f"i{n}": "Y" for n in range(1, 8)}, "e1": "N",
    **{f"e{n}": "N" for n in range(3, 11)}, **{f"e11_{n}": "N" for n in range(1, 8)},
}  # fmt: skip
RELAPSE = {
    "rel_onset_date": "2026-03-01", "rel_aware_date": "t", "rel_assess_date": "t",
    "PANCREAS.involve": "WORSE", "PANCREAS.evid_symptom": "N", "PANCREAS.evid_exam": "N",
    "PANCREAS.evid_imaging": "N", "PANCREAS.evid_lab": "Y", "PANCREAS.lab_analyte": "IGG4",
    "PANCREAS.lab_value": "5.2 g/L", "PANCREAS.evid_biopsy": "N", "rel_igg4": "5.2",
    "rel_igg4.unit": "g/L", "rel_igg4_date": "t", "alt_dx": "Y", "inv_opinion": "1",
    "inv_reason": "IgG4 doubled", "tx_needed": "Y", "rel_txstart_date": "t",
    "tx_type": "GC_INCREASE", "imp_action": "CONTINUE", "unblind_needed": "N",
}  # fmt: skip
IMAGING = {
    "PANCREAS.evid_imaging": "Y", "PANCREAS.modality": "CT", "PANCREAS.img_date": "t",
    "PANCREAS.img_finding": "ENLARGED",
}  # fmt: skip
RI_COUNTS = ("ri_total", "ri_active_n", "ri_urgent_n", "ri_damage_n", "ri_sympt_n")
FLAGS = (("symptomatic", "S"), ("urgent", "U"), ("damage", "D"))


FILL = """async answers => {
  const until = async (name, ready) => {
    const end = performance.now() + 10_000;
    while (!ready()) {
      if (performance.now() > end) throw new Error(`${name} cannot be filled in`);
      await new Promise(later => setTimeout(later, 20));
    }
  };
  const usable = input => input && !input.disabled && input.getClientRects().length > 0;
  const tell = (input, ...kinds) =>
    kinds.forEach(kind => input.dispatchEvent(new Event(kind, {bubbles: true})));
  await until("a page that is loading", () => document.readyState === "complete");
  for (const [name, value] of Object.entries(answers)) {
    const called = () => [...document.getElementsByName(name)];
    await until(name, () => called().length > 0);
    if (["radio", "checkbox"].includes(called()[0].type)) {
      for (const each of value.split(",")) {
        const box = () => called().find(one => one.value === each);
        await until(name, () => usable(box()));
        if (!box().checked) box().click();
      }
    } else {
      await until(name, () => called().length === 1 && usable(called()[0]));
      const [input] = called();
      input.focus();
      input.value = value;
      tell(input, "input", "change");
      input.blur();
    }
  }
}"""


def fill(page, answers):
    """Type, choose and tick the answers, by the names of the inputs, as soon as they show.

    All of it within the page: a call for each takes three times as long. That forms can be
    filled by keyboard alone is shown by `test_habits`.
    """
    page.evaluate(FILL, answers)


def put(page, name, value):
    fill(page, {name: value})


def score(page, organs):
    """Score organs such as `PANCREAS 2 U S`, then press the button for the other rows."""
    for organ in filter(None, organs.split("; ")):
        row, points, *flags = organ.split()
        put(page, f"{row}.score", points)
        for column, letter in FLAGS:
            if page.locator(f'[name="{row}.{column}"]').count():
                put(page, f"{row}.{column}", "Y" if letter in flags else "N")
    page.locator("button[name=fill]").click()


def save(page, act="complete"):
    page.locator(f'.ec-actions [name=act][value="{act}"]').click()


def saved(page, act="complete"):
    """Save, and wait until the page says so."""
    save(page, act)
    page.locator(".ec-done").wait_for()
    page.wait_for_load_state()


def forget(page):
    """Discard what was typed here earlier and kept, if there is any."""
    kept = page.locator(".ec-kept button")
    if kept.count():
        kept.click()
        kept.wait_for(state="detached")


def link(page, name):
    page.locator("main").get_by_role("link", name=name, exact=True).first.click()


def hold(page, typed):
    """Type the date of the visit that is shown."""
    page.fill("#held_on", typed)
    page.get_by_role("button", name="Save the date").click()
    page.locator(".ec-done").wait_for()


def leave(page):
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
