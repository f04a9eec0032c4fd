# One image for every part of a server installation: see docker-compose.yml.
# The Python is the one the tests run on; what is installed is the hashed lock, and nothing else.
FROM python:3.11-slim-bookworm AS environment
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /opt/carehouse
RUN python -m venv .venv
COPY requirements.lock ./
RUN .venv/bin/pip install --quiet --no-deps --require-hashes -r requirements.lock
COPY . ./
# Editable: contracts, dbt models and DAGs are read from the folder they lie in.
RUN .venv/bin/pip install --quiet --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q carehouse ingestion expectations dags

FROM python:3.11-slim-bookworm
ARG CAREHOUSE_COMMIT=""
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin carehouse \
    && install -d -o carehouse -g carehouse /var/lib/carehouse /var/lib/carehouse/airflow /srv/landing
COPY --from=environment /opt/carehouse /opt/carehouse
ENV PATH=/opt/carehouse/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CAREHOUSE_COMMIT=$CAREHOUSE_COMMIT \
    CAREHOUSE_HOME=/var/lib/carehouse \
    CAREHOUSE_LANDING=/srv/landing \
    AIRFLOW_HOME=/var/lib/carehouse/airflow
WORKDIR /opt/carehouse
USER carehouse
VOLUME ["/var/lib/carehouse", "/srv/landing"]
CMD ["carehouse", "--help"]
