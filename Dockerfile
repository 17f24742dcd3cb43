# docker build -t deliverkit .
# docker run --rm deliverkit check example.com
# docker run --rm --network none -v "$PWD:/work:ro" deliverkit lint

FROM python:3-slim AS build
WORKDIR /source
RUN python -m venv /opt/deliverkit
COPY pyproject.toml README.md LICENSE ./
COPY docs/man docs/man
COPY deliverkit deliverkit
RUN /opt/deliverkit/bin/python -m pip install --no-cache-dir --disable-pip-version-check . \
    && /opt/deliverkit/bin/python -m pip uninstall --yes --quiet pip

FROM python:3-slim
COPY --from=build /opt/deliverkit /opt/deliverkit
# Nothing is written but reports: where the folder is somebody else's, run with --user "$(id -u):$(id -g)".
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin deliverkit
ENV PATH=/opt/deliverkit/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /work
ENTRYPOINT ["deliverkit"]
CMD ["--help"]
