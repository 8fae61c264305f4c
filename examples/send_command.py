"""Send a command through the station that runs on this host, and wait for the lander's report.

    python examples/send_command.py PING [KEY=VALUE ...]

The exit code is 0 if the command was executed.
"""

import asyncio
import getpass
import secrets
import sys
import time

import groundstation
from groundstation.messages import CommandRequest, CommandUpdate, Refusal, RequestAccepted


async def main(name: str, arguments: dict[str, str]) -> bool:
    """Send, follow, and say whether it was executed."""
    client = groundstation.connect()
    await client.connect()  # first: nothing that becomes of the command may be missed
    try:
        who, token = getpass.getuser(), secrets.token_hex(16)
        request = CommandRequest(who=who, token=token, issued=time.time_ns(), name=name, arguments=dict(arguments))
        answer = await client.request(request)
        if isinstance(answer, Refusal):
            print(f"refused: {answer.text}")
            return False
        assert isinstance(answer, RequestAccepted)
        print(answer.text)
        async with asyncio.timeout(30):
            async for message in client.messages():
                if isinstance(message, CommandUpdate) and message.command == answer.command:
                    print(f"{message.name}: {message.state} {message.detail}".rstrip())
                    if message.state in ("COMPLETED", "FAILED", "TIMEOUT"):
                        return message.state == "COMPLETED"
        return False
    finally:
        await client.close()


if __name__ == "__main__":
    given = dict(pair.split("=", 1) for pair in sys.argv[2:])
    sys.exit(0 if asyncio.run(main(sys.argv[1], given)) else 1)
