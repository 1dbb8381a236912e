"""The odd things themselves, for ``odd.py``. In headers, letters up to U+00FF stand for bytes."""

import gzip
from urllib.parse import quote

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=edge"
NUL = "a\0b"
DIGITS = "9" * 5000  # more than Python reads as a number
HUGE = "9" * 30  # a number that no column holds
LONG = "x" * 5000

# fmt: off
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO", "get", "G" * 300]
METHODS += ["\xff", ""]

VALUES = [  # of a part of the path, of a field
    "", " ", "0", "-1", "1.5", "1e9", "NaN", "inf", "٣", "²", "0x10", "1_000", "+1", " 1", "1\n", "true", "None",
    "null",
    str(2**31), str(2**63), str(2**64), HUGE, "-" + HUGE, "9" * 400, "9" * 4300, DIGITS,
    NUL, "\0", "1\0", "a\x01\x1f\x7f", "a\nb", "a\r\nSet-Cookie: a=b", "\u202e", "\ufeff", "\ufffd", "\ufffe", "\u2028",
    "é", "e\u0301" * 50, "\U0001f600", "\U0010ffff", "中文", "%", "%00", "%zz", "_00", "_", "__", "'", '"', "\\", ";--",
    "`", "../../etc/passwd", "..%2f", "//evil.example/", "http://[::", "http://evil.example/", "javascript:alert(1)",
    "///", "(((", "[a-z", "*" * 50, "{}", "{{ 7 }}", "%s%n", "{0}", "${x}", "<script>", "&amp;", "@", "@@", "@carol",
    "carol,bob", "x" * 300, LONG, "a " * 400, "0001-01-01", "9999-12-31", "2024-02-30", "1:1:1", "1:" + "x" * 43,
    "zzzzzzzzzzzzz-x",
]
FIELDS = [
    "body", "key", "parent", "password", "reason", "language", "next", "username", "login", "email", "upto",
    "involvement",
    "blocked", "people", "name", "code", "action", "_selected_action", "select_across", "index", "csrfmiddlewaretoken",
    "password1", "password2", "oldpassword", "comments", "mail", "time_zone", "display_name", "bio", "title", "slug",
]
FIELD_NAMES = [NUL, "\ufffd", "x" * 3000, "", "__class__", "a[b]", "_method"]

PARAMETERS = [
    "page", "before", "after", "next", "q", "p", "o", "e", "all", "field", "thread", "title", "unread", "_popup",
    "term",
    "_to_field", "_changelist_filters", "_facets", "uid", "key", "status", "queue", "settled", "is_line",
]
PARAMETER_VALUES = [NUL, DIGITS, HUGE, "http://[::", "\U0010ffff", "x" * 3000, "(", "a,b"]
LOOKUPS = [
    "published_at__year", "published_at__month", "published_at__day", "created_at__year", "created_at__gte", "pk", "id",
    "id__in", "pk__in", "author", "author__id__exact", "author__password__startswith", "tags", "tags__id__exact",
    "status__exact", "is_page__exact", "title__regex", "coverage__isnull", "is_active", "state__exact", "kind",
    "is_staff__exact", "groups__id__exact", "language__exact", "queue", "settled", "title__iregex", "title__in",
    "published_at__date", "published_at__time", "published_at__week_day", "published_at__iso_year",
    "published_at__range",
]
LOOKUP_VALUES = ["99999999999", "0", "-1", "1", NUL, "x", "(", HUGE, DIGITS, "1,x", "0001-01-01"]
COMPLETION = "app_label=posts&model_name=post&field_name"
QUERIES = [
    *(f"{name}={value}" for name in LOOKUPS for value in LOOKUP_VALUES),
    "published_at__year=2024&published_at__month=13", "published_at__year=0&published_at__month=1",
    "published_at__year=2024&published_at__month=2&published_at__day=31",
    "published_at__year=9999&published_at__month=12&published_at__day=31",
    "p=99999", "p=-1", "p=x", "o=99", "o=1.2.3.-4", f"o={DIGITS}", "o=-", "o=.", "all=", "_popup=1&_to_field=password",
    f"{COMPLETION}=tags&term={NUL}", f"{COMPLETION}=tags&term=a", f"{COMPLETION}=author&term=a&page={DIGITS}",
    f"{COMPLETION}=tags&page=99", "app_label=x&model_name=y&field_name=z", "app_label=posts",
    f"author={HUGE}", "author=x&tags=y,z", f"initial=1&published_at=99999-1-1&tags={HUGE},2",
    "_changelist_filters=published_at__year%3D99999999999",
    "q=" + "word " * 300, 'q="' + "x" * 100, "q=" + "x" * 60_000, "&".join(f"a{n}=1" for n in range(1100)),
    "%", "%ff", "a=%ED%A0%80", "=", "&&&", ";", "a=b=c", "a[]=1", "+", "page=1&page=2", "page=%00", "%00=1",
    "_method=PUT",
]
RAW_QUERIES = [b"\xff", b"page=\xff\xfe", b"a=\xed\xa0\x80", b"\x00", b"page=\x00", b"\xc3\x28=1"]

