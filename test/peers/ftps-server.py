"""An FTPS server over a folder. Its one argument is a JSON object: see ftps-server.ts."""

import json
import os
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

options = json.loads(sys.argv[1])
cuts = options.get("cuts", 0)


class DataHandler(TLS_DTPHandler):
    """Closes so many data connections that bring a file in the middle of it."""

    def handle_read_event(self):
        global cuts
        super().handle_read_event()
        if cuts > 0 and self.receive and self.get_transmitted_bytes() >= options["cutAfterBytes"]:
            cuts -= 1
            self.cmd_channel.close()
            self.close()


class Handler(TLS_FTPHandler):
    certfile = options["certificateFile"]
    keyfile = options["keyFile"]
    tls_control_required = True
    tls_data_required = True
    dtp_handler = DataHandler
    banner = "ready"
    auth_failed_timeout = 0

    def handle(self):
        if options["security"] == "implicit":
            self.secure_connection(self.get_ssl_context())
        else:
            super().handle()

    def handle_ssl_established(self):
        if options["security"] == "implicit":
            super().handle()

    def on_file_received(self, file):
        if options.get("forgets"):
            os.truncate(file, 0)

    def ftp_SIZE(self, path):
        if not options.get("liesAboutSizes") or not os.path.exists(path):
            return super().ftp_SIZE(path)
        self.respond(f"213 {os.path.getsize(path) - 10}")

    def ftp_RNTO(self, path):
        if options.get("refusesToReplace") and os.path.exists(path):
            self.respond("550 File exists.")
            return None
        return super().ftp_RNTO(path)


for command in options.get("unknownCommands", []):
    del Handler.proto_cmds[command]

authorizer = DummyAuthorizer()
authorizer.add_user(options["username"], options["password"], options["folder"], perm=options["permissions"])
Handler.authorizer = authorizer
FTPServer(("127.0.0.1", options["port"]), Handler).serve_forever()
