# The program's wheel: what is in a folder but not in the wheel does not reach the image.
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
WORKDIR /opt/productpulse

# What it runs on is a layer of its own, which stays while only the program changes. Nothing is
# compiled: a package that has no wheel for this machine stops the build.
COPY pyproject.toml constraints.txt ./
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && pip install --no-cache-dir --only-binary :all: --constraint constraints.txt --requirement requirements.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl

# Everything that is written is in /data, which belongs to the only user; a volume put there takes that over.
RUN useradd --uid 10001 --create-home productpulse \
    && mkdir /data \
    && chown productpulse:productpulse /data
USER 10001
ENV PRODUCTPULSE_HOME=/data \
    DAGSTER_HOME=/data/dagster_home \
    DAGSTER_DISABLE_TELEMETRY=1 \
    PYTHONUNBUFFERED=1

# Whether a server is well is asked in compose.yaml, of each in its own way; a run needs no asking, it ends.
ENTRYPOINT ["python", "-m", "resources.dagster_home"]
CMD ["productpulse", "run"]