ADDRESSES = [
    "http://[::", "http://[", "//[", "http://localhost/\ud800", "http://localhost:99999/", "x", "", "http://a b/",
    "http://localhost/" + LONG, "http://localhost/%00", "javascript:1", "http://ex\x01ample/", "//\\evil",
    "http://\u2100.example/", "http://localhost/?q=%ff", "http://localhost:x/", "http://[1:2:3", "http://[v1.a]/",
]
IPS = ["", "x", "1.2.3.4.5", NUL, "\xff", "::ffff:1.2.3.4%eth0", "1.2.3.4, 5.6.7.8", "[::1]:80", DIGITS]
IPS += ["fe80::1%" + "x" * 300]
HEADER_VALUES = {
    "Referer": ADDRESSES,
    "Origin": ADDRESSES,
    "Accept-Language": [LONG, "en," * 3000, NUL, "zh-" + "a" * 200, "\xff", "*", ";q=x", "en;q=" + "9" * 400],
    "Cookie": [
        "sessionid=" + NUL, 'sessionid="\\000"', "sessionid=" + LONG, "sessionid=\xff", "sessionid=;;=;", "=", LONG,
        'csrftoken="\\000"', "csrftoken=\xff", 'django_language="\\000"', "django_language=" + LONG, 'messages="\\000"',
        "dismissed=1.x.\xb2", "dismissed=" + DIGITS, "dismissed=" + ".".join(["9" * 18] * 50), "messages=x$[[",
        "messages=" + "[" * 5000, 'a="\\777"', "sessionid=é", "$Version=1", "sessionid",
    ],
    "Host": [
        "evil.example", "", "localhost:99999", "localhost:x", "[::", "[::1]:1:1", NUL, "\xff", "a b", LONG,
        "localhost.",
        "user@localhost", "xn--a",
    ],
    "X-Forwarded-Host": ["evil.example", "[::", NUL, "\xff", "localhost:x", LONG],
    "X-Real-IP": IPS,
    "X-Forwarded-For": IPS,
    "X-Forwarded-Proto": [NUL, "ftp"],
    "X-Forwarded-Port": ["x"],
    "Forwarded": ["for=[::"],
    "Range": ["bytes=0-", "bytes=-1", "bytes=9-1", "x", f"bytes={DIGITS}-", "bytes=" + "0-1," * 1000],
    "If-Modified-Since": [
        "x", "Thu, 01 Jan 0001 00:00:00 GMT", "Thu, 99 Jan 2024 00:00:00 GMT", "Thu, 01 Jan 99999 00:00:00 GMT",
        "Thursday, 01-Jan-99 00:00:00 GMT", DIGITS,
    ],
    "If-None-Match": ['"', "*", 'W/"x', LONG],
    "If-Unmodified-Since": ["x"],
    "If-Match": ["x"],
    "HX-Request": [NUL, "true"],
    "Accept-Encoding": ["gzip;q=" + "9" * 400],
    "X-HTTP-Method-Override": ["DELETE"],
    "Expect": ["100-continue"],
    "Content-Length": ["5"],
    "Content-Encoding": ["gzip"],
    "Transfer-Encoding": ["chunked"],
    "Connection": ["\xff"],
    "A" * 300: ["x"],
    "\xe9": ["x"],
    "A_B": ["x"],
    "X-A": ["a\nb"],
}
USUAL = ["User-Agent", "Accept", "X-Requested-With", "X-CSRFToken", "Authorization", "Sec-Fetch-Site", "Purpose"]
HTMX = ["HX-Target", "HX-Trigger", "HX-Prompt", "HX-Source", "HX-Boosted", "HX-PTag", "Triggering-Event"]
HEADERS = [  # each a dict
    *({name: value} for name, values in HEADER_VALUES.items() for value in values),
    *({name: value} for name in USUAL for value in ("", "\xff\xfe", NUL, LONG)),
    *({"HX-Request": "true", name: value} for name in HTMX for value in ("\xff\xfe", NUL, LONG, "{", "[" * 3000)),
    *({"HX-Request": "true", "HX-Current-URL": address} for address in ADDRESSES),
    *(
        {
            "HX-Request": "true",
            "HX-Current-URL": quote(address, errors="replace"),
            "HX-Current-URL-URI-AutoEncoded": "true",
        }
        for address in [*ADDRESSES, NUL, "http://localhost/" + NUL]
    ),
    {"HX-Request": "%74rue", "HX-Request-URI-AutoEncoded": "true"},
]

