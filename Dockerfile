# The one image for every service: analyzer, agent, serve and the tools.
#   docker build -t core-agent:latest .
# The same commit gives the same program: versions are locked, paths are cut off, and times come from SOURCE_DATE_EPOCH.
# deploy/scripts/pin-images.sh names the base images by the digests that their tags have now.
FROM rust:1.95-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ARG SOURCE_DATE_EPOCH=0
# Shown by --version; the .git folder is no part of the build.
ARG C0DI3_COMMIT=unknown
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make g++ pkg-config zlib1g-dev libssl-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ENV C0DI3_COMMIT=${C0DI3_COMMIT} RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo"
RUN cargo build --locked --profile dist --package c0di3

# Backups, drills and upkeep: our program, PostgreSQL's clients and the scripts of deploy/scripts.
#   docker build --target upkeep -t core-agent-upkeep:latest .
FROM postgres:16-bookworm@sha256:efedf3595f1d6f415c08568ba171029bf54052e754cc9f030e3f2412b21f3d67 AS upkeep
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl openssl libssl3 zlib1g && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 c0di3 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin c0di3 \
 && install -d -o c0di3 -g c0di3 /backups
COPY --from=build /src/target/dist/c0di3 /usr/local/bin/c0di3
COPY deploy/scripts/*-db.sh deploy/scripts/db-place.sh /usr/local/share/c0di3/
USER 10001:10001
ENTRYPOINT []
CMD ["/usr/local/share/c0di3/backup-db.sh", "/backups"]

FROM debian:bookworm-slim@sha256:3783cc01769c7b2b1b83a5c5ad96c815348e28ed7da68e2e3687004faa906251
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl libssl3 zlib1g && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 c0di3 && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin c0di3 \
 && install -d -o c0di3 -g c0di3 /app /app/archive /app/data /app/logs
COPY --from=build /src/target/dist/c0di3 /usr/local/bin/c0di3
WORKDIR /app
USER 10001:10001
# The three files of the runbook, and standard error for `docker logs`.
ENV C0DI3_LOG_FOLDER=/app/logs C0DI3_LOG_STDERR=true
EXPOSE 3000 3001 5001 5514/tcp 5514/udp
# /ready asks only what is required, and answers within half a second. The analyzer is asked on 5001.
HEALTHCHECK --interval=30s --timeout=3s --start-period=40s --retries=3 \
  CMD ["sh", "-c", "curl -fs --max-time 2 http://127.0.0.1:3001/ready || curl -fs --max-time 1 http://127.0.0.1:5001/ready"]
ENTRYPOINT ["c0di3"]
CMD ["serve"]
