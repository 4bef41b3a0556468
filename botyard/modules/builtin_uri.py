"""ansible.builtin.uri: one HTTP request."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any, Literal

from botyard.contracts import BotyardError, Context, Result
from botyard.modules.builtin_files import put, under
from botyard.modules.spec import arg

NAME = "ansible.builtin.uri"
RETURNS = {
    "status": "HTTP status, -1 where nobody answered; not there in check mode",
    "url": "the address that answered",
    "elapsed": "0, for Ansible's sake",
    "location": "where a redirect leads",
    "json": "the answer, where it is JSON",
    "content": "its text (return_content)",
    "path": "the file written (dest)",
    "content_type": "as every header of the answer: small letters, - becomes _",
}
# What a result says of itself; no server may say it by a header of that name.
_NO_HEADERS = ("ansible_facts", "attempts", "changed", "content", "failed", "json", "msg", "path", "redirected",
               "results", "skipped", "summary_lines")  # fmt: skip
EXAMPLE = """\
- name: The bot answers
  ansible.builtin.uri:
    url: http://127.0.0.1:5005/webhooks/rest/webhook
    method: POST
    body_format: json
    body: {sender: me, message: hello}
    status_code: 200
  register: reply
  until: reply.json | default([]) | length > 0
  retries: 5
  delay: 2
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    url: str = arg("http:// or https:// address")
    method: str = arg("GET, POST, PUT and so on", "GET")
    body: Any = arg("what to send", None)
    body_format: Literal["raw", "json", "form-urlencoded"] = arg("how the body is written", "raw")
    headers: dict[str, str] = arg("extra headers", {})
    status_code: int | list[int] = arg("codes that are no failure", [200])
    return_content: bool = arg("keep the body of the answer in content", False)
    timeout: float = arg("seconds", 30)
    dest: str | None = arg("write the body of the answer to this file", None)
    follow_redirects: Literal["safe", "all", "none"] | bool = arg("safe and all follow, none does not", "safe")
    url_username: str | None = arg("user for basic authentication", None, aliases=("user",))
    url_password: str | None = arg("password for basic authentication", None, aliases=("password",), secret=True)
    force_basic_auth: bool = arg("taken for Ansible's sake; credentials are always sent", False)
    validate_certs: bool = arg("must be true: certificates are always checked", True)


def run(args: Args, ctx: Context) -> Result:
    """Changed only where dest is written anew; skipped in check mode, as in Ansible."""
    if not args.url.lower().startswith(("http://", "https://")):
        raise BotyardError(f"url must start with http:// or https://: {args.url}", "mend url")
    if not args.validate_certs:
        raise BotyardError("validate_certs: false is not supported", "add the CA to this machine's bundle")
    if ctx.check:
        return Result(skipped=True, data={"msg": "This action (uri) does not support check mode."})
    wanted = args.status_code if isinstance(args.status_code, list) else [args.status_code]
    try:
        status, headers, content, final_url = _ask(args)
    except (OSError, ValueError, http.client.HTTPException) as error:
        message = f"{args.method} {args.url}: no answer: {getattr(error, 'reason', error)}"
        nothing = {"status": -1, "url": args.url, "elapsed": 0, "redirected": False}  # as in Ansible, for until
        return Result(failed=-1 not in wanted, msg=message, data=nothing)
    text = content.decode(errors="replace")
    told = {name.lower().replace("-", "_"): value for name, value in headers.items()}
    data: dict[str, Any] = {name: value for name, value in told.items() if name not in _NO_HEADERS}
    data.update(status=status, url=final_url, elapsed=0)
    kind = str(data.get("content_type", "")).partition(";")[0].strip()
    if kind == "application/json" or kind.endswith("+json"):
        with contextlib.suppress(ValueError, RecursionError):  # said to be JSON and is not: the content tells
            data["json"] = json.loads(text)
    if args.return_content:
        data["content"] = text
    if "location" in data:
        data["location"] = urllib.parse.urljoin(final_url, data["location"])
    if status not in wanted:
        short = re.sub(r"[\w+/=.~%-]+\Z", "...", text[:200]) if len(text) > 200 else text.strip()  # never half a secret
        message = f"{args.method} {args.url} answered {status}, wanted {', '.join(map(str, wanted))}"
        return Result(failed=True, msg=f"{message}: {short}" if short else message, data=data)
    size = headers.get("Content-Length", "unknown")
    reason = http.client.responses.get(status, "")
    data["msg"] = f"OK ({size} bytes)" if status < 300 else f"HTTP Error {status}: {reason}"
    if args.dest is not None:
        written = put(under(ctx.basedir, args.dest), content, ctx)
        told = {name: written.data[name] for name in ("mode", "size", "state")}
        return Result(changed=written.changed, data={**told, **data, "path": written.data["dest"]}, diff=written.diff)
    return Result(data=data)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _ask(args: Args) -> tuple[int, Message, bytes, str]:
    body, headers = _body(args)
    if args.url_username is not None:
        pair = f"{args.url_username}:{args.url_password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    follow = args.follow_redirects not in ("none", False)
    opener = urllib.request.build_opener(*([] if follow else [_NoRedirect()]))
    try:
        request = urllib.request.Request(args.url, body, headers, method=args.method.upper())  # noqa: S310 - checked
        with opener.open(request, timeout=args.timeout) as answer:
            return answer.status, answer.headers, answer.read(), answer.url
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read(), args.url


def _body(args: Args) -> tuple[bytes | None, dict[str, str]]:
    headers = dict(args.headers)
    if args.body is None:
        return None, headers
    if args.body_format == "json":
        headers.setdefault("Content-Type", "application/json")
        return (args.body if isinstance(args.body, str) else json.dumps(args.body)).encode(), headers
    if args.body_format == "form-urlencoded":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return (args.body if isinstance(args.body, str) else urllib.parse.urlencode(args.body)).encode(), headers
    return str(args.body).encode(), headers
