# MLServer with this package; for machines without NVIDIA's image.
FROM python:3.11.11-slim-bookworm
COPY . /src
RUN pip install --no-cache-dir "/src[mlserver]" && rm -rf /src
RUN useradd --create-home mlserver
USER mlserver
WORKDIR /models
CMD ["mlserver", "start", "."]
