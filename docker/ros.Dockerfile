# ROS 2 from apt: the robot for Jetsons, and the bridge to Foxglove for any machine. images.yaml has the arguments of each:
#   docker compose --file docker/images.yaml build jetpack6
ARG ROS_DISTRO=jazzy

FROM ros:${ROS_DISTRO}-ros-core AS base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ARG ROS_DISTRO
# The exec_depend of package.xml, and GStreamer for cameras.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      gstreamer1.0-plugins-bad gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-tools \
      python3-numpy python3-opencv python3-psutil python3-yaml \
      ros-${ROS_DISTRO}-cv-bridge ros-${ROS_DISTRO}-diagnostic-msgs ros-${ROS_DISTRO}-rosidl-default-runtime \
      ros-${ROS_DISTRO}-tf2-msgs ros-${ROS_DISTRO}-vision-msgs \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/edge_ai

FROM base AS tools
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      build-essential cmake git python3-colcon-common-extensions python3-dev python3-pip python3-venv \
      ros-${ROS_DISTRO}-ament-cmake ros-${ROS_DISTRO}-rosidl-default-generators \
 && rm -rf /var/lib/apt/lists/*

# What apt does not have; numpy below 2 for apt's cv_bridge and OpenCV.
FROM tools AS packages
ARG EXTRAS=""
COPY setup.cfg ./
COPY tools tools
COPY docker/requirements.py docker/requirements.py
# hadolint ignore=SC2086
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv --system-site-packages .venv \
 && .venv/bin/python tools/bootstrap.py needs > /tmp/requirements.txt \
 && { [ -z "${EXTRAS}" ] || .venv/bin/python docker/requirements.py ${EXTRAS} >> /tmp/requirements.txt; } \
 && .venv/bin/pip install --progress-bar off "numpy<2" --requirement /tmp/requirements.txt

FROM tools AS build
COPY CMakeLists.txt package.xml ./
COPY tools tools
COPY msg msg
COPY srv srv
COPY launch launch
COPY models models
COPY config config
COPY edge_ai edge_ai
RUN . "/opt/ros/${ROS_DISTRO}/setup.sh" \
 && colcon build --merge-install --cmake-args -DBUILD_TESTING=OFF -DPython3_EXECUTABLE=/usr/bin/python3

# Foxglove's bridge, which knows our messages.
FROM base AS foxglove
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ros-${ROS_DISTRO}-foxglove-bridge \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1001 --create-home bridge
COPY --from=build /opt/edge_ai/install install
COPY docker/ros_env.sh env.sh
COPY config/fastdds.xml config/fastdds.xml
COPY docker/entrypoint.sh docker/entrypoint.sh
USER 1001:1001
ENV ROS_LOG_DIR=/tmp/log
HEALTHCHECK --interval=5s --timeout=3s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8765"]
ENTRYPOINT ["/opt/edge_ai/docker/entrypoint.sh"]
# It only shows: no client may publish, call services or set parameters.
CMD ["ros2", "run", "foxglove_bridge", "foxglove_bridge", "--ros-args", "-p", "address:=127.0.0.1", \
     "-p", "capabilities:=[connectionGraph]"]

# The robot, still without CUDA and TensorRT.
FROM base AS robot
RUN if id ubuntu >/dev/null 2>&1; then userdel --remove ubuntu; fi \
 && useradd --uid 1000 --create-home --home-dir /var/lib/edge_ai --groups video edge_ai
COPY --from=build /opt/edge_ai/install install
COPY config/fastdds.xml config/fastdds.xml
COPY docker/ros_env.sh env.sh
COPY docker/entrypoint.sh docker/health.py docker/node_arguments.py docker/
ENV EDGE_AI_TARGET=auto \
    HOME=/var/lib/edge_ai \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video \
    NVIDIA_VISIBLE_DEVICES=all \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ROS_LOG_DIR=/tmp/log \
    XDG_RUNTIME_DIR=/var/lib/edge_ai/run
VOLUME /var/lib/edge_ai
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --timeout=3s --start-period=90s --retries=3 CMD ["python3", "/opt/edge_ai/docker/health.py"]
ENTRYPOINT ["/opt/edge_ai/docker/entrypoint.sh"]
CMD ["managed", "lifecycle_manager", "pipeline"]

# With NVIDIA's packages for one release of Jetson Linux; the driver's own libraries come from the board, by its container
# runtime.
FROM robot AS jetson-packages
ARG L4T
ADD --chmod=644 https://repo.download.nvidia.com/jetson/jetson-ota-public.asc /usr/share/keyrings/jetson.asc
RUN echo "deb [signed-by=/usr/share/keyrings/jetson.asc] https://repo.download.nvidia.com/jetson/common ${L4T:?} main" \
      > /etc/apt/sources.list.d/jetson.list

FROM jetson-packages AS jetson
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3-libnvinfer \
 && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/edge_ai/.venv .venv
USER 1000:1000

# JetPack 5 has Ubuntu 20.04 and Python 3.8. This image has its CUDA 11.4 and TensorRT 8.5 on Ubuntu 22.04 with Python
# 3.10, for which NVIDIA's bindings are built from their source.
FROM jetson-packages AS jetpack5-libraries
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libnvinfer8 libnvinfer-plugin8 libnvonnxparsers8 libnvparsers8 \
 && rm -rf /var/lib/apt/lists/*

FROM jetpack5-libraries AS bindings
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      build-essential cmake cuda-cudart-dev-11-4 git libnvinfer-dev libnvinfer-plugin-dev libnvonnxparsers-dev \
      libnvparsers-dev python3-dev python3-setuptools python3-wheel \
 && rm -rf /var/lib/apt/lists/*
ENV CUDA_ROOT=/usr/local/cuda-11.4 \
    EXT_PATH=/external \
    PYTHON_MAJOR_VERSION=3 \
    PYTHON_MINOR_VERSION=10 \
    TARGET_ARCHITECTURE=aarch64 \
    TRT_OSSPATH=/TensorRT
RUN git clone --depth 1 --branch 8.5.2 --recurse-submodules=parsers/onnx --shallow-submodules \
      https://github.com/NVIDIA/TensorRT.git /TensorRT \
 && git clone --depth 1 --branch v2.9.2 https://github.com/pybind/pybind11.git /external/pybind11 \
 && mkdir -p /external/python3.10 \
 && ln -s /usr/include/python3.10 /external/python3.10/include \
 && bash /TensorRT/python/build.sh

# CUDA 11 has no cuda-bindings of today: PyCUDA, built here, takes their place.
FROM bindings AS packages-cuda11
COPY --from=packages /opt/edge_ai/.venv .venv
COPY setup.cfg ./
COPY tools tools
COPY docker/requirements.py docker/requirements.py
RUN --mount=type=cache,target=/root/.cache/pip \
    apt-get update \
 && apt-get install --yes --no-install-recommends cuda-nvcc-11-4 libcurand-dev-11-4 python3-pip python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && export PATH="/usr/local/cuda-11.4/bin:${PATH}" \
 && python3 docker/requirements.py pycuda > /tmp/requirements.txt \
 && .venv/bin/pip install --progress-bar off "numpy<2" --requirement /tmp/requirements.txt \
      /TensorRT/python/build/dist/tensorrt-*.whl

FROM jetpack5-libraries AS jetpack5
COPY --from=packages-cuda11 /opt/edge_ai/.venv .venv
USER 1000:1000
