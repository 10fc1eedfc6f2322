import { startHttpServer } from "../support/http-server.ts";

/** What orthanc-anon was told to fetch. */
export interface ImportRequest {
  readonly ResourceIDs: readonly string[];
  readonly StudyInstanceUIDs: readonly string[];
  readonly SeriesInstanceUIDs: readonly string[];
  readonly ProjectName: string;
}

/** The part of orthanc-anon's plugin that the imaging API talks to: it takes what it is told, and says that it will. */
export interface PixlAnon extends AsyncDisposable {
  readonly url: string;
  /** Every request that was taken. */
  readonly imports: ImportRequest[];
  /** Requests that it was asked and has not answered. */
  readonly waiting: number;
  /** Answered instead, while it is set. */
  status: number | undefined;
  /** No request is answered before it resolves. */
  hold: Promise<void> | undefined;
}

export const ANON_LOGIN = { username: "orthanc_anon_username", password: "orthanc_anon_password" } as const;

export async function startPixlAnon(): Promise<PixlAnon> {
  const credentials = Buffer.from(`${ANON_LOGIN.username}:${ANON_LOGIN.password}`).toString("base64");
  let waiting = 0;
  const server = await startHttpServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", async () => {
      waiting += 1;
      await anon.hold;
      waiting -= 1;
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      if (anon.status !== undefined) return answer(anon.status, { Message: "scripted" });
      if (request.headers.authorization !== `Basic ${credentials}`) return answer(401, {});
      if (request.method !== "POST" || request.url !== "/import-from-raw") return answer(404, {});
      anon.imports.push(JSON.parse(Buffer.concat(pieces).toString()));
      answer(200, { Message: "Ok" });
    });
  });
  const anon: PixlAnon = {
    url: server.url,
    imports: [],
    get waiting() {
      return waiting;
    },
    status: undefined,
    hold: undefined,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return anon;
}