CHARSETS = [
    "utf-7", "utf-16", "utf-32", "undefined", "rot13", "base64", "hex", "zlib", "idna", "punycode", "unicode_escape",
    "raw_unicode_escape", "mbcs", "latin-1", "us-ascii", "no-such", "", '"', "\xff", "x" * 3000, NUL, "utf-8-sig",
    "big5",
]
TYPES = [
    *(f"{FORM}; charset={charset}" for charset in CHARSETS),
    *(f"{MULTIPART}; charset={charset}" for charset in CHARSETS),
    "", "x", "/", ";", "text/plain", "application/json", "application/json; charset=utf-7", "multipart/form-data",
    "multipart/mixed; boundary=edge", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff",
    "multipart/form-data; boundary=" + "x" * 300, 'multipart/form-data; boundary="a b"', f"{MULTIPART}; boundary=other",
    "multipart/form-data; boundary=a\0b", FORM + ";" * 3000, FORM + "; a=" + "x" * 3000, "\0", NUL,
    "multipart/form-data; boundary*=utf-7''edge", "multipart/form-data; boundary*=x",
    "multipart/form-data; boundary*='''", FORM + "; charset*=utf-8''utf-7",
]
LENGTHS = [b"-1", b"x", HUGE.encode(), DIGITS.encode(), b"1.5", b"+1", b"0", b"5", b""]


def part(head, text=b"x"):
    return b"--edge\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + text + b"\r\n--edge--\r\n"


def parts(head, number):
    return b"".join(part(head % n)[:-8] for n in range(number)) + b"--edge--"


FILE = b'name="cover"; filename="a.png"\r\n'
MULTIPARTS = [
    b"", b"--edge", b"--edge--", b"--edge\r\n", b"--edge\r\n\r\n", b"\0" * 100, b"--edge\r\n" * 500,
    gzip.compress(b"body=x"),
    part(b'name="body"'), part(b'name="body"', b"\0"), part(b'name="body"', b"\xff\xfe"), part(b'name="\0"'),
    part(b"name"),
    part(b'name="\xff"'), part(b"name*=utf-7''%2B"), part(b"name*=x'y'%ff"), part(b"name*="),
    part(b'name="_charset_"', b"utf-7"),
    part(b'name="body"; filename=""'), part(b'name="cover"; filename="\0.png"'),
    part(b'name="cover"; filename="../../x.png"'),
    part(b'name="cover"; filename="' + LONG.encode() + b'.png"'), part(b'name="cover"; filename="."'),
    part(b"name=\"cover\"; filename*=utf-7''%2B"), part(FILE + b"Content-Type: image/png; charset=undefined"),
    part(FILE + b"Content-Transfer-Encoding: base64", b"!"),
    part(FILE + b"Content-Transfer-Encoding: base64", b"\xff\xff\xff"),
    part(FILE + b"Content-Length: " + DIGITS.encode()), part(b'name="body"\r\nContent-Transfer-Encoding: base64', b"!"),
    part(b'name="body"\r\nContent-Transfer-Encoding: quoted-printable', b"=ZZ"),
    part(b'name="body"\r\nContent-Length: -1'),
    part(b'name="body"\r\nContent-Length: x'), part(b'name="body"\r\nX-A: ' + LONG.encode()),
    part(b'name="' + LONG.encode() + b'"'),
    part(b'name="body"', b"x" * 1_100_000), parts(b'name="a%d"', 1100), parts(b'name="a%d"; filename="b"', 120),
]
RAW_BODIES = [
    b"\xff\xfe", b"\0", b"body=%00", b"%00=1", b"body=%ff", b"body=%ED%A0%80", b"body=\xed\xa0\x80", b"&" * 5000,
    b"=" * 5000, b"%", b"&".join(b"a%d=1" % n for n in range(1100)), b"body=" + b"x" * 1_100_000, b"{",
    b'{"body": "\\u0000"}', b"[" * 5000, b"<?xml",
]


