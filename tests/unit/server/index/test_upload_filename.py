from __future__ import annotations

import pytest
from packaging.version import Version

from sealstead.server.index.forms import FileType, UploadForm
from sealstead.server.index.upload_errors import UploadFileNameError
from sealstead.server.index.upload_filename import check_filename, check_sdist_filename, check_wheel_filename


def form(name: str = "My.Pkg") -> UploadForm:
    return UploadForm(
        name=name, version="1.0", filetype=FileType.WHEEL, pyversion="py3", digests={}, comment=""
    )


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("a\x1bb.whl", "non-printable"),
        ("a/b.whl", "'/' or"),
        ("..\\b.whl", "'/' or"),
        ("a.exe", "Invalid file extension: Use .tar.gz, .whl or .zip extension."),
        (".whl", "Invalid file extension"),
        ("a.tar.gz", "Extension '.tar.gz' is invalid for filetype 'bdist_wheel'"),
        ("ä.whl", "ASCII"),
        ("a" * 300 + ".whl", "300 at most"),
    ],
)
def test_names_that_are_refused(filename: str, text: str) -> None:
    with pytest.raises(UploadFileNameError) as refused:
        check_filename(filename, "", FileType.WHEEL)
    assert refused.value.code == "invalid-file-name"
    assert text in refused.value.message


def test_a_picture_is_no_distribution() -> None:
    check_filename("a.whl", "application/octet-stream", FileType.WHEEL)
    with pytest.raises(UploadFileNameError, match=r"^Invalid distribution file\.$"):
        check_filename("a.whl", "image/png", FileType.WHEEL)


def test_an_sdist_is_called_as_pep_625_says() -> None:
    check_sdist_filename("my_pkg-1.0.tar.gz", form(), Version("1.0"))
    for filename in ("My.Pkg-1.0.tar.gz", "my-pkg-1.0.tar.gz", "my_pkg-1.0.0.tar.gz", "my_pkg-1.0.zip"):
        with pytest.raises(UploadFileNameError, match=r"is invalid, should be 'my_pkg-1\.0\.tar\.gz'"):
            check_sdist_filename(filename, form(), Version("1.0"))


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("my_pkg-1.0-py3-none.whl", "Invalid wheel filename"),
        ("My.Pkg-1.0-py3-none-any.whl", "should contain the normalized project name 'my_pkg', not 'My.Pkg'"),
        ("other-1.0-py3-none-any.whl", "should contain the normalized project name 'my_pkg'"),
        ("my_pkg-1.1-py3-none-any.whl", "Version in filename should be '1.0' not '1.1'."),
        ("my_pkg-1.0-cp311-cp311-linux_x86_64.whl", "has an unsupported platform tag 'linux_x86_64'."),
        ("my_pkg-1.0-py3-none-any.linux_x86_64.whl", "has an unsupported platform tag 'linux_x86_64'."),
    ],
)
def test_wheel_names_that_are_refused(filename: str, text: str) -> None:
    with pytest.raises(UploadFileNameError) as refused:
        check_wheel_filename(filename, form(), Version("1.0"))
    assert text in refused.value.message


@pytest.mark.parametrize(
    "platform",
    ["any", "win32", "win_amd64", "macosx_11_0_arm64", "manylinux_2_17_x86_64.manylinux2014_x86_64", "musllinux_1_2_aarch64"],
)  # fmt: skip
def test_platforms_of_the_reference_pass(platform: str) -> None:
    check_wheel_filename(f"my_pkg-1.0-cp311-cp311-{platform}.whl", form(), Version("1.0"))


def test_the_operator_s_platforms_replace_them() -> None:
    check_wheel_filename("my_pkg-1.0-cp311-cp311-linux_x86_64.whl", form(), Version("1.0"), ["linux_*"])
    with pytest.raises(UploadFileNameError, match="unsupported platform tag"):
        check_wheel_filename("my_pkg-1.0-py3-none-any.whl", form(), Version("1.0"), ["linux_*"])
