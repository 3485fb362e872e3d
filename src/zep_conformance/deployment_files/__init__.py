"""Deployment files, looked at without deploying them: would they bring up the documented Zep?

    from zep_conformance.deployment_files.examination import examine
    from zep_conformance.deployment_files.sources import load
    for finding in examine(load([Path("render.yaml")])):
        print(finding.file, finding.line, finding.verdict, finding.symptom)

`sources` finds the files and says what kind each is; `located` reads YAML and TOML and keeps the lines; `render`,
`fly`, `compose` and `kubernetes` each turn their kind into the applications of `model`; `images`, `variables`,
`wiring`, `models`, `names`, `reach`, `secrets`, `keeping` and `resources` each look at one side of those, and
`examination` at all. `facts.codes` has every finding there can be. `shipped` is the set that comes with this project,
also with mutations planted, and `chosen` says which set a run looks at.

Nothing is sent anywhere, nothing is run, and no secret that stands in a file is shown.
"""
