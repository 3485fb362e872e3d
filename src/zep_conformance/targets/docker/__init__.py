"""What the targets `containers` and `compose:PATH` share: everything about a Docker engine, once.

    engine      the engine: reached, and what its refusals mean
    images      which image is there, what exactly it is, and the building of our own
    ownership   labels: whose a container, network, volume or image is, and whether that run still lives; removing by
                them, at the end of a run and what killed runs have left
    control     a part's container: awaited, how it ended, its log; started, stopped, killed, paused, resumed

Only these targets import it: the Docker libraries take half a second to import.
"""
