"""Hub repositories: a folder comes first, the client is asked once, and its failures are told in plain words."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from checkpoints import assert_same, built
from huggingface_hub.errors import EntryNotFoundError, HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]

import hiri_spec
from hiri_spec import SpecError


class TestHub:
    """Hub repositories, by the client's own calls."""

    def test_a_repository_in_the_cache(self, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        commit = "0" * 40
        cached = tmp_path / "cache" / "models--someone--small"
        (cached / "refs").mkdir(parents=True)
        (cached / "refs" / "main").write_text(commit)
        (cached / "snapshots").mkdir()
        saved.rename(cached / "snapshots" / commit)
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        assert_same(hiri_spec.from_pretrained("someone/small"), built())
        with pytest.raises(
            SpecError, match=r"someone/smell: no such folder or file, and not to be had from the hub: "
        ) as e:
            hiri_spec.from_pretrained("someone/smell")
        where = (
            f"(tried the path {Path.cwd() / 'someone/smell'}, then model.safetensors of the repository someone/smell)"
        )
        assert str(e.value).endswith(where)

    def test_what_is_asked_of_the_client(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def download(*arguments: object, **options: object) -> str:
            asked.append((arguments, options))
            return str(saved / "model.safetensors")

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
        assert_same(hiri_spec.from_pretrained("someone/small", revision="v2"), built())
        assert asked == [(("someone/small", "model.safetensors"), {"revision": "v2"})]

    @pytest.mark.usefixtures("no_network")
    def test_a_folder_comes_first(self, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(saved.parent.parent)
        assert_same(hiri_spec.from_pretrained(f"{saved.parent.name}/small"), built())
        with pytest.raises(SpecError, match=r"revision: is for hub repositories; .*small is a path"):
            hiri_spec.from_pretrained(saved, revision="v2")

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (LocalEntryNotFoundError("…"), "the hub can't be reached, and the local cache hasn't got it"),
            (EntryNotFoundError("…"), "the repository has no model.safetensors"),
            (HTTPError("Name or service not known.\nmore"), "Name or service not known"),
            (OSError(), "OSError"),
        ],
        ids=["offline", "no-weights", "connection", "silent"],
    )
    def test_failures(self, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
        def download(*_: object, **__: object) -> str:
            raise error

        monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
        message = (
            rf"not to be had from the hub: {re.escape(words)} \(tried the path .* of the repository a/b at rev.* v2\)"
        )
        with pytest.raises(SpecError, match=message):
            hiri_spec.from_pretrained("a/b", revision="v2")

    def test_pushing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[tuple[str, object]] = []

        class Api:
            def __init__(self, **_: object) -> None: ...

            def create_repo(self, repository: str, **options: object) -> None:
                calls.append((repository, options))

            def upload_folder(self, *, repo_id: str, folder_path: str, commit_message: str) -> SimpleNamespace:
                calls.append((repo_id, sorted(path.name for path in Path(folder_path).iterdir())))
                assert_same(hiri_spec.from_pretrained(folder_path), built())
                return SimpleNamespace(commit_url="https://…/commit/1")

        monkeypatch.setattr(huggingface_hub, "HfApi", Api)
        assert built().push_to_hub("someone/small", private=True) == "https://…/commit/1"
        made = ("someone/small", {"private": True, "exist_ok": True})
        assert calls == [made, ("someone/small", ["model.safetensors", "spec.yaml"])]

    def test_pushing_without_a_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(SpecError, match="someone/small: can't be written on the hub: HF_HUB_OFFLINE is set"):
            built().push_to_hub("someone/small")
