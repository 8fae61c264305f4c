"""Follow the station that runs on this host: values as they come, contact, events.

    python examples/watch_live.py [STATION] [SECONDS]

A station runs after `groundstation serve LINK`, or while `hil fly` flies.
"""

import asyncio
import sys

import groundstation
from groundstation.messages import ContactChange, EventMessage, Telemetry


async def main(station: str | None, seconds: float) -> None:
    """Print what comes until time is up or the station ends."""
    client = groundstation.connect(station)
    snapshot = await client.connect()
    print(f"{snapshot.station}: {snapshot.mission}, {len(snapshot.parameters)} parameters, {snapshot.link.state}")
    try:
        async with asyncio.timeout(seconds):
            async for message in client.messages():
                if isinstance(message, Telemetry) and message.packet == "DESCENT":
                    values = message.values
                    print(f"{values['phase']:<12} {values['altitude']:9.1f} m {values['speed']:8.2f} m/s")
                elif isinstance(message, ContactChange):
                    print(f"{message.channel}: {message.previous} -> {message.state}")
                elif isinstance(message, EventMessage):
                    print(f"{message.severity} {message.source} {message.name}: {message.text}")
    except TimeoutError:
        pass
    finally:
        await client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None, float(sys.argv[2]) if len(sys.argv) > 2 else 10.0))
