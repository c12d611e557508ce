"""The n8n workflow of the docs fits together, and verifies what we send."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from freqtrade_mem0.webhooks.signature import key_of, new_secret, signature

FILE = Path(__file__).parents[3] / "docs" / "how-to" / "n8n-workflow.json"
WORKFLOW: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
NODES = {node["name"]: node for node in WORKFLOW["nodes"]}


def test_every_node_is_complete_and_reached() -> None:
    """As n8n imports it: types with versions, ids of their own, connections between nodes."""
    for node in NODES.values():
        assert {"id", "name", "type", "typeVersion", "position", "parameters"} <= set(node)
        assert node["type"].startswith("n8n-nodes-base.")
    assert len({node["id"] for node in NODES.values()}) == len(WORKFLOW["nodes"])
    reached = {
        to["node"]
        for outputs in WORKFLOW["connections"].values()
        for output in outputs["main"]
        for to in output
    }
    assert set(WORKFLOW["connections"]) | reached == set(NODES)
    assert reached == set(NODES) - {"Event"}


def test_it_listens_where_the_mission_sends() -> None:
    """N8N_WEBHOOK_URL=http://n8n:5678/webhook/mem0, with the body as it came, for the signature."""
    event = NODES["Event"]["parameters"]
    assert (event["httpMethod"], event["path"]) == ("POST", "mem0")
    assert event["options"]["rawBody"] is True


NODE = shutil.which("node") or ""


@pytest.mark.skipif(not NODE, reason="Node.js is not installed")
@pytest.mark.parametrize(
    ("what", "is_taken"), [("right", True), ("another secret", False), ("old", False)]
)
def test_it_verifies_our_signatures(what: str, *, is_taken: bool) -> None:
    """And refuses others, and old events."""
    secret, body = new_secret(), json.dumps({"type": "trade.closed", "data": {"text": "ä"}})
    at_s = int(time.time()) - (400 if what == "old" else 0)
    key = key_of(new_secret() if what == "another secret" else secret, "secret")
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at_s),
        "webhook-signature": signature([key], "msg_1", at_s, body.encode()),
    }
    given = json.dumps({"headers": headers, "body": body, "secret": secret})
    script = f"""
        const given = {given};
        const $env = {{ N8N_WEBHOOK_SECRET: given.secret }};
        const $input = {{ first: () => ({{ json: {{ headers: given.headers }} }}) }};
        const self = {{ helpers: {{ getBinaryDataBuffer: async () => Buffer.from(given.body) }} }};
        const node = async function () {{ {NODES["Verify"]["parameters"]["jsCode"]} }};
        node.call(self).then((items) => console.log(JSON.stringify(items)));
    """
    ran = subprocess.run([NODE, "-e", script], capture_output=True, text=True, check=False)
    assert (ran.returncode == 0) is is_taken, ran.stderr
    if is_taken:
        assert json.loads(ran.stdout) == [{"json": {"id": "msg_1", **json.loads(body)}}]
