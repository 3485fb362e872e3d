"""The doctor: why a Zep, or a LangFlux with it, does not work, layer by layer, and what to do about it.

    from zep_conformance.doctor.diagnosis import diagnose
    for finding in diagnose("http://127.0.0.1:8000", langflux_url="http://127.0.0.1:3000"):
        print(finding.part, finding.layer, finding.verdict, finding.symptom)

`facts.codes` has every finding there can be; `address`, `network`, `http` and the parts' own modules each probe a few
layers; `findings` is what they share; `answers` knows what the errors that Zep answers with mean; `diagnosis` puts them
in order; `preflight` is the short examination of its target before a run begins.

Nothing of anybody's is listed, changed or shown. Nothing is written unless that is asked for.
"""
