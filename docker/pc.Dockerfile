# The robot for a PC (x86-64), with ROS 2 from PyPI's wheels and, where EXTRAS ask for it, CUDA and TensorRT as wheels, too;
# images.yaml has the arguments: docker compose --file docker/images.yaml build pc
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS python
ARG PACKAGES=""
# hadolint ignore=SC2086
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates python3 ${PACKAGES} \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/edge_ai

FROM python AS tools
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential python3-dev python3-venv \
 && rm -rf /var/lib/apt/lists/*
COPY setup.cfg ./
COPY tools/installer tools/installer
COPY docker/requirements.py docker/requirements.py

# What runs: without the generators and compilers that only building needs.
FROM tools AS packages
ARG EXTRAS=""
# hadolint ignore=SC2086
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 docker/requirements.py core ros2 cloud ${EXTRAS} > /tmp/requirements.txt \
 && python3 -m venv .venv \
 && .venv/bin/pip install --progress-bar off --requirement /tmp/requirements.txt \
 && .venv/bin/pip uninstall --yes pip setuptools \
 && rm -rf .venv/include

# Nodes, messages and configuration; links into the source tree become files.
FROM tools AS build
COPY CMakeLists.txt package.xml env.sh ./
COPY tools tools
COPY msg msg
COPY srv srv
COPY launch launch
COPY models models
COPY config config
COPY edge_ai edge_ai
RUN --mount=type=cache,target=/root/.cache/pip python3 tools/bootstrap.py \
 && cp --recursive --dereference install installed \
 && python3 -m compileall -q installed

FROM python AS robot
RUN useradd --uid 1000 --create-home --home-dir /var/lib/edge_ai --groups video edge_ai
COPY --from=packages /opt/edge_ai/.venv .venv
COPY --from=build /opt/edge_ai/installed install
COPY config/fastdds.xml config/fastdds.xml
COPY env.sh ./
COPY docker/entrypoint.sh docker/health.py docker/node_arguments.py docker/
USER 1000:1000
ENV EDGE_AI_TARGET=auto \
    HOME=/var/lib/edge_ai \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ROS_LOG_DIR=/tmp/log \
    XDG_RUNTIME_DIR=/var/lib/edge_ai/run
VOLUME /var/lib/edge_ai
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=3s --start-period=90s --retries=3 CMD ["python3", "/opt/edge_ai/docker/health.py"]
ENTRYPOINT ["/opt/edge_ai/docker/entrypoint.sh"]
CMD ["managed", "lifecycle_manager", "pipeline"]
