"""Sources: which addresses are taken and how they are read, which branches can be, which networks are out of bounds."""

import pickle

import pytest

from app.domain.addresses import refused_address
from app.domain.source import SourceFailed, SourceProblem, SourceRules, Transport, check_branch, read_source

ALL = SourceRules(local=True, private=True)
NONE = SourceRules()
P = SourceProblem


@pytest.mark.parametrize(
    ("text", "transport", "url", "host", "port"),
    [
        ("https://github.com/a/b", "https", "https://github.com:443/a/b", "github.com", 443),
        ("https://GitHub.com/a/b.git", "https", "https://github.com:443/a/b.git", "github.com", 443),
        (
            "https://git.example.com:8443/~a/b%20c",
            "https",
            "https://git.example.com:8443/~a/b%20c",
            "git.example.com",
            8443,
        ),
        ("https://org@dev.azure.com/a/b", "https", "https://org@dev.azure.com:443/a/b", "dev.azure.com", 443),
        ("https://93.184.215.14/x", "https", "https://93.184.215.14:443/x", "93.184.215.14", 443),
        ("https://[2606:4700::1111]/x", "https", "https://[2606:4700::1111]:443/x", "2606:4700::1111", 443),
        (
            "https://xn--bcher-kva.example/x",
            "https",
            "https://xn--bcher-kva.example:443/x",
            "xn--bcher-kva.example",
            443,
        ),
        ("https://host", "https", "https://host:443/", "host", 443),
        ("ssh://git@github.com/a/b", "ssh", "ssh://git@github.com/a/b", "github.com", 22),
        ("ssh://github.com:2222/a/b", "ssh", "ssh://github.com:2222/a/b", "github.com", 2222),
        ("git@github.com:a/b.git", "ssh", "git@github.com:a/b.git", "github.com", 22),
        ("github.com:/srv/b.git", "ssh", "github.com:/srv/b.git", "github.com", 22),
    ],
)
def test_an_address_is_read_part_by_part(text: str, transport: str, url: str, host: str, port: int) -> None:
    source = read_source(text, NONE)
    assert (source.transport, source.url, source.host, source.port) == (Transport(transport), url, host, port)


def test_a_path_is_taken_where_local_sources_are() -> None:
    assert read_source("/srv/äöü -x", ALL).path == "/srv/äöü -x"
    with pytest.raises(SourceFailed) as refused:
        read_source("/srv/x", NONE)
    assert refused.value.code is P.LOCAL_NOT_ALLOWED


