"""A tiny study in YAML for the tests of the reader: two own forms, one of the library."""

from pathlib import Path

STUDY = """\
id: tiny
version: "1"
title: {en: A tiny trial, zh: 小试验}
short_title: {en: Tiny, zh: 小}
registry: NCT00000000
planned: 10
masking: double
arms:
  - {id: ACT, label: {en: Active drug, zh: 试验药}, type: active}
  - {id: PBO, label: {en: Placebo, zh: 安慰剂}, type: placebo}
sites:
  - {code: AAA, name: {en: Hospital A, zh: 甲医院}}
  - {code: BBB, name: {en: Hospital B, zh: 乙医院}, zone: Asia/Urumqi}
params: {basis: raw}
forms: [dm, ie, vs, log]
forms_to_come: {mh: {en: Medical history, zh: 病史}}
consent: SCR.dm.consented == "Y"
randomization:
  ratio: {ACT: 1, PBO: 1}
  factors:
    - {id: site, label: {en: Site, zh: 中心}, from: site}
    - id: sex
      label: {en: Sex, zh: 性别}
      from: SCR.dm.sex
      levels:
        - {value: M, label: {en: Male, zh: 男}}
        - {value: F, label: {en: Female, zh: 女}}
  visit: BL
  form: ie
  eligible: eligible == "Y"
  slots_per_stratum: 20
  confirm: {en: Randomize now?, zh: 现在随机？}
supply:
  product: {en: Trial tablets, zh: 试验用药片}
  units_per_kit: 60
  units_per_day: 2
  dispense: {BL: 1, W4: 2}
  label:
    contact: {en: Hospital, zh: 医院}
    content: {en: Tablets, zh: 片剂}
    investigator: {en: Investigator, zh: 研究者}
    directions: {en: As directed, zh: 遵医嘱}
    caution: {en: For clinical trial use only, zh: 仅供临床试验使用}
    storage: {en: Keep cool, zh: 阴凉处保存}
    children: {en: Keep away from children, zh: 远离儿童}
    source: protocol
"""

SCHEDULE = """\
visits:
  - {id: SCR, label: {en: Screening, zh: 筛选}, day: -14, before: 14, after: 13}
  - {id: BL, label: {en: Baseline, zh: 基线}, day: 1}
  - {id: W4, label: {en: Week 4, zh: 第4周}, day: 29, before: 7, after: 7}
  - {id: UNS, label: {en: Unscheduled, zh: 计划外}, kind: unscheduled, repeating: true}
  - {id: LOG, label: {en: Logs, zh: 记录}, kind: log}
matrix:
  dm: {SCR: R}
  ie: {SCR: R, BL: R}
  vs: {SCR: R, BL: R, W4: R, UNS: o}
  mh: {SCR: R}
  log: {LOG: E}
"""

CODES = """\
sex:
  - {value: M, label: {en: Male, zh: 男}}
  - {value: F, label: {en: Female, zh: 女}}
"""

DM = """\
form: dm
title: {en: Demographics, zh: 人口学}
sections:
  - items:
      - id: consented
        type: yes/no
        label: {en: Consented?, zh: 是否同意？}
        require: true
      - id: sex
        type: choice
        codes: sex
        label: {en: Sex, zh: 性别}
        require: consented == "Y"
        missing: [ND]
      - id: birth
        type: partial date
        unknown: month
        label: {en: Date of birth, zh: 出生日期}
"""

IE = """\
form: ie
title: {en: Eligibility, zh: 入排}
signed: {en: I confirm eligibility., zh: 本人确认。}
sections:
  - title: {en: Organs, zh: 器官}
    items:
      - grid: organs
        label: {en: Organs, zh: 器官}
        rows:
          - {id: PANCREAS, label: {en: Pancreas, zh: 胰腺}}
          - {id: CONST, label: {en: Constitutional, zh: 全身症状}, closed: [urgent]}
        columns:
          - {id: score, type: choice, codes: score, label: {en: Score, zh: 评分}, require: true}
          - id: urgent
            type: yes/no
            label: {en: Urgent, zh: 紧急}
            require: row.score >= 1
        fill: {score: "0"}
        fill_label: {en: Rest is normal, zh: 其余正常}
      - id: total
        type: integer
        label: {en: Total, zh: 总分}
        derive: sum(row.score * (2 if row.urgent == "Y" else 1) for row in organs)
      - id: eligible
        type: yes/no
        label: {en: Eligible?, zh: 是否合格？}
        require: given(total) and given(SCR.dm.sex)
checks:
  - {id: IE01, item: PANCREAS.score, when: PANCREAS.score > 2 and param.basis == "raw",
     message: {en: High., zh: 过高。},
     pass: {PANCREAS.score: "2"}, fail: {PANCREAS.score: "3"}}
"""

LOG = """\
form: log
title: {en: Notes, zh: 记录}
repeating: true
sections:
  - items:
      - {id: noted, type: text, label: {en: Note, zh: 记录}}
"""

VS = """\
form: vs
title: {en: Vital signs, zh: 生命体征}
sections:
  - items:
      # millimetres of mercury
      - id: sbp
        type: integer
        label: {en: Systolic, zh: 收缩压}
        units: {mmHg: "1", kPa: "7.50061"}
        limits: {hard: ["50", "300"], soft: ["90", "180"]}
        require: true
      - id: dbp
        type: integer
        label: {en: Diastolic, zh: 舒张压}
        limits: {hard: ["20", "200"]}
checks:
  - {id: VS01, item: sbp, when: sbp <= dbp, severity: hard, message: {en: Odd., zh: 不符。},
     pass: {sbp: "120", dbp: "80"}, fail: {sbp: "80", dbp: "80"}}
"""

LIBRARY_CODES = """\
ny:
  - {value: "Y", label: {en: "Yes", zh: 是}}
  - {value: "N", label: {en: "No", zh: 否}}
missing:
  - {value: ND, label: {en: Not done, zh: 未做}}
score:
  - {value: "0", label: {en: Normal, zh: 正常}}
  - {value: "1", label: {en: Improved, zh: 改善}}
  - {value: "2", label: {en: Unchanged, zh: 不变}}
  - {value: "3", label: {en: Worse, zh: 加重}}
unused:
  - {value: X, label: {en: X, zh: X}}
"""

FILES = {
    "tiny/study.yaml": STUDY,
    "tiny/schedule.yaml": SCHEDULE,
    "tiny/codes.yaml": CODES,
    "tiny/forms/dm.yaml": DM,
    "tiny/forms/ie.yaml": IE,
    "tiny/forms/log.yaml": LOG,
    "library/forms/vs.yaml": VS,
    "library/codes.yaml": LIBRARY_CODES,
}


class Folder:
    """The tiny study in a folder of its own, to be spoilt by one test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.study = root / "tiny"
        self.library = root / "library"
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        """Replace `old`, which must be there exactly once."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, (name, old, text.count(old))
        self.write(name, text.replace(old, new))

    def read(self):
        from ecrf.study.read import read

        return read(self.study, self.library)

    def findings(self):
        """Return the findings as `file:line:column: severity: message`, files from the root."""
        return [str(f).removeprefix(f"{self.root}/") for f in self.read().findings]
