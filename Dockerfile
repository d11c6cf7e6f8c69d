# Builds the program's wheel. The image contains only files that are in the wheel.
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
WORKDIR /opt/productpulse

# The dependencies are a separate layer, which is reused while only the program changes. Nothing is
# compiled: a package without a wheel for this machine stops the build.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && pip install --no-cache-dir --only-binary :all: --constraint constraints.txt --requirement requirements.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl

# All data is written to /data, which belongs to the only user; a volume mounted there gets the same owner.
RUN useradd --uid 10001 --create-home productpulse \
    && mkdir /data \
    && chown productpulse:productpulse /data
USER 10001
ENV PRODUCTPULSE_HOME=/data \
    DAGSTER_HOME=/data/dagster_home \
    DAGSTER_DISABLE_TELEMETRY=1 \
    PYTHONUNBUFFERED=1

# The health checks of the servers are in compose.yaml; a run needs none.
ENTRYPOINT ["python", "-m", "resources.dagster_home"]
CMD ["productpulse", "run"]