def test_plain_http_is_taken_where_private_addresses_are() -> None:
    assert read_source("http://localhost:3000/x", ALL).url == "http://localhost:3000/x"
    with pytest.raises(SourceFailed) as refused:
        read_source("http://example.com/x", NONE)
    assert refused.value.code is P.PROTOCOL_NOT_ALLOWED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", P.INVALID_ADDRESS),
        ("x", P.INVALID_ADDRESS),
        ("./x", P.INVALID_ADDRESS),
        ("/x\n", P.INVALID_ADDRESS),
        ("/" + "x" * 2000, P.INVALID_ADDRESS),
        ("https://" + "a" * 2000, P.INVALID_ADDRESS),
        ("https://hôst/x", P.INVALID_ADDRESS),
        ("https://a:b@host/x", P.INVALID_ADDRESS),
        ("ssh://a:b@host/x", P.INVALID_ADDRESS),
        ("https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/a/b", P.INVALID_ADDRESS),
        ("https://github_pat_11A@github.com/a/b", P.INVALID_ADDRESS),
        ("https://glpat-xyz@gitlab.com/a/b", P.INVALID_ADDRESS),
        ("https://" + "x" * 40 + "@host/x", P.INVALID_ADDRESS),
        ("glpat-xyz@gitlab.com:a/b", P.INVALID_ADDRESS),
        ("https://host/a?b", P.INVALID_ADDRESS),
        ("https://host/a#b", P.INVALID_ADDRESS),
        ("https://host/a b", P.INVALID_ADDRESS),
        ("https://host/a%00b", P.INVALID_ADDRESS),
        ("https://host/a%7fb", P.INVALID_ADDRESS),
        ("https://host:0/a", P.INVALID_ADDRESS),
        ("https://host:65536/a", P.INVALID_ADDRESS),
        ("https://-host/a", P.INVALID_ADDRESS),
        ("https://host./a", P.INVALID_ADDRESS),
        ("https://a..b/a", P.INVALID_ADDRESS),
        ("https://[::1%25eth0]/a", P.INVALID_ADDRESS),
        ("https://[zz]/a", P.INVALID_ADDRESS),
        ("https://[:::]/a", P.INVALID_ADDRESS),
        ("https://1.2.3/a", P.INVALID_ADDRESS),
        ("https://1.2.3.4.5/a", P.INVALID_ADDRESS),
        ("https://012.1.1.1/a", P.INVALID_ADDRESS),
        ("https://0x7f.0.0.1/a", P.INVALID_ADDRESS),
        ("https://evil.0x7f/a", P.INVALID_ADDRESS),
        ("https:/host/a", P.INVALID_ADDRESS),
        ("ssh://host", P.INVALID_ADDRESS),
        ("git@host:", P.INVALID_ADDRESS),
        ("git@host:-x", P.INVALID_ADDRESS),
        ("ext::sh -c x", P.PROTOCOL_NOT_ALLOWED),
        ("ext::x", P.PROTOCOL_NOT_ALLOWED),
        ("file:///x", P.PROTOCOL_NOT_ALLOWED),
        ("git://host/x", P.PROTOCOL_NOT_ALLOWED),
        ("git+ssh://host/x", P.PROTOCOL_NOT_ALLOWED),
        ("ftps://host/x", P.PROTOCOL_NOT_ALLOWED),
        ("https://localhost/x", P.HOST_NOT_ALLOWED),
        ("https://a.localhost/x", P.HOST_NOT_ALLOWED),
        ("https://127.0.0.1/x", P.HOST_NOT_ALLOWED),
        ("https://10.1.2.3/x", P.HOST_NOT_ALLOWED),
        ("https://169.254.169.254/x", P.HOST_NOT_ALLOWED),
        ("https://[::1]/x", P.HOST_NOT_ALLOWED),
        ("https://[::ffff:10.0.0.1]/x", P.HOST_NOT_ALLOWED),
        ("ssh://git@192.168.0.1/x", P.HOST_NOT_ALLOWED),
        ("git@172.16.0.1:x", P.HOST_NOT_ALLOWED),
    ],
)
def test_what_is_no_address_is_refused(text: str, code: SourceProblem) -> None:
    with pytest.raises(SourceFailed) as refused:
        read_source(text, NONE)
    assert (refused.value.code, refused.value.passing) == (code, False)
    assert "hunter" not in str(refused.value)


@pytest.mark.parametrize("name", ["main", "a/b", "feature/x-1", "ä", "1.2.x", "a@b", "dependabot/npm_and_yarn/x-1.0"])
def test_the_names_of_branches_are_taken(name: str) -> None:
    assert check_branch(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-x",
        "--upload-pack=x",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a?",
        "a*",
        "a[",
        "a\\b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.",
        "a.lock",
        "a.lock/b",
        "@",
        "a@{1}",
        "HEAD",
    ],
)
def test_what_git_would_not_call_a_branch_is_refused(name: str) -> None:
    with pytest.raises(SourceFailed) as refused:
        check_branch(name)
    assert refused.value.code is P.INVALID_BRANCH


@pytest.mark.parametrize("name", ["a\0", "a\n", "a\x7f", "\udcff", "x" * 256, "ä" * 128])
def test_a_branch_that_cannot_be_stored_is_refused(name: str) -> None:
    with pytest.raises(SourceFailed) as refused:
        check_branch(name)
    assert refused.value.code is P.INVALID_BRANCH


@pytest.mark.parametrize(
    ("address", "public", "private"),
    [
        ("8.8.8.8", True, True),
        ("2606:4700::1111", True, True),
        ("64:ff9b::808:808", True, True),
        ("127.0.0.1", False, True),
        ("10.0.0.1", False, True),
        ("172.31.255.255", False, True),
        ("192.168.1.1", False, True),
        ("100.64.0.1", False, True),
        ("198.18.0.1", False, True),
        ("::1", False, True),
        ("fc00::1", False, True),
        ("fec0::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("::127.0.0.1", False, True),
        ("64:ff9b::7f00:1", False, True),
        ("2002:7f00:1::", False, True),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("fe80::1%eth0", False, False),
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("168.63.129.16", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, False),
        ("no address", False, False),
    ],
)
def test_an_address_is_out_of_bounds_or_not(address: str, public: bool, private: bool) -> None:
    assert refused_address(address, private=False) is not public
    assert refused_address(address, private=True) is not private


def test_a_failure_survives_the_way_between_processes() -> None:
    failed = SourceFailed(P.TIMED_OUT, "It took too long.", detail="fatal: x")
    again = pickle.loads(pickle.dumps(failed))
    assert (again.code, again.sentence, again.detail, str(again)) == (
        P.TIMED_OUT,
        "It took too long.",
        "fatal: x",
        "It took too long.",
    )
