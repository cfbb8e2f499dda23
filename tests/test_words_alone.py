"""The model is missing: what is indexed is found by its words, nothing is taken for another's, and it is said."""

from pathlib import Path

from tests import forked
from tests.authors import Service
from tests.conftest import eventually
from tests.written import article


def test_a_service_whose_model_is_gone_answers_by_words_until_it_is_back(tmp_path: Path) -> None:
    articles = tmp_path / "content"
    articles.mkdir()
    (articles / "vpn.md").write_text(article("VPN drops", "Restart the wombat client."), "utf-8")
    usual = Service(tmp_path / "data", KB_CONTENT=str(articles))
    with usual.running() as client:
        client.put("/api/incidents/INC1", json={"short_description": "VPN wombat"}).raise_for_status()
        eventually(lambda: not client.get("/readyz").json()["incidents"]["behind"])
        before = client.get("/readyz").json()["generation"]
    gone = {"KB_ENCODER": "onnx", "KB_MODEL": str(tmp_path / "gone")}
    without = Service(tmp_path / "data", KB_CONTENT=str(articles), **gone)
    done = forked.kb(["index"], without.environment)
    assert done.returncode == 3
    assert "Mend KB_MODEL" in " ".join(done.stderr.split())
    (articles / "new.md").write_text(article("Second", "The aardvark came later."), "utf-8")
    with without.running() as client:
        found = client.get("/api/search", params={"q": "wombat"}).json()
        assert [hit["id"] for hit in found["hits"]] == ["vpn"]
        assert found["encoded"] == 0
        assert client.post("/api/triage", json={"text": "VPN wombat"}).json()["suggestions"][0]["id"] == "vpn"
        assert client.put("/api/incidents/INC2", json={"short_description": "VPN wombat too"}).status_code == 201
        listed = client.get("/api/incidents", params={"q": "wombat"}).json()["incidents"]
        assert [one["number"] for one in listed] == ["INC1"]
        eventually(lambda: "Mend KB_MODEL" in (client.get("/readyz").json()["failure"] or ""))
        assert client.get("/readyz").json()["generation"] == before
    assert "all is found by its words alone" in " ".join(without.log.read_text().split())
    with usual.running() as client:
        eventually(lambda: len(client.get("/api/incidents", params={"q": "wombat"}).json()["incidents"]) == 2)
        eventually(lambda: bool(client.get("/api/search", params={"q": "aardvark"}).json()["hits"]))
