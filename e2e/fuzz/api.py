#!/usr/bin/env python3
"""Holds a real server against its OpenAPI document, as three roles see it.

    api.py KLINKE FOLDER [SECONDS]

Builds the demo's town in FOLDER, serves it, makes a token for each role, and lets schemathesis ask: no answer is a 5xx, none
has a status, a content type or a body that the document does not name. The seed is fixed. SECONDS is for all roles together.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree

SEED = 20261121
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
DAY_MS = 86_400_000
# Who asks: what their token is for, and whether for one building.
ROLES = {
    "manager": (["see_building", "see_people", "change_people", "change_building", "devices", "audit"], False),
    "administrator": (["see_building", "see_people", "change_people", "change_building", "devices", "audit"], True),
    "auditor": (["see_building", "see_people", "audit"], True),
}


class Server:
    """`klinke` with these arguments; `until` is a pattern in what it prints."""

    def __init__(self, klinke, arguments, until, env=None):
        self.process = subprocess.Popen(
            [klinke, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **(env or {})},
        )
        for line in self.process.stdout:
            found = re.search(until, line)
            if found:
                self.found = found
                break
        else:
            raise SystemExit(f"klinke {arguments[0]} ended: {self.process.wait()}")
        # what it goes on to print must be read, or it waits for that
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


class Client:
    """Somebody's session."""

    def __init__(self, origin, sign_in):
        self.origin, self.cookie = origin, None
        body = {"user_name": sign_in["user_name"], "password": sign_in["password"], "device_name": "Fuzz"}
        self.ask("POST", "/api/v1/session", body)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.origin + path, method=method, headers={"Origin": self.origin})
        if self.cookie:
            request.add_header("Cookie", self.cookie)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            cookie = answer.headers.get("Set-Cookie")
            if cookie:
                self.cookie = cookie.split(";")[0]
            text = answer.read()
            return json.loads(text) if text else None


def token(manager, name, rights, building):
    new = {"name": name, "rights": rights, "ends_at": int(time.time() * 1000) + DAY_MS}
    if building:
        new["building"] = building
    return manager.ask("POST", "/api/v1/tokens", new)["token"]


def real_things(manager, building):
    """Ids that are there, beside those that schemathesis makes up: else every answer is a 404."""
    people = manager.ask("GET", "/api/v1/people?limit=20")["items"]
    units = manager.ask("GET", f"/api/v1/buildings/{building}/units")["items"]
    bells = manager.ask("GET", f"/api/v1/buildings/{building}/bells")["items"]
    return {
        "building": [building],
        "person": [person["id"] for person in people],
        "unit": [unit["id"] for unit in units[:10]],
        "bell": [bell["id"] for bell in bells[:10]],
    }


def run(folder, name, origin, secret, things, seconds):
    config = folder / f"{name}.toml"
    lines = ["[parameters]"]
    for parameter, ids in things.items():
        # what is not there is asked for too
        ids = [*ids, "00000000-0000-4000-8000-000000000000"]
        lines.append(f'"path.{parameter}" = {json.dumps(ids)}')
    config.write_text("\n".join(lines) + "\n")
    report = folder / f"{name}.xml"
    # one at a time: Python 3.11 can not parse itself on two threads (AST constructor recursion depth mismatch)
    command = [
        str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(config), "run",
        f"{origin}/api/openapi.json", "--seed", str(SEED), "--checks", CHECKS,
        "--phases", "coverage,fuzzing", "--max-time", str(seconds), "--workers", "1",
        "--continue-on-failure", "--no-shrink", "--suppress-health-check", "all", "--warnings", "off",
        "--report", "junit", "--report-junit-path", str(report),
        "--header", f"Authorization: Bearer {secret}", "--no-color",
    ]
    print(f"── {name}", flush=True)
    code = subprocess.run(command, cwd=folder, check=False).returncode
    if not report.exists():
        print(f"schemathesis gave no report ({code})")
        return 0, 1
    cases = xml.etree.ElementTree.parse(report).getroot().iter("testcase")
    passed = failed = 0
    for case in cases:
        bad = case.find("failure") is not None or case.find("error") is not None
        failed += bad
        passed += not bad and case.find("skipped") is None
    return passed, max(failed, int(code not in (0, 1)))


def still_good(origin, secret):
    """Whether the token was one to the end: else every answer was the same refusal."""
    request = urllib.request.Request(origin + "/api/v1/buildings", headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        print(f"the token is no good any more: {error}")
        return False


def main():
    klinke, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 75
    demo = Server(klinke, ["demo", "--dir", str(folder / "town"), "--port", "0", "--print-json"], r"^\{.*\}")
    told = json.loads(demo.found.group())
    demo.stop()
    free = "127.0.0.1:0"
    server = Server(
        klinke, ["serve"], r"Klinke is at (\S+)",
        {
            "KLINKE_DATA__FOLDER": str(folder / "town"),
            "KLINKE_HTTP__LISTEN": free,
            "KLINKE_CONTROLLERS__LISTEN": free,
            "KLINKE_MEDIA__LISTEN": free,
            # limits would hide what is behind them
            "KLINKE_LIMITS__PER_SECOND": "0",
        },
    )
    try:
        origin = server.found.group(1)
        manager = Client(origin, told["administrator"])
        building = manager.ask("GET", "/api/v1/buildings")[0]["id"]
        things = real_things(manager, building)
        counts = []
        for name, (rights, in_one) in ROLES.items():
            secret = token(manager, name, rights, building if in_one else None)
            counts.append(run(folder, name, origin, secret, things, seconds // len(ROLES)))
            counts.append((0, int(not still_good(origin, secret))))
    finally:
        server.stop()
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"test result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
