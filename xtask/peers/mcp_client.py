"""The tools of `lexiform serve` and `lexiform mcp --listen` with the client of the MCP SDK (`pip install mcp`, 2.3), in both
generations of the protocol:

    lexiform mcp samples --listen 127.0.0.1:7071 &
    python xtask/peers/mcp_client.py http://127.0.0.1:7071/mcp [TOKEN]
"""

import asyncio
import sys

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


async def talk(url, token, mode):
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"} if token else None)
    async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools[:2] == ["search", "similar"], tools
        found = await client.call_tool("search", {"text": "a chair", "k": 3})
        assert not found.is_error, found
        answers = found.structured_content["answers"]
        assert len(answers) == 3, found
        mistake = await client.call_tool("similar", {"id": "no-id"})
        assert mistake.is_error and "hint" not in mistake.content[0].text.split("\n")[0], mistake
        refused = await client.call_tool("search", {"files": ["/etc/hostname"]})
        assert refused.is_error and "server's machine" in refused.content[0].text, refused
        empty = await client.call_tool("search", {})
        assert not empty.is_error, empty
        print(f"{mode}: protocol {client.protocol_version}, {len(tools)} tools, best answer {answers[0]['path']}")


async def main():
    url, token = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    for mode in ("legacy", "auto", "2026-07-28"):
        await talk(url, token, mode)


asyncio.run(main())
