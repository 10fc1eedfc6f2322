"""Runs one of pynetdicom's own applications with what its options do not offer: TLS and a user identity.

usage: pynetdicom-app.py OPTIONS APPLICATION ARGUMENT...

OPTIONS is a JSON object: "tls" (keyFile, certificateFile, authoritiesFile, isMutual), "identity" (username,
passcode): as a requestor it names this user, as an acceptor it accepts this user alone, or
one with the passcode for a token.
"""

import json
import runpy
import ssl
import sys

from pynetdicom import AE, evt
from pynetdicom.pdu_primitives import UserIdentityNegotiation


def server_context(tls):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls["certificateFile"], tls["keyFile"])
    if tls["isMutual"]:
        context.load_verify_locations(tls["authoritiesFile"])
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(tls):
    context = ssl.create_default_context(cafile=tls["authoritiesFile"])
    # TLS 1.3 sends tickets behind the handshake. Where they arrive before the request is sent, pynetdicom 3.0 takes them for the answer's
    # beginning, waits for the rest of it, and sends nothing.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if tls["isMutual"]:
        context.load_cert_chain(tls["certificateFile"], tls["keyFile"])
    return context


def user_identity(identity):
    item = UserIdentityNegotiation()
    item.user_identity_type = 2
    item.positive_response_requested = True
    item.primary_field = identity["username"].encode()
    item.secondary_field = identity["passcode"].encode()
    return item


def verifies(event, identity):
    name, secret = identity["username"].encode(), identity["passcode"].encode()
    # Username and passcode, or a JSON web token. PS3.7 table D.3-14.
    known = {2: (name, secret), 5: (secret, b"")}
    is_verified = known.get(event.user_id_type) == (event.primary_field, event.secondary_field or b"")
    return is_verified, b"" if is_verified else None


def main():
    options = json.loads(sys.argv[1])
    tls, identity = options.get("tls"), options.get("identity")
    associate, make_server = AE.associate, AE.make_server

    def associate_with_options(self, addr, port, *args, **kwargs):
        if tls:
            kwargs["tls_args"] = (client_context(tls), addr)
        if identity:
            kwargs["ext_neg"] = [*(kwargs.get("ext_neg") or []), user_identity(identity)]
        return associate(self, addr, port, *args, **kwargs)

    def make_server_with_options(self, *args, **kwargs):
        if tls:
            kwargs["ssl_context"] = server_context(tls)
        if identity:
            handler = (evt.EVT_USER_ID, verifies, [identity])
            kwargs["evt_handlers"] = [*(kwargs.get("evt_handlers") or []), handler]
        return make_server(self, *args, **kwargs)

    AE.associate, AE.make_server = associate_with_options, make_server_with_options
    application = sys.argv[2]
    sys.argv = [application, *sys.argv[3:]]
    runpy.run_module(f"pynetdicom.apps.{application}.{application}", run_name="__main__")


main()
