import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A FLIP data-access API that serves one cohort; what it answers may be changed while it runs. */
export interface PracticeDataAccess extends AsyncDisposable {
  readonly url: string;
  /** What it was asked, decoded. */
  readonly requests: {
    readonly headers: Readonly<Record<string, unknown>>;
    readonly body: Readonly<Record<string, unknown>>;
  }[];
  answer: { status: number; body: unknown };
}

export async function startDataAccess(accessions: readonly unknown[]): Promise<PracticeDataAccess> {
  const server = createServer((message, response) => {
    const pieces: Buffer[] = [];
    message.on("data", (piece: Buffer) => pieces.push(piece));
    message.on("end", () => {
      practice.requests.push({ headers: message.headers, body: JSON.parse(Buffer.concat(pieces).toString("utf8")) });
      const { status, body } = practice.answer;
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const practice: PracticeDataAccess = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    answer: { status: 200, body: { accession_ids: accessions } },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return practice;
}
