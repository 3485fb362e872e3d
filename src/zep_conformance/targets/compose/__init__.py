"""The target `compose:PATH`: a user's own Compose project, such as a clone of Zep with its .env.

    --target compose:../zep                             the project in a folder, as `docker compose up` there finds it
    --target compose:../zep/docker-compose.dev.yaml     the project in a file

It is brought up as a project of ours beside what may run of it already, tested with a LangFlux of ours, and taken down.
docs/compose.md says what is changed for that, and what is left alone.
"""
