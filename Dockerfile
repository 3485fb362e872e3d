# zep-conformance as an image: `docker run --rm -e ZEP_URL -e ZEP_TOKEN IMAGE run --target remote`, and its servers:
# `docker run -p 8000:8000 IMAGE serve --host 0.0.0.0`. docs/gate.md has more. BASE: anything with Python 3.11 or newer
# as python3, and its venv module.
ARG BASE=python:3.11-slim
FROM ${BASE} AS build
RUN python3 -m venv /opt/zep-conformance
# What it stands on comes first: that is fetched again only when pyproject.toml changes.
COPY pyproject.toml /source/
RUN python3 -c 'import tomllib; print(*tomllib.load(open("/source/pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
        > /source/requirements.txt \
    && /opt/zep-conformance/bin/pip install --no-cache-dir --disable-pip-version-check -q -r /source/requirements.txt
COPY . /source
RUN /opt/zep-conformance/bin/pip install --no-cache-dir --disable-pip-version-check -q --no-deps /source

FROM ${BASE}
COPY --from=build /opt/zep-conformance /opt/zep-conformance
RUN useradd --create-home --uid 10001 conformance && mkdir /work && chown conformance /work
USER conformance
# Reports go to /work/reports: mount a folder there that user 10001 may write to.
WORKDIR /work
ENV PATH=/opt/zep-conformance/bin:$PATH PYTHONUNBUFFERED=1
# Of `serve`: Zep, LangFlux, the model server, the NLP server.
EXPOSE 8000 3000 8080 5557
# Healthy while `serve` answers on one of its ports: with --part only some are there. For `run` it says nothing.
HEALTHCHECK --interval=5s --timeout=4s --start-period=5s --retries=3 \
    CMD ["python3", "-c", "import socket, sys\ndef up(port):\n    with socket.socket() as probe:\n        probe.settimeout(0.5)\n        return probe.connect_ex((\"127.0.0.1\", port)) == 0\nsys.exit(not any(map(up, (8000, 3000, 8080, 5557))))"]
ENTRYPOINT ["zep-conformance"]
CMD ["--help"]
