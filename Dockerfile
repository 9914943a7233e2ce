# One image for the API, the worker and the migrations; the command says which: serve, worker or migrate.
FROM python:3.13-slim AS build
WORKDIR /build
COPY pyproject.toml requirements.lock ./
# The lock holds the tools of developers too, and pip cannot check hashes of a lock that it installs in part; uv, which
# comes from the lock itself, can.
RUN awk '/^uv==/ { found = 1 } found { print } found && !/\\$/ { exit }' requirements.lock > uv.lock \
    && pip install --no-cache-dir --no-deps --require-hashes --requirement uv.lock
RUN uv venv /opt/tenet \
    && uv pip install --python /opt/tenet --no-cache --constraint requirements.lock --extra telemetry --requirement pyproject.toml
COPY LICENSE README.md ./
COPY app app
COPY migrations migrations
COPY resolvers resolvers
COPY workers workers
RUN uv pip install --python /opt/tenet --no-cache --no-deps --build-constraint requirements.lock .

FROM python:3.13-slim
# Repositories are read by git, and from some hosts over ssh.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin tenet \
    && install --directory --owner tenet --group tenet --mode 0700 /data
COPY --from=build /opt/tenet /opt/tenet
ENV PATH=/opt/tenet/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TENET_ENV=production \
    TENET_HOST=0.0.0.0 \
    TENET_PORT=8000 \
    TENET_DATA_DIR=/data
USER tenet
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Of the API; a worker has no port, and says that it lives through the API's /health/ready.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"TENET_PORT\"]}/health/live', timeout=4)"]
ENTRYPOINT ["tenet"]
CMD ["serve"]
