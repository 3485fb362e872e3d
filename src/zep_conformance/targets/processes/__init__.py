"""The `processes` target: real programs on this machine, without Docker.

    --target processes                                  the real LangFlux, the embedded Zep
    --target processes --zep-binary ./zep               the real Zep too, on a real PostgreSQL with pgvector
    --target processes --install-langflux               LangFlux 2.2.8 from npm first, where it is not installed
    --target processes --langflux-command "npx flowise start"

`target` puts it together; `langflux`, `zep`, `postgres` and `tokenizer` each find a program, check that it can run
before anything is started, and describe it as a `processes.programs.Program`.
"""
