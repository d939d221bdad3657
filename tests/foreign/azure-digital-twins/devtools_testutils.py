"""What the vendor's tests import from a package that is not published.

The tests come from the source distribution of azure-digitaltwins-core. In their
own house a recording proxy stands here; this talks to a live server, with a token
that stays the same, and lets the clients use plain http, which they refuse.
"""

import time
import uuid

from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy


class Credential:
    def get_token(self, *_scopes, **_options):
        return AccessToken("planthread", int(time.time()) + 3600)


class Bearer(SansIOHTTPPolicy):
    def on_request(self, request):
        request.http_request.headers["Authorization"] = "Bearer planthread"


class AzureRecordedTestCase:
    # A server that answers now: tests wait where the service needs it.
    is_live = True

    def get_credential(self, _client, **_options):
        return Credential()

    def create_client_from_credential(self, client, credential, endpoint, **options):
        return client(endpoint, credential, authentication_policy=Bearer(), **options)

    def create_random_name(self, prefix):
        return prefix + uuid.uuid4().hex[:12]
