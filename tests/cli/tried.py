"""A study in YAML for trying forms from the command line."""

STUDY = """\
id: tried
version: "1"
title: {en: A trial, zh: 试验}
short_title: {en: Trial, zh: 试验}
registry: NCT00000000
planned: 10
masking: double
arms:
  - {id: ACT, label: {en: Active drug, zh: 试验药}, type: active}
  - {id: PBO, label: {en: Placebo, zh: 安慰剂}, type: placebo}
sites:
  - {code: AAA, name: {en: Hospital A, zh: 甲医院}}
forms: [dm, vs, chem, organs]
forms_to_come: {mh: {en: Medical history, zh: 病史}}
"""

SCHEDULE = """\
visits:
  - {id: SCR, label: {en: Screening, zh: 筛选}, day: -14, before: 14, after: 13}
  - {id: BL, label: {en: Baseline, zh: 基线}, day: 1}
  - {id: W4, label: {en: Week 4, zh: 第4周}, day: 29, before: 7, after: 7}
  - {id: UNS, label: {en: Unscheduled, zh: 计划外}, kind: unscheduled, repeating: true}
matrix:
  dm: {SCR: R}
  vs: {SCR: R, BL: R, W4: R, UNS: o}
  chem: {SCR: R, BL: R, W4: R}
  organs: {SCR: R, W4: R}
  mh: {SCR: R}
"""

CODES = """\
sex:
  - {value: M, label: {en: Male, zh: 男}}
  - {value: F, label: {en: Female, zh: 女}}
score:
  - {value: "0", label: {en: Normal, zh: 正常}}
  - {value: "1", label: {en: Improved, zh: 改善}}
  - {value: "2", label: {en: Same, zh: 不变}}
"""

DM = """\
form: dm
title: {en: Demographics, zh: 人口学}
sections:
  - items:
      - {id: brthdat, type: partial date, unknown: month, label: {en: Birth, zh: 出生日期}}
      - {id: sex, type: choice, codes: sex, label: {en: Sex, zh: 性别}}
      - id: age
        type: integer
        label: {en: Age, zh: 年龄}
        derive: years(brthdat, visit_date)
"""

VS = """\
form: vs
title: {en: Vital signs, zh: 生命体征}
sections:
  - items:
      - id: sbp
        type: integer
        label: {en: Systolic, zh: 收缩压}
        units: {mmHg: "1", kPa: "7.5"}
        limits: {hard: ["50", "300"], soft: ["90", "180"]}
        require: true
        missing: [ND]
      - {id: dbp, type: integer, label: {en: Diastolic, zh: 舒张压}}
      - {id: weight, type: decimal, label: {en: Weight, zh: 体重}, units: {kg: "1"}}
      - {id: fasting, type: yes/no, label: {en: Fasting, zh: 空腹}}
      - id: fallen
        type: decimal
        label: {en: Weight lost, zh: 体重下降}
        derive: previous.vs.weight - weight
      - {id: where, type: text, label: {en: Where, zh: 中心}, derive: site}
checks:
  - {id: VS01, item: sbp, when: sbp <= dbp, severity: hard, message: {en: Odd., zh: 不符。},
     pass: {sbp: "120", dbp: "80"}, fail: {sbp: "80", dbp: "80"}}
"""

CHEM = """\
form: chem
title: {en: Chemistry, zh: 血生化}
sections:
  - items:
      - {id: lbdat, type: date, label: {en: Sampled, zh: 采样}}
      - id: creat
        type: decimal
        label: {en: Creatinine, zh: 肌酐}
        units: {µmol/L: "1", mg/dL: "88.4"}
        limits: {hard: ["15", "2500"]}
      - id: egfr
        type: decimal
        places: 2
        label: {en: eGFR, zh: 估算肾小球滤过率}
        derive: >-
          175 * pow(creat / 88.4, -1.154) * pow(years(SCR.dm.brthdat, lbdat), -0.203)
          * (0.742 if SCR.dm.sex == "F" else 1)
      - id: rise
        type: decimal
        label: {en: Rise, zh: 升高}
        derive: latest.chem.creat - SCR.chem.creat
"""

ORGANS = """\
form: organs
title: {en: Organs, zh: 器官}
sections:
  - items:
      - grid: list
        label: {en: Organs, zh: 器官}
        rows:
          - {id: PANCREAS, label: {en: Pancreas, zh: 胰腺}}
          - {id: CONST, label: {en: Constitutional, zh: 全身症状}, closed: [damage]}
        columns:
          - {id: score, type: choice, codes: score, label: {en: Score, zh: 评分}, require: true}
          - {id: damage, type: yes/no, label: {en: Damage, zh: 损伤}}
      - id: total
        type: integer
        label: {en: Total, zh: 总分}
        derive: sum(row.score for row in list)
"""

FILES = {
    "study.yaml": STUDY,
    "schedule.yaml": SCHEDULE,
    "codes.yaml": CODES,
    "forms/dm.yaml": DM,
    "forms/vs.yaml": VS,
    "forms/chem.yaml": CHEM,
    "forms/organs.yaml": ORGANS,
}


def write(folder):
    """Write the study into `folder`."""
    (folder / "forms").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
