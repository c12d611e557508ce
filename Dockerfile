# Freqtrade with memory: bots, the service and all commands. How to use it: docs/how-to/run-in-docker.md
#
#     docker build -t freqtrade-mem0 .
#
# It has the Python and the versions that the tests run with (decision 59).
FROM python:3.11-slim-bookworm AS packages
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY freqtrade_mem0 freqtrade_mem0
RUN python -m venv /opt/freqtrade \
    && /opt/freqtrade/bin/pip install --no-cache-dir --constraint constraints.txt \
        ".[encryption,hyperopt,mcp,postgres,redis,service]" \
    && /opt/freqtrade/bin/freqtrade install-ui

FROM python:3.11-slim-bookworm
# The number of Freqtrade's own image, so that a user_data folder fits both.
RUN useradd --uid 1000 --user-group --create-home ftuser \
    && mkdir -p /freqtrade/user_data \
    && chown ftuser:ftuser /freqtrade/user_data
COPY --from=packages /opt/freqtrade /opt/freqtrade
ENV PATH=/opt/freqtrade/bin:$PATH \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FT_APP_ENV=docker
WORKDIR /freqtrade
VOLUME /freqtrade/user_data
USER ftuser
CMD ["freqtrade-mem0", "--help"]
