"""The clock is set back by an hour beneath a running service: nothing is lost, nobody shut out, no time negative."""

import struct
from pathlib import Path

import httpx2

from tests.authors import StandaloneService
from tests.conftest import eventually
from tests.shims import settings_for
from tests.written import article

HOUR = 3600
# What every process is told the time by, ahead by as many seconds as a file says
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile int64_t *ahead;
static int (*real)(clockid_t, struct timespec *);
__attribute__((constructor)) static void begin(void) {
  real = dlsym(RTLD_NEXT, "clock_gettime");
  int file = open(getenv("SHIM"), O_RDONLY);
  ahead = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t which, struct timespec *at) {
  int done = real(which, at);
  if (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE) at->tv_sec += *ahead;
  return done;
}
int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
"""


class Clock:
    """The time of the processes that are begun with ``settings``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self.set(HOUR)
        self.settings = settings_for(SHIM, folder, self._file)

    def set(self, seconds: int) -> None:
        """In place, as it is mapped."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("q", seconds))


def test_an_hour_back(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    articles = tmp_path / "content"
    articles.mkdir()
    (articles / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    service = StandaloneService(
        tmp_path / "data", KB_CONTENT=str(articles), KB_RATE_REFUSED="3/5 second", **clock.settings
    )
    key = service.kb("keys", "create", "--role", "admin", "--json").split('"key": "')[1].split('"')[0]
    headers = {"X-API-Key": key}
    with service.running() as client, httpx2.Client(base_url=client.base_url, follow_redirects=True) as page:
        put = client.put("/api/incidents/INC1", json={"short_description": "VPN is down"}, headers=headers)
        opened, version = put.json()["opened_at"], put.headers["etag"]
        form = page.get("/login").text
        token = form.split('name="token" value="')[1].split('"')[0]
        assert page.post("/login", data={"key": key, "token": token, "then": "/"}).status_code == 200
        assert page.get("/incidents/INC1").url.path == "/incidents/INC1"
        guess = {"X-API-Key": "kb_aaaaaaaa_" + "a" * 43}
        eventually(lambda: client.get("/api/me", headers=guess).status_code == 429)

        clock.set(0)
        eventually(lambda: client.get("/api/me", headers=guess).status_code == 401, "who asked too often may again")
        assert page.get("/incidents/INC1").url.path == "/incidents/INC1", "who was signed in is"
        read = client.get("/api/incidents/INC1", headers=headers)
        assert read.headers["etag"] == version
        changed = client.patch(
            "/api/incidents/INC1", json={"state": "resolved"}, headers={**headers, "If-Match": version}
        )
        assert changed.status_code == 200, changed.text
        assert changed.json()["opened_at"] == opened
        assert changed.json()["minutes_to_resolve"] >= 0
        again = client.patch("/api/incidents/INC1", json={"category": "net"}, headers=headers)
        assert again.json()["version"] == changed.json()["version"] + 1
        listed = client.get("/api/incidents", headers=headers).json()
        assert all(one["age_minutes"] >= 0 for one in listed["incidents"]), listed
        new = client.put("/api/incidents/INC2", json={"short_description": "VPN wombat"}, headers=headers)
        assert new.status_code == 201
        ahead = client.put(
            "/api/incidents/INC3", json={"short_description": "x", "opened_at": "2126-01-01T00:00:00Z"}, headers=headers
        )
        assert "is in the future (here it is 2" in ahead.json()["detail"]

        def found() -> list[str]:
            listed = client.get("/api/incidents", params={"q": "wombat"}, headers=headers).json()
            return [one["number"] for one in listed["incidents"]]

        eventually(lambda: found() == ["INC2"], "what is written after it is found")
        (articles / "new.md").write_text(article("Second", "The aardvark came later."), "utf-8")
        (articles / "vpn.md").write_text(article("VPN drops", "Restart the numbat client."), "utf-8")
        service.kb("index", "--content", str(articles))
        for word, holder in (("aardvark", "new"), ("numbat", "vpn")):
            answer = client.get("/api/search", params={"q": word}, headers=headers).json()
            assert answer["hits"][0]["id"] == holder
            assert answer["took_ms"] >= 0
        assert client.get("/readyz", headers=headers).json()["failure"] is None
    log = [line for line in service.kb("audit", "--json").splitlines() if '"action"' in line]
    assert len(log) >= 5
    assert "entries" in service.kb("audit", "--verify")
