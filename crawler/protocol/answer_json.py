"""Answers of resolutions as JSON text and back, so that they can be kept between crawls.

Apart from `memory`, which says how long, and from the store, which says where. What a stranger sent as a body stays
bytes, and is base64 here: a body that is no UTF-8 must be judged later as it was judged first.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, assert_never

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.model.discovery import Question, SrvRecord
from crawler.protocol.json_body import parse_object
from crawler.protocol.questions import AddressAnswer, Answer, SrvAnswer, WellKnownAnswer


def build_answer_json(answer: Answer) -> str:
    """`answer` as one JSON object, without how long it took and whether it was kept."""
    match answer:
        case WellKnownAnswer():
            document: dict[str, Any] = {
                "status": answer.status,
                "body": base64.b64encode(answer.body).decode("ascii"),
                "content_type": answer.content_type,
                "cache_control": answer.cache_control,
                "expires": answer.expires,
                "date": answer.date,
                "redirects": list(answer.redirects),
                "redirect_statuses": list(answer.redirect_statuses),
            }
        case SrvAnswer():
            document = {
                "records": [[r.priority, r.weight, r.port, r.target] for r in answer.records],
                "ttl_s": answer.ttl_s,
                "cname": answer.cname,
            }
        case AddressAnswer():
            document = {
                "addresses": list(answer.addresses),
                "ttl_s": answer.ttl_s,
                "cname": answer.cname,
                "other_failure": _failure_json(answer.other_failure),
            }
        case _:
            assert_never(answer)
    document["failure"] = _failure_json(answer.failure)
    return _encode(document)


_encode = json.JSONEncoder(ensure_ascii=False).encode
"""`json.dumps` with options makes an encoder for each call, which costs more than the text."""


def _failure_json(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"kind": failure.kind, "detail": failure.detail, "http_status": failure.http_status}


def parse_answer_json(question: Question, text: str) -> Answer:
    """What `build_answer_json` made of the answer to `question`.

    Raises:
        ProtocolError: JSON_INVALID or JSON_SHAPE, for what it cannot have made.
    """
    document = parse_object(text.encode("utf-8", "surrogatepass"))
    try:
        match question:
            case Question.WELL_KNOWN:
                return _well_known(document)
            case Question.SRV:
                records = tuple(_record(record) for record in _list(document["records"]))
                return SrvAnswer(records, _number(document["ttl_s"]), _text(document["cname"]), _failed(document))
            case Question.ADDRESSES:
                return AddressAnswer(
                    tuple(_required(address) for address in _list(document["addresses"])),
                    _number(document["ttl_s"]),
                    _text(document["cname"]),
                    _failed(document),
                    _failed(document, "other_failure"),
                )
            case Question.NAME:
                raise ValueError("a name is not asked about")
            case _:
                assert_never(question)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ProtocolError(FailureKind.JSON_SHAPE, f"no answer that was kept: {type(error).__name__}") from None


def _well_known(document: Mapping[str, Any]) -> WellKnownAnswer:
    return WellKnownAnswer(
        status=_whole(document["status"]),
        body=base64.b64decode(_required(document["body"]), validate=True),
        content_type=_text(document["content_type"]),
        cache_control=_text(document["cache_control"]),
        expires=_text(document["expires"]),
        date=_text(document["date"]),
        redirects=tuple(_required(url) for url in _list(document["redirects"])),
        # Answers that were kept before they were told have none.
        redirect_statuses=tuple(_whole(status) for status in _list(document.get("redirect_statuses", []))),
        failure=_failed(document),
    )


def _record(value: Any) -> SrvRecord:
    priority, weight, port, target = _list(value)
    return SrvRecord(_whole(priority), _whole(weight), _whole(port), _required(target))


def _failed(document: Mapping[str, Any], key: str = "failure") -> Failure | None:
    value = document[key]
    if value is None:
        return None
    return Failure(FailureKind(value["kind"]), _required(value["detail"]), http_status=_number(value["http_status"]))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _required(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text(value: Any) -> str | None:
    return None if value is None else _required(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _number(value: Any) -> int | None:
    return None if value is None else _whole(value)
