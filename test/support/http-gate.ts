import { request } from "node:http";
import { startHttpServer } from "./http-server.ts";

/** Stands before an HTTP server of this machine: passes on what it may, and never answers or breaks off the rest. `held`: something is held back. */
export async function startGate(port: number, decide: (method: string, path: string) => "pass" | "hold" | "cut") {
  const { promise: held, resolve } = Promise.withResolvers<void>();
  const server = await startHttpServer((incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const decision = decide(method, path);
    if (decision === "hold") return resolve();
    if (decision === "cut") return void incoming.socket.destroy();
    const onward = request({ port: port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  return { endpoint: server.url, held, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
