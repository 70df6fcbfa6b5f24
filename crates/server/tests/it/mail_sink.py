"""A mail server that keeps what it takes: PyPI's aiosmtpd, with STARTTLS and a sign-in when it is given a certificate.

mail_sink.py FOLDER [CERTIFICATE KEY]: prints its port, writes each mail as FOLDER/N.json, read by Python's own package.
"""

import asyncio, email, email.policy, json, pathlib, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult

folder = pathlib.Path(sys.argv[1])


class Sink:
    count = 0

    async def handle_DATA(self, server, session, envelope):
        if any(rcpt.startswith("refuse") for rcpt in envelope.rcpt_tos):
            return "550 no such mailbox"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        told = {
            "to": str(mail["to"]),
            "subject": str(mail["subject"]),
            "text": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
            "tls": session.ssl is not None,
        }
        Sink.count += 1
        part = folder / f"{Sink.count}.part"
        part.write_text(json.dumps(told))
        part.rename(folder / f"{Sink.count}.json")
        return "250 taken"


def signs_in(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"klinke" and data.password == b"hush")


options = {}
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": signs_in}


async def serve():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Sink(), **options), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
