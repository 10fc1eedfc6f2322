import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/**
 * `dicomweb-server-main.ts PORT LIST`: a DICOMweb service that gives the files of the list (SOP Instance UID and path on each line) in one
 * multipart answer, whatever is asked for, and takes and drops what is sent. Small files are held in memory; large ones are streamed.
 */
const [port = "", list = ""] = process.argv.slice(2);

const BOUNDARY = "MIMEBoundary_0123456789abcdef0123456789abcdef";
const HELD_BYTES = 128 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
/** No buffer of Node's keeps more: what was sent of a set stays in memory once, whoever reads it. */
const files = (await readFile(list, "utf8"))
  .trim()
  .split("\n")
  .map((line) => {
    const [sopInstanceUid = "", path = ""] = line.split("\t");
    return { sopInstanceUid, path };
  });
const held = new Map<string, Buffer>();
for (const { path } of files) {
  if ((await stat(path)).size <= HELD_BYTES) held.set(path, await readFile(path));
}

/** Store Instances Response: all of the list, stored. PS3.18 table I.1-1. */
const STORED = JSON.stringify({
  "00081199": {
    vr: "SQ",
    Value: files.map(({ sopInstanceUid }) => ({ "00081155": { vr: "UI", Value: [sopInstanceUid] } })),
  },
});

async function give(response: ServerResponse): Promise<void> {
  const write = async (bytes: Uint8Array): Promise<void> => {
    if (!response.write(bytes)) await new Promise((resolve) => response.once("drain", resolve));
  };
  response.writeHead(200, { "Content-Type": `multipart/related; type="application/dicom"; boundary=${BOUNDARY}` });
  for (const { path } of files) {
    response.write(`\r\n--${BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n`);
    const bytes = held.get(path);
    if (bytes !== undefined) await write(bytes);
    else for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) await write(piece);
  }
  response.end(`\r\n--${BOUNDARY}--\r\n`);
}

function take(request: IncomingMessage, response: ServerResponse): void {
  request.on("data", () => undefined);
  request.once("end", () => {
    response.writeHead(200, { "Content-Type": "application/dicom+json" });
    response.end(STORED);
  });
}

createServer((request, response) => {
  if (request.method === "POST") take(request, response);
  else give(response).catch(() => response.destroy());
}).listen(Number(port), "127.0.0.1");
