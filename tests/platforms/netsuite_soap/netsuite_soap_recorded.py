"""Answers of NetSuite's written by hand."""

from __future__ import annotations

import httpx

from platforms.netsuite_soap.transport import CORE, CUSTOMERS, SALES
from tests.platforms.netsuite_soap.netsuite_soap_desk import LONG_AGO, PULL, client
from tests.platforms.netsuite_soap.netsuite_soap_orders import SECRET, connection

MESSAGES = CORE.replace("core", "messages")
ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns:m="{MESSAGES}" xmlns:c="{CORE}" xmlns:s="{SALES}" xmlns:r="{CUSTOMERS}" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>{}</e:Body></e:Envelope>'
)
NOW = (
    "<m:getServerTimeResponse><c:getServerTimeResult><c:status isSuccess='true'/>"
    "<c:serverTime>2026-11-20T01:10:00.000-08:00</c:serverTime>"
    "</c:getServerTimeResult></m:getServerTimeResponse>"
)


def results(name, *records, total=None, pages=1, listed="recordList"):
    return (
        f"<m:{name}Response><c:{'searchResult' if 'search' in name else name + 'Result'}>"
        f"<c:status isSuccess='true'/><c:totalRecords>{total or len(records)}</c:totalRecords>"
        f"<c:pageSize>200</c:pageSize><c:totalPages>{pages}</c:totalPages>"
        f"<c:searchId>S1</c:searchId><c:{listed}>{''.join(records)}</c:{listed}>"
        f"</c:{'searchResult' if 'search' in name else name + 'Result'}></m:{name}Response>"
    )


class Recorded:
    """Answers by operation, in turn; the last one stays."""

    def __init__(self, **answers):
        self.answers = {name: list(texts) for name, texts in answers.items()}
        self.requests = []

    def page(self, stream="transactions", cursor=None, reader=PULL):
        auth = PULL.auth(SECRET, connection())
        vendor = client(httpx.MockTransport(self.answer), auth, connection())
        return reader.changes(vendor, stream, cursor, LONG_AGO, connection())

    def answer(self, request):
        self.requests.append(request)
        name = request.headers["SOAPAction"].strip('"')
        texts = self.answers[name]
        text = ENVELOPE.replace("{}", texts.pop(0) if len(texts) > 1 else texts[0])
        return httpx.Response(200, text=text, headers={"Content-Type": "text/xml"})
