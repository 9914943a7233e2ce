"""Trusted documents: hashes instead of texts, and in production nothing but the list."""

import json
from pathlib import Path

import pytest
from graphql import GraphQLError

from app.config import Environment, Settings
from app.domain.errors import Fault, Forbidden, Invalid
from resolvers.engine.trusted import MOST_REGISTERED, TrustedDocuments, hashed, list_of, read_list
from resolvers.schema import schema
from resolvers.transport.protocol import GraphQLRequest

WHO = "{ viewer { login } }"


def request(query: str | None, sha: object = None, version: object = 1) -> GraphQLRequest:
    extensions = None if sha is None else {"persistedQuery": {"version": version, "sha256Hash": sha}}
    return GraphQLRequest(query, None, None, extensions)


def documents(tmp_path: Path, *, only: bool = False, env: Environment = Environment.DEVELOPMENT) -> TrustedDocuments:
    place = tmp_path / "documents.json"
    place.write_text(json.dumps(list_of(schema.core, [("who", WHO)])))
    return TrustedDocuments(Settings.model_construct(env=env, documents=place, documents_only=only))


def test_a_hash_on_the_list_stands_for_its_text(tmp_path: Path) -> None:
    assert documents(tmp_path).text(request(None, hashed(WHO))) == WHO


def test_in_development_a_text_sent_with_its_hash_is_known_from_then_on(tmp_path: Path) -> None:
    trusted = documents(tmp_path)
    with pytest.raises(GraphQLError, match="PersistedQueryNotFound"):
        trusted.text(request(None, hashed("{ __typename }")))
    assert trusted.text(request("{ __typename }", hashed("{ __typename }"))) == "{ __typename }"
    assert trusted.text(request(None, hashed("{ __typename }"))) == "{ __typename }"


def test_production_registers_nothing_by_itself(tmp_path: Path) -> None:
    trusted = documents(tmp_path, env=Environment.PRODUCTION)
    assert trusted.text(request("{ __typename }", hashed("{ __typename }"))) == "{ __typename }"
    with pytest.raises(GraphQLError, match="PersistedQueryNotFound"):
        trusted.text(request(None, hashed("{ __typename }")))


def test_where_only_the_list_is_run_everything_else_is_forbidden(tmp_path: Path) -> None:
    trusted = documents(tmp_path, only=True)
    assert trusted.text(request(WHO)) == WHO
    for other in (request("{ __typename }"), request("{ __typename }", hashed("{ __typename }"))):
        with pytest.raises(Forbidden):
            trusted.text(other)


@pytest.mark.parametrize("sha", ["", "x" * 64, "A" * 64, 7, None, ["a"], "a" * 63])
def test_a_malformed_hash_is_refused(tmp_path: Path, sha: object) -> None:
    broken = GraphQLRequest(None, None, None, {"persistedQuery": {"version": 1, "sha256Hash": sha}})
    with pytest.raises(Invalid):
        documents(tmp_path).text(broken)


@pytest.mark.parametrize("persisted", ["text", [], 1, {"sha256Hash": hashed(WHO)}, {"version": 2, "sha256Hash": "a"}])
def test_a_malformed_extension_is_refused(tmp_path: Path, persisted: object) -> None:
    with pytest.raises(Invalid):
        documents(tmp_path).text(GraphQLRequest(WHO, None, None, {"persistedQuery": persisted}))


def test_a_hash_of_another_document_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        documents(tmp_path).text(request("{ __typename }", hashed(WHO)))


def test_the_number_of_registered_documents_is_bounded(tmp_path: Path) -> None:
    trusted = documents(tmp_path)
    for number in range(MOST_REGISTERED + 1):
        text = f"{{ a{number}: __typename }}"
        trusted.text(request(text, hashed(text)))
    with pytest.raises(GraphQLError):
        trusted.text(request(None, hashed("{ a0: __typename }")))


def test_a_document_that_does_not_fit_the_schema_is_not_listed() -> None:
    with pytest.raises(Fault, match="nonsense"):
        list_of(schema.core, [("nonsense", "{ nonsense }")])


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', '{"a": 1}', "no json"])
def test_a_file_that_is_no_list_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    place = tmp_path / "documents.json"
    place.write_text(content)
    with pytest.raises(Fault, match=r"documents\.json"):
        read_list(place)
    with pytest.raises(Fault, match="cannot be read"):
        read_list(tmp_path / "absent.json")
