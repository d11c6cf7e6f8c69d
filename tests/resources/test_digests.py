"""What files hold: content decides, and a file is read again only when it was touched."""

import hashlib
import os
import shutil

import pytest

from resources import digests
from resources.digests import content_digest, digest_of, files_digest


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("customer_id\nC-1\n")
    return path


def test_it_is_the_sha_256_of_the_content(file):
    assert content_digest(file) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_another_content_of_the_same_size_and_time_is_seen(file):
    before, times = content_digest(file), file.stat()
    file.write_text("customer_id\nC-2\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert file.stat().st_size == times.st_size and file.stat().st_mtime_ns == times.st_mtime_ns
    assert content_digest(file) != before


def test_the_same_content_at_another_time_is_the_same(file):
    before = content_digest(file)
    os.utime(file, (1, 1))
    assert content_digest(file) == before


def test_a_file_that_was_not_touched_is_not_read_again(file, monkeypatch):
    before = content_digest(file)
    monkeypatch.setattr(digests.hashlib, "file_digest", lambda *_: pytest.fail("it was read"))
    assert content_digest(file) == before


def test_names_count_and_folders_do_not(file, tmp_path):
    elsewhere = tmp_path / "elsewhere" / "customers.csv"
    elsewhere.parent.mkdir()
    shutil.copy(file, elsewhere)
    renamed = file.with_name("clients.csv")
    shutil.copy(file, renamed)
    assert files_digest([file]) == files_digest([elsewhere]) != files_digest([renamed])


def test_where_a_text_ends_counts():
    assert digest_of(["ab", "c"]) != digest_of(["a", "bc"])
