// Follow a station from Node, with ZeroMQ and JSON alone.
//
//     cd examples/node && npm install && node subscribe.mjs FOLDER
//
// FOLDER is that of a station: $XDG_RUNTIME_DIR/groundstation/NAME. A station runs after `groundstation serve LINK`.

import { readFileSync } from "node:fs";
import { Request, Subscriber } from "zeromq";

const COUNT = 50;

const split = (part) => {
  const text = part.toString("utf8");
  const space = text.indexOf(" ");
  return [text.slice(0, space), JSON.parse(text.slice(space + 1))];
};

const info = JSON.parse(readFileSync(`${process.argv[2]}/station.json`, "utf8"));
const telemetry = new Subscriber();
telemetry.connect(info.telemetry);
telemetry.subscribe("");

const command = new Request();
command.connect(info.command);
await command.send(JSON.stringify({ type: "snapshot_request" }));
const [answer] = await command.receive();
const [, snapshot] = split(answer);
console.log(`${snapshot.station}: ${snapshot.mission}, ${snapshot.parameters.length} parameters`);

let count = 0;
for await (const [part] of telemetry) {
  const [topic, message] = split(part);
  console.log(topic, message.seq, message.type === "telemetry" ? JSON.stringify(message.values) : message.type);
  if (++count === COUNT) break;
}
telemetry.close();
command.close();
