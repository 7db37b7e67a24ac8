"""The pages that people read say what the commands do."""

from pathlib import Path

import pytest

from tests.docs.console import BLOCK, check_page

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_EXAMPLES = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVLEDGER_PERSON", "A. Clerk")
    monkeypatch.setenv("GOVLEDGER_LEDGER", "govledger.sqlite")
    monkeypatch.setenv("GOVLEDGER_CHECKPOINT_KEY", "")  # a page may set it


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.name)
def test_every_example_of_a_page_prints_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """Each command in the README and under docs/ prints what stands under it."""
    assert check_page(page, tmp_path) > 0


def test_the_pages_with_examples_are_there() -> None:
    """The README and the page on time have examples, so the test above cannot run on nothing."""
    assert {"README.md", "time.md"} <= {page.name for page in WITH_EXAMPLES}


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    """The check can fail: an example whose text is not what is printed is an error."""
    page = tmp_path / "page.md"
    page.write_text("```console\n$ govledger status\nAll is well.\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="All is well"):
        check_page(page, tmp_path)
