"""The `containers` target: a deployment as documented, each part a container, on any Docker engine.

    engine      the engine: reached, asked, and what its refusals mean
    images      which image each part has, pulled side by side, and its digest
    plan        what each container is told: variables, ports, aliases, and when it is ready
    parts       the containers of one run: created, awaited, found again by their names
    ownership   labels: whose a container is, and whether that run still lives
    cleanup     what is removed, and when
    kept        sets of containers that `--keep` left, used again
    startup     everything at once, in the order that the parts need
    control     stopping, pausing, re-creating, cutting off
    firewall    the one script that runs inside a part's network
    target      the target itself
    choice      whether `auto` can have it; imports no Docker library where there is no engine

Nothing here is imported by a run on another target: the Docker libraries take half a second to import.
"""
