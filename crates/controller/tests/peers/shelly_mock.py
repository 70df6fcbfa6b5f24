"""A MOCK of a Shelly relay of the second generation, after its makers' documentation (Switch, Authentication): no device
and no independent simulator is to be had. Argument, orders and what it says are JSON, a line each.

{"port": TCP port, "password": text or null}
Orders: {"forget": true} makes all nonces stale. Says: {"ready": true}, {"on": bool, "by": "command" or "timer"}.
"""
import asyncio
import hashlib
import json
import re
import secrets
import sys

from aiohttp import web

argument = json.loads(sys.argv[1])
REALM = "shellyplus1-a8032abe54dc"
nonces = {}
state = {"on": False, "timer": None}


def say(**what):
    print(json.dumps(what), flush=True)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def is_signed(request):
    header = request.headers.get("Authorization", "")
    if not header.startswith("Digest "):
        return False
    fields = {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', header)}
    count = int(fields["nc"], 16)
    if fields["username"] != "admin" or fields["uri"] != "/rpc" or fields["nonce"] not in nonces or count <= nonces[fields["nonce"]]:
        return False
    who = digest(f"admin:{REALM}:{argument['password']}")
    what = digest("POST:/rpc")
    wanted = digest(f"{who}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:auth:{what}")
    if fields["response"] != wanted:
        return False
    nonces[fields["nonce"]] = count
    return True


def switch(on, by):
    state["on"] = on
    say(on=on, by=by)


async def rpc(request):
    if argument["password"] is not None and not is_signed(request):
        nonce = secrets.token_hex(8)
        nonces[nonce] = 0
        challenge = f'Digest qop="auth", realm="{REALM}", nonce="{nonce}", algorithm=SHA-256'
        return web.json_response({"code": 401, "message": ""}, status=401, headers={"WWW-Authenticate": challenge})
    call = await request.json()
    params = call["params"]
    answer = {"id": call["id"], "src": REALM}
    if params.get("id") != 0:
        answer["error"] = {"code": -105, "message": "Argument 'id', value out of range!"}
    elif call["method"] == "Switch.GetStatus":
        answer["result"] = {"id": 0, "source": "http", "output": state["on"]}
    elif call["method"] == "Switch.Set":
        was_on = state["on"]
        if state["timer"]:
            state["timer"].cancel()
            state["timer"] = None
        switch(params["on"], "command")
        if "toggle_after" in params:
            loop = asyncio.get_running_loop()
            state["timer"] = loop.call_later(params["toggle_after"], switch, not params["on"], "timer")
        answer["result"] = {"was_on": was_on}
    else:
        answer["error"] = {"code": 404, "message": f"No handler for {call['method']}"}
    return web.json_response(answer)


async def main():
    app = web.Application()
    app.add_routes([web.post("/rpc", rpc)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", argument["port"]).start()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(ready=True)
    while await reader.readline():
        nonces.clear()
        say(forgot=True)


asyncio.run(main())
