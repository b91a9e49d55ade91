# docker build -t coughlab .
# docker run --read-only --tmpfs /tmp --shm-size 1g --cap-drop ALL --security-opt no-new-privileges --memory 2g -p 8501:8501 coughlab
#
# docs/operate.md says more. The first stage has what is needed to install, the second what is needed to run.
FROM python:3.11-slim-bookworm AS installed
COPY requirements.lock /
RUN python -m venv /opt/coughlab/.venv && \
    /opt/coughlab/.venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: --requirement requirements.lock
COPY Home.py /opt/coughlab/
COPY .streamlit/config.toml .streamlit/icon.svg /opt/coughlab/.streamlit/
COPY coughlab /opt/coughlab/coughlab
COPY pages /opt/coughlab/pages
COPY models /opt/coughlab/models
RUN /opt/coughlab/.venv/bin/python -m compileall -q /opt/coughlab/coughlab /opt/coughlab/pages

FROM python:3.11-slim-bookworm
COPY --from=installed /opt/coughlab /opt/coughlab
WORKDIR /opt/coughlab
# Nobody of a number, so that Kubernetes' runAsNonRoot can tell.
USER 65534:65534
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    COUGHLAB_API_KEYS=required COUGHLAB_LOG=json COUGHLAB_READ_ONLY=on STREAMLIT_SECRETS_FILES=/run/secrets/coughlab.toml
EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s \
    CMD [".venv/bin/python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/api/v1/health', timeout=9)"]
CMD [".venv/bin/python", "-m", "streamlit", "run", "Home.py", "--server.address", "0.0.0.0", "--server.port", "8501", \
     "--server.headless", "true"]
