import { expect, it } from "vitest";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { neverAborted } from "../../units/abort.ts";
import { silentLogger } from "../../units/logger.ts";
import { readImportRows } from "./import-rows.ts";
import { openXnatSessions } from "./xnat.ts";

/** DQR's own size of a page. */
const PAGE_ROWS = 100;

function rowsOf(first: number, count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => {
    const id = first - index;
    return { id, status: "QUEUED", xnatProject: "trial", studyInstanceUid: `1.2.${id}`, accessionNumber: `ACC${id}` };
  });
}

/** An XNAT that is through with the oldest study of its queue between the two pages that its queue has. */
function busyXnat() {
  let isThrough = false;
  return startHttpServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://xnat");
    const answer = (value: unknown): void =>
      void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (pathname === "/data/JSESSION") return void response.writeHead(200).end("A".repeat(32));
    if (pathname === "/xapi/dqr/import/history") return answer(isThrough ? rowsOf(1, 1) : []);
    if (pathname === "/xapi/dqr/import/queue") {
      if (searchParams.get("page") === "1") return answer(rowsOf(PAGE_ROWS + 1, PAGE_ROWS));
      isThrough = true;
      return answer([]);
    }
    return answer(pathname === "/xapi/direct-archive" ? [] : { ResultSet: { Result: [] } });
  });
}

it("finds a study that leaves the queue meanwhile among those that were tried", async () => {
  await using server = await busyXnat();
  const account = { username: "service", password: "secret" };
  await using sessions = openXnatSessions({ url: server.url, ...account, connections: 8 });
  const options = { logger: silentLogger, signal: neverAborted(), isEnough: () => false };
  const { queued, executed } = await readImportRows(sessions.service, "trial", options);
  const named = new Set([...queued, ...executed].map(({ accessionNumber }) => accessionNumber));
  expect(named).toHaveLength(PAGE_ROWS + 1);
  expect(executed).toMatchObject([{ accessionNumber: "ACC1" }]);
});