def request(line=b"GET / HTTP/1.1", *headers, host=b"Host: localhost", body=b""):
    return b"\r\n".join([line, host, b"Connection: close", *headers, b"", body])


CHUNKED = b"Transfer-Encoding: chunked"
POST = b"POST /accounts/login/ HTTP/1.1"
BYTES = [  # as they reach a server
    *(
        request(b"GET " + path + b" HTTP/1.1")
        for path in (
            b"/%00", b"/posts/%00/", b"/\0", b"/\xff", b"/posts/\xff\xfe/", b"/%ff", b"/%", b"/%zz", b"/\t", b"/a b",
            b"//", b"",
            b"*", b"?", b"http://[::/", b"http://evil.example/", b"http://localhost:x/", b"localhost:80", b"/#a",
            b"/\x7f",
            b"/?\xff", b"/?page=\xff", b"/?page=%00", b"/?\0", b"/" + b"a" * 9000, b"/?" + b"a" * 9000,
            b"/?" + b"a" * 70_000,
            b"/media/" + b"9" * 5000, b"/comments/" + b"9" * 5000 + b"/", b"/comments/99999999999999999999/",
            b"/../../x",
            b"/unsubscribe/3:s3cret/", b"/accounts/password/reset/key/3-s3cret/", b"/accounts/confirm-email/s3cret/",
            b"/ws/", b"/metrics/%00", b"/healthz?\xff", b"/static/%00", b"/static/" + b"a" * 5000, b"/favicon.ico",
        )
    ),
    *(
        request(method + b" / HTTP/1.1")
        for method in (b"", b"get", b"CONNECT", b"TRACE", b"OPTIONS", b"PRI", b"\xff", b"G" * 5000, b"PUT", b"G T",
        b"\0")
    ),
    *(request(b"GET / " + version) for version in (b"", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/9",
    b"HTTP/x.y", b"FTP/1")),
    *(
        request(b"GET / HTTP/1.1", header)
        for header in (
            b"A: \0", b"A: \xff", b"\xff: a", b"\0: a", b"A B: c", b": a", b"a", b" a: b", b"A: b\n c", b"A: b\r c",
            b"A:" + b"b" * 9000,
            b"A: " + b"b" * 70_000, b"A: b\r\n" * 500 + b"A: b", b"Cookie: sessionid=\xff",
            b'Cookie: sessionid="\\000"', b"Host: a",
            b"Cookie: sessionid=\0", b"Content-Length: -1", b"Content-Length: x", b"Content-Length: +1",
            b"Content-Length: " + b"9" * 30,
            b"Content-Length: " + b"9" * 5000, CHUNKED + b", x", b"Transfer-Encoding: x", b"Expect: x",
            b"Upgrade: websocket",
            b"Accept-Language: \xff", b"HX-Current-URL: http://[::\r\nHX-Request: true", b"X-Forwarded-For: \xff",
            b"Range: bytes=9-1",
            b"Upgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: x",
            b"Content-Type: a; charset=a\0b",
            b"Content-Type: text/html; charset=utf-7",
            b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 99",
        )
    ),
    *(request(host=host) for host in (b"A: b", b"Host:", b"Host: \xff", b"Host: [::", b"Host: a b",
    b"Host: evil.example")),
    *(
        request(POST, b"Content-Type: " + kind.encode("latin-1"), b"Content-Length: 6", body=b"body=x")
        for kind in TYPES if "\0" not in kind and len(kind) < 400
    ),
    *(
        request(POST, b"Content-Type: " + MULTIPART.encode(), b"Content-Length: %d" % len(body), body=body)
        for body in MULTIPARTS if len(body) < 50_000
    ),
    *(
        request(POST, CHUNKED, body=body)
        for body in (b"0\r\n\r\n",
        b"x\r\n", b"-1\r\n", b"f" * 20 + b"\r\n", b"1\r\nabc\r\n0\r\n\r\n", b"\r\n\r\n", b"1;" + LONG.encode())
    ),
    request(POST, CHUNKED, b"Content-Length: 3", body=b"0\r\n\r\n"),
    request(POST, b"Content-Length: 9\r\nContent-Length: 6", body=b"body=x"),
    b"\r\n\r\n", b"\0" * 100, b"\xff" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET",
    b"GET /\r\n\r\n", b"a: b\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n", b"\x05\x01\x00", b"<?xml?>\r\n\r\n", LONG.encode() * 20,
]
# fmt: on
