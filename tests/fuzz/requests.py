"""Hostile HTTP requests by their numbers, as bytes that are sent in pieces."""

import json
from dataclasses import dataclass, replace

from tests import sounds
from tests.fuzz.inputs import NAMES, audio_file, rng_of, zip_file
from tests.fuzz.mutate import mutated
from tests.fuzz.visit import COOKIE, TOKEN, VISIT

PREDICT = "/api/v1/predict"
_BOUNDARY = "a-boundary"


@dataclass(frozen=True)
class Request:
    """A request of a client.

    Attributes
    ----------
    kind : str
    pieces : list of bytes
        Sent one after another.
    pause : float
        Seconds between two pieces.
    ends : bool
        Whether the client closes its sending side at the end.
    whole : bool
        Whether it is one complete request in well-formed HTTP, which must get an answer.
    """

    kind: str
    pieces: list
    pause: float = 0.0
    ends: bool = False
    whole: bool = True


def head(method, target, *headers, version="HTTP/1.1"):
    """The request line and headers of a request; headers are pairs."""
    lines = [
        f"{method} {target} {version}",
        "Host: localhost",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace")


def posted(body, *headers, target=PREDICT, boundary=_BOUNDARY):
    """A complete POST of a multipart body."""
    kind = ("Content-Type", f"multipart/form-data; boundary={boundary}")
    return head("POST", target, kind, ("Content-Length", len(body)), *headers) + body


def part(disposition, content, *headers):
    """A part of a multipart body."""
    lines = [f"--{_BOUNDARY}", f"Content-Disposition: {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode("utf-8", "replace") + content + b"\r\n"


def multipart(*parts):
    """A multipart body."""
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


def _quoted(name):
    return name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _file(data, name="cough.wav"):
    return part(f'form-data; name="file"; filename="{_quoted(name)}"', data)


def _sound():
    return sounds.FORMATS["ogg opus"]()


# Files and names ------------------------------------------------------------------------------------------


def files(rng):
    _, data = (audio_file if rng.random() < 0.92 else zip_file)(rng)
    name = rng.choice(NAMES) if rng.random() < 0.3 else "cough.wav"
    return Request("files", [posted(multipart(_file(data, name)), target=PREDICT + _options(rng, 0.1))])


def names(rng):
    """File names without the quoting that a browser does."""
    name, content = rng.choice(NAMES), _sound()
    disposition = rng.choice(
        [
            f'form-data; name="file"; filename="{name}"',
            f"form-data; name=file; filename={name}",
            f"form-data; name=\"file\"; filename*=UTF-8''{name}",
            f'form-data; name="file"; filename="a.wav"; filename*=utf-16\'\'%ff%fe{name}',
            f'form-data; name="{name}"; filename="a.wav"',
            f'form-data; name="file"; filename="{name}"; filename="b.wav"',
            f'{name}; name="file"; filename="a.wav"',
            'form-data; name="file"',
            "form-data",
        ]
    )
    return Request("names", [posted(multipart(part(disposition, content)))])


# Multipart -------------------------------------------------------------------------------------------------


def parts(rng):
    number = rng.choice([2, 9, 10, 11, 12, 1000, 1000, 20_000])
    make = rng.choice(
        [
            lambda n: part(f'form-data; name="a{n}"', b"1"),
            lambda n: part('form-data; name="force"', b"true"),
            lambda n: _file(b"RIFF"),
            lambda n: part(f'form-data; name="a{n}"; filename="{n}.wav"', b""),
            lambda n: f"--{_BOUNDARY}\r\n\r\n\r\n".encode(),
        ]
    )
    return Request("parts", [posted(multipart(*(make(n) for n in range(number)), _file(_sound())))])


def multiparts(rng):
    """An invalid or nearly valid multipart body."""
    content = _sound()[:2000]
    body = multipart(_file(content), part('form-data; name="force"', b"true"))
    boundary = _BOUNDARY
    a = rng.randrange(12)
    if a < 6:
        body = mutated(rng, body, "", rng.choice([body, content]))[: 2**20]
    elif a == 6:
        body = rng.choice(
            [b"", b"\r\n", b"--", f"--{boundary}--\r\n".encode(), body[:-6], body * 3, b"\0" * 5000]
        )
    elif a == 7:
        boundary = rng.choice(
            ["", '"', "x" * 5000, "a b", "ä", "a;b", '"a-boundary"', "a-boundary; charset=utf-7"]
        )
    elif a == 8:
        headers = [f"X-{n}: {'y' * rng.choice([1, 5000])}" for n in range(rng.choice([1, 20, 500]))]
        body = multipart(part('form-data; name="file"; filename="a.wav"', content, *headers))
    elif a == 9:
        inner = part('file; filename="a.wav"', content)
        body = multipart(
            part('form-data; name="file"', inner, "Content-Type: multipart/mixed; boundary=a-boundary")
        )
    elif a == 10:
        value = rng.choice([b"x" * 2**20, b"\xff\xfe\0", b"", b"nan", b"1e999", b"<script>", b"true\r\n"])
        field = part(f'form-data; name="{rng.choice(["prevalence", "force", "also", ""])}"', value)
        body = multipart(field, _file(content))
    else:
        encodings = ["base64", "gzip", "quoted-printable", "x" * 3000, "\0"]
        body = multipart(_file(content)).replace(
            b"\r\n\r\n", f"\r\nContent-Transfer-Encoding: {rng.choice(encodings)}\r\n\r\n".encode(), 1
        )
    return Request("multipart", [posted(body, boundary=boundary)])


# Lengths ---------------------------------------------------------------------------------------------------


def lengths(rng):
    """A wrong or repeated length."""
    body = multipart(_file(_sound()))
    n = len(body)
    kind = ("Content-Type", f"multipart/form-data; boundary={_BOUNDARY}")
    chunked = ("Transfer-Encoding", "chunked")
    longer = [n + 1, n + 1000, 2 * n, 2**31, 2**63, 10**15, "9" * 400]
    wrong = [-1, "+5", "0x10", "1e3", "", " ", "5, 5", "5, 6", n + 0.0, "\u0663", "1_000", "a"]
    a = rng.randrange(8)
    if a == 0:
        lie = ("Content-Length", rng.choice(longer))
        return Request(
            "too long", [head("POST", PREDICT, kind, lie) + body], ends=rng.random() < 0.5, whole=False
        )
    if a == 1:
        lie = ("Content-Length", rng.choice([0, 1, 10, n // 2, n - 1]))
        return Request("too short", [head("POST", PREDICT, kind, lie) + body])
    if a == 2:
        lie = ("Content-Length", rng.choice(wrong))
        return Request("no length", [head("POST", PREDICT, kind, lie) + body], whole=False)
    if a == 3:
        twice = [("Content-Length", n), ("Content-Length", rng.choice([n, n, n + 1, 0, -1, "a"]))]
        return Request("two lengths", [head("POST", PREDICT, kind, *twice) + body], whole=False)
    if a == 4:
        both = [("Content-Length", rng.choice([n, 0, 5, 2**40])), chunked]
        if rng.random() < 0.5:
            body = _chunked(rng, body)
        return Request("length and chunks", [head("POST", PREDICT, kind, *both) + body], whole=False)
    if a == 5:
        return Request("chunks", [head("POST", PREDICT, kind, chunked) + _chunked(rng, body)])
    if a == 6:
        broken = mutated(rng, _chunked(rng, body), "", b"ffffffffffffffff\r\n")[: 2**20]
        return Request("broken chunks", [head("POST", PREDICT, kind, chunked) + broken], whole=False)
    odd = [
        (
            "Transfer-Encoding",
            rng.choice(["gzip, chunked", "identity", "chunked, chunked", "xchunked", "\x0bchunked", ""]),
        )
    ]
    return Request("encodings", [head("POST", PREDICT, kind, *odd) + _chunked(rng, body)], whole=False)


def _chunked(rng, body):
    size, end = rng.choice([1000, 1000, 7]), rng.choice([b"0\r\n\r\n", b"0\r\nX-Trailer: 1\r\n\r\n"])
    extension = rng.choice([b"", b"", b";a=b", b";" + b"x" * 2000])
    body = body if size > 7 else body[:3000] + f"\r\n--{_BOUNDARY}--\r\n".encode()
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + end


def slow(rng):
    """A body that arrives slowly, or stops."""
    request = posted(multipart(_file(_sound())))
    a = rng.random()
    if a < 0.4:
        at = rng.randrange(len(request))
        return Request("stops", [request[:at]], ends=rng.random() < 0.3, whole=False)
    n = rng.choice([3, 10, 40])
    cuts = sorted(rng.sample(range(len(request)), n))
    pieces = [request[a:b] for a, b in zip([0, *cuts], [*cuts, len(request)], strict=True)]
    return Request("slow", pieces, pause=rng.choice([0.01, 0.1, 1.0]) if n < 40 else 0.02)


def pages(rng):
    """An upload to a page; the visit is open or does not exist."""
    make = rng.choice([files, names, parts, multiparts, lengths, slow])
    request = make(rng)
    visit = rng.choice([VISIT.decode()] * 4 + ["", "..", "none", "%00", VISIT.decode()[:-1]])
    target = f"/_stcore/upload_file/{visit}/{rng.choice(['a', 'b', '..', '%2e%2e', 'x' * 3000, '<script>'])}"
    token = TOKEN.decode() if rng.random() < 0.8 else rng.choice(["", "2|a|b|c", "x" * 3000, "é"])
    # Only the headers and the address are changed.
    method = rng.choice(["PUT"] * 4 + ["DELETE", "POST"])
    lines = head(method, target, ("Cookie", f"{COOKIE}={TOKEN.decode()}"), ("X-Xsrftoken", token))
    pieces = list(request.pieces)
    while len(pieces) > 1 and pieces[0].count(b"\r\n") < 2:
        pieces[:2] = [pieces[0] + pieces[1]]
    pieces[0] = lines.removesuffix(b"\r\n") + b"".join(pieces[0].split(b"\r\n", 2)[2:])
    return replace(request, kind=f"page's {request.kind}", pieces=pieces)


# Options, methods, addresses, headers ------------------------------------------------------------------------

_VALUES = [
    *(
        "0.05",
        "0",
        "1",
        "-1",
        "nan",
        "inf",
        "1e-320",
        "1e400",
        "0x1",
        "true",
        "TRUE",
        "%00",
        "%0d%0aX-Injected:%20yes",
        "%ff",
    ),
    *(
        "mlp",
        "cnn1",
        "cnn1,cnn2",
        "../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%3Cscript%3E",
        "{{7*7}}",
        "'%20OR%201=1--",
    ),
    *(
        "a" * 3000,
        ",".join(["mlp"] * 300),
        "%F0%9F%98%B7",
        "%D9%A3",
        "1_0",
        "٣".encode().hex(),
        "None",
        "[]",
        "%",
        "%zz",
        "+",
        "&",
    ),
]


def _options(rng, probability=1.0):
    if rng.random() > probability:
        return ""
    n = rng.choice([1, 1, 2, 3, 100])
    pairs = [
        f"{rng.choice(['prevalence', 'also', 'force', 'force', 'x', ''])}={rng.choice(_VALUES)}"
        for _ in range(n)
    ]
    return "?" + rng.choice(["&", "&", "&", ";", "?"]).join(pairs)[:6000]


def options(rng):
    return Request("options", [posted(multipart(_file(_sound())), target=PREDICT + _options(rng))])


_ADDRESSES = [
    *(
        "/",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/predict/",
        "/api/v1/models",
        "/api/v1/health",
        "/api/v1/metrics",
        "/api/v2/predict",
    ),
    *(
        "/api/v1/openapi.json",
        "/api/v1/../v1/health",
        "/api/v1/%2e%2e/%2e%2e/etc/passwd",
        "/api/..%2f..%2f..%2fetc%2fpasswd",
    ),
    *(
        "/../../../../etc/passwd",
        "//etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../etc/passwd",
        "/..%5c..%5cboot.ini",
    ),
    *(
        "/static/..%2f..%2fHome.py",
        "/app/static/../Home.py",
        "/.streamlit/secrets.toml",
        "/app/static/..%2f..%2f.streamlit%2fsecrets.toml",
    ),
    *(
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/metrics",
        "/_stcore/upload_file/a/b",
        "/_stcore/stream",
        "/component/x/y",
    ),
    *(
        "/media/0.wav",
        "/media/../../etc/passwd",
        "/media/%00",
        "/component/../../../etc/passwd",
        "/component/a/%2e%2e%2f%2e%2e%2fetc",
    ),
    *(
        "/api/v1/predict%00",
        "/api/v1/%0d%0aX-Injected:%20yes",
        "/api/v1/" + "a" * 20_000,
        "/" + "a/" * 2000,
        "/%",
        "/%zz",
        "*",
        "?",
        "",
    ),
    *(
        "http://localhost/api/v1/health",
        "http://example.org/",
        "localhost:80",
        "/api/v1/health#x",
        "/api/v1/<script>alert(1)</script>",
    ),
    *(
        "/analyse",
        "/live",
        "/about",
        "/robots.txt",
        "/favicon.ico",
        "/manifest.json",
        "/wp-login.php",
        "/api/v1/héalth",
        "/a b",
    ),
]
_METHODS = [
    *(
        "GET",
        "GET",
        "GET",
        "POST",
        "HEAD",
        "PUT",
        "DELETE",
        "OPTIONS",
        "PATCH",
        "TRACE",
        "CONNECT",
        "get",
        "PROPFIND",
        "PRI",
    ),
    *("X" * 1000, "G\0T", "GET GET", "", "É"),
]


def addresses(rng):
    method, target = rng.choice(_METHODS), rng.choice(_ADDRESSES)
    if rng.random() < 0.3:
        target += _options(rng)
    length = [("Content-Length", 0)] if rng.random() < 0.5 else []
    whole = (
        method.isascii()
        and method.isalpha()
        and method != "CONNECT"
        and target.isprintable()
        and target.isascii()
    )
    whole = whole and " " not in target and target[:1] == "/" and len(target) < 16_000
    return Request("addresses", [head(method, target, *length)], whole=whole)


_KNOWN = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Content-Encoding",
    "Cookie",
    "Expect",
    "Forwarded",
    "If-Modified-Since",
    "If-None-Match",
    "Origin",
    "Range",
    "Referer",
    "Sec-Fetch-Site",
    "TE",
    "Trailer",
    "Upgrade",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Request-ID",
    "X-Api-Key",
]


def headers(rng):
    body = multipart(_file(_sound()))
    values = [
        *_VALUES[:20],
        "x" * 20_000,
        "\0",
        "a\r\n b",
        "é",
        "=?utf-8?q?=00?=",
        "*/*;" * 500,
        "bytes=0-1,5-2,-9999999999999999999",
    ]
    lines = [(rng.choice(_KNOWN), rng.choice(values)) for _ in range(rng.choice([1, 3, 200]))]
    lines += rng.choice(
        [
            [],
            [("Authorization", "Bearer " + "x" * 5000)],
            [("Authorization", "Basic OjpuOg==")],
            [("Expect", "100-continue")],
            [
                ("Connection", "Upgrade"),
                ("Upgrade", "websocket"),
                ("Sec-WebSocket-Version", 13),
                ("Sec-WebSocket-Key", "a"),
            ],
            [
                ("Connection", "Upgrade, HTTP2-Settings"),
                ("Upgrade", "h2c"),
                ("HTTP2-Settings", "AAMAAABkAAQ"),
            ],
            [("Host", "example.org")],
            [("X-Request-ID", "a" * 500)],
            [(f"X-{n}", "1") for n in range(1000)],
            [("Bad Name", "1")],
            [
                (
                    "Content-Type",
                    rng.choice(
                        [
                            "text/plain",
                            "multipart/form-data",
                            "multipart/form-data; boundary",
                            "\0",
                            "a" * 9000,
                        ]
                    ),
                )
            ],
        ]
    )
    return Request(
        "headers", [posted(body, *lines, target=rng.choice([PREDICT, "/api/v1/health", "/"]))], whole=False
    )


def no_http(rng):
    """Bytes that are not HTTP, nearly HTTP, or another protocol."""
    whole = posted(multipart(_file(_sound())))
    at = whole.index(b"\r\n\r\n") + 4
    return Request(
        "no HTTP",
        [
            rng.choice(
                [
                    rng.randbytes(rng.randrange(1, 3000)),
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(300),
                    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + rng.randbytes(40),
                    b"GET /api/v1/health\r\n\r\n",
                    b"GET /api/v1/health HTTP/9.9\r\n\r\n",
                    b"GET /api/v1/health HTTP/1.0\r\n\r\n",
                    b"GET /api/v1/health HTTP/1.1\n\n",
                    b"\r\n" * 5000,
                    json.dumps({"jsonrpc": "2.0"}).encode() * 5000,
                    mutated(rng, whole[:at], "", b"\r\n\r\n") + whole[at:],
                    mutated(rng, whole[:at], "", whole[:at])[: 2**20] + whole[at:],
                    whole * 5,
                    head("GET", "/api/v1/health") * 50,
                ]
            )
        ],
        ends=rng.random() < 0.5,
        whole=False,
    )


#: Kinds of requests and their weights.
KINDS = {
    files: 48,
    names: 5,
    parts: 4,
    multiparts: 11,
    lengths: 8,
    slow: 2,
    options: 4,
    addresses: 4,
    headers: 3,
    pages: 8,
    no_http: 3,
}


def request_of(seed, number):
    """The request with a number."""
    rng = rng_of(seed, number)
    (make,) = rng.choices(list(KINDS), KINDS.values())
    return make(rng)
