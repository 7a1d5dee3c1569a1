# Triton with this package for its Python backend. Later Tritons have a Python backend that wants another numpy.
FROM nvcr.io/nvidia/tritonserver:24.10-py3
COPY . /src
RUN pip install --no-cache-dir "/src[triton]" && rm -rf /src
USER triton-server
CMD ["tritonserver", "--model-repository=/models", "--model-control-mode=none", "--exit-timeout-secs=10"]
