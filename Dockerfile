# docker build -t kb . && docker run -p 8000:8000 -v kb:/data -v /srv/git/kb.git:/content:ro kb
# A key first, since other machines may ask: docker run --rm -v kb:/data kb kb keys create --role admin
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory '*'
WORKDIR /srv/kb
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY indexer indexer
COPY kb_service kb_service
RUN pip install --no-cache-dir -c constraints.txt .
RUN useradd --system kb && mkdir /data && chown kb /data
USER kb
ENV KB_HOST=0.0.0.0 KB_DATA=/data KB_CONTENT=/content
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=120s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
STOPSIGNAL SIGTERM
CMD ["kb", "serve"]
