import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The rate of a PIXL imaging API, as the original answers: bodies and statuses are its own. */
export interface PracticeImagingApi extends AsyncDisposable {
  readonly port: number;
  /** Every rate that was set. */
  readonly rates: number[];
  /** Answers 406, as to a negative rate. */
  isRefusing: boolean;
}

export async function startImagingApi(): Promise<PracticeImagingApi> {
  const server = createServer((message, response) => {
    const pieces: Buffer[] = [];
    message.on("data", (piece: Buffer) => pieces.push(piece));
    message.on("end", () => {
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      if (message.url !== "/token-bucket-refresh-rate") return answer(404, { detail: "Not Found" });
      if (practice.isRefusing) return answer(406, { detail: "Refresh rate mush be a positive integer. Had -1.0" });
      if (message.method === "GET") return answer(200, { rate: practice.rates.at(-1) ?? 0 });
      practice.rates.push(JSON.parse(Buffer.concat(pieces).toString()).rate);
      answer(200, "Successfully updated the refresh rate");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const practice: PracticeImagingApi = {
    port: (server.address() as AddressInfo).port,
    rates: [],
    isRefusing: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return practice;
}
